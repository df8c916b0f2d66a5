"""A table of a report, whatever format it is written in.

A table exists twice: as numbers, which the CSV keeps at full precision, and as what people read,
with as many decimals as mean something.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from benchmarks.scoring.statistics import mean_interval

NOTHING = "-"
TIED = "≈"


@dataclass(frozen=True)
class Value:
    """A number as people read it: `22.74 ± 3.46 (30/30)`, `+1.20 [0.40, 2.00]`.

    Attributes:
        half_width: half the width of its 95 % interval, where that is symmetric.
        interval: the bounds of its interval.
        of: how many of how many.
        exact: how many more are infinite, and in no mean.
        place: 1 for the best of its column, 2 for the second.
        is_tied: it is not seen to differ from the best.
    """

    number: float
    decimals: int
    half_width: float = np.nan
    interval: tuple[float, float] | None = field(default=None, kw_only=True)
    of: tuple[int, int] | None = None
    place: int = 0
    is_tied: bool = False
    has_sign: bool = False
    exact: int = 0

    @property
    def shown(self) -> str:
        """The number alone, `-` if there is none."""
        return shown(self.number, self.decimals, self.has_sign)

    @property
    def spread(self) -> str:
        """Half the interval's width; empty if there is none."""
        return f"{self.half_width:.{self.decimals}f}" if np.isfinite(self.half_width) else ""

    @property
    def text(self) -> str:
        """The number with its spread or its interval."""
        if self.interval is not None and np.isfinite(self.interval).all():
            low, high = (shown(bound, self.decimals) for bound in self.interval)
            return f"{self.shown} [{low}, {high}]"
        return self.shown + (f" ± {self.spread}" if self.spread else "")

    @property
    def notes(self) -> list[str]:
        exact = f", {self.exact} exact" if self.exact else ""
        return [
            *(["{}/{}".format(*self.of) + exact] if self.of else []),
            *([TIED] if self.is_tied else []),
        ]


Cell = str | Value


@dataclass(frozen=True)
class Table:
    """name: of its files. title: one line. about: what its numbers are, for a caption.

    numbers: the CSV. panels: what people read, cells are `str` or `Value`; a wide table has
    several, one below the other.
    """

    name: str
    title: str
    numbers: pd.DataFrame
    panels: Sequence[pd.DataFrame]
    about: str = field(default="", kw_only=True)


def means(scores: pd.DataFrame) -> dict[str, float]:
    """Of each column its mean and half the interval's width, as `<name>_mean`, `_half_width`."""
    found: dict[str, float] = {}
    for name in scores:
        mean, half = mean_interval(scores[name].dropna())
        found |= {f"{name}_mean": float(mean), f"{name}_half_width": float(half)}
    return found


def mean_values(table: pd.DataFrame, name: str, decimals: int, factor: int = 1) -> list[Value]:
    """What `means` found, as people read it."""
    numbers, halves = table[f"{name}_mean"] * factor, table[f"{name}_half_width"] * factor
    return [Value(mean, decimals, half) for mean, half in zip(numbers, halves, strict=True)]


def shown(number: float, decimals: int, has_sign: bool = False) -> str:
    """With so many decimals and never `-0.00`; `-` if it is none."""
    if pd.isna(number):
        return NOTHING
    if np.isinf(number):
        return "inf" if number > 0 else "-inf"
    rounded = round(float(number), decimals) + 0.0
    return f"{rounded:{'+' if has_sign and rounded else ''}.{decimals}f}"


def seconds(number: float) -> Cell:
    """Seconds as tables show them: milliseconds of fills, too."""
    if number < 0.0005:
        return "< 0.001"
    return Value(number, 1 if number >= 1 else 3)
