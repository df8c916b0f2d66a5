"""An input that is trained together with the weights."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from dip.options.base import Count, Number, Size
from dip.options.inputs.base import InputOptions

if TYPE_CHECKING:
    from torch import Generator, Tensor


class LearnedInputOptions(InputOptions):
    """A parameter of the input's size, trained together with the weights.

    Source: T. Lemsky, deep-image-prior, `inpaint.py`.
    """

    is_learned: ClassVar[bool] = True
    name: Literal["learned"] = "learned"
    channels: Count = Field(3, description="channels of the input")
    scale: Number = Field(0.1, gt=0, description="initialised uniform in [0, scale)")

    def make(self, batch: int, size: Size, generator: "Generator") -> "Tensor":
        import torch

        return torch.rand((batch, self.channels, *size), generator=generator) * self.scale
