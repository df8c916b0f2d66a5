"""What seeds can tell: against scipy's tests, and by what has to hold for all numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.regression.spread import Spread, is_within, spread, told_apart

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.5])
def test_of_few_seeds_it_is_students_test_for_two_means(shift: float) -> None:
    for _ in range(50):
        a, b = RANDOM.normal(0, 1, 5), RANDOM.normal(shift, 1, 4)
        p = stats.ttest_ind(b, a).pvalue
        assert told_apart(a, b, 0.05) == (p < 0.05)
        low, high = stats.ttest_ind(b, a).confidence_interval(0.95)
        half = spread(a, b).half_width(0.05)
        expected = (low, high)
        assert (b.mean() - a.mean() - half, b.mean() - a.mean() + half) == pytest.approx(expected)
            (low, high)
        )


def test_of_many_seeds_the_reference_alone_says_how_far_they_spread() -> None:
    """One that goes astray is not excused by the spread that it makes."""
    a = RANDOM.normal(0, 0.3, 24)
    b = np.array([0.0, 0.1, -6.0])
    assert spread(a, b).deviation == pytest.approx(a.std(ddof=1))
    assert spread(a, b).freedom == 23
    assert told_apart(a, b, 0.0001)
    assert stats.ttest_ind(b, a).pvalue > 0.0001


def test_many_comparisons_at_once_are_those_one_by_one() -> None:
    a, b = RANDOM.normal(0, 1, (30, 12)), RANDOM.normal(0.8, 1, (30, 3))
    each = [bool(told_apart(x, y, 0.1)) for x, y in zip(a, b, strict=True)]
    assert told_apart(a, b, 0.1).tolist() == each
    assert {True, False} == {*each}


@given(
    shift=st.floats(-5, 5),
    scale=st.floats(0.01, 100),
    seed=st.integers(0, 99),
)
def test_neither_units_nor_zero_nor_the_side_that_is_named_first_matter(
    shift: float, scale: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    a, b = random.normal(0, 1, 6), random.normal(1, 1, 3)
    told = told_apart(a, b, 0.05)
    assert told == told_apart(scale * a + shift, scale * b + shift, 0.05)
    assert told == told_apart(b, a, 0.05)


def test_one_seed_on_each_side_says_nothing() -> None:
    alone = spread([1.0], [2.0])
    assert np.isnan(alone.deviation)
    assert np.isnan(alone.half_width(0.05))
    assert alone.seeds_needed(1.0, 0.05, 0.3) is None
    assert not told_apart(np.array([1.0]), np.array([2.0]), 0.05)


def test_power_is_the_share_of_draws_that_are_told_apart() -> None:
    between = Spread(deviation=1.0, freedom=23, reference=24, here=3)
    draws = 20_000
    a, b = RANDOM.normal(0, 1, (draws, 24)), RANDOM.normal(-1.5, 1, (draws, 3))
    share = told_apart(a, b, 0.05).mean()
    assert between.power(1.5, 0.05) == pytest.approx(share, abs=0.01)  # 3 standard errors


@pytest.mark.parametrize("difference", [0.0, 0.1, -0.2, 0.5, 2.0])
def test_the_seeds_that_are_needed_settle_it_and_one_less_does_not(difference: float) -> None:
    between = Spread(deviation=0.6, freedom=23, reference=24, here=3)

    def settles(here: int) -> bool:
        reference = max(24, here)
        error = between.error_with(reference, here)
        limit = stats.t.ppf(1 - 0.001 / 2, max(23, reference - 1)) * error
        return abs(difference) > limit or is_within(
            difference, error, max(23, reference - 1), margin=0.3
        )

    needed = between.seeds_needed(difference, 0.001, margin=0.3)
    assert needed is not None
    assert settles(needed)
    assert needed == 4 or not settles(needed - 1)


def test_a_difference_of_the_margin_itself_is_told_apart_with_enough_seeds() -> None:
    assert Spread(0.6, 23, 24, 3).seeds_needed(0.3, 0.001, margin=0.3) is not None
    assert Spread(50.0, 23, 24, 3).seeds_needed(0.3, 0.001, margin=0.3) is None
