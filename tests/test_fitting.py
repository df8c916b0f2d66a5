"""What is measured while a job runs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fitting import _PeakMemory, _timing
from dip import Step

Write = Callable[..., Path]


def test_timing_leaves_the_warm_up_out() -> None:
    steps = [Step(n + 1, 0.0, 1000.0 if n < 10 else float(n)) for n in range(111)]
    timing = _timing(steps, None)
    assert timing.warm_up_iterations == 10
    assert timing.milliseconds_median == 60
    assert (timing.milliseconds_p10, timing.milliseconds_p90) == (20, 100)
    assert timing.seconds == pytest.approx((10 * 1000 + sum(range(10, 111))) / 1000)
    assert _timing(steps[:20], None).warm_up_iterations == 0


def test_peak_memory_is_that_of_each_fit() -> None:
    memory = _PeakMemory("cpu")
    if not memory.measurable:
        pytest.skip("this system has no peak that starts anew")
    block = np.ones(2**26)  # 512 MiB
    del block
    first = memory.mib()
    second = _PeakMemory("cpu").mib()
    assert first is not None
    assert second is not None
    assert 450 < first - second < 600
