"""Inputs: what a network is fed, against formulas written out by hand."""

import numpy as np
import pytest
import torch

from dip.options import INPUTS, InputOptions
from dip.options.inputs.fourier import FourierInputOptions
from dip.options.inputs.learned import LearnedInputOptions
from dip.options.inputs.meshgrid import MeshgridInputOptions
from dip.options.inputs.noise import NoiseInputOptions
from dip.training.seeding import generator


def _made(options: InputOptions, batch: int, size: tuple[int, int], seed: int = 0) -> torch.Tensor:
    return options.make(batch, size, generator(seed, "input"))


@pytest.mark.parametrize("options", INPUTS.values(), ids=INPUTS.keys())
def test_inputs_have_the_channels_of_their_options(options: type[InputOptions]) -> None:
    chosen = options()
    assert _made(chosen, 2, (5, 7)).shape == (2, chosen.channels, 5, 7)


@pytest.mark.parametrize("options", [LearnedInputOptions(scale=0.3), NoiseInputOptions(scale=0.3)])
def test_random_inputs_are_uniform_and_depend_on_the_seed(options: InputOptions) -> None:
    first, second, other = (_made(options, 2, (64, 64), seed) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])
    assert 0 <= first.min() < 0.001
    assert 0.299 < first.max() < 0.3
    assert first.mean() == pytest.approx(0.15, abs=0.002)


def test_the_mesh_grid_is_the_papers() -> None:
    """`get_noise` of its utils/common_utils.py: numpy's meshgrid over 0 to 1, width first."""
    height, width = 5, 7
    across, down = np.meshgrid(np.arange(width) / (width - 1), np.arange(height) / (height - 1))
    grid = _made(MeshgridInputOptions(), 1, (height, width))
    np.testing.assert_allclose(grid[0], [across, down], atol=1e-15)


def test_the_mesh_grid_of_siren_starts_at_minus_one() -> None:
    grid = _made(MeshgridInputOptions(start=-1), 1, (3, 3))
    assert grid[0, 0, 0].tolist() == [-1, 0, 1]
    assert grid[0, 1, :, 0].tolist() == [-1, 0, 1]


def test_fourier_features_are_those_of_pip() -> None:
    """Its code: frequencies base^0 to base^(n - 1), where base is 2^(8 / (n - 1))."""
    height, width, n = 4, 6, 8
    features = _made(FourierInputOptions(), 1, (height, width))[0]
    expected = []
    for position in (np.arange(width) / (width - 1), np.arange(height) / (height - 1)):
        for wave in (np.cos, np.sin):
            for k in range(n):
                values = wave(position * (2 ** (8 / (n - 1))) ** k)
                is_width = len(position) == width
                grid = values[None, :] if is_width else values[:, None]
                expected.append(np.broadcast_to(grid, (height, width)))
    np.testing.assert_allclose(features, expected, atol=1e-9)
