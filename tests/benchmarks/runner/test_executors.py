"""What a cluster is given and asked for, as far as it takes no cluster to see it."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands import ROOT, Command
from support.suites import jobs_of

from benchmarks.system import environment

ray = pytest.importorskip("ray", reason="Ray is not installed (the extra `ray`)")

from benchmarks.runner.executors.ray_cluster.node import Terms, room_on  # noqa: E402 - they import Ray
from benchmarks.runner.executors.ray_cluster.ship_code import ROOMS, copy_code  # noqa: E402

Write = Callable[..., Path]


def _terms(device: str = "cpu", threads: int = 1, per_gpu: int = 1) -> Terms:
    return Terms(device, threads, per_gpu, timeout=None, state_seconds=300)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--executor", "ray", "--workers", 0), "--workers 0 runs jobs in this process"),
        (("--executor", "ray", "--dry-run"), "--dry-run: tells what this machine would do"),
        (("--address", "head"), "--address head needs a cluster; add --executor ray"),
        (("--executor", "slurm"), "'slurm'"),
        (
            ("--executor", "ray", "--address", "127.0.0.1:1"),
            "--address 127.0.0.1:1: no Ray cluster answers there",
        ),
        (("--executor", "ray", "--address", "ray://head:1"), "it takes HOST or HOST:PORT"),
        (("--executor", "ray", "--address", "head:port"), "it takes HOST or HOST:PORT"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    suite_file: Write, command: Command, tmp_path: Path, words: tuple[object, ...], says: str
) -> None:
    line = ("--out", tmp_path / "results", "--device", "cpu", *words)
    if "--workers" not in words:
        line += ("--workers", 1)
    done = command("benchmarks", "run", suite_file(), *line)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_ray_it_says_what_is_missing(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [
        each
        for each in sys.modules
        if each.startswith("benchmarks.runner.executors.ray_cluster.cluster")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    words = ("--out", tmp_path / "results", "--executor", "ray", "--workers", 1)
    done = command("benchmarks", "run", suite_file(), *words)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --executor ray: Ray is not installed here (make dev")


def test_what_travels_is_this_code(
    suite_file: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a network of one's own, from where the command is given; no result, nothing installed."""
    here = tmp_path / "here"
    (here / "own" / "__pycache__").mkdir(parents=True)
    (here / "own" / "__init__.py").write_text("")
    (here / "own" / "network.py").write_text("class Network: ...\n")
    (here / "own" / "weights.bin").write_text("large")
    monkeypatch.syspath_prepend(str(here))
    imports = ["own.network:Network", "benchmarks.segmentation:Torchvision", "torch.nn:Identity"]
    methods = [
        {"preset": "lemsky-unet", "label": path, "set": {"architecture": {"import": path}}}
        for path in imports
    ]
    folder = tmp_path / "travels"
    folder.mkdir()
    assert copy_code(folder, jobs_of(suite_file(methods=methods))) == sorted((*ROOMS, "own"))
    sent = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    own = {path for path in sent if path.startswith("own/")}
    assert own == {"own/__init__.py", "own/network.py"}
    assert not [path for path in sent if "__pycache__" in path]
    for path in ROOMS:
        for source in (ROOT / path).rglob("*.py"):
            assert (folder / source.relative_to(ROOT)).read_bytes() == source.read_bytes()


def test_code_that_was_brought_from_elsewhere_has_the_revision_of_where_it_is_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment.git_revision.cache_clear()
    monkeypatch.setenv(environment.REVISION, '["0123456789abcdef", true]')
    try:
        assert environment.git_revision() == ("0123456789abcdef", True)
    finally:
        environment.git_revision.cache_clear()


@pytest.mark.parametrize(
    ("resources", "terms", "room"),
    [
        ({"CPU": 4.0}, _terms(), 4),
        ({"CPU": 4.0}, _terms(threads=3), 1),
        ({"CPU": 4.0, "GPU": 2.0}, _terms("cuda"), 2),
        ({"CPU": 8.0, "GPU": 2.0}, _terms("cuda", per_gpu=3), 6),
        ({"CPU": 4.0, "GPU": 2.0}, _terms("cuda", per_gpu=3), 4),
        ({"CPU": 4.0}, _terms("cuda"), 0),
        ({}, _terms(), 0),
    ],
)
def test_room_is_by_cpus_and_shares_of_gpus(
    resources: dict[str, float], terms: Terms, room: int
) -> None:
    assert room_on(resources, terms) == room
