"""Worker processes: what an interruption, a kill or their number may change, and may not."""

import math
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.commands import ROOT, Command
from support.processes import expect_end, needs_proc, sleep, worker_of
from support.suites import TINY, jobs_of, pictures_in

from benchmarks.runner import loop
from benchmarks.runner.events import Failed, Finished, Progress
from benchmarks.runner.executors import processes, run_tasks
from benchmarks.runner.executors.processes import Processes, how_it_ended
from benchmarks.runner.job.run_job import run_job
from benchmarks.runner.job.task import Task
from benchmarks.store.store import UNFINISHED, Store
from benchmarks.system import devices
from dip.errors import InputError
from dip.system.signals import Interrupted

Write = Callable[..., Path]
BROKEN = """import ctypes, multiprocessing, sys
import torch

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, 1)

    def forward(self, x):
        if multiprocessing.parent_process() is not None:  # not where it is tried out
            print("about to break")
            ctypes.string_at(0)
        return self.layer(x)
"""


def test_number_of_workers_does_not_change_results(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite = suite_file(seeds=[0, 1, 2])
    for count in (0, 2):
        out = tmp_path / f"by-{count}"
        done = command("benchmarks", "run", suite, "--out", out, "--workers", count)
        assert done.returncode == 0, done.stderr
    assert pictures_in(tmp_path / "by-0") == pictures_in(tmp_path / "by-2")


def test_quick_fills_are_done_in_the_runner_beside_the_workers(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    methods = [
        TINY["methods"][0],
        *({"fill": name} for name in ("mean", "nearest", "total-variation")),
    ]
    suite, out = suite_file(methods=methods, images=["astronaut", "coffee"]), tmp_path / "results"
    done = command("benchmarks", "run", suite, "--out", out, "--workers", 1)
    assert done.returncode == 0, done.stderr
    lines = [line.partition(";")[0].split()[1:] for line in done.stdout.splitlines()]
    ended = [words[1:] for words in lines if words and words[0] == "done"]
    assert ended[0] == ["4", "quick", "jobs"]  # while the worker starts
    assert (
        sorted(name[0].split("/")[2] for name in ended[1:])
        == ["quick"] * 2 + ["total-variation"] * 2
    )
    assert len(pd.read_csv(out / "tiny" / "results.csv")) == 2 * (3 + 2 * 2)
    assert not list((out / "runs").glob(".*"))  # no claim is left


def test_a_signal_between_quick_fills_ends_at_once(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: Any, **options: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return run_job(*arguments, **options)

    monkeypatch.setattr(loop, "run_job", interrupted)
    monkeypatch.setattr(loop, "IMPORT_SECONDS", math.inf)  # stopping must not wait for the import
    suite = suite_file(methods=[*TINY["methods"], {"fill": "nearest"}])
    done = command("benchmarks", "run", suite, "--out", tmp_path / "results")
    assert done.returncode == 130
    assert "1 done, 2 not begun" in done.stdout
    assert not list((tmp_path / "results" / "runs").glob(".*"))  # no claim is left


def _start(suite: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "run", str(suite), "--out", str(out), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait_for_state(store: Store, key: str) -> int:
    """Until the fit has left a state behind: its iteration."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (record := store.read(UNFINISHED + key)) and record.state_at:
            return record.state_at
        time.sleep(0.02)
    raise AssertionError("there is no state")


@needs_proc
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_signal_saves_what_is_in_flight_and_says_how_far_it_is(
    suite_file: Write, command: Command, tmp_path: Path, signal_number: int
) -> None:
    endless = {"preset": "quick", "label": "endless"}
    methods = [TINY["methods"][1], endless]
    suite = suite_file(methods=methods, size=64, iterations=[5, 100_000])
    out = tmp_path / "results"
    runner = _start(suite, out)
    short = suite_file("short", size=64, iterations=[3])
    done = command("benchmarks", "run", short, "--out", out)  # beside the other, on one store
    assert done.returncode == 0, done.stderr
    store, key = Store(out / "runs"), jobs_of(suite)[1].key
    seen = _wait_for_state(store, key)  # of the first checkpoint, or of later where that took long
    worker = worker_of(runner.pid)
    os.killpg(runner.pid, signal_number)  # as a terminal and a cluster do
    output, errors = runner.communicate(timeout=30)
    assert runner.returncode == 130
    assert errors.strip() == "interrupted; the same command goes on from here"
    assert "stopping after this iteration; Ctrl-C again ends at once" in output
    halted = re.search(r"halted .*/endless/0: its state is saved at iteration (\d+)", output)
    assert halted
    assert _wait_for_state(store, key) == int(halted[1]) > seen >= 5
    assert "1 halted on their way" in output.splitlines()[-1]
    expect_end(worker)
    assert not list((out / "runs").glob(".*"))
    assert "2 done before, 0 to run" in command("benchmarks", "run", short, "--out", out).stdout


@needs_proc
def test_a_second_signal_ends_at_once(suite_file: Write, tmp_path: Path) -> None:
    """As when the first one waits for a fill that takes long; here for a worker that hangs."""
    suite = suite_file(methods=[{"preset": "quick"}], size=64, iterations=[5, 100_000])
    runner = _start(suite, tmp_path / "results")
    store, (job,) = Store(tmp_path / "results" / "runs"), jobs_of(suite)
    _wait_for_state(store, job.key)
    worker = worker_of(runner.pid)
    os.kill(worker, signal.SIGSTOP)
    runner.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        runner.communicate(timeout=1)
    runner.send_signal(signal.SIGINT)
    _, errors = runner.communicate(timeout=10)
    assert runner.returncode == 130
    assert errors.strip() == "interrupted; the same command goes on from here"
    expect_end(worker)
    assert _wait_for_state(store, job.key) == 5
    assert {path.name for path in store.root.iterdir()} == {UNFINISHED + job.key}


def test_a_job_without_a_worker_stops_at_a_signal_too(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite = suite_file(methods=TINY["methods"][:1], iterations=[5, 100_000])
    store, (job,) = Store(tmp_path / "results" / "runs"), jobs_of(suite)

    def interrupt() -> None:
        _wait_for_state(store, job.key)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    done = command("benchmarks", "run", suite, "--out", tmp_path / "results")
    assert done.returncode == 130
    assert "its state is saved at iteration " in done.stdout
    status = command("benchmarks", "status", suite, "--out", tmp_path / "results").stdout
    assert "goes on from iteration " in status


def test_a_job_that_takes_too_long_has_failed_and_goes_on_when_tried_again(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    endless: dict[str, Any] = {"preset": "quick", "label": "endless"}
    endless["set"] = {**TINY["methods"][0]["set"], "learning_rate": 0.02}
    methods = [endless, *TINY["methods"]]
    suite = suite_file(methods=methods, size=64, iterations=[5, 100_000])
    short = suite_file("short", methods=methods, size=64, iterations=[5])
    out = tmp_path / "results"
    words = ("--out", out, "--workers", 1, "--timeout", 4)
    done = command("benchmarks", "run", suite, *words, "-k", "endless")
    assert done.returncode == 1
    assert "FAILED    astronaut/boxes[count=1,side=8]/endless/0: took longer than" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("NO RESULT")]
    log = out / "tiny" / "failures" / f"{jobs_of(suite)[0].key}.txt"
    assert line.endswith(f"failed: took longer than the timeout of 4 seconds ({log})")
    again = command("benchmarks", "run", suite, *words, "-k", "endless")
    assert again.returncode == 1
    assert "0 to run, 1 failed before" in again.stdout
    retried = command("benchmarks", "run", suite, *words, "-k", "endless", "--retry-failed")
    assert "goes on   astronaut/boxes[count=1,side=8]/endless/0 from iteration 5" in retried.stdout
    # It is this suite's failure: another that asks for less has its answer, and the rest went on.
    assert command("benchmarks", "run", short, *words).returncode == 0
    refused = command("benchmarks", "run", suite, "--out", out, "--workers", 0, "--timeout", 2)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: --timeout needs worker processes; leave out --workers")


def test_a_signal_while_workers_leave_ends_them(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that have not been told to leave, too, or Python would wait for them for ever."""

    def interrupted(_: object) -> None:
        raise Interrupted

    monkeypatch.setattr(processes._Worker, "hang_up", interrupted)
    suite = suite_file(methods=[{"fill": "total-variation"}], images=["astronaut", "coffee"])
    done = command("benchmarks", "run", suite, "--out", tmp_path / "results", "--workers", 2)
    assert done.returncode == 130
    assert not multiprocessing.active_children()


def test_what_a_dying_worker_has_written_is_in_the_log(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "broken_network.py").write_text(BROKEN)
    broken = {
        "preset": "lemsky-unet",
        "label": "broken",
        "set": {"architecture": {"import": "broken_network:Network"}},
    }
    suite, out = suite_file(methods=[broken, *TINY["methods"]]), tmp_path / "results"
    sys.path.insert(0, str(tmp_path))
    try:
        done = command("benchmarks", "run", suite, "--out", out, "--workers", 1)
        log = out / "tiny" / "failures" / f"{jobs_of(suite)[0].key}.txt"
    finally:
        sys.path.remove(str(tmp_path))
    assert done.returncode == 1
    assert "its worker was killed by signal 11 (SIGSEGV)" in done.stdout
    written = log.read_text()
    assert "about to break" in written
    assert "Fatal Python error: Segmentation fault" in written
    assert 'broken_network.py", line ' in written
    assert set(pd.read_csv(out / "tiny" / "results.csv")["method"]) == {"quick", "mean"}


def test_a_networks_own_connection_error_is_its_failure(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not taken for a runner that is gone."""

    def broken(*_: object, **__: object) -> None:
        raise ConnectionResetError("the weights server said no")

    monkeypatch.setattr("benchmarks.runner.job.run_fit.run_fit", broken)
    monkeypatch.setattr("benchmarks.runner.job.run_job._fill", broken)
    done = command("benchmarks", "run", suite_file(), "--out", tmp_path / "results")
    assert done.returncode == 1
    assert done.stdout.count("ConnectionResetError: the weights server said no") == 4


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3, "its worker ended with exit code 3"),
        (-11, "its worker was killed by signal 11 (SIGSEGV)"),
        (-40, "its worker was killed by signal 40 (unnamed)"),
        (255, "the process that starts workers died, as it does when memory runs out"),
    ],
)
def test_how_a_worker_ended_is_said(code: int, words: str) -> None:
    assert how_it_ended(code) == words


def test_a_worker_that_never_starts_has_its_time_too(
    suite_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "START_SECONDS", -0.9)
    monkeypatch.setattr(processes, "work", sleep)
    (job,) = jobs_of(suite_file(methods=TINY["methods"][:1]))
    executor = Processes(["cpu"], threads=1, timeout=1)
    (event,) = run_tasks(executor, [Task(job, "tiny")])
    assert isinstance(event, Failed)
    assert event.reason == "took longer than the timeout of 1 seconds"


@pytest.mark.parametrize(
    ("device", "workers", "per_gpu", "expected"),
    [
        ("auto", None, None, ["cuda:0", "cuda:1"]),
        ("auto", None, 2, ["cuda:0", "cuda:1"] * 2),
        ("auto", 3, None, ["cuda:0", "cuda:1", "cuda:0"]),
        ("cuda:1", None, 3, ["cuda:1"] * 3),
        ("cpu", 3, None, ["cpu"] * 3),
    ],
)
def test_where_workers_are(
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    workers: int | None,
    per_gpu: int | None,
    expected: list[str],
) -> None:
    monkeypatch.setattr(devices, "_may_have_gpu", lambda: True)
    monkeypatch.setattr(devices, "_gpus", lambda: ["cuda:0", "cuda:1"])
    assert devices.places(device, workers, 1, per_gpu) == expected
    assert devices.unused_gpu("cuda:0") == ""
    assert "a GPU that torch cannot use" in devices.unused_gpu("cpu")
    with pytest.raises(InputError, match="give one of the two"):
        devices.places("auto", 2, 1, 2)
    with pytest.raises(InputError, match="no GPU is used; use `workers`"):
        devices.places("cpu", None, 1, 2)


@needs_proc
def test_workers_end_when_the_runner_is_killed(suite_file: Write, tmp_path: Path) -> None:
    suite = suite_file(methods=[{"preset": "quick"}], size=64, iterations=[100_000])
    runner = _start(suite, tmp_path / "results")
    worker = worker_of(runner.pid)
    runner.kill()
    runner.communicate()
    expect_end(worker)


@needs_proc
def test_a_server_that_dies_takes_no_job_with_it(suite_file: Write) -> None:
    """Workers fork from it; the one at work goes on, and the next ones come from another."""
    first, second = jobs_of(suite_file(methods=TINY["methods"][:1], seeds=[0, 1]))
    executor = Processes(["cpu"], threads=1)
    executor.give(Task(first, "tiny"))
    worker = worker_of(os.getpid())
    server = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(server, signal.SIGKILL)
    ends = [event for event in run_tasks(executor, []) if isinstance(event, Finished | Failed)]
    ends += [*run_tasks(Processes(["cpu"], threads=1), [Task(second, "tiny")])][-1:]
    assert [type(event) for event in ends] == [Finished, Finished]


@needs_proc
def test_a_killed_worker_fails_its_job_only(suite_file: Write) -> None:
    suite = suite_file(methods=TINY["methods"], seeds=[0, 1], iterations=[4])
    method = {"preset": "quick", "label": "endless"}
    endless = suite_file("endless", methods=[method], size=64, iterations=[100_000])
    jobs = jobs_of(endless) + jobs_of(suite)
    outcomes: dict[str, Any] = {}
    killed = False
    for event in run_tasks(Processes(["cpu"], threads=1), [Task(job, "tiny") for job in jobs]):
        if isinstance(event, Progress) and event.job is jobs[0] and not killed:
            os.kill(worker_of(os.getpid()), signal.SIGKILL)
            killed = True
        if isinstance(event, Finished | Failed):
            outcomes[event.job.name] = event
    assert len(outcomes) == len(jobs)
    failed = outcomes.pop(jobs[0].name)
    assert isinstance(failed, Failed)
    why = "as the system does when memory runs out"
    assert failed.reason == f"its worker was killed by signal 9 (SIGKILL, {why})"
    assert all(isinstance(event, Finished) for event in outcomes.values())
