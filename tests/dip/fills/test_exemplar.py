"""Exemplar-based inpainting: it copies texture from elsewhere, the same for the same seed."""

from itertools import pairwise

import numpy as np
import pytest

from dip.fills import FILLS, patches
from dip.fills.patches import Grid, Matches, grid_of, search

FILL = FILLS["exemplar"]


def _texture(height: int = 64, width: int = 64) -> np.ndarray:
    """(3, H, W) that repeats after 8 rows and 6 columns, in whole 8-bit levels."""
    tile = np.random.default_rng(0).integers(0, 256, (3, 8, 6)) / 255
    return np.tile(tile, (1, height // 8 + 1, width // 6 + 1))[:, :height, :width]


def _box(height: int = 64, width: int = 64) -> np.ndarray:
    """(1, H, W), 1 = known: the middle is missing, half as high and wide."""
    mask = np.ones((1, height, width))
    mask[:, height // 4 : -height // 4, width // 4 : -width // 4] = 0
    return mask


def _psnr_db(filled: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    error = (filled - truth)[:, mask[0] == 0]
    return float(-10 * np.log10(np.mean(error**2) + 1e-12))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_texture_that_repeats_goes_on_in_the_hole(channels: int) -> None:
    truth, mask = _texture()[:channels], _box()
    ours = _psnr_db(FILL.restore(truth, mask), truth, mask)
    harmonic = _psnr_db(FILLS["harmonic"].restore(truth, mask), truth, mask)
    assert ours > 30 > 15 > harmonic


def test_an_edge_is_continued_straight_through_the_hole() -> None:
    truth, mask = np.zeros((1, 64, 64)), _box()
    truth[:, :, 32:] = 1
    np.testing.assert_allclose(FILL.restore(truth, mask), truth, atol=1e-12)  # rounding


def test_a_large_hole_holds_only_colours_that_are_known() -> None:
    """The last step takes pixels as they are; the means are of the steps before."""
    image = np.random.default_rng(1).integers(0, 256, (1, 40, 40)) / 255
    image[image > 0.5] = 1
    mask = _box(40, 40)
    filled = FILL.restore(image, mask)
    known = image[:, mask[0] == 1]
    # Where patches are equally good it is their mean, which is rare in noise.
    same = np.abs(filled[:, mask[0] == 0][..., None] - np.unique(known)).min(axis=-1) < 1e-12
    assert same.mean() > 0.99
    assert known.min() <= filled.min() <= filled.max() <= known.max()


def test_half_missing_pixels_are_means_of_known_ones_about_as_good_as_a_membrane() -> None:
    rows, columns = np.mgrid[0:40, 0:44] / 40
    truth = (0.5 + 0.4 * np.sin(9 * rows + 5 * columns) * np.cos(7 * columns))[None]
    mask = (np.random.default_rng(2).random((1, 40, 44)) < 0.5).astype(float)
    assert not grid_of(mask[0] == 1, 7).complete
    filled = FILL.restore(truth, mask)
    known = truth[:, mask[0] == 1]
    assert known.min() <= filled.min() <= filled.max() <= known.max()
    harmonic = _psnr_db(FILLS["harmonic"].restore(truth, mask), truth, mask)
    assert _psnr_db(filled, truth, mask) > harmonic - 3


def test_the_seed_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "EXACT_PAIRS", 0)  # so that it is PatchMatch that searches
    image, mask = np.random.default_rng(3).random((3, 40, 40)), _box(40, 40)
    first = FILL.restore(image, mask, seed=1)
    np.random.default_rng(9).random()
    assert np.array_equal(first, FILL.restore(image, mask, seed=1))
    assert not np.array_equal(first, FILL.restore(image, mask, seed=2))


def test_tiny_changes_of_the_input_change_little() -> None:
    """Patches are compared in whole levels, so no match depends on a machine's last digit."""
    truth, mask = np.random.default_rng(4).random((3, 40, 40)), _box(40, 40)
    moved = FILL.restore(truth + 1e-9, mask)
    np.testing.assert_allclose(moved, FILL.restore(truth, mask), atol=1e-7, rtol=0)


def test_progress_rises_to_one() -> None:
    shares: list[float] = []
    FILL.restore(_texture(), _box(), report=shares.append)
    assert len(shares) > 3
    assert all(earlier < later for earlier, later in pairwise(shares))
    assert shares[0] > 0
    assert shares[-1] == 1


@pytest.mark.parametrize("patch", [1, 3, 9, 51])
def test_patches_of_any_side_and_larger_than_the_image(patch: int) -> None:
    truth, mask = _texture(20, 26), np.ones((1, 20, 26))
    mask[:, 8:12, 9:14] = 0
    filled = FILL.with_settings({"patch": patch}).restore(truth, mask)
    assert np.isfinite(filled).all()
    assert 0 <= filled.min() <= filled.max() <= 1


def _noise(complete: bool) -> tuple[np.ndarray, Grid, np.ndarray]:
    random = np.random.default_rng(5)
    known = _box(32, 36)[0] == 1 if complete else random.random((32, 36)) < 0.5
    image = random.integers(0, 256, (32, 36, 2)).astype(float)
    image = (image + np.roll(image, 1, 0) + np.roll(image, 1, 1)) // 3  # neighbours are alike
    return image, grid_of(known, 5), np.where(known, 4, 1)


def _compared(image: np.ndarray, grid: Grid, weights: np.ndarray) -> np.ndarray:
    """(targets, patches): weighted mean squared differences; infinite where no source is."""
    patch = patches.windows(image, grid.side)
    weight = patches.windows(np.broadcast_to(weights[..., None], image.shape), grid.side)
    distances = np.full((len(grid.targets), len(patch)), np.inf)
    for row, target in enumerate(grid.targets):
        squares = weight[target] * (patch - patch[target]) ** 2
        distances[row] = squares.sum(axis=1) / weight[target].sum()
        distances[row, target] = np.inf
    distances[:, ~grid.sources] = np.inf
    return distances


def _search(image: np.ndarray, grid: Grid, weights: np.ndarray, sweeps: int = 4) -> Matches:
    random = np.random.default_rng(6)
    return search(image, weights, grid, grid.targets, None, sweeps, random)


@pytest.mark.parametrize("complete", [True, False])
def test_exact_search_is_brute_force(complete: bool) -> None:
    image, grid, weights = _noise(complete)
    assert grid.complete == complete
    expected = _compared(image, grid, weights).min(axis=1)
    matches = _search(image, grid, weights)
    np.testing.assert_allclose(matches.distance[grid.targets], expected, rtol=1e-12)
    others = np.delete(np.arange(len(matches.source)), grid.targets)
    assert (matches.source[others] == -1).all()


@pytest.mark.parametrize("complete", [True, False])
def test_patchmatch_comes_close_to_exact_search(
    complete: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, grid, weights = _noise(complete)
    monkeypatch.setattr(patches, "EXACT_PAIRS", 0)
    matches = _search(image, grid, weights, sweeps=8)
    compared = _compared(image, grid, weights)
    best, found = compared.min(axis=1), matches.distance[grid.targets]
    rows = np.arange(len(best))
    np.testing.assert_allclose(found, compared[rows, matches.source[grid.targets]], rtol=1e-12)
    # In noise, where neighbours help little; at random it would be the mean of all distances.
    assert found.mean() < 1.2 * best.mean()
    assert found.mean() < 0.6 * compared[np.isfinite(compared)].mean()
