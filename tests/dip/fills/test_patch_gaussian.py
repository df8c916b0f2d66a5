"""The patch mixture: estimates are a Gaussian's, and edges come back sharp."""

from collections.abc import Callable

import numpy as np
import pytest

from dip.fills import FILLS, patch_gaussian
from dip.fills.patch_gaussian import NOISE, Mixture, PatchGaussianOptions

FILL = FILLS["patch-gaussian"]


def _grating() -> np.ndarray:
    """(1, 40, 36) slanted stripes."""
    y, x = np.mgrid[:40, :36]
    return (0.5 + 0.4 * np.sin(0.9 * x + 0.5 * y))[None]


def _edge() -> np.ndarray:
    """(1, 40, 36) a slanted straight edge, two pixels wide as a lens would have it."""
    y, x = np.mgrid[:40, :36]
    return (0.5 + 0.6 * np.clip((2 * x + y - 55) / np.sqrt(5) / 2, -0.5, 0.5))[None]


def _half(shape: tuple[int, int]) -> np.ndarray:
    return (np.random.RandomState(0).rand(1, *shape) < 0.5).astype(np.uint8)


def _error(name: str, image: np.ndarray, mask: np.ndarray) -> float:
    filled = FILLS[name].restore(image * mask, mask)
    return float(np.sqrt(((filled - image)[:, mask[0] == 0] ** 2).mean()))


@pytest.mark.parametrize("patches", [1, 40])  # alone, and many with the same hole
def test_an_estimate_is_the_conditional_mean_and_variance(patches: int) -> None:
    """Computed from the precision matrix, which no line of the fill uses."""
    random = np.random.RandomState(0)
    root = random.randn(9, 9)
    mean, covariance = random.randn(9), root @ root.T
    known = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1], bool)
    values = random.randn(patches, 9)
    mixture = Mixture(mean[None], covariance[None], np.ones(1))
    estimates, variances = patch_gaussian._conditional(
        mixture, values, np.tile(known, (patches, 1))
    )

    precision = np.linalg.inv(covariance + NOISE**2 * np.diag(known.astype(float)))
    of_missing = np.linalg.inv(precision[~known][:, ~known])
    toward = of_missing @ precision[~known][:, known]
    expected = mean[~known] - (values[:, known] - mean[known]) @ toward.T
    np.testing.assert_allclose(estimates[:, ~known], expected, atol=1e-6)
    np.testing.assert_allclose(
        variances[:, ~known], np.tile(np.diag(of_missing), (patches, 1)), atol=1e-6
    )


@pytest.mark.parametrize("alike", [1, 1000])  # sharing factorisations, and not
def test_models_are_as_probable_as_bayes_says(alike: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch_gaussian, "ALIKE", alike)
    random = np.random.RandomState(1)
    roots = random.randn(3, 4, 4)
    mixture = Mixture(random.randn(3, 4), roots @ roots.mT, np.array([0.2, 0.3, 0.5]))
    known = np.array([[1, 0, 1, 1]] * 3 + [[0, 1, 1, 0]], bool)
    values = random.randn(4, 4)
    shares = patch_gaussian._shares(mixture, values, known)
    for patch, seen, share in zip(values, known, shares, strict=True):
        densities = []
        for mean, covariance, weight in zip(
            mixture.mean, mixture.covariance, mixture.weight, strict=True
        ):
            block = covariance[seen][:, seen] + NOISE**2 * np.eye(seen.sum())
            deviation = patch[seen] - mean[seen]
            distance = deviation @ np.linalg.inv(block) @ deviation
            densities.append(weight * np.exp(-distance / 2) / np.sqrt(np.linalg.det(block)))
        np.testing.assert_allclose(share, densities / np.sum(densities), rtol=1e-9)


def test_iterations_find_the_gaussian_behind_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the prior; leaving out how missing pixels vary would shrink the covariance."""
    monkeypatch.setattr(patch_gaussian, "PRIOR", 1e-9)
    random = np.random.RandomState(2)
    root = random.randn(4, 4)
    values = random.randn(500, 4) @ root.T + 1
    known = random.rand(500, 4) < 0.7
    known[:, 0] = True
    mixture = Mixture(np.zeros((1, 4)), np.eye(4)[None], np.ones(1))
    start = mixture
    for _ in range(60):
        mixture = patch_gaussian._improved(mixture, start, values, known)
    # Of 500 patches: some standard errors of a mean and of a covariance.
    np.testing.assert_allclose(mixture.mean[0], 1, atol=0.4)
    truth = root @ root.T
    assert np.abs(mixture.covariance[0] - truth).max() < 0.2 * truth.max()


@pytest.mark.parametrize("draw", [_grating, _edge])
def test_stripes_and_edges_come_back_better_than_from_a_membrane(
    draw: Callable[[], np.ndarray],
) -> None:
    image = draw()
    mask = _half(image.shape[1:])
    assert _error("patch-gaussian", image, mask) < 0.5 * _error("harmonic", image, mask)


def test_a_box_wider_than_a_patch_is_no_worse_than_a_membrane() -> None:
    image = _edge()
    mask = np.ones((1, 40, 36), np.uint8)
    mask[0, 10:28, 8:26] = 0
    assert _error("patch-gaussian", image, mask) < 1.03 * _error("harmonic", image, mask)


def test_the_same_input_gives_the_same_numbers() -> None:
    image, mask = _edge(), _half((40, 36))
    again = [FILL.restore(image * mask, mask, seed) for seed in (0, 1)]
    assert np.array_equal(again[0], again[1])


def test_progress_goes_up_to_one() -> None:
    shares: list[float] = []
    image, mask = _edge(), _half((40, 36))
    FILL.restore(image * mask, mask, report=shares.append)
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] == 1
    assert len(shares) > PatchGaussianOptions().iterations


@pytest.mark.parametrize("shape", [(1, 1, 2), (3, 3, 5), (1, 4, 9)])
def test_images_smaller_than_a_patch_are_filled(shape: tuple[int, int, int]) -> None:
    image = np.random.RandomState(0).rand(*shape)
    mask = np.ones((1, *shape[1:]), np.uint8)
    mask[0, -1, -1] = 0
    filled = FILL.restore(image * mask, mask)
    assert np.isfinite(filled).all()
    assert np.array_equal(filled[:, mask[0] == 1], image[:, mask[0] == 1])


def test_the_memory_estimate_grows_with_pixels_and_channels() -> None:
    small, large = np.ones((32, 32), bool), np.ones((512, 512), bool)
    assert FILL.memory is not None
    options = PatchGaussianOptions()
    needed = [
        FILL.memory(hole, channels, options)
        for hole, channels in ((small, 1), (large, 1), (large, 3))
    ]
    assert 0 < needed[0] < needed[1] <= needed[2]
