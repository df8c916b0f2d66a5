"""Sign flips: against all flips counted one by one."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from benchmarks.scoring import max_t
from benchmarks.scoring.max_t import against_best, sign_flip_p

RANDOM = np.random.default_rng(0)


def counted(differences: np.ndarray) -> np.ndarray:
    """p values by all flips of all images."""
    t = []
    for signs in product([1, -1], repeat=differences.shape[1]):
        flipped = differences * signs
        t.append(np.abs(flipped.mean(axis=1) / flipped.std(axis=1, ddof=1)))
    largest = np.max(t, axis=1)
    return (largest[:, None] >= t[0] - 1e-9).mean(axis=0)


def test_p_is_the_share_of_flips_that_stand_out_as_far() -> None:
    differences = RANDOM.normal(0.5, 1, (5, 8))
    assert sign_flip_p(differences) == pytest.approx(counted(differences))
    for row in differences:
        assert sign_flip_p([row]) == pytest.approx(counted(row[None]))


def test_so_many_flips_are_drawn_come_close_to_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    differences = RANDOM.normal(0.4, 1, (6, 14))
    exact = sign_flip_p(differences)
    monkeypatch.setattr(max_t, "FLIPS", 8000)  # all are 8192
    drawn = sign_flip_p(differences)
    # A share of 8000 draws is sure to 3 (p (1 - p) / 8000)^0.5, at most 0.017.
    assert drawn == pytest.approx(exact, abs=0.017)
    assert (drawn != exact).any()
    assert (sign_flip_p(differences) == drawn).all()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = RANDOM.normal(0.3, 1, (7, 20))
    whole = sign_flip_p(differences)
    monkeypatch.setattr(max_t, "BLOCK", 7 * 999)
    assert sign_flip_p(differences) == pytest.approx(whole)


def test_six_images_tell_at_most_with_3_percent_and_five_nothing() -> None:
    sure = np.arange(9.0, 15.0)
    assert sign_flip_p([sure]) == pytest.approx([2 / 2**6])
    assert sign_flip_p([sure[:-1]]) == [1]


def test_what_says_nothing_is_no_comparison() -> None:
    """It leaves the p values of the others as they are."""
    differences = RANDOM.normal(0.8, 1, (3, 9))
    alone = sign_flip_p(differences)
    nothing = np.full((5, 9), math.nan)
    nothing[1] = 0
    nothing[2, :5] = 3.0
    nothing[3] = [math.inf, *range(8)]
    nothing[4] = [math.inf, math.nan, -math.inf, *range(6)]
    p = sign_flip_p(np.concatenate([nothing, differences]))
    assert p[5:] == pytest.approx(alone)
    assert math.isnan(p[0])
    assert list(p[1:5]) == [1, 1, 1, 1]
    assert len(sign_flip_p(np.empty((0, 9)))) == 0


def test_differences_without_spread_stand_out_most() -> None:
    differences = np.vstack([np.full(9, 0.1), RANDOM.normal(0, 1, 9)])
    assert sign_flip_p(differences)[0] == pytest.approx(2 / 2**9)


def test_a_lacking_image_is_not_one_of_the_comparison() -> None:
    differences = RANDOM.normal(0.8, 1, (1, 9))
    lacking = np.insert(differences, 4, math.nan, axis=1)
    assert sign_flip_p(lacking) == pytest.approx(counted(differences))


def test_few_images_do_not_drown_many() -> None:
    """Six images have large t values by chance; what twelve show stays."""
    few = np.full((20, 12), math.nan)
    few[:, :6] = RANDOM.normal(0, 1, (20, 6))
    many = RANDOM.normal(1.5, 1, (1, 12))
    assert sign_flip_p(np.vstack([few, many]))[-1] < 0.05


@settings(deadline=None)
@given(some.integers(0, 2**32 - 1), some.floats(0.01, 100))
def test_p_keeps_its_order_and_needs_no_unit(seed: int, unit: float) -> None:
    differences = np.random.default_rng(seed).normal(0.3, 1, (4, 8))
    p = sign_flip_p(differences)
    assert sign_flip_p(-unit * differences) == pytest.approx(p)
    t = np.abs(differences.mean(axis=1) / differences.std(axis=1, ddof=1))
    assert (np.diff(p[np.argsort(t)]) <= 1e-12).all()
    assert (p >= np.concatenate([sign_flip_p([row]) for row in differences]) - 1e-12).all()


def test_against_the_best_goes_by_image_name() -> None:
    """One column lacks the other's first image, and has its others in another order."""
    column = RANDOM.normal([[0], [1], [2]], 1, (3, 9))
    names = tuple("abcdefghi")
    first, second = against_best([column, column[:, :0:-1]], [names, names[:0:-1]], [2, None])
    alone = np.concatenate([column[[0, 0, 1]] - column[[1, 2, 2]]] * 2)
    alone[3:, 0] = np.nan
    assert first[:2] == pytest.approx(sign_flip_p(alone)[[1, 2]])
    assert np.isnan(first[2])
    assert np.isnan(second).all()
    assert against_best([], [], []) == []


def test_a_method_that_lacks_an_image_is_not_compared() -> None:
    column = RANDOM.normal([[0], [1], [2]], 1, (3, 9))
    lacking = column.copy()
    lacking[0] = math.nan
    (p,) = against_best([lacking], ["abcdefghi"], [2])
    assert np.isnan(p[[0, 2]]).all()
    assert p[1] == pytest.approx(sign_flip_p([column[1] - column[2]])[0])
