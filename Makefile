# The commands of the project; `make help` lists them. The recipes need python3 (3.11 or newer) only.

SUITE ?= quick
OUT ?= results
BUDGET ?= 10
UV_VERSION := 0.13.9
VENV := .venv
UV := $(VENV)/.uv-$(UV_VERSION)
UV_PIP := $(VENV)/bin/uv pip

# PYTHON= names an interpreter that already has the packages; without it `make` keeps its own in
# .venv. Which torch that has is noted there, so that a later `make` without TORCH_BACKEND keeps it.
ifdef PYTHON
PY := $(PYTHON)
else
PY := $(VENV)/bin/python
BACKEND := $(or $(TORCH_BACKEND),$(shell cat $(VENV)/.backend 2>/dev/null),lock)
ENVIRONMENT := $(VENV)/.synced-$(BACKEND)
WEIGHTS := $(VENV)/.weights-tried
endif

.DEFAULT_GOAL := help
.PHONY: help setup lock bench report regress timing anchors test check clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(ENVIRONMENT) ## environment from the lock, and the LPIPS weights (TORCH_BACKEND=cpu, cu128, auto ...)
	@$(PY) -m benchmarks.metrics.lpips_weights
	@$(if $(WEIGHTS),touch $(WEIGHTS))

# A stamp is written last: an interrupted set-up is done again.
$(VENV)/.synced-lock: requirements.lock pyproject.toml $(UV)
	@rm -f $(VENV)/.synced-* && echo lock > $(VENV)/.backend
	$(UV_PIP) sync --python $(PY) --require-hashes requirements.lock
	$(UV_PIP) install --python $(PY) --no-deps --no-build-isolation --quiet -e .
	@touch $@

# Another backend's torch comes from its own index, which the lock's hashes do not cover.
$(VENV)/.synced-%: requirements.lock pyproject.toml $(UV)
	@$(UV_PIP) install --python $(PY) --quiet --dry-run --torch-backend $* pip # refuses what is no backend
	@rm -f $(VENV)/.synced-* && echo $* > $(VENV)/.backend
	awk '/^[a-z]/ { keep = !/^(torch|torchvision|triton|nvidia-|cuda-)/ } keep' requirements.lock > $(VENV)/without-torch.lock
	$(UV_PIP) sync --python $(PY) --require-hashes $(VENV)/without-torch.lock
	$(UV_PIP) install --python $(PY) --torch-backend $* "torch>=2.11" torchvision
	$(UV_PIP) install --python $(PY) --no-deps --no-build-isolation --quiet -e .
	@touch $@

$(UV):
	@command -v python3 >/dev/null || { echo "python3 is missing; install Python 3.11 or newer with venv"; exit 2; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "python3 is older than 3.11; name a newer one first in PATH"; exit 2; }
	python3 -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@rm -f $(VENV)/.uv-* && touch $@

# Tried once in each environment; where the weights cannot be had, `make setup` tries again.
$(VENV)/.weights-tried: | $(ENVIRONMENT)
	@$(PY) -m benchmarks.metrics.lpips_weights
	@touch $@

lock: $(UV) ## write requirements.lock anew from pyproject.toml
	$(UV_PIP) compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 \
	  --custom-compile-command "make lock" --extra bench --extra ray --extra dev pyproject.toml -o requirements.lock

bench: $(ENVIRONMENT) $(WEIGHTS) ## run SUITE (quick), score and report it; resumes, and fits nothing twice
	@$(PY) -m reports bench $(SUITE) --out $(OUT)

report: $(ENVIRONMENT) ## report SUITE again from what is stored
	@$(PY) -m reports report $(OUT)/$(basename $(notdir $(SUITE)))

regress: $(ENVIRONMENT) $(WEIGHTS) ## fit afresh and compare with the baseline; fails if reconstructions changed
	@$(PY) -m reports regress --out $(OUT)

timing: $(ENVIRONMENT) ## time both engines side by side, alone on the device (BUDGET=10 minutes)
	@$(PY) -m reports timing --budget $(BUDGET) --out $(OUT)

anchors: $(ENVIRONMENT) $(WEIGHTS) ## recompute published numbers (images: dip-bench data fetch, or DIP_MIRROR)
	@$(PY) -m reports anchors --out $(OUT)

test: $(ENVIRONMENT) $(WEIGHTS) ## run the tests (SLOW=1: also those that take minutes)
	@OMP_NUM_THREADS=1 $(PY) -m pytest -n auto --maxprocesses 8 $(if $(SLOW),,--without-slow)

check: $(ENVIRONMENT) ## lint, types and layers
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

clean: ## remove what was made; asks before the results
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -d $(OUT) ]; then printf 'remove %s too? [y/N] ' $(OUT); read answer; [ "$$answer" = y ] && rm -rf $(OUT) || true; fi
