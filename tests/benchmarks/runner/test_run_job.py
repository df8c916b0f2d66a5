"""What is measured while a job runs."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.commands import Command
from support.suites import jobs_of

from benchmarks.runner.events import Event, Failed, Finished, Halted, Progress
from benchmarks.runner.job.recording import timing_of
from benchmarks.runner.job.run_job import run_job
from benchmarks.runner.job.task import Task
from benchmarks.system.memory import PeakMemory
from dip import Step
from dip.fills import FILLS, Fill
from dip.fills.opencv import RadiusOptions

Write = Callable[..., Path]
ALONE: dict[str, Any] = {"device": "cpu", "threads": 1, "workers": 1}


def test_timing_leaves_the_warm_up_out() -> None:
    steps = [Step(n + 1, 0.0, 1000.0 if n < 10 else float(n)) for n in range(111)]
    timing = timing_of(steps, [], None)
    assert timing.warm_up_iterations == 10
    assert timing.milliseconds_median == 60
    assert (timing.milliseconds_p10, timing.milliseconds_p90) == (20, 100)
    assert timing.seconds == pytest.approx((10 * 1000 + sum(range(10, 111))) / 1000)
    assert timing_of(steps[:20], [], None).warm_up_iterations == 0


def test_timing_leaves_the_iterations_behind_a_break_out() -> None:
    steps = [Step(n + 1, 0.0, 1000.0 if n % 50 < 10 else 7.0) for n in range(100)]
    timing = timing_of(steps, [50], None)
    assert (timing.milliseconds_p10, timing.milliseconds_p90) == (7, 7)
    assert timing.seconds == pytest.approx(2 * (10 * 1000 + 40 * 7) / 1000)


def test_peak_memory_is_that_of_each_fit() -> None:
    memory = PeakMemory("cpu")
    if not memory.measurable:
        pytest.skip("this system has no peak that starts anew")
    block = np.ones(2**26)  # 512 MiB
    del block
    first = memory.mib()
    second = PeakMemory("cpu").mib()
    assert first is not None
    assert second is not None
    assert 450 < first - second < 600


def test_a_fill_is_given_the_masked_image_and_the_seed(suite_file: Write) -> None:
    given: list[Any] = []

    def restore(masked: np.ndarray, mask: np.ndarray, seed: int) -> np.ndarray:
        given.extend([masked, mask, seed])
        return masked

    (job,) = jobs_of(suite_file(methods=[{"fill": "mean"}]))
    fill = replace(FILLS["mean"], function=restore)
    run_job(Task(replace(job, seed=3, method=fill), "tiny"), device="cpu", threads=1, workers=1)
    masked, mask, seed = given
    np.testing.assert_array_equal(masked, job.image.pixels * job.mask / 255)
    assert np.array_equal(mask, job.mask)
    assert seed == 3


def test_the_time_of_a_fill_is_without_its_imports(
    suite_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    load = Fill.load

    def loaded(fill: Fill) -> Any:
        order.append("import")
        return load(fill)

    def clock() -> float:
        order.append("clock")
        return float(len(order))

    (job,) = jobs_of(suite_file(methods=[{"fill": "mean"}]))
    monkeypatch.setattr(Fill, "load", loaded)
    monkeypatch.setattr("benchmarks.runner.job.run_job.time.perf_counter", clock)
    run_job(Task(job, "tiny"), device="cpu", threads=1, workers=1)
    assert order[:2] == ["import", "clock"]


def test_a_fill_is_given_its_options_and_reports_its_progress(suite_file: Write) -> None:
    given: list[Any] = []

    def restore(
        masked: np.ndarray,
        _mask: np.ndarray,
        _seed: int,
        options: RadiusOptions,
        report: Callable[[float], None],
    ) -> np.ndarray:
        given.append(options)
        for share in (0.333, 0.666, 1):
            report(share)
        return masked

    (job,) = jobs_of(suite_file(methods=[{"fill": "telea", "set": {"radius": 9}}]))
    assert isinstance(job.method, Fill)
    fill = replace(job.method, function=restore, has_progress=True)
    events: list[Any] = []
    task = Task(replace(job, method=fill), "tiny")
    end = run_job(task, **ALONE, report=events.append)
    assert isinstance(end, Finished)
    assert given == [RadiusOptions(radius=9)]
    told = [(each.iteration, each.loss) for each in events if isinstance(each, Progress)]
    assert told == [(33, None), (67, None), (100, None)]


def test_a_fill_that_refuses_says_so_in_its_own_words(
    suite_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods = [{"fill": "biharmonic"}, {"fill": "mean"}]
    greedy, modest = jobs_of(suite_file(methods=methods))
    monkeypatch.setattr("dip.fills.fill.free_bytes", lambda: 1000)
    end = run_job(Task(greedy, "tiny"), **ALONE)
    assert isinstance(end, Failed)
    assert re.fullmatch(
        r"the fill 'biharmonic' needs about [\d.]+ GiB of memory for a hole of 64 pixels, and"
        r" 0\.0 GiB are free; use a smaller image or another fill",
        end.reason,
    )
    assert isinstance(run_job(Task(modest, "tiny"), **ALONE), Finished)


def test_other_jobs_run_and_are_reported_where_a_fill_refuses(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = suite_file(methods=[{"fill": ["mean", "biharmonic"]}]), tmp_path / "results"
    monkeypatch.setattr("dip.fills.fill.free_bytes", lambda: 1000)
    done = command("benchmarks", "bench", suite, "--out", out)
    assert done.returncode == 1
    lines = (done.stdout + done.stderr).splitlines()
    (failed,) = [line for line in lines if "FAILED" in line and "biharmonic/0: " in line][:1]
    assert failed.partition("biharmonic/0: ")[2].startswith("the fill 'biharmonic' needs about")
    assert "InputError" not in done.stdout + done.stderr
    summary = (out / "tiny" / "report" / "summary.md").read_text()
    assert "the fill 'biharmonic' needs about" in summary
    monkeypatch.undo()
    again = command("benchmarks", "run", suite, "--out", out, "--retry-failed")
    assert again.returncode == 0, again.stderr


def test_a_fill_that_tells_its_progress_stops_when_it_is_asked_to(suite_file: Write) -> None:
    """And not at its end, where nothing is left to do."""
    (job,) = jobs_of(suite_file(methods=[{"fill": "total-variation"}]))
    told: list[int] = []

    def note(event: Event) -> None:
        if isinstance(event, Progress):
            told.append(event.iteration)

    for percent, end in ((3, Halted), (100, Finished)):
        told.clear()
        stops = partial(lambda last: told[-1] == last, percent)
        assert type(run_job(Task(job, "tiny"), **ALONE, report=note, should_stop=stops)) is end
        assert told[-1] == percent
