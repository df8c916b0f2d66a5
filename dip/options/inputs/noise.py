"""Fixed noise as an input."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dip.options.base import Count, Number, Size
from dip.options.inputs.base import InputOptions

if TYPE_CHECKING:
    from torch import Generator, Tensor


class NoiseInputOptions(InputOptions):
    """Fixed noise of the input's size. Source: Ulyanov et al., CVPR 2018."""

    name: Literal["noise"] = "noise"
    channels: Count = Field(32, description="channels of the input")
    scale: Number = Field(0.1, gt=0, description="drawn uniform in [0, scale)")

    def make(self, batch: int, size: Size, generator: "Generator") -> "Tensor":
        import torch

        return torch.rand((batch, self.channels, *size), generator=generator) * self.scale
