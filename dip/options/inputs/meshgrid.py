"""Coordinates of pixels as an input."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dip.options.base import Number, Size
from dip.options.inputs.base import InputOptions

if TYPE_CHECKING:
    from torch import Generator, Tensor


class MeshgridInputOptions(InputOptions):
    """Each pixel's coordinates, two channels: along the width, then along the height.

    Source: Ulyanov et al., CVPR 2018, `utils/common_utils.py`.
    """

    name: Literal["meshgrid"] = "meshgrid"
    start: Number = Field(0.0, lt=1, description="coordinates run from here to 1")

    @property
    def channels(self) -> int:
        return 2

    def make(self, batch: int, size: Size, _: "Generator") -> "Tensor":
        return coordinates(size, self.start).repeat(batch, 1, 1, 1)


def coordinates(size: Size, start: float) -> "Tensor":
    """Make the coordinates of pixels.

    Args:
        size: height and width in pixels.
        start: the first coordinate; the last is 1.

    Returns:
        (2, H, W) float64: coordinates along the width, then along the height.
    """
    import torch

    height, width = size
    y = torch.linspace(start, 1, height, dtype=torch.float64)
    x = torch.linspace(start, 1, width, dtype=torch.float64)
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)])
