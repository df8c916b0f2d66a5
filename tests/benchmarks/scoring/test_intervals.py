"""Intervals of planned comparisons, and the verdicts that are read off them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from benchmarks.scoring.intervals import (
    LARGE_T,
    Interval,
    _noncentrality,
    decide,
    drawn_t,
    quantiles,
    simultaneous,
    weights,
)

RANDOM = np.random.default_rng(0)
DECIBELS = some.floats(-60, 60, allow_subnormal=False)


@pytest.mark.parametrize("comparisons", [1, 5])
def test_few_images_have_the_interval_of_t_with_bonferroni(comparisons: int) -> None:
    differences = RANDOM.normal(0.4, 1, (comparisons, 5))
    for row, interval in zip(differences, simultaneous(differences), strict=True):
        low, high = DescrStatsW(row).tconfint_mean(0.05 / comparisons)
        assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))
        assert (interval.mean, interval.images) == (pytest.approx(row.mean()), 5)


@pytest.mark.parametrize("images", [6, 12, 40])
def test_no_interval_is_narrower_than_that_of_t(images: int) -> None:
    differences = RANDOM.exponential(1, (5, images))
    for row, interval in zip(differences, simultaneous(differences), strict=True):
        low, high = DescrStatsW(row).tconfint_mean(0.05 / 5)
        assert interval.low <= low + 1e-12
        assert interval.high >= high - 1e-12


def test_equivalence_is_that_of_two_one_sided_tests() -> None:
    """An interval of 95 % within the margin: both tests at 2.5 %."""
    verdicts = set()
    drawn = RANDOM.normal(0, 0.15, 5)
    for mean in np.linspace(-0.4, 0.4, 41):
        differences = drawn - drawn.mean() + mean
        p, _, _ = ttost_paired(differences, np.zeros(5), -0.3, 0.3)
        (interval,) = simultaneous([differences])
        verdict = decide(interval, 0.3)
        assert (verdict == "equivalent") == (p < 0.025)
        verdicts.add(verdict)
    assert "equivalent" in verdicts
    assert len(verdicts) > 1


def test_one_comparison_has_the_interval_of_a_studentised_bootstrap() -> None:
    """With other draws; the longer side of skewed differences."""
    differences = RANDOM.exponential(1, 12)
    again = np.random.default_rng(1).choice(differences, (20_000, 12))
    error = stats.sem(differences)
    t = (again.mean(axis=1) - differences.mean()) / stats.sem(again, axis=1)
    (interval,) = simultaneous([differences])
    expected = differences.mean() - np.quantile(t, 0.025) * error
    # Two shares of 20000 draws in a tail of 2.5 % differ by 0.5 % at most: a tenth of the quantile.
    assert interval.high - interval.mean == pytest.approx(expected - interval.mean, rel=0.1)


def test_the_longer_tail_has_the_wider_side() -> None:
    differences = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 5.0])
    (interval,), (mirrored,) = simultaneous([differences]), simultaneous([-differences])
    assert interval.high - interval.mean > 1.5 * (interval.mean - interval.low)
    assert (mirrored.low, mirrored.high) == pytest.approx((-interval.high, -interval.low))


def test_one_image_of_one_comparison_hardly_widens_the_others() -> None:
    differences = RANDOM.normal(0, 1, (5, 20))
    swayed = differences.copy()
    swayed[4] *= 0.05
    swayed[4, 0] = -20
    for before, after in zip(simultaneous(differences)[:4], simultaneous(swayed)[:4], strict=True):
        assert after.high - after.low < 1.5 * (before.high - before.low)


def test_what_comparisons_have_in_common_is_not_corrected_for_twice() -> None:
    """The same comparison five times: Bonferroni would take a fifth of each tail."""
    drawn = drawn_t(RANDOM.exponential(1, (1, 12)), weights(12, 0))
    once, five_times = quantiles(drawn), quantiles(drawn.repeat(5, axis=0))
    assert np.ptp(np.array(five_times), axis=1) == pytest.approx(0)
    assert np.array(five_times)[:, 0] == pytest.approx(np.array(once)[:, 0])


def test_the_detectable_difference_is_shown_with_80_percent() -> None:
    """Over many draws of one spread, and it does not move with the mean."""
    drawn = np.random.default_rng(1).normal(0, 1, (500, 20))
    intervals = [simultaneous([row])[0] for row in drawn]
    detectable = np.mean([interval.detectable for interval in intervals])
    shown = [interval.low + detectable > 0 for interval in intervals]
    assert np.mean(shown) == pytest.approx(0.8, abs=3 * (0.8 * 0.2 / 500) ** 0.5)
    near, far = simultaneous([drawn[0]])[0], simultaneous([drawn[0] + 7])[0]
    assert near.detectable == pytest.approx(far.detectable)


def test_the_limit_of_the_noncentral_t_agrees_with_scipy_where_it_takes_over() -> None:
    """SciPy's inverse is exact to 6e-5 there."""
    for images in (7, 20, 40):
        below, above = (_noncentrality(images - 1, share * LARGE_T) for share in (0.99, 1.01))
        assert above / below == pytest.approx(1.01 / 0.99, rel=1e-4)


def test_one_outlier_among_nearly_equal_differences_does_not_hang() -> None:
    """Draws without the outlier have a t of two million, at which SciPy's inverse never returns."""
    (interval,) = simultaneous([row := [0, 3e-5, 0, 0, 0, 0, 0, 0, 60]])
    errors = (interval.high - interval.low) / 2 / stats.sem(row)
    assert errors > 1e5
    expected = errors * (stats.chi2.ppf(0.8, 8) / 8) ** 0.5 * stats.sem(row)
    assert interval.detectable == pytest.approx(expected)


def test_a_comparison_uses_the_images_that_it_has() -> None:
    differences = RANDOM.normal(1, 1, 12)
    lacking = np.insert(differences, 3, [math.nan, math.nan])
    assert simultaneous([lacking]) == simultaneous([differences])
    first, second = simultaneous([lacking, RANDOM.normal(1, 1, 14)])
    assert (first.images, second.images) == (12, 14)
    low, high = DescrStatsW(differences).tconfint_mean(0.05 / 2)
    assert first.low <= low + 1e-12 < high <= first.high + 1e-12


def test_differences_without_spread_are_certain() -> None:
    assert simultaneous([np.full(7, 0.1)]) == [Interval(0.1, 0.1, 0.1, 7, 0.0)]
    assert decide(simultaneous([np.full(7, 0.1)])[0], 0.3) == "equivalent"
    assert decide(simultaneous([np.full(7, 0.5)])[0], 0.3) == "better"
    assert decide(simultaneous([np.full(7, -0.5)])[0], 0.3) == "worse"
    assert decide(simultaneous([np.zeros(2)])[0], 0.0) == "equivalent"


@pytest.mark.parametrize(
    "row", [[], [1.0], [math.nan, 2.0], [math.inf, 1.0, 2.0], [math.inf, -math.inf, 1.0]]
)
def test_too_little_to_say_has_no_bounds(row: list[float]) -> None:
    (interval,) = simultaneous([row])
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)
    assert math.isnan(interval.detectable)
    assert decide(interval, 0.3) == "inconclusive"


def test_few_images_have_an_interval_from_two_on() -> None:
    for images in range(2, 8):
        (interval,) = simultaneous([np.arange(images) ** 2.0])
        assert interval.low < interval.mean < interval.high < math.inf


@settings(deadline=None)
@given(some.lists(some.lists(DECIBELS, min_size=2, max_size=9), min_size=1, max_size=4),
       some.floats(0, 3))  # fmt: skip
def test_verdict_and_interval_never_contradict(rows: list[list[float]], margin: float) -> None:
    longest = max(map(len, rows))
    padded = [row + [math.nan] * (longest - len(row)) for row in rows]
    for interval in simultaneous(padded):
        assert interval.low <= interval.mean <= interval.high
        verdict = decide(interval, margin)
        inside = -margin <= interval.low and interval.high <= margin
        assert (verdict == "equivalent") == inside
        if not inside:
            assert (verdict == "better") == (interval.low > 0)
            assert (verdict == "worse") == (interval.high < 0)
        assert interval.detectable >= 0


@settings(deadline=None)
@given(some.lists(DECIBELS, min_size=2, max_size=9), some.floats(0, 3))
def test_a_mirrored_comparison_has_the_mirrored_verdict(row: list[float], margin: float) -> None:
    opposite = {"better": "worse", "worse": "better"}
    verdict = decide(simultaneous([row])[0], margin)
    mirrored = decide(simultaneous([[-value for value in row]])[0], margin)
    assert mirrored == opposite.get(verdict, verdict)
