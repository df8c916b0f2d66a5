"""The mean of some outputs behind a burn-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dip.options.base import PositiveInt
from dip.options.outputs.base import AverageOptions

if TYPE_CHECKING:
    from torch import Tensor


class MeanOptions(AverageOptions):
    """The plain mean of the outputs of every so many iterations, from one on.

    Source: Cheng et al., A Bayesian Perspective on the Deep Image Prior (CVPR 2019), whose code
    averages every 50th output from iteration 7000 on.
    """

    name: Literal["mean"] = "mean"
    from_: PositiveInt = Field(alias="from", description="the first iteration that is averaged")
    every: PositiveInt = Field(description="iterations from one averaged output to the next")

    @property
    def first_iteration(self) -> int:
        return self.from_

    def takes(self, iteration: int) -> bool:
        return iteration >= self.from_ and (iteration - self.from_) % self.every == 0

    def weight(self, n: Tensor) -> Tensor:
        return 1 / n.double()
