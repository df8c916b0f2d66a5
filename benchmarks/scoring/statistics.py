"""What a number of images can say: intervals, paired comparisons, ranks, and how many would do.

The image is the unit: whoever calls averages holes and seeds within an image first, because scores
of one image resemble each other and would pass for more evidence than they are. Arrays have images
along their last axis.

Methods are compared in pairs over the same images (Demsar, JMLR 7, 2006), by a paired t test, which
goes with the intervals, and by Wilcoxon's signed ranks, which a single image cannot sway; they are
told apart where both say so. Comparisons that stand together are corrected together (Holm, Scand.
J. Statist. 6, 1979): with the best of k methods all k (k - 1) / 2 pairs, since the best was picked
by the very same scores. `tests/benchmarks/scoring/test_simulation.py` has how often that is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
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
# With five pairs Wilcoxon's p value is 2 of the 2^5 ways to sign them at best, more than 5 %.
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

    1 for a single pair, or where one is not finite: then nothing can be told. Differences that are
    all the same have no spread: 1 if they are zero, or 0.
    """
    of = np.asarray(differences, np.float64)
    n = of.shape[-1]
    if n < 2:
        return np.ones(of.shape[:-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        t = of.mean(axis=-1) / (of.std(axis=-1, ddof=1) / n**0.5)
        p = 2 * special.stdtr(n - 1, -np.abs(t))
    return np.where(np.isnan(p), 1.0, p)


def signed_rank_p(differences: npt.ArrayLike) -> Array:
    """The two-sided p value of Wilcoxon's signed-rank test, over the last axis.

    1 for fewer than six differences that are not zero, or where one is not finite.
    """
    from scipy import stats

    of = np.asarray(differences, np.float64)
    if not of.size:
        return np.ones(of.shape[:-1])
    is_told = np.asarray(np.isfinite(of).all(axis=-1) & ((of != 0).sum(-1) >= FEWEST_IMAGES))
    sizes = np.sort(np.where(is_told[..., None], np.abs(of), 0), axis=-1)
    is_tied = (sizes[..., :1] == 0).any(-1) | (np.diff(sizes, axis=-1) == 0).any(-1)
    p = np.ones(of.shape[:-1])
    for part in (is_told & ~is_tied, is_told & is_tied):  # ties take scipy far longer
        if part.any():
            p[part] = stats.wilcoxon(of[part], axis=-1).pvalue
    return p


def corrected(differences: npt.ArrayLike) -> Array:
    """p values of comparisons that stand together; differences: (..., comparisons, images).

    The larger one of the paired t test's, corrected for their number (Holm), and of Wilcoxon's.
    """
    return np.maximum(holm(paired_p(differences)), signed_rank_p(differences))


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


def against_best(scores: Sequence[npt.ArrayLike], best: Sequence[int | None]) -> list[Array]:
    """For each column of a table the corrected p values of its methods against its best one.

    scores: (methods, images) of each column, all methods in each; those that lack an image are NaN
    throughout and not compared. best: the index of each column's best method, None where it has
    none. All pairs of all columns are one family, so that whatever the table marks as told apart
    holds with 95 % together.
    """
    families = [np.where(_is_compared(each), paired_p(pairs(each)), np.nan) for each in scores]
    together = holm(np.concatenate(families)) if families else np.empty(0)
    ends = np.cumsum([len(each) for each in families])
    found = []
    for each, index, end, own in zip(scores, best, ends, families, strict=True):
        of = np.asarray(each, np.float64)
        p = np.full(len(of), np.nan)
        if index is not None:
            first, second = np.triu_indices(len(of), 1)
            of_column = together[end - len(own) : end]
            p[second[first == index]] = of_column[first == index]
            p[first[second == index]] = of_column[second == index]
            p = np.maximum(p, signed_rank_p(difference(of, of[index])))
        found.append(p)
    return found


def _is_compared(scores: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Of each pair whether both have all images."""
    is_whole = np.asarray(~np.isnan(np.asarray(scores, np.float64)).any(axis=-1))
    first, second = np.triu_indices(len(is_whole), 1)
    return is_whole[first] & is_whole[second]


def verdict(differences: npt.ArrayLike, p: float) -> Verdict:
    """Of differences where more is better, with their corrected p value."""
    of = np.asarray(differences, np.float64)
    if not of.any():
        return "identical"
    if not p < ALPHA:
        return "cannot tell"
    return "better" if of.mean() > 0 else "worse"


def images_needed(differences: npt.ArrayLike, comparisons: int) -> int | None:
    """How many images would tell, where these do not, were differences as large and as spread.

    With a chance of 80 % by a paired t test, after Holm's first step for so many comparisons; more
    than there are. None if more than 1000, or if they say nothing about their spread.
    """
    from scipy import stats

    of = np.asarray(differences, np.float64)
    if len(of) < 2 or not np.isfinite(of).all():
        return None
    spread = of.std(ddof=1)
    least = max(FEWEST_IMAGES, len(of) + 1)
    if not spread:
        return least if of.any() else None
    n = np.arange(least, MOST_IMAGES + 1)
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
