"""Runs are scored while others are fitted, and nothing depends on it."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.commands import Command, Ran
from support.suites import TINY, jobs_of

from benchmarks.jobs.plan import make_plan
from benchmarks.metrics import lpips_weights
from benchmarks.scoring import background, score, tables
from benchmarks.scoring.background import Scorer, Scorers

Write = Callable[..., Path]

METRICS = ["psnr", "ssim", *([] if lpips_weights.missing() else ["lpips"])]


def _scores(out: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in out.glob("runs/*/scores.json")}


def _finish(scorer: Scorer) -> None:
    """Instead of closing it: a tiny fit is over sooner than a score is computed."""
    scorer._jobs.put(None)
    scorer._thread.join()


def _nothing(*_: object, **__: object) -> tuple[pd.DataFrame, list[str], list[Any]]:
    return pd.DataFrame(columns=list(score.COLUMNS)), [], []


def test_runs_are_scored_as_they_would_be_in_the_end(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = suite_file(metrics=METRICS), tmp_path / "results"
    with monkeypatch.context() as patch:
        patch.setattr(Scorer, "close", _finish)
        patch.setattr(tables, "score", _nothing)
        done = command("benchmarks", "run", suite, "--out", out, "--workers", 1)
    assert done.returncode == 0, done.stderr
    kept = _scores(out)
    assert kept.keys() == {job.key for job in jobs_of(suite)}
    assert {path.name for path in (out / "runs").iterdir()} == kept.keys()  # no claim is left
    assert command("benchmarks", "score", suite, "--out", out).returncode == 0
    assert _scores(out) == kept


def test_where_fits_run_in_this_process_nothing_is_scored_beside_them(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "score", _nothing)
    out = tmp_path / "results"
    assert command("benchmarks", "run", suite_file(), "--out", out).returncode == 0
    assert not _scores(out)


def test_what_could_not_be_scored_meanwhile_is_scored_in_the_end(
    ran: Ran, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def broken(_: object, job: Any, *__: object, **___: object) -> None:
        tried.append(job)
        raise RuntimeError("broken today")

    suite, out = ran()
    for path in out.glob("runs/*/scores.json"):
        path.unlink()
    plan = make_plan(str(suite), out)
    with monkeypatch.context() as patch:
        patch.setattr(background, "keep_scores", broken)
        scorer = Scorer(plan.store, METRICS)
        scorer.add(*plan.jobs)
        _finish(scorer)
    assert tried == plan.jobs  # the first error has not ended it
    done = command("benchmarks", "score", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    assert not pd.read_csv(out / "tiny" / "results.csv")["ssim_hole"].isna().any()
    assert len(_scores(out)) == 2


def test_a_run_that_is_scored_in_two_goes_has_the_same_scores(ran: Ran) -> None:
    """As when the fits are over while it is being scored."""
    suite, out = ran(methods=TINY["methods"][:1], metrics=METRICS)
    (whole,) = _scores(out).values()
    plan = make_plan(str(suite), out)
    (job,) = plan.jobs
    kept = plan.store.folder(job.key) / "scores.json"
    kept.unlink()
    stops = iter([False, True])
    score.keep_scores(plan.store, job, METRICS, should_stop=lambda: next(stops))
    assert "raw-000002.png" in kept.read_text()
    assert "raw-000004.png" not in kept.read_text()
    score.keep_scores(plan.store, job, METRICS)
    assert kept.read_bytes() == whole


def test_closing_ends_the_thread_and_leaves_the_rest(
    ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = ran(seeds=[0, 1])
    plan = make_plan(str(suite), out)
    scorer = Scorer(plan.store, METRICS)
    seen = []

    def closing(_: object, job: Any, *__: object, **___: object) -> None:
        seen.append(job)
        scorer._is_closed.set()

    monkeypatch.setattr(background, "keep_scores", closing)
    scorer.add(*plan.jobs)
    scorer._thread.join(20)
    scorer.close()
    assert not scorer._thread.is_alive()
    assert seen == plan.jobs[:1]


def test_processes_score_as_the_thread_does_and_the_end_is_waited_for(
    ran: Ran, suite_file: Write
) -> None:
    """Also with a run that is gone, which the scoring in the end tells of."""
    suite, out = ran(metrics=METRICS)
    kept = _scores(out)
    for path in out.glob("runs/*/scores.json"):
        path.unlink()
    plan = make_plan(str(suite), out)
    gone, *_ = jobs_of(suite_file("gone", seeds=[7]))
    scorers = Scorers(plan.store, METRICS, cores=2)
    try:
        scorers.add(gone, *plan.jobs)
        scorers.finish(lambda _: None, lambda: False)
        assert _scores(out) == kept
        scorers.add(*plan.jobs)
        scorers.finish(lambda _: None, lambda: True)  # asked to end: it does not wait
    finally:
        scorers.close()
    assert {path.name for path in (out / "runs").iterdir()} == kept.keys()


def test_scoring_processes_that_die_end_nothing(ran: Ran) -> None:
    suite, out = ran()
    plan = make_plan(str(suite), out)
    scorers = Scorers(plan.store, METRICS, cores=2)
    try:
        scorers.add(*plan.jobs)
        processes = [*scorers._pool._processes.values()]
        assert len(processes) == 2
        processes[0].kill()
        scorers.finish(lambda _: None, lambda: False)
        scorers.add(*plan.jobs)  # nobody is there to score them
    finally:
        scorers.close()
    deadline = time.monotonic() + 60
    while any(_is_there(process.pid) for process in processes):
        assert time.monotonic() < deadline, "a process outlived the others"
        time.sleep(0.1)


def _is_there(pid: int) -> bool:
    """Asked of the system: the pool's own thread may have seen to its end."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
