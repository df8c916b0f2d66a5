"""A mistake in a module that adds a component is found when its registry is made."""

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
NAMED_TWICE = [  # a module, of which there is a copy under another name
    ("dip/options/networks/skip.py", "skip"),
    ("dip/options/rules/es_wmv.py", "es-wmv"),
    ("dip/fills/mean.py", "mean"),
    ("benchmarks/metrics/psnr.py", "psnr"),
    ("datasets/masks/text.py", "text"),
]
REFUSED = [
    ("dip/options/losses/two.py", "VERSION = 1", "two.py: a loss has `VERSION` and `error`"),
    ("dip/options/rules/two.py", TWO_RULES, "two.py: defines First and Second"),
    ("dip/fills/two.py", "FILL = 3", "two.py: FILL is no Fill"),
    ("benchmarks/metrics/two.py", "METRIC = 3", "two.py: METRIC is no Metric"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout's code, to be changed."""
    for top in ("dip", "datasets", "benchmarks"):
        shutil.copytree(ROOT / top, tmp_path / top, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _error(copy: Path, module: str) -> str:
    """The last line that importing the folder of a module prints."""
    package = module.rpartition("/")[0].replace("/", ".")
    done = subprocess.run(
        [sys.executable, "-c", f"import {package}"], cwd=copy, capture_output=True, text=True
    )
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(("module", "name"), NAMED_TWICE)
def test_a_name_that_two_modules_define_is_refused(copy: Path, module: str, name: str) -> None:
    again = module.replace(".py", "_again.py")
    shutil.copy(copy / module, copy / again)
    first, second = (path.removesuffix(".py").replace("/", ".") for path in (module, again))
    assert _error(copy, module) == (
        f"RuntimeError: {first} and {second} both define '{name}'; rename one"
    )


@pytest.mark.parametrize(("module", "content", "message"), REFUSED)
def test_a_module_without_what_its_folder_asks_for_is_refused(
    copy: Path, module: str, content: str, message: str
) -> None:
    (copy / module).write_text(content)
    assert message in _error(copy, module)
