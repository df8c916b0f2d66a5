"""Statistics: against scipy's own functions and textbook examples."""

import math

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs
from scipy import stats

from benchmarks.scoring.statistics import (
    FEWEST_IMAGES,
    between_seeds,
    difference,
    mean_interval,
    prediction,
    ranks,
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


def test_infinite_scores_that_are_the_same_do_not_differ() -> None:
    assert list(difference([math.inf, 3.0, math.inf], [math.inf, 1.0, 2.0])) == [0, 2, math.inf]


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


def test_ranks_differ_where_scikit_posthocs_says_so() -> None:
    scores = RANDOM.normal([[0], [0.5], [1], [2]], 1, (4, 15))
    result = ranks(scores)
    assert result is not None
    p = scikit_posthocs.posthoc_nemenyi_friedman(scores.T).to_numpy()
    apart = np.abs(result.mean[:, None] - result.mean) > result.critical_difference
    assert (apart == (p < 0.05)).all()
    assert apart.any()


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
