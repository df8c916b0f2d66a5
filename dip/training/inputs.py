"""What the network is fed."""

from torch import Tensor

from dip.options import InputOptions, Size
from dip.training.seeding import generator


def make_input(options: InputOptions, batch: int, size: Size, seed: int) -> Tensor:
    """(batch, channels, *size) on the CPU, so that one seed is one input on every device.

    A learned input is where it starts.
    """
    return options.make(batch, size, generator(seed, "input"))
