"""Fills: known pixels untouched by them count, hole pixels follow the definition."""

import numpy as np
import pytest

from benchmarks.fills import FILLS, biharmonic, mean


def _image(channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(0)
    image = random.rand(20, 24, channels)
    hole = random.rand(20, 24) < 0.3
    return np.where(hole[..., None], 0, image), hole


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("channels", [1, 3])
def test_known_pixels_stay_and_the_input_too(name: str, channels: int) -> None:
    image, hole = _image(channels)
    before = image.copy()
    filled = FILLS[name].fill(image, hole)
    assert filled.shape == image.shape
    assert np.array_equal(image, before)
    assert np.array_equal(filled[~hole], image[~hole])
    assert FILLS[name].source


def test_mean_is_that_of_known_pixels_by_channel() -> None:
    image, hole = _image()
    filled = mean(image, hole)
    for channel in range(3):
        expected = image[..., channel][~hole].mean()
        assert filled[..., channel][hole] == pytest.approx(expected)


def test_biharmonic_continues_a_slope() -> None:
    """A plane bends nowhere, so it is the answer."""
    rows, columns = np.mgrid[0:20, 0:24]
    plane = (0.2 + 0.01 * rows + 0.02 * columns)[..., None]
    hole = np.zeros((20, 24), bool)
    hole[8:12, 9:15] = True
    filled = biharmonic(np.where(hole[..., None], 0, plane), hole)
    np.testing.assert_allclose(filled, plane, atol=1e-6)  # the solver's tolerance
