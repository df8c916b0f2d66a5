"""What a number of images can say: means with intervals, differences, ranks, spread of seeds.

The image is the unit: whoever calls averages holes and seeds within an image first, because scores
of one image resemble each other and would pass for more evidence than they are. Arrays have images
along their last axis. Methods are compared in pairs over the same images (Demsar, JMLR 7, 2006):
planned comparisons by `benchmarks.scoring.intervals`, all others by `benchmarks.scoring.max_t`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import special

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]

ALPHA = 0.05
CONFIDENCE = 1 - ALPHA
# With five pairs the p value of any test that flips signs is 2 of 2^5 at best, more than 5 %.
FEWEST_IMAGES = 6


def mean_interval(values: npt.ArrayLike) -> tuple[Array, Array]:
    """Mean over the last axis, and half the width of its 95 % interval (Student's t).

    The half is NaN for fewer than two values; one that is not finite leaves neither.
    """
    of = np.asarray(values, np.float64)
    n = of.shape[-1]
    if n == 0:
        return np.full(of.shape[:-1], np.nan), np.full(of.shape[:-1], np.nan)
    mean = of.mean(axis=-1)
    if n < 2:
        return mean, np.full(of.shape[:-1], np.nan)
    with np.errstate(invalid="ignore"):  # infinite scores have no spread
        half = quantile(n - 1) * of.std(axis=-1, ddof=1) / n**0.5
    return mean, half


def quantile(freedom: npt.ArrayLike) -> Array:
    """How many standard deviations hold 95 % of Student's t, either way."""
    return np.asarray(special.stdtrit(freedom, (1 + CONFIDENCE) / 2))


def pairs(scores: npt.ArrayLike) -> Array:
    """Differences of all pairs of methods; scores: (..., methods, images).

    Pairs are in the order of `numpy.triu_indices(methods, 1)`: the first less the second.
    """
    of = np.asarray(scores, np.float64)
    first, second = np.triu_indices(of.shape[-2], 1)
    return difference(of[..., first, :], of[..., second, :])


def difference(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """a less b; zero where they are the same, also where both are infinite."""
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    with np.errstate(invalid="ignore"):
        return np.where(first == second, 0.0, first - second)


def wins_ties_losses(differences: npt.ArrayLike, decimals: int) -> tuple[int, int, int]:
    """Over images; a tie is a difference that rounds to zero as it is shown."""
    rounded = np.round(np.asarray(differences, np.float64), decimals)
    return int((rounded > 0).sum()), int((rounded == 0).sum()), int((rounded < 0).sum())


@dataclass(frozen=True)
class Ranks:
    """mean: of each method over images, 1 is best, ties share theirs. p: Friedman's test.

    critical_difference: mean ranks farther apart than this differ (Nemenyi, all pairs together).
    """

    mean: Array
    p: float
    critical_difference: float


def ranks(scores: npt.ArrayLike) -> Ranks | None:
    """Of methods by images, where more is better; None for fewer than three, or than six images."""
    from scipy import stats

    of = np.asarray(scores, np.float64)
    methods, images = of.shape
    if methods < 3 or images < FEWEST_IMAGES:
        return None
    by_image = stats.rankdata(-of, axis=0)
    if (by_image == by_image[:1]).all():
        p = 1.0  # all the same on every image, which Friedman's statistic cannot say
    else:
        p = float(stats.friedmanchisquare(*by_image).pvalue)
    critical = _nemenyi(methods) * (methods * (methods + 1) / (6 * images)) ** 0.5
    return Ranks(by_image.mean(axis=1), p, critical)


@cache
def _nemenyi(methods: int) -> float:
    """The studentized range of so many methods, in units of their difference's deviation."""
    from scipy import stats

    return float(stats.studentized_range.ppf(CONFIDENCE, methods, np.inf) / 2**0.5)


def between_seeds(scores: "pd.Series[float]", by: Sequence[str]) -> "pd.Series[float]":
    """The standard deviation between fits that differ in their seed only, pooled over cells.

    scores: one of each fit; the levels of its index that are not `seed` name a cell, `by` are those
    of them that the result has. NaN where no cell has two seeds.
    """
    cells = scores.groupby(level=[name for name in scores.index.names if name != "seed"])
    found = cells.agg(["var", "size"])
    freedom = (found["size"] - 1).where(found["var"].notna(), 0)
    squares = (found["var"] * freedom).groupby(level=list(by)).sum()
    return (squares / freedom.groupby(level=list(by)).sum()) ** 0.5


def prediction(variances: npt.ArrayLike, counts: npt.ArrayLike) -> float:
    """How far the mean of one more run of each cell may be from ours, in 19 of 20 cases.

    variances: sample variances of the runs of each cell, at least two each, counts: how many runs
    they are of. Half a prediction interval; degrees of freedom by Welch and Satterthwaite.
    """
    n = np.asarray(counts, np.float64)
    of = np.asarray(variances, np.float64) * (1 + 1 / n)  # of one more run less the mean of ours
    shares = (of**2 / (n - 1)).sum()
    freedom = of.sum() ** 2 / shares if shares else 1.0
    return float(quantile(freedom) * of.sum() ** 0.5 / len(of))
