"""What a metric is: scores of a restoration in three regions that are never mixed.

full: the method's output as it is, over the whole image. hole: hole pixels only. composited: the
known pixels put back, over the whole image. Scores are computed on 8-bit images, because that is
what a reader can open and score again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # (C, H, W)
Known = NDArray[np.bool_]  # (H, W)


class Regions(NamedTuple):
    """One metric's scores."""

    full: float
    hole: float
    composited: float


@dataclass(frozen=True)
class Metric:
    """A metric and its description.

    Attributes:
        name: its name in suites and columns.
        score: computes the scores from the restoration, the truth and the known pixels.
        version: changes when the scores change.
        minimum_side: smallest image side that can be scored, in pixels.
        better: whether higher or lower scores are better.
        region: the region whose score tables show.
        decimals: number of decimals in tables.
        unit: unit of a score in tables, or empty.
        missing: returns which requirement of the metric is not met, or None.
        order: position in lists; metrics without one come last, by name.
    """

    name: str
    score: Callable[[Pixels, Pixels, Known], Regions]
    version: str
    minimum_side: int
    better: Literal["higher", "lower"]
    region: Literal["full", "hole", "composited"] = "composited"
    decimals: int = 3
    unit: str = ""
    missing: Callable[[], str | None] = lambda: None
    order: float = inf

    @property
    def heading(self) -> str:
        """Heading of its column in a table, e.g. `PSNR hole (dB)`."""
        return f"{self.name.upper()} {self.region}{f' ({self.unit})' if self.unit else ''}"

    def unavailable(self, height: int, width: int) -> str | None:
        """Why an image of this size cannot be scored, or None if it can."""
        if min(height, width) < self.minimum_side:
            return f"needs {self.minimum_side} pixels on each side, not {width}x{height}"
        return self.missing()


def composite(restored: Pixels, truth: Pixels, known: Known) -> Pixels:
    """The restoration inside the hole, the truth everywhere else."""
    return np.where(known, truth, restored)
