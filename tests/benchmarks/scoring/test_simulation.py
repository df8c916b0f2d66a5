"""By simulation: intervals hold the truth, and what is no difference is not called one.

With differences that are normal, exponential or log-normal; and with the effects that were measured
on ten images at 48 pixels (`tests/support/ten_images.csv`, hole PSNR): of images, of holes within
them, of a method's liking for either, and between seeds, drawn from normal distributions of those
sizes, and as images themselves, drawn again from the ten.

`pytest -s` prints the numbers; `python tests/support/simulation.py` prints those of what else was
tried.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from support.commands import ROOT
from support.simulation import (
    IMAGES,
    KINDS,
    MARGIN,
    TRIALS,
    Bounds,
    differences,
    false_equivalent,
    holds,
    power,
    student,
    together,
)

from benchmarks.scoring.intervals import DRAWS, decide, simultaneous
from benchmarks.scoring.max_t import against_best, sign_flip_p
from benchmarks.scoring.statistics import mean_interval, pairs, ranks

Array = npt.NDArray[np.float64]
MEASURED = ROOT / "tests" / "support" / "ten_images.csv"
FAMILIES = ((1, 0.0), (5, 0.0), pytest.param(5, 0.5, marks=pytest.mark.slow))
METHODS = 6  # of the simulated tables
slow = pytest.mark.slow


def error(share: float, trials: int) -> float:
    """Three standard errors of a share that was simulated."""
    return 3 * (share * (1 - share) / trials) ** 0.5


def test_the_intervals_are_as_they_are_simulated() -> None:
    drawn = differences("exponential", 10, 5, 9, 0.5, seed=1)
    low, high = together(drawn, DRAWS)
    for index, family in enumerate(drawn):
        intervals = simultaneous(family)
        assert [interval.low for interval in intervals] == pytest.approx(low[index])
        assert [interval.high for interval in intervals] == pytest.approx(high[index])


def test_verdicts_are_read_off_as_it_is_simulated() -> None:
    drawn = differences("normal", 20, 5, 20, 0.5, seed=4) * 0.3 + MARGIN
    verdicts = [[decide(each, MARGIN) for each in simultaneous(family)] for family in drawn]
    low, high = together(drawn, DRAWS)
    is_same = (low >= -MARGIN) & (high <= MARGIN)
    assert ((np.array(verdicts) == "equivalent") == is_same).all()
    assert ((np.array(verdicts) == "better") == (~is_same & (low > 0))).all()


@cache
def simulated(
    kind: str, images: int, comparisons: int, correlation: float
) -> tuple[Bounds, Bounds]:
    """Planned intervals, and those of t, of 5000 comparisons."""
    drawn = differences(kind, 5000 // comparisons, comparisons, images, correlation, seed=2)
    return together(drawn), student(drawn)


@pytest.mark.parametrize(("comparisons", "correlation"), FAMILIES)
@pytest.mark.parametrize("images", IMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_planned_intervals_hold_together(
    kind: str, images: int, comparisons: int, correlation: float
) -> None:
    coverage, of_t = map(holds, simulated(kind, images, comparisons, correlation))
    print(f"{kind}, {images} images, {comparisons} comparisons: {coverage:.3f}, t {of_t:.3f}")
    assert coverage >= of_t
    if kind == "normal":
        assert coverage >= 0.95 - error(0.95, 5000 // comparisons)
    if kind == "exponential" or (kind == "log-normal" and images == 40):
        assert coverage >= 0.93


@pytest.mark.parametrize(("comparisons", "correlation"), FAMILIES[1:])
@pytest.mark.parametrize("images", IMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_verdicts_of_five_are_seldom_false(
    kind: str, images: int, comparisons: int, correlation: float
) -> None:
    """In at most 5 % of families, but for log-normal differences of few images."""
    bounds, _ = simulated(kind, images, comparisons, correlation)
    differs, same = 1 - holds(bounds), false_equivalent(bounds, images)
    print(f"{kind}, {images} images: falsely better or worse {differs:.3f}, equivalent {same:.3f}")
    limit = 0.08 if kind == "log-normal" and images < 40 else 0.05
    assert differs <= limit + error(limit, 1000)
    assert same <= limit + error(limit, 1000)


def test_what_it_costs_in_power() -> None:
    """Of normal differences t shows more: by 15 points with eight images, by 2 with forty."""
    for images, most in ((8, 0.17), (20, 0.06), (40, 0.03)):
        for comparisons in (1, 5):
            bounds, of_t = simulated("normal", images, comparisons, 0.0)
            for truth in (0.5, 1.0):
                assert power(bounds, truth, 1.0) >= power(of_t, truth, 1.0) - most


@cache
def measured() -> Array:
    """Hole PSNR of the raw outputs: (methods, images, holes, seeds); fills have one seed."""
    rows = pd.read_csv(MEASURED)
    last = rows["iteration"] == rows["iteration"].max()
    rows = rows[last & (rows["output"] == "raw")]
    table = rows.set_index(list(NAMES))["psnr_hole"]
    shape = [table.index.get_level_values(name).nunique() for name in NAMES]
    assert len(table) == np.prod(shape) == 3 * 10 * 4 * 3
    return table.sort_index().to_numpy().reshape(shape)


NAMES = ("method", "image", "mask", "seed")


@dataclass(frozen=True)
class Sizes:
    """Standard deviations in dB, from the analysis of variance of what was measured."""

    image: float
    hole: float
    method_image: float
    method_hole: float
    seed: float


@cache
def sizes() -> Sizes:
    """Expected mean squares: what an average still holds of the effects below is taken off."""
    y = measured()
    methods, images, holes, seeds = y.shape
    seed = y.var(axis=3, ddof=1).mean()
    cell = y.mean(axis=3)
    cell = cell - cell.mean(axis=1, keepdims=True)  # holes and methods of all images
    by_image, by_method, by_hole = cell.mean((0, 2)), cell.mean(2), cell.mean(0)
    rest = cell - by_method[:, :, None] - by_hole[None] + by_image[None, :, None]
    free = (methods - 1) * (images - 1) * (holes - 1)
    method_hole = max((rest**2).sum() / free - seed / seeds, 0)
    inner = method_hole + seed / seeds
    method_image = (by_method - by_image) ** 2
    method_image = method_image.sum() / ((methods - 1) * (images - 1)) - inner / holes
    hole = ((by_hole - by_image[:, None]) ** 2).sum() / ((holes - 1) * (images - 1))
    hole = hole - inner / methods
    image = (by_image**2).sum() / (images - 1) - hole / holes - method_image / methods
    found = (image, hole, method_image, method_hole, seed)
    return Sizes(*(float(max(each, 0)) ** 0.5 for each in found))


def test_the_effects_are_those_that_were_measured() -> None:
    """An analysis of effects that are known gives them back, and the measured ones are of size."""
    known = Sizes(4.0, 1.5, 1.2, 0.8, 1.0)
    drawn = normal(400, 5, np.random.default_rng(3), known, holes=4, seeds=3)
    spread = drawn.std(axis=-1, ddof=1).mean()  # of an image's mean over holes and seeds
    parts = known.image**2 + known.hole**2 / 4 + known.method_image**2
    parts += known.method_hole**2 / 4 + known.seed**2 / 12
    assert spread == pytest.approx(parts**0.5, rel=0.02)
    found = sizes()
    print(found)
    assert found.image > found.method_image > 0.3
    assert found.seed > 0.3


def normal(
    images: int,
    trials: int,
    random: np.random.Generator,
    of: Sizes,
    methods: int = METHODS,
    holes: int = 4,
    seeds: int = 3,
) -> Array:
    """Scores of equally good methods: (trials, methods, images), holes and seeds averaged."""
    image = random.normal(0, of.image, (trials, 1, images))
    hole = random.normal(0, of.hole, (trials, 1, images, holes)).mean(-1)
    liking = random.normal(0, of.method_image, (trials, methods, images))
    inner = random.normal(0, of.method_hole, (trials, methods, images, holes)).mean(-1)
    noise = random.normal(0, of.seed, (trials, methods, images, holes, seeds)).mean((-1, -2))
    return image + hole + liking + inner + noise


def resampled(images: int, trials: int, random: np.random.Generator) -> Array:
    """The measured images with their seeds, drawn again; methods moved to be equally good."""
    y = measured()
    y = y - y.mean(axis=(1, 2, 3), keepdims=True)
    which = random.integers(y.shape[1], size=(trials, images))
    seed = random.integers(y.shape[3], size=(trials, len(y), images, y.shape[2], y.shape[3]))
    method = np.arange(len(y))[None, :, None, None, None]
    hole = np.arange(y.shape[2])[None, None, None, :, None]
    return y[method, which[:, None, :, None, None], hole, seed].mean(axis=(-1, -2))


Draw = Callable[[int, int, np.random.Generator], Array]


def in_parts(draw: Draw, images: int, trials: int) -> Iterator[Array]:
    """So that no more than some 100 MiB are held."""
    random = np.random.default_rng(images)
    for _ in range(trials // 1000):
        yield draw(images, 1000, random)


def of_measured_sizes(images: int, trials: int, random: np.random.Generator) -> Array:
    return normal(images, trials, random, sizes())


@pytest.mark.parametrize("images", IMAGES)
@pytest.mark.parametrize("draw", [of_measured_sizes, resampled])
def test_intervals_hold_the_truth(draw: Draw, images: int) -> None:
    hits, planned = [], []
    for scores in in_parts(draw, images, TRIALS):
        mean, half = mean_interval(scores)
        hits.append(np.abs(mean) <= half)
        planned.append(holds(together(scores[:100, 1:] - scores[:100, :1])))
    coverage, of_planned = float(np.concatenate(hits).mean()), float(np.mean(planned))
    print(f"{draw.__name__}, {images} images: coverage {coverage:.4f}, of planned {of_planned:.4f}")
    assert 0.93 <= coverage <= 0.97
    assert of_planned >= 0.95 - error(0.95, TRIALS // 10)


FEW_AND_MANY = (8, pytest.param(20, marks=slow), pytest.param(40, marks=slow))


@pytest.mark.parametrize("images", FEW_AND_MANY)
def test_exploratory_comparisons_are_seldom_wrong(images: int) -> None:
    """Five of them, none with a difference; flips assume that differences are symmetric."""
    for kind, limit in (("normal", 0.05), ("exponential", 0.14), ("log-normal", 0.3)):
        drawn = differences(kind, 1000, 5, images, 0.5, seed=6)
        share = np.mean([(sign_flip_p(family) < 0.05).any() for family in drawn])
        print(f"{kind}, {images} images: a family's false alarms {share:.3f}")
        assert share <= limit + error(limit, 1000)


@pytest.mark.parametrize("images", FEW_AND_MANY)
def test_a_whole_table_is_seldom_wrong(images: int) -> None:
    """A false alarm: anything in it that is told apart from the best, as the tables mark it."""
    names, alarms = [str(index) for index in range(images)], []
    for scores in of_measured_sizes(images, 1000, np.random.default_rng(images)):
        (p,) = against_best([scores], [names], [int(scores.mean(-1).argmax())])
        alarms.append(np.nanmin(p) < 0.05)
    print(f"{images} images, {METHODS} methods: a table's false alarms {np.mean(alarms):.4f}")
    assert np.mean(alarms) <= 0.05 + error(0.05, 1000)


@cache
def measured_table() -> Array:
    """Every entry and hole of the ten images: (holes, entries, images), none better."""
    rows = pd.read_csv(MEASURED)
    cells = rows.groupby(["mask", "method", "output", "image"])["psnr_hole"].mean().unstack("image")
    scores = cells.to_numpy().reshape(4, 13, 10)
    return scores - scores.mean(-1, keepdims=True)


@pytest.mark.parametrize("images", [8, pytest.param(11, marks=slow), pytest.param(20, marks=slow)])
@pytest.mark.parametrize(("kind", "limit"), [("normal", 0.05), ("drawn again", 0.13)])
def test_the_measured_table_were_all_equal(kind: str, limit: float, images: int) -> None:
    """Thirteen entries by four holes and their mean, with the covariances that were measured.

    Ten images drawn again are the same ones twice over, so that their signs are not independent;
    the limit is what that costs at most.
    """
    random = np.random.default_rng(images)
    y, trials = measured_table(), 300
    if kind == "normal":
        weights = random.normal(0, 1 / 9**0.5, (trials, 10, images))
        drawn = np.einsum("hei,tin->then", y, weights)
    else:
        which = random.integers(10, size=(trials, images))
        drawn = np.moveaxis(y[:, :, which], 2, 0)
    columns = np.concatenate([drawn, drawn.mean(1, keepdims=True)], axis=1)
    together = [sign_flip_p(pairs(each).reshape(-1, images)).reshape(5, -1) for each in columns]
    best = columns.mean(-1).argmax(-1)[..., None]
    first, second = np.triu_indices(13, 1)
    alarms = np.where((first == best) | (second == best), np.array(together), 1) < 0.05
    share = alarms.any((-1, -2)).mean()
    print(f"{kind}, {images} images, 13 x 5: false alarms {share:.3f};"
          f" in the column of all holes {alarms[:, -1].any(-1).mean():.3f}")  # fmt: skip
    assert share <= limit + error(limit, trials)


def test_flips_tell_more_apart_than_holm() -> None:
    """Of the pairs of the measured table, over all holes."""
    rows = pd.read_csv(MEASURED)
    cells = rows.groupby(["method", "output", "image"])["psnr_hole"].mean().unstack("image")
    compared = pairs(cells.to_numpy())
    flips = (sign_flip_p(compared) < 0.05).sum()
    of_t = stats.ttest_1samp(compared, 0, axis=1).pvalue
    holm = (multipletests(of_t, method="holm")[1] < 0.05).sum()
    print(f"of {len(compared)} pairs: flips {flips}, Holm {holm}")
    assert flips >= 2 * holm


@pytest.mark.parametrize("images", IMAGES)
def test_ranks_are_seldom_wrong(images: int) -> None:
    """Any two mean ranks farther apart than the critical difference."""
    scores = of_measured_sizes(images, 500, np.random.default_rng(images))
    alarms = []
    for each in scores:
        found = ranks(each)
        assert found is not None
        alarms.append(np.ptp(found.mean) > found.critical_difference)
    print(f"{images} images: false alarms of ranks {np.mean(alarms):.4f}")
    assert np.mean(alarms) <= 0.05 + error(0.05, 500)
