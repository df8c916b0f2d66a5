"""What seeds can tell: against scipy's tests, and by what has to hold for all numbers."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.regression.significance import Spread, is_within, spread, told_apart

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.5])
def test_the_interval_is_students_for_two_means(shift: float) -> None:
    for _ in range(50):
        a, b = RANDOM.normal(0, 1, 5), RANDOM.normal(shift, 1, 4)
        expected = stats.ttest_ind(b, a).confidence_interval(0.95)
        half = spread(a, b).half_width(0.05)
        assert (b.mean() - a.mean() - half, b.mean() - a.mean() + half) == pytest.approx(
            tuple(expected)
        )


def test_told_apart_is_what_student_and_wilcoxon_both_say() -> None:
    found = set()
    for shift in np.linspace(0, 3, 300):
        a, b = RANDOM.standard_t(2, 5), RANDOM.standard_t(2, 4) + shift
        says = stats.ttest_ind(b, a).pvalue < 0.05, stats.mannwhitneyu(a, b).pvalue <= 0.05
        assert told_apart(a, b, 0.05) == all(says)
        found.add(says)
    assert len(found) == 4


def test_seeds_far_off_are_no_verdict_if_the_others_are_as_ever() -> None:
    a, b = RANDOM.normal(0, 0.3, 24), RANDOM.normal(0, 0.3, 6)
    b[:2] = -9
    assert abs(b.mean() - a.mean()) > spread(a, b).half_width(0.0001)
    assert not told_apart(a, b, 0.0001)
    assert told_apart(a, b - 2, 0.0001)


def test_of_many_seeds_the_reference_alone_says_how_far_they_spread() -> None:
    """Some that go farther astray are not excused by the spread that they make."""
    a = RANDOM.normal(0, 0.3, 24)
    b = np.array([-1.5, -1.7, -9.0, -1.6, -30.0, -1.5])
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
def test_neither_units_nor_zero_nor_which_way_is_up_matter(
    shift: float, scale: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    a, b = random.normal(0, 1, 6), random.normal(1, 1, 3)
    told = told_apart(a, b, 0.05)
    assert told == told_apart(scale * a + shift, scale * b + shift, 0.05)
    assert told == told_apart(-a, -b, 0.05)


def test_one_seed_on_each_side_says_nothing() -> None:
    alone = spread([1.0], [2.0])
    assert np.isnan(alone.deviation)
    assert np.isnan(alone.half_width(0.05))
    assert alone.seeds_needed(1.0, 0.05, 0.3) is None
    assert not told_apart(np.array([1.0]), np.array([2.0]), 0.05)


@pytest.mark.parametrize("difference", [0.0, 0.1, -0.2, 0.5, 2.0])
def test_the_seeds_that_are_needed_settle_it_and_one_less_does_not(difference: float) -> None:
    between = Spread(deviation=0.6, freedom=23, reference=24, here=3)

    def settles(here: int) -> bool:
        reference = max(24, here)
        error = between.error_with(reference, here)
        limit = stats.t.ppf(1 - 0.001 / 2, max(23, reference - 1)) * error
        ranks = 2 / comb(reference + here, here) <= 0.001
        return (abs(difference) > limit and ranks) or is_within(
            difference, error, max(23, reference - 1), margin=0.3
        )

    needed = between.seeds_needed(difference, 0.001, margin=0.3)
    assert needed is not None
    assert settles(needed)
    assert needed == 4 or not settles(needed - 1)


def test_a_difference_of_the_margin_itself_is_told_apart_with_enough_seeds() -> None:
    assert Spread(0.6, 23, 24, 3).seeds_needed(0.3, 0.001, margin=0.3) is not None
    assert Spread(50.0, 23, 24, 3).seeds_needed(0.3, 0.001, margin=0.3) is None
