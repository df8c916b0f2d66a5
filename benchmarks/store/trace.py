"""The trace of a fit, `trace.csv` in its run folder: a line for each iteration.

iteration, its loss and milliseconds, and where they were noted the hole PSNR of the raw and of the
averaged output: truth that the fit did not see.
"""

from collections.abc import Iterable, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Protocol

from benchmarks.store.layout import TRACE
from benchmarks.store.run_folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

NOTED = ("raw", "averaged")  # outputs whose hole PSNR is noted
COLUMNS = ("iteration", "loss", "milliseconds", *(f"psnr_hole_{output}" for output in NOTED))


class Iteration(Protocol):
    """What is known of an iteration when it is over."""

    @property
    def iteration(self) -> int: ...
    @property
    def loss(self) -> float: ...
    @property
    def milliseconds(self) -> float: ...


def write_trace(steps: Iterable[Iteration], psnr_hole: Mapping[int, tuple[float, float]]) -> bytes:
    """The content of the file. psnr_hole: by iteration, of raw and averaged output."""
    trace = StringIO()
    trace.write(",".join(COLUMNS) + "\n")
    for step in steps:
        decibels = [repr(value) for value in psnr_hole.get(step.iteration, ())] or ["", ""]
        line = [f"{step.iteration}", f"{step.loss!r}", f"{step.milliseconds:.4f}", *decibels]
        trace.write(",".join(line) + "\n")
    return trace.getvalue().encode()


def seconds_behind(trace: bytes, iteration: int) -> float:
    """Seconds of the iterations after that one. trace: the content of the file."""
    lines = trace.decode().splitlines()[1 + iteration :]
    return sum(float(line.split(",")[2]) for line in lines) / 1000


def read_trace(run: RunFolder) -> "pd.DataFrame":
    """A run's trace, by iteration from 1 on; raises DamagedError."""
    import pandas as pd

    lines = run.read(TRACE).decode().splitlines()[1:]
    # Not by pandas, whose parser may give the last digit of a number away.
    values = [[float(value or "nan") for value in line.split(",")] for line in lines]
    trace = pd.DataFrame(values, columns=list(COLUMNS))
    return trace.astype({"iteration": int}).set_index("iteration")
