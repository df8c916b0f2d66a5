"""Statistics: against scipy's own functions and textbook examples, and by simulation."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from benchmarks.scoring.statistics import (
    FEWEST_IMAGES,
    against_best,
    between_seeds,
    corrected,
    difference,
    holm,
    images_needed,
    mean_interval,
    paired_p,
    pairs,
    prediction,
    ranks,
    signed_rank_p,
    verdict,
    wins_ties_losses,
)

RANDOM = np.random.default_rng(0)


def test_an_interval_is_that_of_scipy() -> None:
    values = RANDOM.normal(20, 3, (4, 9))
    mean, half = mean_interval(values)
    for row, m, h in zip(values, mean, half, strict=True):
        low, high = stats.t.interval(0.95, 8, row.mean(), stats.sem(row))
        assert (m - h, m + h) == (pytest.approx(low), pytest.approx(high))


def test_one_value_has_no_interval_and_none_no_mean() -> None:
    mean, half = mean_interval([20.0])
    assert mean == 20
    assert math.isnan(half)
    assert all(map(math.isnan, mean_interval([])))


def test_infinite_scores_leave_no_interval() -> None:
    mean, half = mean_interval([math.inf, 20, 21])
    assert mean == math.inf
    assert math.isnan(half)
    assert paired_p([math.inf, *range(8)]) == 1
    assert verdict([math.inf, 1.0], 1.0) == "cannot tell"


def test_a_paired_test_is_that_of_scipy() -> None:
    a, b = RANDOM.normal(20, 3, (2, 5, 11))
    assert paired_p(a - b) == pytest.approx(stats.ttest_rel(a, b, axis=1).pvalue)


def test_a_signed_rank_test_is_that_of_scipy() -> None:
    a, b = RANDOM.normal(20, 3, (2, 5, 11))
    alone = [stats.wilcoxon(row).pvalue for row in a - b]
    assert signed_rank_p(a - b) == pytest.approx(alone)
    assert signed_rank_p([np.zeros(8), [math.inf, *range(7)], np.arange(1.0, 9)]) == pytest.approx(
        [1, 1, 2 / 2**8]
    )


def test_both_tests_have_to_tell_apart() -> None:
    differences = RANDOM.normal(1, 1, (6, 10))
    t, signed_ranks = holm(paired_p(differences)), signed_rank_p(differences)
    assert corrected(differences) == pytest.approx(np.maximum(t, signed_ranks))
    # One image that is far from the others in the same direction sways neither.
    swayed = np.array([[0.1, -0.1, 0.05, -0.08, 0.02, -0.03, 0.01, 40.0]])
    assert corrected(swayed)[0] > 0.05


def test_few_images_tell_nothing() -> None:
    sure = np.arange(9.0, 9.0 + FEWEST_IMAGES)
    assert corrected([sure[:-1]])[0] > 0.05
    assert corrected([sure])[0] < 0.05
    assert paired_p([9.0]) == 1


def test_zeros_do_not_make_a_few_differences_many() -> None:
    assert signed_rank_p([*[0.0] * 20, 1.0, 2.0, 3.0, 4.0, 5.0]) == 1
    assert signed_rank_p([*[0.0] * 20, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) < 0.05


def test_infinite_scores_that_are_the_same_do_not_differ() -> None:
    assert list(difference([math.inf, 3.0, math.inf], [math.inf, 1.0, 2.0])) == [0, 2, math.inf]


def test_differences_without_spread_are_certain() -> None:
    assert paired_p(np.zeros(8)) == 1
    assert paired_p(np.full(8, 0.5)) == 0
    assert verdict(np.zeros(8), 1.0) == "identical"
    assert verdict(np.full(8, 0.5), 0.0) == "better"
    assert verdict(np.full(8, -0.5), 0.0) == "worse"
    assert verdict(np.full(8, 0.5), 0.05) == "cannot tell"


def test_holm_is_as_in_the_paper() -> None:
    """The step-down by hand: 0.01 x 4, 0.02 x 3, then never below what came before."""
    assert holm([0.02, 0.01, 0.03, 0.5]) == pytest.approx([0.06, 0.04, 0.06, 0.5])
    assert holm([0.6, 0.7]) == pytest.approx([1, 1])
    assert len(holm([])) == 0


def test_what_is_not_compared_is_not_one_of_many() -> None:
    found = holm([0.01, math.nan, 0.02])
    assert found[[0, 2]] == pytest.approx([0.02, 0.02])
    assert math.isnan(found[1])


@given(some.lists(some.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_is_between_p_and_bonferroni(p: list[float]) -> None:
    found = holm(p)
    assert (found >= np.array(p)).all()
    assert (found <= np.minimum(1, np.array(p) * len(p)) + 1e-12).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(found[order]) >= 0).all()


def test_all_pairs_of_all_columns_are_one_family() -> None:
    columns = [RANDOM.normal([[0], [1], [2]], 1, (3, 8)) for _ in range(2)]
    two = list(combinations(range(3), 2))
    t = holm([stats.ttest_rel(each[a], each[b]).pvalue for each in columns for a, b in two])
    ranked = [stats.wilcoxon(each[a] - each[b]).pvalue for each in columns for a, b in two]
    expected = np.maximum(t, ranked)
    first, second = against_best(columns, [2, 2])
    assert first[[0, 1]] == pytest.approx(expected[[1, 2]])
    assert second[[0, 1]] == pytest.approx(expected[[4, 5]])
    assert math.isnan(first[2])
    assert pairs(columns[0])[1] == pytest.approx(columns[0][0] - columns[0][2])
    lacking = columns[0].copy()
    lacking[0] = math.nan
    (p,) = against_best([lacking], [2])
    assert math.isnan(p[0])
    assert p[1] == pytest.approx(float(corrected([lacking[1] - lacking[2]])[0]))
    assert np.isnan(against_best([lacking], [None])[0]).all()


def test_so_many_images_see_the_difference() -> None:
    """By simulation: as often as asked with the number that is named, and less with fewer."""
    spread, effect, comparisons = 1.0, 0.7, 10
    seen = RANDOM.normal(0, 1, 10)
    seen = effect + spread * (seen - seen.mean()) / seen.std(ddof=1)
    needed = images_needed(seen, comparisons)
    assert needed is not None
    shares = []
    for n in (needed, needed - 1):
        drawn = np.random.default_rng(1).normal(effect, spread, (40_000, n))
        shares.append((paired_p(drawn) < 0.05 / comparisons).mean())
    error = (0.8 * 0.2 / 40_000) ** 0.5
    assert shares[0] > 0.8 - 3 * error
    assert shares[1] < 0.8 + 3 * error


def test_how_many_images_may_be_more_than_anybody_has() -> None:
    assert images_needed([0.001, -1, 1, 2, -2, 0.1], 1) is None
    assert images_needed([1.0], 1) is None
    assert images_needed(np.zeros(7), 1) is None
    assert images_needed([math.inf, 1, 2], 1) is None
    assert images_needed(np.full(3, 2.0), 1) == FEWEST_IMAGES
    assert images_needed(np.full(7, 2.0), 1) == 8  # it was not told by those seven


def test_a_tie_is_what_is_shown_as_none() -> None:
    assert wins_ties_losses([0.004, -0.004, 0.006, -2, 3, 3], 2) == (3, 2, 1)


def test_ranks_are_those_of_demsar() -> None:
    """Table 6 of the paper: C4.5 with and without its parameters tuned, on 14 sets of data."""
    scores = np.array(
        [
            (0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.000, 0.940, 0.619,
             0.972, 0.957),
            (0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.000, 0.962, 0.666,
             0.981, 0.978),
            (0.771, 0.590, 0.968, 0.654, 0.886, 0.916, 0.609, 0.563, 0.866, 1.000, 0.965, 0.614,
             0.9751, 0.946),
            (0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.000, 0.962, 0.669,
             0.975, 0.970),
        ]
    )  # fmt: skip
    found = ranks(scores)
    assert found is not None
    assert found.mean == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=0.001)
    critical = 2.569 * math.sqrt(4 * 5 / (6 * 14))  # 2.569: of its table 5
    assert found.critical_difference == pytest.approx(critical, abs=0.002)
    assert found.p == pytest.approx(stats.friedmanchisquare(*scores).pvalue)


def test_ranks_need_methods_and_images() -> None:
    assert ranks(RANDOM.normal(0, 1, (2, 9))) is None
    assert ranks(RANDOM.normal(0, 1, (3, FEWEST_IMAGES - 1))) is None
    same = ranks(np.ones((3, 9)))
    assert same is not None
    assert (same.p, list(same.mean)) == (1.0, [2, 2, 2])


def test_the_spread_between_seeds_is_pooled_over_cells() -> None:
    scores = pd.DataFrame(
        [("a", 0, 1.0), ("a", 1, 3.0), ("b", 0, 10.0), ("b", 1, 10.0), ("b", 2, 13.0), ("c", 0, 5)],
        columns=["image", "seed", "score"],
    ).assign(method="m")
    pooled = between_seeds(scores.set_index(["method", "image", "seed"])["score"], ["method"])
    squares = 2 * 1.0**2 + (2 * 1.0**2 + 2.0**2)
    assert pooled["m"] == pytest.approx((squares / (1 + 2)) ** 0.5)
    alone = scores[scores["seed"] == 0].set_index(["method", "image", "seed"])["score"]
    assert math.isnan(between_seeds(alone, ["method"])["m"])


def test_a_prediction_is_wider_than_an_interval() -> None:
    assert prediction([0.04], [4]) == pytest.approx(stats.t.ppf(0.975, 3) * (0.04 * 1.25) ** 0.5)
    assert prediction([0.0, 0.0], [3, 3]) == 0
