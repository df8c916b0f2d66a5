"""The error of held-out pixels, which the loss does not see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from dip.options.base import PositiveInt
from dip.options.rules.base import RuleOptions

if TYPE_CHECKING:
    from torch import Tensor


class HeldOutOptions(RuleOptions):
    """Least error of the held-out pixels, which the method's `held_out` removes from the loss.

    It follows every fit with held-out pixels, even if it is not named. Source: this project.
    """

    needs_held_out: ClassVar[bool] = True
    name: Literal["held-out"] = "held-out"
    patience: PositiveInt | None = Field(
        None, description="iterations without a new least value before it stops; none = never"
    )

    def memory(self, _: tuple[int, ...]) -> dict[str, Tensor]:
        return {}

    def value(self, output: Tensor, memory: Mapping[str, Tensor]) -> Tensor:
        """Mean squared error over the held-out pixels."""
        import torch

        image, held = memory["image"], memory["held"]
        squared = (output - image).square() * held
        return squared.sum(dtype=torch.float64) / (held.sum() * len(image))
