"""What a number of images can say: intervals, paired comparisons, ranks, and how many would do.

The image is the unit: whoever calls averages holes and seeds within an image first, because scores
of one image resemble each other and would pass for more evidence than they are. Arrays have images
along their last axis. Methods are compared in pairs over the same images (paired t; Demsar, JMLR 7,
2006, compares Wilcoxon's test, the sign test and Friedman's with Nemenyi's critical difference).
Comparisons that stand together are corrected together (Holm, Scand. J. Statist. 6, 1979): with the
best of k methods all k (k - 1) / 2 pairs, since the best was picked by the very same scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from scipy import special

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]
Verdict = Literal["better", "worse", "cannot tell", "identical"]

ALPHA = 0.05
CONFIDENCE = 1 - ALPHA
# With five pairs not even a test that assumes nothing of their distribution, as Wilcoxon's, can
# come out below 5 % (2 of 2^5 orders of signs); a t test that does has assumed too much.
FEWEST_IMAGES = 6
POWER = 0.8  # the chance to see a difference that is there, in `images_needed`
MOST_IMAGES = 1000


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


def paired_p(differences: npt.ArrayLike) -> Array:
    """The two-sided p value of a paired t test, over the last axis.

    1 for fewer than six pairs, or where one is not finite: then nothing can be told. Differences
    that are all the same have no spread: 1 if they are zero, or 0.
    """
    of = np.asarray(differences, np.float64)
    n = of.shape[-1]
    if n < FEWEST_IMAGES:
        return np.ones(of.shape[:-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        t = of.mean(axis=-1) / (of.std(axis=-1, ddof=1) / n**0.5)
        p = 2 * special.stdtr(n - 1, -np.abs(t))
    return np.where(np.isnan(p), 1.0, p)


def holm(p: npt.ArrayLike) -> Array:
    """p values along the last axis, corrected for being many; NaN stays, and is not one of them."""
    of = np.asarray(p, np.float64)
    order = np.argsort(of, axis=-1)  # NaN last
    ascending = np.take_along_axis(of, order, axis=-1)
    many = (~np.isnan(of)).sum(axis=-1, keepdims=True) - np.arange(of.shape[-1])
    stepped = np.fmax.accumulate(ascending * np.maximum(many, 1), axis=-1)
    stepped = np.where(np.isnan(ascending), np.nan, np.minimum(stepped, 1.0))
    corrected = np.empty_like(of)
    np.put_along_axis(corrected, order, stepped, axis=-1)
    return corrected


def pairs_p(scores: npt.ArrayLike) -> Array:
    """p values of all pairs of methods; scores: (..., methods, images), result: (..., pairs).

    Pairs are in the order of `numpy.triu_indices(methods, 1)`. NaN where one of the two lacks an
    image: it is not compared.
    """
    of = np.asarray(scores, np.float64)
    first, second = np.triu_indices(of.shape[-2], 1)
    a, b = of[..., first, :], of[..., second, :]
    with np.errstate(invalid="ignore"):  # infinite scores have no difference
        p = paired_p(a - b)
    return np.where(np.isnan(a).any(axis=-1) | np.isnan(b).any(axis=-1), np.nan, p)


def against_best(scores: Sequence[npt.ArrayLike], best: Sequence[int | None]) -> list[Array]:
    """For each column of a table the corrected p values of its methods against its best one.

    scores: (methods, images) of each column, all methods in each; best: that method's index, None
    where a column has none. All pairs of all columns are one family, so that whatever the table
    marks as told apart holds with 95 % together.
    """
    raw = [pairs_p(each) for each in scores]
    corrected = holm(np.concatenate(raw)) if raw else np.empty(0)
    found, start = [], 0
    for each, index in zip(scores, best, strict=True):
        methods = np.asarray(each).shape[0]
        first, second = np.triu_indices(methods, 1)
        of_column = corrected[start : start + len(first)]
        start += len(first)
        p = np.full(methods, np.nan)
        if index is not None:
            p[second[first == index]] = of_column[first == index]
            p[first[second == index]] = of_column[second == index]
        found.append(p)
    return found


def verdict(differences: npt.ArrayLike, p: float) -> Verdict:
    """Of differences where more is better, with their corrected p value."""
    of = np.asarray(differences, np.float64)
    if not of.any():
        return "identical"
    if not p < ALPHA:
        return "cannot tell"
    return "better" if of.mean() > 0 else "worse"


def images_needed(differences: npt.ArrayLike, comparisons: int) -> int | None:
    """How many images would tell, were differences as large and as spread as these.

    With a chance of 80 %, after Holm's first step for so many comparisons. None if more than 1000,
    or if they say nothing about their spread.
    """
    from scipy import stats

    of = np.asarray(differences, np.float64)
    if len(of) < 2 or not np.isfinite(of).all():
        return None
    spread = of.std(ddof=1)
    if not spread:
        return FEWEST_IMAGES if of.any() else None
    n = np.arange(FEWEST_IMAGES, MOST_IMAGES + 1)
    limit = special.stdtrit(n - 1, 1 - ALPHA / max(comparisons, 1) / 2)
    power = stats.nct.sf(limit, n - 1, n**0.5 * abs(of.mean()) / spread)
    enough = n[power >= POWER]
    return int(enough[0]) if len(enough) else None


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
    reach = stats.studentized_range.ppf(CONFIDENCE, methods, np.inf) / 2**0.5
    critical = float(reach * (methods * (methods + 1) / (6 * images)) ** 0.5)
    return Ranks(by_image.mean(axis=1), p, critical)


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
