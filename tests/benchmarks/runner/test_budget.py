"""A budget of time: what is done is scored, what is left goes on, and nothing holds the end up."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from support.commands import Command, Ran
from support.processes import sleep
from support.suites import HUGE, TINY, jobs_of, pictures_in

from benchmarks.jobs.plan import make_plan
from benchmarks.runner import loop
from benchmarks.runner.executors import processes
from benchmarks.runner.overhead import Clock
from benchmarks.runner.run import RunOptions, run
from benchmarks.store.accounting import read_accounting
from benchmarks.store.layout import SCORES

Write = Callable[..., Path]
QUICK, MEAN = TINY["methods"]
ENDLESS: dict[str, Any] = {**QUICK, "label": "endless"}
STOPS = 3


def _scores(out: Path) -> pd.DataFrame:
    """What is the same however often a suite was stopped: all but times and memory."""
    rows = pd.read_csv(out / "tiny" / "results.csv", dtype=str)
    return rows.loc[:, ~rows.columns.str.match("seconds|milliseconds|peak_memory_mib")]


@pytest.mark.usefixtures("one_thread")  # which imports torch: its time is not that of fits
def test_a_suite_that_was_stopped_again_and_again_ends_as_if_it_never_was(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    methods = [{**QUICK, "set": {**QUICK["set"], "input_noise": 0.05}}, MEAN]
    suite = suite_file(methods=methods, iterations=[100, 200, 300], seeds=[0, 1])
    whole, out = tmp_path / "whole", tmp_path / "results"
    began = time.monotonic()
    assert command("benchmarks", "run", suite, "--out", whole).returncode == 0
    seconds = time.monotonic() - began  # on this machine, with what else it has to do
    said = ""
    for _ in range(STOPS):
        budget = f"{seconds / 8:.3f}s"
        done = command("benchmarks", "run", suite, "--out", out, "--budget", budget)
        assert done.returncode == 3, done.stdout
        last = done.stdout.splitlines()[-1]
        assert last.startswith(f"Stopped by --budget {budget}: ")
        assert last.endswith(" of 3 jobs are done; the same command goes on.")
        said += done.stdout
    assert "goes on   " in said
    done = command("benchmarks", "run", suite, "--out", out, "--budget", "1h")
    assert done.returncode == 0, done.stderr
    assert "Stopped" not in done.stdout
    assert pictures_in(out) == pictures_in(whole)
    pd.testing.assert_frame_equal(_scores(out), _scores(whole))


def test_what_is_done_is_reported_and_what_is_left_is_no_failure(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = suite_file(methods=[MEAN, HUGE, ENDLESS], iterations=[5, 10**6]), tmp_path / "out"
    words = ("--out", out, "-k", "mean")
    assert command("benchmarks", "run", suite, *words).returncode == 0
    done = command("reports", "bench", suite, "--out", out, "--budget", "5s")
    assert done.returncode == 3
    assert "time is up; stopping after this iteration" in done.stdout
    assert "/endless/0: its state is saved at iteration " in done.stdout
    (lost,) = [line for line in done.stdout.splitlines() if line.startswith("NO RESULT")]
    assert "/huge/0: failed: out of memory" in lost
    assert "1 of 3 jobs have no result: " in done.stderr
    last = "Stopped by --budget 5s: 1 of 3 jobs are done; the same command goes on."
    assert done.stdout.splitlines()[-1] == last
    assert pd.read_csv(out / "tiny" / "results.csv")["method"].tolist() == ["mean"]
    jobs = pd.read_csv(out / "tiny" / "jobs.csv")
    assert dict(zip(jobs["method"], jobs["status"], strict=True)) == {
        **{"mean": "done", "huge": "failed", "endless": "missing"}
    }
    assert (out / "tiny" / "report" / "summary.md").exists()
    accounting = read_accounting(out / "tiny")
    assert accounting
    assert accounting.fitting_seconds > 0  # iterations of what was stopped, too


def test_what_does_not_hear_is_broken_off(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a fill that takes minutes, or an iteration; here a worker that hangs for one."""
    monkeypatch.setattr(processes, "work", sleep)
    monkeypatch.setattr(loop, "GRACE_SECONDS", 0.5)
    suite, out = suite_file(methods=[MEAN, {"fill": "total-variation"}]), tmp_path / "results"
    began = time.monotonic()
    done = command("benchmarks", "run", suite, "--out", out, "--workers", 1, "--budget", "5s")
    assert done.returncode == 3
    assert time.monotonic() - began < 5 + 20  # which the documentation promises
    assert "halted    astronaut/boxes[count=1,side=8]/total-variation/0: not saved" in done.stdout
    assert "NO RESULT" not in done.stdout
    assert pd.read_csv(out / "tiny" / "results.csv")["method"].tolist() == ["mean"]
    assert pd.read_csv(out / "tiny" / "jobs.csv")["status"].tolist() == ["done", "missing"]
    assert not (out / "tiny" / "failures").exists()
    assert {path.name for path in (out / "runs").iterdir()} == {jobs_of(suite)[0].key}


def test_nothing_begins_when_time_is_up(
    suite_file: Write, command: Command, tmp_path: Path, ran: Ran
) -> None:
    words = (suite_file(), "--out", tmp_path / "none", "--budget", "0.001s")
    done = command("reports", "bench", *words)
    assert done.returncode == 3
    last = "Stopped by --budget 0.001s: 0 of 2 jobs are done; the same command goes on."
    assert done.stdout.splitlines()[-1] == last
    assert not (tmp_path / "none" / "tiny" / "report").exists()
    assert pd.read_csv(tmp_path / "none" / "tiny" / "results.csv").empty

    suite, out = ran()
    done = command("benchmarks", "run", suite, "--out", out, "--budget", "0.001s")
    assert done.returncode == 0  # as all jobs are done
    done = command("benchmarks", "run", suite, "--out", out, "--budget", "0.001s", "--fresh")
    assert done.returncode == 3
    assert done.stdout.endswith(": 0 of 2 jobs are done; the same command begins again.\n")
    assert len(pd.read_csv(out / "tiny" / "results.csv")) == 5


def test_what_there_was_no_time_to_score_is_left_and_scored_the_next_time(
    ran: Ran, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = ran()
    whole = (out / "tiny" / "results.csv").read_bytes()
    fit, _ = jobs_of(suite)
    (out / "runs" / fit.key / SCORES).unlink()
    monkeypatch.setattr("benchmarks.runner.run.SCORING_SECONDS", 0)
    done = command("benchmarks", "run", suite, "--out", out, "--budget", "0.001s")
    assert done.returncode == 3
    assert "1 run left to score" in done.stdout
    assert "1 of 2 jobs are done; the same command goes on." in done.stdout.splitlines()[-1]
    assert pd.read_csv(out / "tiny" / "results.csv")["method"].tolist() == ["mean"]
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    assert (out / "tiny" / "results.csv").read_bytes() == whole


def test_who_runs_a_suite_is_told_what_the_deadline_left(suite_file: Write, tmp_path: Path) -> None:
    plan = make_plan(str(suite_file()), tmp_path / "results")

    def outcome(pattern: str, deadline: float) -> list[list[str]]:
        options = RunOptions(pattern=pattern, workers=0, deadline=deadline)
        jobs = run(plan, options, Console(quiet=True), Clock())
        return [[job.method_label for job in some] for some in jobs]

    assert outcome("mean", time.monotonic() + 1000) == [["mean"], [], []]
    assert outcome("", time.monotonic()) == [["mean"], [], ["quick"]]


@pytest.mark.parametrize("budget", ["8x", "0", "-1", "1e3", "nan"])
def test_a_budget_that_is_no_time_is_a_line(
    suite_file: Write, command: Command, budget: str
) -> None:
    for name in ("run", "bench"):
        done = command("reports", name, suite_file(), "--budget", budget)
        message = f"error: --budget {budget}: must be a time, e.g. 90s, 8m or 1h30m\n"
        assert (done.returncode, done.stderr) == (2, message)
