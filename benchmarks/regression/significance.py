"""What a number of seeds can tell: differences of means, as far as seeds do not explain them.

Images and holes are given; what is drawn at random is the seed. It decides all cells (image and
hole) of a method together, since they start from the same weights: their scores resemble each
other, and the mean over cells varies up to twice as much as if each cell had seeds of its own. So
a seed counts once, by its mean over cells.

The spread is that of the reference's seeds. What is held to it may be unstable, and its own spread
would excuse it; with fewer than `FEWEST_SEEDS` in the reference both sides' are pooled. Two tests
have to agree: Student's for two means, which goes with the intervals, and Wilcoxon's rank-sum test,
exact whatever the distribution, which one or two seeds far off cannot sway. Now and then there are
such: of 24 fits of a skip network two left a vivid patch in the same hole. Where Student's test
speaks alone, more seeds have to tell.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]

FEWEST_SEEDS = 10  # that say by themselves how far seeds spread
MOST_SEEDS = 1000
EXACT_PAIRS = 2500  # of seeds; for more the exact distribution of ranks takes long


@dataclass(frozen=True)
class Spread:
    """How far means of seeds lie apart by themselves.

    deviation: standard deviation between seeds, with so many degrees of freedom; reference, here:
    how many seeds each side has. NaN deviation where nothing is known of it.
    """

    deviation: float
    freedom: int
    reference: int
    here: int

    @property
    def error(self) -> float:
        """The standard error of the difference of means."""
        return self.error_with(self.reference, self.here)

    def error_with(self, reference: int, here: int) -> float:
        """The same with other numbers of seeds."""
        return self.deviation * float(np.sqrt(1 / reference + 1 / here))

    def can_tell(self, error_rate: float) -> bool:
        """Whether there are seeds enough for ranks to tell anything apart."""
        return _least_rank_sum_p(self.reference, self.here) <= error_rate

    def half_width(self, error_rate: float) -> float:
        """Of the interval that a difference of zero leaves with this probability."""
        return _quantile(error_rate, self.freedom) * self.error

    def seeds_needed(self, difference: float, error_rate: float, margin: float) -> int | None:
        """With how many seeds here the same difference would be told apart, or be within a margin.

        More than there are; with more than the reference has, both have as many. None if no number
        up to 1000 would do, or the spread is not known.
        """
        if np.isnan(self.deviation):
            return None
        for here in range(self.here + 1, MOST_SEEDS + 1):
            reference = max(self.reference, here)
            freedom = max(self.freedom, reference - 1)
            error = self.error_with(reference, here)
            limit = _quantile(error_rate, freedom) * error
            if abs(difference) > limit and _least_rank_sum_p(reference, here) <= error_rate:
                return here
            if is_within(difference, error, freedom, margin):
                return here
        return None


def spread(reference: npt.ArrayLike, here: npt.ArrayLike) -> Spread:
    """Of seeds' scores; each at least one."""
    a, b = np.asarray(reference, np.float64), np.asarray(here, np.float64)
    deviation, freedom = seed_deviation(a, b)
    return Spread(float(deviation), freedom, a.shape[-1], b.shape[-1])


def seed_deviation(reference: Array, here: Array) -> tuple[Array, int]:
    """The standard deviation between seeds, over the last axis, and its degrees of freedom."""
    parts = [reference] if reference.shape[-1] >= FEWEST_SEEDS else [reference, here]
    freedom = sum(part.shape[-1] - 1 for part in parts)
    if not freedom:
        return np.full(reference.shape[:-1], np.nan), 0
    squares = [part.var(axis=-1) * part.shape[-1] for part in parts]
    return np.sqrt(np.sum(squares, axis=0) / freedom), freedom


def told_apart(reference: Array, here: Array, error_rate: float) -> npt.NDArray[np.bool_]:
    """Whether means over the last axis, that of seeds, differ; for many comparisons at once."""
    deviation, freedom = seed_deviation(reference, here)
    error = deviation * np.sqrt(1 / reference.shape[-1] + 1 / here.shape[-1])
    distance = np.abs(here.mean(axis=-1) - reference.mean(axis=-1))
    found = np.asarray(distance > _quantile(error_rate, freedom) * error)
    if found.any():
        found[found] = rank_sum_p(reference[found], here[found]) <= error_rate
    return found


def rank_sum_p(reference: Array, here: Array) -> Array:
    """The two-sided p value of Wilcoxon's rank-sum test, over the last axis.

    Exact unless scores are the same on both sides, which is not to be expected of other seeds.
    """
    from scipy import stats

    is_small = reference.shape[-1] * here.shape[-1] <= EXACT_PAIRS
    method: Literal["exact", "asymptotic"] = "exact" if is_small else "asymptotic"
    return np.asarray(stats.mannwhitneyu(reference, here, axis=-1, method=method).pvalue)


def is_within(difference: float, error: float, freedom: int, margin: float) -> bool:
    """Whether a difference's 95 % interval lies within a margin on either side of zero."""
    return abs(difference) + _quantile(0.05, freedom) * error < margin


def _least_rank_sum_p(reference: int, here: int) -> float:
    """Of seeds that do not overlap."""
    return 2 / math.comb(reference + here, here)


def _quantile(error_rate: float, freedom: int) -> float:
    """How many standard errors Student's t exceeds, either way, with this probability."""
    return float(special.stdtrit(freedom, 1 - error_rate / 2)) if freedom else np.nan
