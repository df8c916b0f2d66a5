"""What seeds do: against the analysis of variance of statsmodels, and effects that are known."""

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from benchmarks.scoring.seeds import seed_effects

LEVELS = ("image", "mask", "seed")


def fits(scores: np.ndarray) -> pd.Series:
    """scores: (images, holes, seeds)."""
    index = pd.MultiIndex.from_product(map(range, scores.shape), names=LEVELS)
    return pd.Series(scores.ravel(), index, name="score")


def drawn(images: int, holes: int, seeds: int, seed: int) -> np.ndarray:
    """Scores with a main effect of 0.8 dB, seed x image of 0.5 and the rest of 0.3."""
    random = np.random.default_rng(seed)
    y = random.normal(20, 4, (images, 1, 1)) + random.normal(0, 2, (images, holes, 1))
    y = y + random.normal(0, 0.8, (1, 1, seeds)) + random.normal(0, 0.5, (images, 1, seeds))
    return y + random.normal(0, 0.3, (images, holes, seeds))


@pytest.mark.parametrize("holes", [1, 3])
def test_the_analysis_of_variance_is_that_of_statsmodels(holes: int) -> None:
    scores = fits(drawn(6, holes, 4, seed=0))
    inner = "+ C(image):C(mask) + C(image):C(seed)" if holes > 1 else ""
    model = ols(f"score ~ C(image) {inner} + C(seed)", scores.reset_index()).fit()
    table = anova_lm(model)
    squares = table["sum_sq"] / table["df"]
    both = squares["C(image):C(seed)" if holes > 1 else "Residual"]
    effects = seed_effects(scores)
    assert effects.f == pytest.approx(squares["C(seed)"] / both)
    if holes == 1:
        assert effects.p == pytest.approx(table["PR(>F)"]["C(seed)"])
        assert math.isnan(effects.rest)
        assert effects.by_image == pytest.approx(both**0.5)
    else:
        assert effects.rest == pytest.approx(squares["Residual"] ** 0.5)
        assert effects.by_image**2 == pytest.approx((both - squares["Residual"]) / holes)
    assert effects.main**2 == pytest.approx((squares["C(seed)"] - both) / (6 * holes))
    assert (effects.images, effects.holes, effects.seeds) == (6, holes, 4)


def test_effects_that_are_known_are_given_back() -> None:
    effects = seed_effects(fits(drawn(60, 4, 60, seed=1)))
    # A standard deviation from 60 draws is sure to one part in (2 * 59)^0.5, about 9 %.
    assert effects.main == pytest.approx(0.8, rel=0.25)
    assert effects.by_image == pytest.approx(0.5, rel=0.05)
    assert effects.rest == pytest.approx(0.3, rel=0.05)
    assert effects.p < 1e-6


def test_without_a_main_effect_p_is_uniform() -> None:
    random = np.random.default_rng(2)
    p = [seed_effects(fits(random.normal(0, 1, (5, 2, 3)))).p for _ in range(300)]
    assert np.mean(np.array(p) < 0.2) == pytest.approx(0.2, abs=3 * (0.2 * 0.8 / 300) ** 0.5)


def test_images_that_lack_a_seed_are_left_out() -> None:
    scores = fits(drawn(6, 2, 3, seed=3))
    lacking = scores.drop((2, 1, 0))
    lacking[4, 0, 1] = math.inf
    whole = scores.drop([2, 4], level="image")
    assert seed_effects(lacking) == seed_effects(whole)


def test_where_no_image_has_all_seeds_there_are_no_effects() -> None:
    scores = fits(drawn(2, 2, 3, seed=4))
    effects = seed_effects(scores.drop([(0, 0, 1), (1, 1, 2)]))
    assert (effects.images, effects.holes, effects.seeds) == (0, 2, 3)
    assert math.isnan(effects.main)
    assert math.isnan(effects.p)


def test_one_image_or_one_seed_has_no_effects() -> None:
    for shape in ((1, 2, 3), (3, 2, 1)):
        effects = seed_effects(fits(np.ones(shape)))
        assert math.isnan(effects.main)
        assert math.isnan(effects.p)
