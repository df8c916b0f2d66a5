"""What the tests share: tiny suites, a folder for results, and word of what is left out."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import environment, weights
from benchmarks.jobs import Job, expand
from benchmarks.regression import gate, speed
from benchmarks.suite import load_suite
from datasets import load_manifest

pytest_plugins = ["pages", "photo_command"]  # fixtures of the page's tests, and of `dip inpaint`

ROOT = Path(__file__).parent.parent


# `make setup` gets the weights; the gate fails without them.
needs_lpips = pytest.mark.skipif(weights.missing() is not None, reason=str(weights.missing()))


def needs(*names: str) -> pytest.MarkDecorator:
    """Leaves a test out where these image sets, which cannot come with the project, are not."""
    missing = [name for name in names if not load_manifest(name).is_here]
    return pytest.mark.skipif(
        bool(missing), reason=f"{', '.join(missing)} not here; fetch, or set DIP_MIRROR"
    )


# What makes the preset's network small; every family of networks is there.
NARROW: dict[str, dict[str, Any]] = {
    "lemsky-unet": {"architecture.channels": [4, 8]},
    "quick": {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4]},
    "dip-random50": {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4]},
    "dip-library-unet": {"architecture.channels": [4, 8]},
    "dip-library-resnet": {"architecture.channels": 8},
    "deep-decoder": {"architecture.channels": [16, 16]},
    "conv-decoder": {"architecture.channels": 8},
    "pip": {"architecture.channels": [8, 8], "architecture.skip_channels": [4, 4]},
    "siren": {"architecture.channels": 16},
}

TINY: dict[str, Any] = {
    "dataset": "scikit-image",
    "images": ["astronaut"],
    "size": 36,
    "masks": [{"boxes": {"count": 1, "side": 8}}],
    "methods": [
        {
            "preset": "quick",
            "set": {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4]},
        },
        {"fill": "mean"},
    ],
    "iterations": [2, 4],
    "metrics": ["psnr", "ssim"],
}


# A method that asks for more memory than any machine has: it breaks at run time only.
HUGE: dict[str, Any] = {
    "preset": "quick",
    "label": "huge",
    "set": {"architecture.channels": [10**9, 4], "architecture.skip_channels": [4, 4]},
}


@dataclass(frozen=True)
class Done:
    """What a command said and how it ended."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def suite_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a suite: the tiny one with some keys replaced; a key of None is left out."""

    def write(name: str = "tiny", **changes: Any) -> Path:
        content = {k: v for k, v in {**TINY, **changes}.items() if v is not None}
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return path

    return write


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs `python -m MODULE ARGUMENTS` in this process, where torch is loaded once.

    Jobs run in this process too unless --workers says otherwise.
    """

    def run(module: str, *arguments: object) -> Done:
        import benchmarks.__main__
        import datasets.__main__
        import reports.__main__

        words = [str(argument) for argument in arguments]
        if module == "datasets":
            capfd.readouterr()
            return Done(datasets.__main__.main(words), *capfd.readouterr())
        app = {"benchmarks": benchmarks.__main__.app, "reports": reports.__main__.app}[module]
        if words[0] in ("run", "bench", "regress") and not {"--workers", "--dry-run"} & set(words):
            words += ["--workers", "0"]
        capfd.readouterr()
        with signal_handlers_restored():
            returncode = benchmarks.__main__.main(app, words)
        return Done(returncode, *capfd.readouterr())

    return run


@pytest.fixture
def process() -> Command:
    """Runs `python -m ...` in a process of its own, from the root of the checkout."""

    def run(*arguments: object, **environment: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch computes with one thread, which for small pictures is faster than two."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate's timing, which takes half a minute and has tests of its own, is said to be done."""
    logs = {preset: [0.3, 0.31, 0.29] for preset in speed.ITERATIONS}
    monkeypatch.setattr(speed, "session", lambda: logs)


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch) -> str:
    """The commit that is said to be checked out, without changes, which this one may have."""
    commit = "0" * 40
    monkeypatch.setattr(environment, "git_revision", lambda: (commit, False))
    monkeypatch.setattr(gate, "_committed", lambda: commit)
    return commit


BASELINE_SEEDS = 10  # of `baselines`; the suite's are three


@pytest.fixture
def gated(suite_file: Callable[..., Path]) -> Path:
    """A tiny suite for the gate: six rows, since it has one network, one fill and two metrics."""
    methods = [{"preset": "quick", "set": NARROW["quick"]}, {"fill": "mean"}]
    return suite_file("gated", methods=methods, seeds=[0, 1, 2], iterations=[4], rules=[])


@pytest.fixture
def baselines(gated: Path, command: Command, tmp_path: Path, checkout: str) -> Path:
    """The folder of its baseline. The module's tests are `untimed`."""
    folder = tmp_path / "baselines"
    done = command(
        *("benchmarks", "regress", gated, "--bless", "--because", "the first, & only"),
        *("--seeds", BASELINE_SEEDS, "--baselines", folder, "--out", tmp_path / "blessing"),
    )
    assert done.returncode == 0, done.stderr
    assert f"Baseline: {folder / 'gated.csv'}" in done.stdout
    assert json.loads((folder / "gated.json").read_text())["revision"] == checkout
    assert not list((tmp_path / "blessing").glob("*"))  # its runs are of no more use
    return folder


@pytest.fixture
def regress(gated: Path, baselines: Path, command: Command, tmp_path: Path) -> Command:
    """Holds the suite `gated` to its baseline; results are in `tmp_path / "results"`."""

    def run(*words: object) -> Done:
        where = ("--baselines", baselines, "--out", tmp_path / "results")
        return command("benchmarks", "regress", gated, *where, *words)

    return run


@contextmanager
def signal_handlers_restored() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def jobs_of(suite: Path) -> list[Job]:
    """The jobs of a suite file."""
    return expand(load_suite(str(suite)))


def pictures_in(out: Path) -> dict[str, bytes]:
    """Every picture of every run below a results folder, by its place."""
    return {str(path.relative_to(out)): path.read_bytes() for path in out.glob("runs/*/*.png")}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--without-slow", action="store_true", help="leave out what takes minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that is left out is said to be skipped, with why, in the lines at the end."""
    if config.getoption("--without-slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip("takes minutes; `make test SLOW=1` runs it"))
