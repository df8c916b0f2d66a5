"""What is measured while a job runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.suites import jobs_of

from benchmarks.runner.job.recording import timing_of
from benchmarks.runner.job.run_job import run_job
from benchmarks.runner.job.task import Task
from benchmarks.system.memory import PeakMemory
from dip import Step
from dip.fills import FILLS, Fill

Write = Callable[..., Path]


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


def test_a_fill_is_given_the_masked_image_and_the_seed(
    suite_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def restore(masked: np.ndarray, mask: np.ndarray, seed: int) -> np.ndarray:
        given.extend([masked, mask, seed])
        return masked

    (job,) = jobs_of(suite_file(methods=[{"fill": "mean"}]))
    monkeypatch.setitem(FILLS, "mean", replace(FILLS["mean"], function=restore))
    run_job(Task(replace(job, seed=3), "tiny"), device="cpu", threads=1, workers=1)
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
