# The commands of the project; `make help` lists them. The recipes need python3 (3.11 or newer) only.

SUITE ?= quick
OUT ?= results
BUDGET ?= 10

# Paths of the user's are taken as they are, spaces and quotes and all: recipes have them from the
# environment. Only a home folder, which the shell finds none of in quotes, is put in.
path = $(if $(filter ~/%,$(firstword $(1))),$(subst ~/,$(HOME)/,$(1)),$(1))
override SUITE := $(call path,$(value SUITE))
override OUT := $(call path,$(value OUT))
export SUITE OUT PY

UV_VERSION := 0.13.9
VENV := .venv
UV := $(VENV)/.uv-$(UV_VERSION)
UV_PIP := $(VENV)/bin/uv pip
COMPILE = $(UV_PIP) compile --quiet --universal --generate-hashes --no-emit-index-url \
  --no-emit-find-links --python-version 3.11 --custom-compile-command "make lock" pyproject.toml
SYNC = $(UV_PIP) sync --python $(PY) --require-hashes

# PYTHON= names an interpreter that already has the packages; without it `make` keeps its own in
# .venv. Which torch that has is noted there, so that a later `make` without TORCH_BACKEND keeps it.
ifdef PYTHON
PY := $(call path,$(value PYTHON))
else
PY := $(VENV)/bin/python
ENVIRONMENT := $(VENV)/.synced
DEVELOPMENT := $(VENV)/.dev-synced
WEIGHTS := $(VENV)/.weights-tried
endif

.DEFAULT_GOAL := help
CPU_ONLY := $(and $(filter Linux,$(shell uname)),$(if $(wildcard /dev/nvidiactl /dev/kfd /dev/dxg)$(shell command -v nvidia-smi 2>/dev/null),,yes))
.PHONY: ask help setup dev lock bench report published regress timing anchors test numeric check clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(ENVIRONMENT) ## environment from the lock, and the LPIPS weights (TORCH_BACKEND=cpu, cu128, lock ...)
	@"$$PY" -c 'from benchmarks.metrics import lpips_weights; lpips_weights.main()'
	@$(if $(WEIGHTS),touch $(WEIGHTS))

dev: $(DEVELOPMENT) ## setup, and Ray and the tools for tests and checks

# Which torch to install: the one asked for; else the lock's, or, on Linux without a GPU, the small
# CPU-only one, if its index can be reached.
$(VENV)/.backend: $(if $(TORCH_BACKEND),ask) | $(UV)
	@backend=$(or $(TORCH_BACKEND),$(if $(CPU_ONLY),cpu,lock)); \
	if [ "$$(cat $@ 2>/dev/null)" = $$backend ]; then exit 0; fi; \
	if [ $$backend != lock ] && ! said=$$(UV_HTTP_RETRIES=0 $(UV_PIP) install --python $(PY) --dry-run --torch-backend $$backend --reinstall-package torch torch 2>&1); then \
	  if [ -n "$(TORCH_BACKEND)" ]; then echo "$$said" >&2; exit 2; fi; \
	  echo "The CPU-only torch is out of reach; installing the one with GPU libraries, several gigabytes"; \
	  backend=lock; \
	fi; \
	echo $$backend > $@

# A stamp is written last: an interrupted set-up is done again. Another backend's torch is not
# covered by the lock's hashes; its version is the lock's, if the backend has that.
$(VENV)/.synced: requirements.lock pyproject.toml $(VENV)/.backend | $(UV)
	@rm -f $@ $(VENV)/.dev-synced
	@set -e; backend=$$(cat $(VENV)/.backend); \
	if [ $$backend = lock ]; then $(SYNC) requirements.lock; else \
	  awk '/^[a-z]/ { keep = !/^(torch|torchvision|triton|nvidia-|cuda-)/ } keep' requirements.lock > $(VENV)/without-torch.lock; \
	  $(SYNC) $(VENV)/without-torch.lock; \
	  locked=$$(awk '/^torch(vision)?==/ { print $$1 }' requirements.lock); \
	  torch="$(UV_PIP) install --python $(PY) --torch-backend $$backend"; \
	  if ! $$torch --quiet --dry-run $$locked 2>/dev/null; then \
	    echo "$$backend has no" $$locked "(the locked versions); installing its newest"; locked="torch>=2.11 torchvision"; \
	  fi; \
	  $$torch $$locked; \
	fi
	$(UV_PIP) install --python $(PY) --no-deps --no-build-isolation --quiet -e .
	@touch $@

$(VENV)/.dev-synced: requirements-dev.lock $(ENVIRONMENT)
	$(UV_PIP) install --python $(PY) --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

$(UV):
	@command -v python3 >/dev/null || { echo "python3 is missing; install Python 3.11 or newer with venv"; exit 2; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "python3 is older than 3.11; name a newer one first in PATH"; exit 2; }
	python3 -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@rm -f $(VENV)/.uv-* && touch $@

# Tried once in each environment; where the weights cannot be had, `make setup` tries again.
$(VENV)/.weights-tried: | $(ENVIRONMENT)
	@"$$PY" -c 'from benchmarks.metrics import lpips_weights; lpips_weights.main()'
	@touch $@

lock: $(UV) ## write requirements.lock, and what `make dev` adds to it, anew from pyproject.toml
	$(COMPILE) --extra bench --extra build -o requirements.lock
	$(COMPILE) --extra bench --extra build --extra ray --extra dev -c requirements.lock -o requirements-dev.lock \
	  $$(awk -F== '/^[a-z]/ { print "--no-emit-package", $$1 }' requirements.lock)

bench: $(ENVIRONMENT) $(WEIGHTS) ## run SUITE (quick), score and report it; resumes, and fits nothing twice
	@"$$PY" -m reports bench "$$SUITE" --out "$$OUT"

report: $(ENVIRONMENT) ## report SUITE again from what is stored
	@"$$PY" -m reports report "$$SUITE" --out "$$OUT"

published: $(ENVIRONMENT) $(WEIGHTS) ## make published results that are missing or stale (BUDGET=10 minutes)
	@"$$PY" -m reports published --make --budget "$(BUDGET)" --out "$$OUT" || test $$? = 3

regress: $(ENVIRONMENT) $(WEIGHTS) ## fit afresh and compare with the baseline; fails if reconstructions changed
	@"$$PY" -m reports regress --out "$$OUT"

timing: $(ENVIRONMENT) ## time both engines side by side, alone on the device (BUDGET=10 minutes)
	@"$$PY" -m reports timing --budget $(BUDGET) --out "$$OUT"

anchors: $(ENVIRONMENT) $(WEIGHTS) ## recompute published numbers (images: dip-bench data fetch, or DIP_MIRROR)
	@"$$PY" -m reports anchors --out "$$OUT"

test: $(DEVELOPMENT) $(WEIGHTS) ## run the tests (SLOW=1: also those that take minutes)
	@OMP_NUM_THREADS=1 "$$PY" -m pytest -n auto --maxprocesses 8 --dist worksteal $(if $(SLOW),,--without-slow)

# Limits torch to older vector instructions than the processor may have.
NUMERIC := tests/end_to_end/test_golden.py tests/dip/engine tests/dip/networks tests/dip/training \
  tests/dip/fills tests/benchmarks/metrics
numeric: $(DEVELOPMENT) $(WEIGHTS) ## run the numeric tests with SSE4, AVX2 and AVX-512 instructions
	@set -e; for isa in "default SSE41 SSE4_2" "avx2 AVX2 AVX2" "avx512 AVX512_CORE AVX512"; do \
	  set -- $$isa; \
	  if [ $$1 != default ] && ! grep -q "$$1" /proc/cpuinfo; then echo "$$1: not on this processor"; continue; fi; \
	  echo "ATEN_CPU_CAPABILITY=$$1 ONEDNN_MAX_CPU_ISA=$$2 MKL_ENABLE_INSTRUCTIONS=$$3"; \
	  ATEN_CPU_CAPABILITY=$$1 ONEDNN_MAX_CPU_ISA=$$2 MKL_ENABLE_INSTRUCTIONS=$$3 OMP_NUM_THREADS=1 \
	    "$$PY" -m pytest -q -n auto --maxprocesses 8 $(NUMERIC); \
	done

check: $(DEVELOPMENT) ## lint, types and layers
	@"$$PY" -m ruff format --check .
	@"$$PY" -m ruff check .
	@"$$PY" -m mypy
	@"$$PY" -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

clean: ## remove what was made; asks before the results
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf $(if $(wildcard $(VENV)/.uv-*),$(VENV)) # unless somebody else made it
	rm -f dist/dip_bench-*
	@rmdir dist 2>/dev/null || true
	find dip datasets benchmarks reports tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -d "$$OUT" ]; then printf 'remove %s and all that is in it, too? [y/N] ' "$$OUT"; read answer; [ "$$answer" = y ] && rm -rf -- "$$OUT" || true; fi
