"""By simulation: intervals hold the truth, and what is no difference is not called one.

With the effects that were measured on ten images (`reports/published/standard-reduced`): of images,
of holes within them, of a method's liking for either, and between seeds. Drawn twice: from normal
distributions of those sizes, and as images themselves, drawn again from the ten.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from support.commands import ROOT

from benchmarks.scoring.statistics import (
    against_best,
    corrected,
    holm,
    mean_interval,
    paired_p,
    pairs,
    ranks,
    signed_rank_p,
)

Array = npt.NDArray[np.float64]
PUBLISHED = ROOT / "reports" / "published" / "standard-reduced" / "results.csv"
IMAGES = (8, 11, 20)
TRIALS = 10_000
METHODS = 6  # of the simulated tables


@cache
def measured() -> Array:
    """Hole PSNR of the raw outputs: (methods, images, holes, seeds); fills have one seed."""
    rows = pd.read_csv(PUBLISHED, usecols=[*NAMES, "iteration", "output", "psnr_hole"])
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
    hits = [
        np.abs(mean) <= half
        for scores in in_parts(draw, images, TRIALS)
        for mean, half in [mean_interval(scores)]
    ]
    coverage = float(np.concatenate(hits).mean())
    print(f"{draw.__name__}, {images} images: coverage {coverage:.4f}")
    assert 0.93 <= coverage <= 0.97


@pytest.mark.parametrize("images", IMAGES)
@pytest.mark.parametrize("draw", [of_measured_sizes, resampled])
def test_a_paired_test_is_seldom_wrong(draw: Draw, images: int) -> None:
    found = [
        (corrected(difference[:, None])[:, 0], paired_p(difference))
        for scores in in_parts(draw, images, 2 * TRIALS)
        for difference in [scores[:, 0] - scores[:, 1]]
    ]
    share, t_alone = ((np.concatenate(each) < 0.05).mean() for each in zip(*found, strict=True))
    print(f"{draw.__name__}, {images} images: a comparison's false alarms {share:.4f};")
    print(f"{t_alone:.4f} by a t test alone")
    assert share <= 0.05


@pytest.mark.parametrize("images", IMAGES)
def test_a_whole_table_is_seldom_wrong(images: int) -> None:
    """A false alarm: anything in it that is told apart from the best, as the tables mark it."""
    table, alone = [], []
    for scores in in_parts(of_measured_sizes, images, TRIALS):
        best = scores.mean(-1).argmax(-1)
        at = np.arange(len(scores))
        p = corrected(pairs(scores))
        first, second = np.triu_indices(scores.shape[1], 1)
        with_best = (first == best[:, None]) | (second == best[:, None])
        table.append((np.where(with_best, p, 1) < 0.05).any(-1))
        others = paired_p(scores - scores[at, best][:, None])
        others[at, best] = np.nan  # itself
        alone.append((holm(others) < 0.05).any(-1))
    share, naive = (float(np.concatenate(each).mean()) for each in (table, alone))
    print(f"{images} images, {METHODS} methods: a table's false alarms {share:.4f};")
    print(f"{naive:.4f} were the comparisons with the best corrected alone")
    assert share <= 0.05


@cache
def published_table() -> Array:
    """Every entry and hole of the published comparison: (holes, entries, images), none better."""
    rows = pd.read_csv(PUBLISHED, usecols=[*NAMES, "iteration", "output", "psnr_hole"])
    last = rows["iteration"].isin([0, rows["iteration"].max()])
    rows = rows[last & rows["output"].isin(["raw", "averaged"])]
    cells = rows.groupby(["mask", "method", "output", "image"])["psnr_hole"].mean().unstack("image")
    scores = cells.to_numpy().reshape(4, 13, 10)
    return scores - scores.mean(-1, keepdims=True)


@pytest.mark.parametrize("images", IMAGES)
@pytest.mark.parametrize(("kind", "limit"), [("normal", 0.05), ("drawn again", 0.13)])
def test_the_published_table_were_all_equal(kind: str, limit: float, images: int) -> None:
    """Thirteen entries by four holes and their mean, with the covariances that were measured.

    Ten images drawn again are the same ones twice over, so that spreads are underestimated and t
    tests say too much; the limit is what that costs at most, as docs/findings.md says.
    """
    random = np.random.default_rng(images)
    y, trials = published_table(), 1000
    if kind == "normal":
        weights = random.normal(0, 1 / 9**0.5, (trials, 10, images))
        drawn = np.einsum("hei,tin->then", y, weights)
    else:
        which = random.integers(10, size=(trials, images))
        drawn = np.moveaxis(y[:, :, which], 2, 0)
    columns = np.concatenate([drawn, drawn.mean(1, keepdims=True)], axis=1)
    together = holm(paired_p(pairs(columns)).reshape(trials, -1)).reshape(trials, 5, -1)
    best = columns.mean(-1).argmax(-1)[..., None]
    first, second = np.triu_indices(13, 1)
    alarms = np.where((first == best) | (second == best), together, 1) < 0.05
    share = alarms.any((-1, -2)).mean()
    print(f"{kind}, {images} images, 13 x 5: false alarms {share:.3f};"
          f" in the column of all holes {alarms[:, -1].any(-1).mean():.3f}")  # fmt: skip
    assert share <= limit


def test_the_tables_correct_as_it_is_simulated() -> None:
    random = np.random.default_rng(0)
    scores = of_measured_sizes(11, 3, random) + np.arange(METHODS)[:, None]
    best = [int(each.mean(-1).argmax()) for each in scores]
    found = against_best(list(scores), best)
    differences = pairs(scores)
    t = holm(paired_p(differences).ravel()).reshape(3, -1)
    expected = np.maximum(t, signed_rank_p(differences))
    first, second = np.triu_indices(METHODS, 1)
    for p, column, index in zip(found, expected, best, strict=True):
        other = np.where(first == index, second, np.where(second == index, first, -1))
        assert p[other[other >= 0]] == pytest.approx(column[other >= 0])


@pytest.mark.parametrize("images", IMAGES)
def test_ranks_are_seldom_wrong(images: int) -> None:
    """Any two mean ranks farther apart than the critical difference."""
    scores = of_measured_sizes(images, 2000, np.random.default_rng(images))
    alarms = []
    for each in scores:
        found = ranks(each)
        assert found is not None
        alarms.append(np.ptp(found.mean) > found.critical_difference)
    print(f"{images} images: false alarms of ranks {np.mean(alarms):.4f}")
    assert np.mean(alarms) <= 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5
