"""The trace of a fit, `trace.csv` in its run folder: a line for each iteration.

iteration, its loss and milliseconds, and where they were noted the hole PSNR of the raw and of the
averaged output: truth that the fit did not see.
"""

from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("iteration", "loss", "milliseconds", "psnr_hole_raw", "psnr_hole_averaged")


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


def read_trace(folder: Path, until: int = 0) -> "pd.DataFrame":
    """A run folder's trace, by iteration from 1 on.

    Raises OSError if it is missing or damaged, or ends before the iteration `until`.
    """
    import pandas as pd

    path = folder / "trace.csv"
    try:
        trace = pd.read_csv(path, dtype=dict.fromkeys(COLUMNS[1:], float))
        if tuple(trace.columns) != COLUMNS:
            raise ValueError("its columns are others")
        if list(trace["iteration"]) != list(range(1, len(trace) + 1)) or len(trace) < until:
            raise ValueError("lines are missing")
        return trace.set_index("iteration")
    except ValueError as error:
        raise OSError(f"{path}: {error}") from None
