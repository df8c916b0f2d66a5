"""What the network is fed: the tensors that `dip.options.inputs` describes."""

import torch
from torch import Tensor

from dip.options import (
    FourierInputOptions,
    InputOptions,
    LearnedInputOptions,
    MeshgridInputOptions,
    NoiseInputOptions,
    Size,
)
from dip.training.seeding import generator


def make_input(options: InputOptions, batch: int, size: Size, seed: int) -> Tensor:
    """(batch, channels, *size) on the CPU, so that one seed is one input on every device.

    A learned input is where it starts.
    """
    match options:
        case LearnedInputOptions() | NoiseInputOptions():
            shape = (batch, options.channels, *size)
            return torch.rand(shape, generator=generator(seed, "input")) * options.scale
        case MeshgridInputOptions():
            return _coordinates(size, options.start).repeat(batch, 1, 1, 1)
        case FourierInputOptions():
            return _fourier(options, size).repeat(batch, 1, 1, 1)


def _coordinates(size: Size, start: float) -> Tensor:
    """(2, H, W) from start to 1: along the width, then along the height."""
    height, width = size
    y = torch.linspace(start, 1, height, dtype=torch.float64)
    x = torch.linspace(start, 1, width, dtype=torch.float64)
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)])


def _fourier(options: FourierInputOptions, size: Size) -> Tensor:
    """(4 frequencies, H, W): for each coordinate all cosines, then all sines."""
    frequencies = torch.logspace(
        0, 1, options.frequencies, base=options.highest, dtype=torch.float64
    )
    angles = _coordinates(size, start=0)[:, None] * frequencies[:, None, None]
    return torch.cat([angles.cos(), angles.sin()], dim=1).flatten(0, 1)
