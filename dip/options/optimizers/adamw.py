"""AdamW."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dip.options.base import Number
from dip.options.optimizers.adam import Adam, Beta
from dip.options.optimizers.base import OptimizerOptions, Stage

if TYPE_CHECKING:
    from torch import Tensor


class AdamWOptions(OptimizerOptions):
    """Adam with decoupled weight decay. Source: Loshchilov and Hutter, ICLR 2019."""

    name: Literal["adamw"] = "adamw"
    betas: tuple[Beta, Beta] = Field((0.9, 0.999), description="decay of the two moments")
    weight_decay: Number = Field(
        0.01, ge=0, description="share of a weight lost per step and unit of learning rate"
    )

    def stages(
        self, parameters: list[Tensor], learning_rate: float, *, fused: bool | None, recorded: bool
    ) -> list[Stage]:
        adam = Adam(
            parameters,
            self.betas,
            self.weight_decay,
            decoupled=True,
            fused=fused,
            recorded=recorded,
        )
        return [(adam, learning_rate, None)]
