"""What a cluster is given and asked for, as far as it takes no cluster to see it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands import ROOT, Command
from support.suites import jobs_of

from benchmarks.runner.executors.ray_cluster import bootstrap
from benchmarks.runner.executors.ray_cluster.ship_code import ROOMS, pack
from benchmarks.system import environment

ray = pytest.importorskip("ray", reason="Ray is not installed (the extra `ray`)")

from benchmarks.runner.executors.ray_cluster.node import Terms, room_on  # noqa: E402 - imports Ray

Write = Callable[..., Path]


def _terms(device: str = "cpu", threads: int = 1, per_gpu: int = 1) -> Terms:
    return Terms(device, threads, per_gpu, timeout=None, state_seconds=300)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--executor", "ray", "--workers", 0), "--workers 0: is this process alone"),
        (("--executor", "ray", "--dry-run"), "--dry-run: tells what this machine would do"),
        (("--address", "head"), "--address head: is a cluster's; add --executor ray"),
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
    assert done.stderr.startswith("error: --executor ray: Ray is not installed here")


def test_what_travels_is_this_code_and_says_which_revision_it_is_of(
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
    code = pack(folder, jobs_of(suite_file(methods=methods)))
    sent = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert sent == {*code.checksums, environment.REVISION}
    own = {path for path in sent if path.startswith("own/")}
    assert own == {"own/__init__.py", "own/network.py"}
    assert {path.partition("/")[0] for path in code.checksums} == {*ROOMS, "own"}
    for path in ROOMS:
        for source in (ROOT / path).rglob("*.py"):
            assert (folder / source.relative_to(ROOT)).read_bytes() == source.read_bytes()

    program = (
        "import json, benchmarks, dip\n"
        "from benchmarks.system.environment import git_revision\n"
        "from benchmarks.runner.executors.ray_cluster.node import run_here\n"
        "print(json.dumps([benchmarks.__file__, dip.__file__, *git_revision()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    *files, commit, is_dirty = json.loads(done.stdout)
    assert all(Path(file).is_relative_to(folder) for file in files)
    assert (commit, is_dirty) == environment.git_revision()
    assert code.revision == environment.revision_words(commit, is_dirty)


def test_any_file_that_is_not_what_was_sent_is_another_revision(
    suite_file: Write, tmp_path: Path
) -> None:
    checksums = pack(tmp_path, jobs_of(suite_file())).checksums
    assert bootstrap._other_revision(checksums) == ""
    commit, _ = environment.git_revision()
    for path in ("dip/trainer.py", "benchmarks/runner/job/run_job.py", "datasets/images.py"):
        said = bootstrap._other_revision({**checksums, path: "0" * 64})
        assert said.startswith(commit[:12])
        assert said.endswith(f"({ROOT / path})")
    assert bootstrap._other_revision({**checksums, "dip/new.py": "0" * 64})
    assert bootstrap._other_revision({"nowhere/new.py": "0" * 64}) == "without nowhere"


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


def test_few_states_are_on_their_way_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(bootstrap.time, "monotonic", lambda: now)
    mailbox = bootstrap.Mailbox()
    assert mailbox.may_send(1)
    assert mailbox.may_send(2)
    assert not mailbox.may_send(3)
    assert mailbox.may_send(1)  # asked again
    mailbox.tell([(1, "Started", ()), (1, "State", {})])
    assert not mailbox.may_send(3)
    assert mailbox.empty() == [(1, "Started", ()), (1, "State", {})]
    assert mailbox.may_send(3)
    assert not mailbox.may_send(1)
    now = bootstrap.SENDING_SECONDS  # who was lost with what they were to send
    assert mailbox.may_send(1)
