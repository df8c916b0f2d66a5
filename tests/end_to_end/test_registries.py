"""A mistake in a component's module is reported when its registry is imported."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import ROOT

TWO_RULES = """
from dip.options.rules.base import RuleOptions

class First(RuleOptions): ...
class Second(RuleOptions): ...
"""
NAMED_TWICE = [  # modules of which the test makes a copy, and the name that both then define
    ("dip/options/networks/skip.py", "skip"),
    ("dip/options/rules/es_wmv.py", "es-wmv"),
    ("dip/fills/mean.py", "mean"),
    ("benchmarks/metrics/psnr.py", "psnr"),
    ("datasets/masks/text.py", "text"),
]
REFUSED = [
    (
        "dip/options/losses/two.py",
        "VERSION = 1",
        "a loss must define `VERSION` and `error`",
    ),
    ("dip/options/rules/two.py", TWO_RULES, "two.py: defines First and Second"),
    ("dip/fills/two.py", "FILL = 3", "two.py: FILL must be a Fill"),
    ("benchmarks/metrics/two.py", "METRIC = 3", "two.py: METRIC must be a Metric"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code that the test may change."""
    for top in ("dip", "datasets", "benchmarks"):
        shutil.copytree(ROOT / top, tmp_path / top, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _error(copy: Path, module: str) -> str:
    """The last line of the traceback from importing the package of a module."""
    package = module.rpartition("/")[0].replace("/", ".")
    done = subprocess.run(
        [sys.executable, "-c", f"import {package}"], cwd=copy, capture_output=True, text=True
    )
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(("module", "name"), NAMED_TWICE)
def test_two_modules_that_define_the_same_name_are_refused(
    copy: Path, module: str, name: str
) -> None:
    again = module.replace(".py", "_again.py")
    shutil.copy(copy / module, copy / again)
    first, second = (path.removesuffix(".py").replace("/", ".") for path in (module, again))
    assert _error(copy, module) == (
        f"RuntimeError: {first} and {second} both define '{name}'; rename one"
    )


@pytest.mark.parametrize(("module", "content", "message"), REFUSED)
def test_a_module_that_does_not_define_one_component_is_refused(
    copy: Path, module: str, content: str, message: str
) -> None:
    (copy / module).write_text(content)
    assert message in _error(copy, module)
