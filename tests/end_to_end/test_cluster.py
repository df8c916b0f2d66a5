"""Jobs on a real Ray cluster of two nodes: what comes out, and what is lost with a node."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.commands import ROOT, Command
from support.documentation import CLUSTER
from support.processes import below
from support.ray_cluster import RayCluster, ray_cluster
from support.suites import HUGE, TINY, jobs_of, pictures_in

from benchmarks.store.accounting import read_accounting
from benchmarks.store.layout import STATE
from benchmarks.store.store import UNFINISHED, Store

Write = Callable[..., Path]
Start = Callable[..., "Runner"]

pytest.importorskip("ray", reason="Ray is not installed (the extra `ray`)")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc"),
]

OWN = """import torch

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, 1)

    def forward(self, x):
        return self.layer(x)
"""


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever token there may be in the user's home: these are clusters of loopback addresses."""
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")


@pytest.fixture
def cluster() -> Iterator[RayCluster]:
    with ray_cluster() as held:
        yield held


@pytest.fixture
def start() -> Iterator[Callable[..., "Runner"]]:
    """Starts runners, and sees to it that none is left."""
    runners: list[Runner] = []

    def started(*words: Any, **how: Any) -> Runner:
        runners.append(Runner(*words, **how))
        return runners[-1]

    yield started
    for runner in runners:
        runner.process.kill()


class Runner:
    """`dip-bench run SUITE --executor ray`, and what it says while it runs."""

    def __init__(self, suite: Path, out: Path, *options: object, program: str = "", **how: Any):
        start = [sys.executable, "-c", program] if program else [sys.executable, "-m", "benchmarks"]
        self.process = subprocess.Popen(
            [*start, "run", str(suite), "--out", str(out), *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **{"cwd": ROOT, **how},
        )
        self.lines: list[str] = []
        self.errors = ""
        self.readers = [threading.Thread(target=self._read), threading.Thread(target=self._hear)]
        for reader in self.readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def _hear(self) -> None:
        assert self.process.stderr is not None
        self.errors = self.process.stderr.read()

    def ends(self, seconds: float = 180) -> int:
        try:
            return self.process.wait(seconds)
        finally:
            self.process.kill()
            for reader in self.readers:
                reader.join()

    @property
    def said(self) -> str:
        return "\n".join(self.lines)


def _wait_for(what: Callable[[], object], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


# As the command, with states sent every second instead of every five minutes.
OFTEN = """
from benchmarks.runner.executors.ray_cluster import cluster
kept = cluster.Cluster.__init__.__kwdefaults__
kept["state_seconds"] = 1.0
import sys
from reports.commands.app import main
sys.exit(main())
"""


def test_a_node_that_is_lost_in_the_middle_takes_no_result_with_it(
    cluster: RayCluster, suite_file: Write, start: Start, command: Command, tmp_path: Path
) -> None:
    """And everything is as it comes from this machine's own workers, to the last byte."""
    long = {"preset": "quick", "label": "long"}
    suite = suite_file(methods=[long, *TINY["methods"]], iterations=[20, 500], seeds=[0, 1])
    out, local = tmp_path / "results", tmp_path / "local"
    cluster.add(cpus=1)
    cluster.add(cpus=1)
    options = ("--executor", "ray", "--address", cluster.address, "--fresh")
    runner = start(suite, out, *options, program=OFTEN)
    store, keys = Store(out / "runs"), {job.key for job in jobs_of(suite)}
    longest = [job.key for job in jobs_of(suite)[:2]]  # they are begun with, one on each node
    _wait_for(lambda: all(store.read(UNFINISHED + key) for key in longest))
    cluster.kill()
    assert runner.ends() == 0, runner.said + runner.errors
    assert f"Ray at {cluster.address}: 2 jobs at a time on the CPUs of 2 nodes" in runner.said
    lost = re.search(
        r"lost      (.*/long/\d): it was lost with its node \(.*given again", runner.said
    )
    assert lost
    goes_on = re.search(r"goes on   (.*/long/\d) from iteration (\d+)", runner.said)
    assert goes_on
    assert goes_on[1] == lost[1]
    assert int(goes_on[2]) >= 20
    assert "Ran 5 jobs" in runner.said
    assert ": 5 done" in runner.said
    accounting = read_accounting(out / "tiny")
    assert accounting is not None
    assert accounting.workers == 2
    assert 0 < accounting.fitting_seconds < accounting.seconds
    assert min(accounting.outside_seconds.values()) >= 0

    assert command("benchmarks", "run", suite, "--out", local, "--workers", 2).returncode == 0
    assert pictures_in(out) == pictures_in(local)
    rows = [pd.read_csv(each / "tiny" / "results.csv") for each in (out, local)]
    scores = [*(c for c in rows[0] if c.startswith(("psnr", "ssim", "oracle"))), "loss", "key"]
    pd.testing.assert_frame_equal(rows[0][scores], rows[1][scores], check_exact=True)
    assert {path.name for path in (out / "runs").iterdir()} == keys
    assert not list((out / "tiny").glob("failures/*"))
    records = [store.read(key) for key in keys]
    assert {record.environment["threads"] for record in records if record} == {1}
    words = ("benchmarks", "status", suite, "--out", out)
    assert command(*words).stdout.splitlines()[-1] == "5 done"
    again = command("benchmarks", "run", suite, "--out", out)
    assert "5 done before, 0 to run" in again.stdout


def test_an_interruption_saves_what_is_on_its_way_and_the_same_command_goes_on(
    cluster: RayCluster, suite_file: Write, start: Start, command: Command, tmp_path: Path
) -> None:
    long = {"preset": "quick", "label": "long"}
    suite = suite_file(methods=[long], iterations=[5, 100_000], size=64)
    out = tmp_path / "results"
    cluster.add(cpus=1)
    options = ("--executor", "ray", "--address", cluster.address)
    runner = start(suite, out, *options)
    store, (job,) = Store(out / "runs"), jobs_of(suite)
    _wait_for(lambda: any("running   " in line for line in runner.lines))
    runner.process.send_signal(signal.SIGTERM)
    assert runner.ends(60) == 130
    assert runner.errors.strip() == "interrupted; the same command goes on from here"
    halted = re.search(r"halted .*/long/0: its state is saved at iteration (\d+)", runner.said)
    assert halted
    record = store.read(UNFINISHED + job.key)
    assert record is not None
    assert record.state_at == int(halted[1]) > 5
    assert (
        f"goes on from iteration {halted[1]}"
        in command("benchmarks", "status", suite, "--out", out).stdout
    )
    again = start(suite, out, *options, "--timeout", 10)
    assert again.ends() == 1, again.said + again.errors
    assert f"goes on   {job.name} from iteration {halted[1]}" in again.said
    assert f"FAILED    {job.name}: took longer than the timeout of 10 seconds" in again.said
    record = store.read(UNFINISHED + job.key)
    assert record is not None
    assert (record.state_at or 0) >= int(halted[1])


def test_a_second_signal_ends_at_once(
    cluster: RayCluster, suite_file: Write, start: Start, tmp_path: Path
) -> None:
    suite = suite_file(methods=[{"preset": "quick"}], iterations=[5, 100_000], size=64)
    cluster.add(cpus=1)
    options = ("--executor", "ray", "--address", cluster.address)
    runner = start(suite, tmp_path / "results", *options)
    _wait_for(lambda: any("running   " in line for line in runner.lines))
    (worker,) = [
        pid
        for pid in below(cluster.nodes[-1].pid)
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(worker, signal.SIGSTOP)  # or it could have halted before the second one
    try:
        runner.process.send_signal(signal.SIGINT)
        _wait_for(lambda: any("stopping after" in line for line in runner.lines))
        with pytest.raises(subprocess.TimeoutExpired):
            runner.process.wait(4)
        runner.process.send_signal(signal.SIGINT)
        assert runner.ends(60) == 130
    finally:
        with contextlib.suppress(ProcessLookupError):  # Ray may have ended it
            os.kill(worker, signal.SIGKILL)
    assert "halted" not in runner.said
    assert runner.errors.strip() == "interrupted; the same command goes on from here"


def test_a_cluster_that_is_gone_is_said_in_one_line(
    cluster: RayCluster, suite_file: Write, start: Start, tmp_path: Path
) -> None:
    suite = suite_file(
        methods=[TINY["methods"][1], {"preset": "quick"}], iterations=[100_000], size=64
    )
    out = tmp_path / "results"
    cluster.add(cpus=1)
    runner = start(suite, out, "--executor", "ray", "--address", cluster.address)
    _wait_for(lambda: any("running   " in line for line in runner.lines))
    while cluster.nodes:
        cluster.kill()
    assert runner.ends(120) == 2, runner.said + runner.errors
    (line,) = [line for line in runner.errors.splitlines() if line.startswith("error: ")]
    assert f"--address {cluster.address}: the cluster is gone (" in line
    assert "finished runs are stored, and the same command goes on from them" in line
    assert len(Store(out / "runs").stored()) == 1


def test_failures_are_said_and_logged_as_on_one_machine(
    cluster: RayCluster, suite_file: Write, start: Start, tmp_path: Path
) -> None:
    """A network of one's own travels, too."""
    (tmp_path / "own_network.py").write_text(OWN)
    breaks = OWN.replace("return", "import ctypes, multiprocessing as m\n        return").replace(
        "self.layer(x)", "self.layer(x) if m.parent_process() is None else ctypes.string_at(0)"
    )
    (tmp_path / "breaking").mkdir()
    (tmp_path / "breaking" / "__init__.py").write_text(breaks)
    kills = OWN.replace("return", "import multiprocessing as m, os\n        return").replace(
        "self.layer(x)", "self.layer(x) if m.parent_process() is None else os.kill(os.getppid(), 9)"
    )
    (tmp_path / "killing.py").write_text(kills)
    imported = [
        {"preset": "lemsky-unet", "label": label, "set": {"architecture": {"import": path}}}
        for label, path in (
            ("own", "own_network:Network"),
            ("breaks", "breaking:Network"),
            ("kills", "killing:Network"),  # what Ray started on the node, and not the worker only
        )
    ]
    suite, out = suite_file(methods=[HUGE, *imported, TINY["methods"][1]]), tmp_path / "results"
    cluster.add(cpus=1)
    options = ("--executor", "ray", "--address", cluster.address)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    runner = start(suite, out, *options, "--keep-state", cwd=tmp_path, env=env)
    assert runner.ends() == 1, runner.said + runner.errors
    name = "astronaut/boxes[count=1,side=8]"
    assert f"FAILED    {name}/huge/0: out of memory: " in runner.said
    assert f"FAILED    {name}/breaks/0: its worker was killed by signal 11 (SIGSEGV)" in runner.said
    assert f"done      {name}/own/0" in runner.said
    (own,) = [job for job in pd.read_csv(out / "tiny" / "jobs.csv").itertuples() if job[4] == "own"]
    assert (out / "runs" / str(own[1]) / STATE).exists()
    lost = [line for line in runner.lines if f"lost      {name}/kills/0: " in line]
    assert len(lost) == 2
    assert re.search(
        rf"FAILED    {re.escape(name)}/kills/0: it was lost with .*, as with 2", runner.said
    )
    assert "2 done, 3 failed" in runner.said
    logs = {path.stem: path.read_text() for path in (out / "tiny" / "failures").iterdir()}
    assert len(logs) == 3
    assert any("Fatal Python error: Segmentation fault" in log for log in logs.values())


def test_a_node_with_another_revision_is_refused_with_a_line_that_says_both(
    cluster: RayCluster, suite_file: Write, start: Start, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    git = ["git", "-C", str(other), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(other)], check=True)
    with (other / "dip" / "trainer.py").open("a") as file:
        file.write("# another revision\n")
    subprocess.run([*git, "commit", "--quiet", "-am", "Another"], check=True)
    theirs, ours = (
        subprocess.run(
            ["git", "-C", str(each), "rev-parse", "HEAD"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout[:12]
        for each in (other, ROOT)
    )
    preload = tmp_path / "preload"
    preload.mkdir()
    (preload / "sitecustomize.py").write_text(
        f"import sys\nsys.path.insert(0, {str(other)!r})\nimport dip\ndel sys.path[0]\n"
    )
    cluster.add(cpus=1, env={"PYTHONPATH": str(preload)})
    options = ("--executor", "ray", "--address", cluster.address)
    suite = suite_file(methods=TINY["methods"][:1])
    runner = start(suite, tmp_path / "results", *options)
    assert runner.ends() == 2, runner.said + runner.errors
    (line,) = runner.errors.splitlines()
    says = rf"error: the node 127\.0\.0\.3 has another revision of this code, {theirs} \({other}\)"
    assert re.match(rf"{says}, than the one that gives it jobs, {ours}(\+changes)?: ", line), line
    assert not list((tmp_path / "results" / "runs").iterdir())


def test_the_three_commands_of_the_readme_make_a_cluster_and_use_it(
    suite_file: Write, start: Start, tmp_path: Path
) -> None:
    head, node, run = (shlex.split(line) for line in CLUSTER if not line.startswith("sbatch"))
    assert head[:2] == node[:2] == ["ray", "start"]
    assert run[:2] == ["dip-bench", "run"]
    with ray_cluster(*head[2:], cpus=1) as cluster:
        cluster.start(*(w.replace("HEAD:6379", cluster.address) for w in node[2:]), cpus=1)
        options = [cluster.address if word == "HEAD" else word for word in run[3:]]
        runner = start(suite_file(run[2]), tmp_path / "results", *options)
        assert runner.ends() == 0, runner.said + runner.errors
        assert "of 2 nodes" in runner.said
        assert "2 done" in runner.said
