"""Worker processes: what an interruption, a kill or their number may change, and may not."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TINY, Command, jobs_of, pictures_in

from benchmarks.workers import Failed, Finished, Progress, run_in_processes

Write = Callable[..., Path]


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")


def test_number_of_workers_does_not_change_results(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite = suite_file(seeds=[0, 1, 2])
    for workers in (0, 2):
        out = tmp_path / f"by-{workers}"
        done = command("benchmarks", "run", suite, "--out", out, "--workers", workers)
        assert done.returncode == 0, done.stderr
    assert pictures_in(tmp_path / "by-0") == pictures_in(tmp_path / "by-2")


@needs_proc
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_loses_only_what_was_in_flight(
    suite_file: Write, process: Command, tmp_path: Path, signal_number: int
) -> None:
    endless = {"preset": "quick", "label": "endless"}
    suite = suite_file(methods=[*TINY["methods"], endless], size=64, iterations=[100_000])
    out = tmp_path / "results"
    runner = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "run", str(suite), "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    short = suite_file("short", size=64, iterations=[3])
    done = process("benchmarks", "run", short, "--out", out)  # beside the other, on one store
    assert done.returncode == 0, done.stderr
    worker = _worker_of(runner.pid)
    runner.send_signal(signal_number)
    _, errors = runner.communicate(timeout=30)
    assert runner.returncode == 130
    assert errors.strip() == "interrupted; the same command goes on from here"
    _expect_end(worker)
    assert not list((out / "runs").glob(".*"))
    assert "2 done before, 0 to run" in process("benchmarks", "run", short, "--out", out).stdout


@needs_proc
def test_workers_end_when_the_runner_is_killed(suite_file: Write, tmp_path: Path) -> None:
    suite = suite_file(methods=[{"preset": "quick"}], size=64, iterations=[100_000])
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "run", str(suite), "--out", str(tmp_path / "results")],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    worker = _worker_of(process.pid)
    process.kill()
    process.wait()
    _expect_end(worker)


def _expect_end(pid: int) -> None:
    """The process ends within 30 seconds, by itself."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("a worker outlived its runner")


@needs_proc
def test_a_killed_worker_fails_its_job_only(suite_file: Write) -> None:
    suite = suite_file(methods=TINY["methods"], seeds=[0, 1], iterations=[4])
    method = {"preset": "quick", "label": "endless"}
    endless = suite_file("endless", methods=[method], size=64, iterations=[100_000])
    jobs = jobs_of(endless) + jobs_of(suite)
    outcomes: dict[str, Any] = {}
    killed = False
    for event in run_in_processes(jobs, devices=["cpu"], threads=1):
        if isinstance(event, Progress) and event.job is jobs[0] and not killed:
            os.kill(_worker_of(os.getpid()), signal.SIGKILL)
            killed = True
        if not isinstance(event, Progress):
            outcomes[event.job.name] = event
    assert len(outcomes) == len(jobs)
    failed = outcomes.pop(jobs[0].name)
    assert isinstance(failed, Failed)
    assert failed.reason == "its worker was killed by signal 9"
    assert all(isinstance(event, Finished) for event in outcomes.values())


def _worker_of(pid: int) -> int:
    """A worker of that process, once there is one: its child that is no resource tracker."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                parent = int(path.read_text().rpartition(")")[2].split()[1])
                words = (path.parent / "cmdline").read_bytes() if parent == pid else b""
                if b"spawn_main" in words:
                    return int(path.parent.name)
        time.sleep(0.2)
    raise AssertionError("there is no worker")
