"""Intervals of planned comparisons that hold together, and the verdicts read off them.

The image is the unit: whoever calls averages holes and seeds within an image first. One interval
for each comparison, and with 95 % all of them hold. Student's t with Bonferroni's correction does
that where differences are normal. Where a few images differ far more than the others it does not:
five intervals over eight images hold in 78 % of cases if differences are exponential.

So images are drawn again, with replacement, and t is computed anew from each draw: the studentised
bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 12; Hall, Ann. Stat.
16, 1988). A draw is the same for all comparisons, and the largest and the least t of each draw
count, so that the far tails of single comparisons, which few images cannot show, are not needed,
and what comparisons have in common is not corrected for twice (Romano and Wolf, JASA 100, 2005).

Two bounds are put on that. No interval is narrower than Student's: draws from few images vary less
than the images do. And none is wider than what its own draws go beyond in one of 1000, over the
number of comparisons: otherwise a comparison with one image far off widens all others, tenfold if
its other images hardly differ. `tests/benchmarks/scoring/test_simulation.py` has how often the
intervals hold, and what else was tried.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]
Verdict = Literal["better", "worse", "equivalent", "inconclusive"]

CONFIDENCE = 0.95  # of all intervals of a family together
TAIL = (1 - CONFIDENCE) / 2
DRAWS = 100_000  # bounds move by some hundredths of a standard error if drawn anew
RARE = 0.001  # of its own draws, over the number of comparisons, go beyond the widest interval
FEWEST_IMAGES = 6  # fewer have too few draws that differ: Student's t alone
POWER = 0.8  # the chance to show a difference of the size `Interval.detectable`
# Above this t the noncentral t distribution is replaced by its limit, which is exact to 2e-5 here
# (500 images; 1e-6 for a few). SciPy's inverse is exact to 6e-5, and from 400,000 on it did not
# return within 15 seconds.
LARGE_T = 1000.0


@dataclass(frozen=True)
class Interval:
    """Of the mean difference of one planned comparison.

    Attributes:
        mean: mean difference over images.
        low: lower bound; NaN where the images allow none.
        high: upper bound; likewise.
        images: number of images.
        detectable: smallest true difference that so many images with this spread would show, that
            is, leave out 0, with a chance of 80 %. It depends on the spread, not on the mean.
    """

    mean: float
    low: float
    high: float
    images: int
    detectable: float


def simultaneous(differences: npt.ArrayLike) -> list[Interval]:
    """One interval for each planned comparison; with 95 % all of them hold together.

    Args:
        differences: (comparisons, images), of each image; NaN where a comparison lacks the image.

    Returns:
        The intervals, in the order of the comparisons. Bounds are NaN for fewer than two images and
        where a difference is infinite. Where all differences are the same the bounds are the mean.
    """
    rows = np.asarray(differences, np.float64)
    if not len(rows):
        return []
    least, most = quantiles(_drawn(rows))
    return [
        _interval(row[~np.isnan(row)], len(rows), float(-low), float(high))
        for row, low, high in zip(rows, least, most, strict=True)
    ]


def _interval(row: Array, comparisons: int, above: float, below: float) -> Interval:
    """above, below: how many standard errors the draws go to either side."""
    n = len(row)
    if n < 2 or not np.isfinite(row).all():
        with np.errstate(invalid="ignore"):  # infinite both ways
            mean = float(row.mean()) if n else np.nan
        return Interval(mean, np.nan, np.nan, n, np.nan)
    less = row - row[0]  # exactly 0 where all are the same
    mean, error = float(row[0] + less.mean()), float(less.std(ddof=1)) / n**0.5
    student = float(special.stdtrit(n - 1, 1 - TAIL / comparisons))
    below, above = max(student, below), max(student, above)
    shown = _noncentrality(n - 1, (below + above) / 2)
    return Interval(mean, mean - below * error, mean + above * error, n, shown * error)


def _noncentrality(degrees_of_freedom: int, critical_t: float) -> float:
    """True difference, in standard errors, whose t exceeds `critical_t` in `POWER` of cases."""
    if critical_t > LARGE_T:
        quantile = float(special.chdtri(degrees_of_freedom, 1 - POWER))  # of chi-square
        return critical_t * (quantile / degrees_of_freedom) ** 0.5
    return float(special.nctdtrinc(degrees_of_freedom, 1 - POWER, critical_t))


def _drawn(rows: Array) -> Array:
    """(comparisons, draws): t of each draw; 0 where a comparison has too few images, or infinities.

    Comparisons over the same images are drawn together, those over others apart.
    """
    drawn = np.zeros((len(rows), DRAWS))
    has = ~np.isnan(rows)
    for index, images in enumerate(np.unique(has, axis=0)):
        own = (has == images).all(axis=1) & ~np.isinf(rows).any(axis=1)
        if images.sum() >= FEWEST_IMAGES:
            drawn[own] = drawn_t(rows[own][:, images], weights(int(images.sum()), index))
    return drawn


@cache
def weights(images: int, index: int, draws: int = DRAWS) -> Array:
    """Draw images with replacement; the same in every call.

    Args:
        images: number of images.
        index: of the set of images; another index has other draws.
        draws: number of draws.

    Returns:
        (images, draws): how often each image is drawn, as a share.
    """
    random = np.random.default_rng([images, index])
    return random.multinomial(images, np.full(images, 1 / images), draws).T / images


def drawn_t(differences: Array, shares: Array) -> Array:
    """Compute t of the mean of each draw less the mean of all images.

    Args:
        differences: (..., images).
        shares: (images, draws), from `weights`.

    Returns:
        (..., draws): t; 0 for draws without spread.
    """
    centred = differences - differences.mean(axis=-1, keepdims=True)
    mean, square = centred @ shares, centred**2 @ shares
    variance = square - mean**2
    error = np.sqrt(np.maximum(variance, 0) / (differences.shape[-1] - 1))
    has_spread = variance > 1e-12 * square  # more than rounding leaves
    return np.divide(mean, error, out=np.zeros_like(mean), where=has_spread)


def quantiles(drawn: Array) -> tuple[Array, Array]:
    """How far t goes down and up in the draws of a family.

    Args:
        drawn: (..., comparisons, draws), from `drawn_t`.

    Returns:
        Lower and upper quantile of each comparison: what 2.5 % of draws go beyond with any of the
        comparisons, but no more than what the comparison itself rarely goes beyond (`RARE`).
    """
    rare = RARE / drawn.shape[-2]
    least = np.quantile(drawn.min(axis=-2), TAIL, axis=-1, method="lower")[..., None]
    most = np.quantile(drawn.max(axis=-2), 1 - TAIL, axis=-1, method="higher")[..., None]
    own_least = np.quantile(drawn, rare, axis=-1, method="lower")
    own_most = np.quantile(drawn, 1 - rare, axis=-1, method="higher")
    return np.maximum(least, own_least), np.minimum(most, own_most)


def decide(interval: Interval, margin: float) -> Verdict:
    """Read the verdict off an interval of differences where more is better.

    Args:
        interval: of the mean difference.
        margin: differences up to this size make no difference in practice.

    Returns:
        "equivalent" if the interval lies within the margin, also where it leaves out zero; else
        "better" or "worse" if it leaves out zero; else "inconclusive", as without bounds.
    """
    if -margin <= interval.low and interval.high <= margin:
        return "equivalent"
    if interval.low > 0:
        return "better"
    if interval.high < 0:
        return "worse"
    return "inconclusive"
