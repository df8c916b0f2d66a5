"""What the tests share: tiny suites, a folder for results, and word of what is left out."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.commands import ROOT, Command, Done, Ran, signal_handlers_restored
from support.suites import BASELINE_SEEDS, NARROW, TINY

from benchmarks.regression import gate
from benchmarks.store.layout import OWNER
from benchmarks.system import environment

pytest_plugins = [
    "support.pages",
    "support.photo_command",
]  # fixtures of the page's tests, and of `dip inpaint`


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
    """Runs `dip-bench ARGUMENTS` in this process, where torch is loaded once.

    module: as whose `python -m MODULE ARGUMENTS` it is spelled.

    Jobs run in this process too unless --workers says otherwise.
    """

    def run(module: str, *arguments: object) -> Done:
        from reports.commands.app import main

        words = [*(["data"] if module == "datasets" else []), *map(str, arguments)]
        if words[0] in ("run", "bench", "regress") and not {"--workers", "--dry-run"} & set(words):
            words += ["--workers", "0"]
        capfd.readouterr()
        with signal_handlers_restored():
            returncode = main(words)
        return Done(returncode, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is made once for all tests, who copy it."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def ran(suite_file: Callable[..., Path], command: Command, tmp_path: Path, kept: Path) -> Ran:
    """A suite, with some keys replaced, and results of it, which are fitted once for all tests."""

    def run(*options: object, **changes: Any) -> tuple[Path, Path]:
        suite, out = suite_file(**changes), tmp_path / "results"
        made = kept / sha256(f"{suite.name} {options} {suite.read_text()}".encode()).hexdigest()
        if made.exists():
            shutil.copytree(made, out)
            return suite, out
        done = command("benchmarks", "run", suite, "--out", out, *options)
        assert done.returncode == 0, done.stderr
        # Without the note that they are of this very file, which other tests do not have.
        shutil.copytree(out, made, ignore=shutil.ignore_patterns(OWNER))
        return suite, out

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
def checkout(monkeypatch: pytest.MonkeyPatch) -> str:
    """The commit that is said to be checked out, without changes, which this one may have."""
    commit = "0" * 40
    monkeypatch.setattr(environment, "git_revision", lambda: (commit, False))
    monkeypatch.setattr(gate, "_committed", lambda: commit)
    return commit


@pytest.fixture
def gated(suite_file: Callable[..., Path]) -> Path:
    """A tiny suite for the gate: six rows, since it has one network, one fill and two metrics."""
    methods = [{"preset": "quick", "set": NARROW["quick"]}, {"fill": "mean"}]
    return suite_file("gated", methods=methods, seeds=[0, 1, 2], iterations=[4], rules=[])


@pytest.fixture
def bless(gated: Path, command: Command, tmp_path: Path) -> Command:
    """Writes the baseline of the suite `gated` to `tmp_path / "baselines"`."""

    def run(*words: object) -> Done:
        return command(
            *("benchmarks", "regress", gated, "--bless", "--because", "the first, & only"),
            *("--seeds", BASELINE_SEEDS, "--baselines", tmp_path / "baselines"),
            *("--out", tmp_path / "blessing", *words),
        )

    return run


@pytest.fixture
def baselines(bless: Command, tmp_path: Path, checkout: str, kept: Path) -> Path:
    """The folder of that baseline, which is fitted once for all tests."""
    folder, made = tmp_path / "baselines", kept / "baselines"
    if made.exists():
        return Path(shutil.copytree(made, folder))
    done = bless()
    assert done.returncode == 0, done.stderr
    assert f"Baseline: {folder / 'gated.csv'}" in done.stdout
    assert json.loads((folder / "gated.json").read_text())["revision"] == checkout
    assert not list((tmp_path / "blessing").glob("*"))  # its runs are of no more use
    shutil.copytree(folder, made)
    return folder


@pytest.fixture
def regress(gated: Path, baselines: Path, command: Command, tmp_path: Path) -> Command:
    """Holds the suite `gated` to its baseline; results are in `tmp_path / "results"`."""

    def run(*words: object) -> Done:
        where = ("--baselines", baselines, "--out", tmp_path / "results")
        return command("benchmarks", "regress", gated, *where, *words)

    return run


def pytest_configure() -> None:
    """Tests press Ctrl-C; a shell that runs them in the background leaves it ignored."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--without-slow", action="store_true", help="leave out what takes minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that is left out is said to be skipped, with why, in the lines at the end."""
    if config.getoption("--without-slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip("takes minutes; `make test SLOW=1` runs it"))
