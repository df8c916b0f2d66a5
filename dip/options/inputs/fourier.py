"""Cosines and sines of coordinates as an input."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dip.options.base import Count, Number, Size
from dip.options.inputs.base import InputOptions
from dip.options.inputs.meshgrid import coordinates

if TYPE_CHECKING:
    from torch import Generator, Tensor


class FourierInputOptions(InputOptions):
    """Cosines and sines of each pixel's coordinates in [0, 1], at geometrically spaced frequencies.

    Source: Shabtay et al., Positional-encoding Image Prior (arXiv 2211.14298), and its code.
    """

    name: Literal["fourier"] = "fourier"
    frequencies: Count = Field(8, description="number of frequencies, four channels each")
    highest: Number = Field(256.0, ge=1, description="radians per image side; the lowest is 1")

    @property
    def channels(self) -> int:
        return 4 * self.frequencies

    def make(self, batch: int, size: Size, _: "Generator") -> "Tensor":
        """Channels: for each coordinate all cosines, then all sines."""
        import torch

        frequencies = torch.logspace(0, 1, self.frequencies, base=self.highest, dtype=torch.float64)
        angles = coordinates(size, start=0)[:, None] * frequencies[:, None, None]
        return torch.cat([angles.cos(), angles.sin()], dim=1).flatten(0, 1).repeat(batch, 1, 1, 1)
