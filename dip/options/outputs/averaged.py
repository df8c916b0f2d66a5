"""The exponential average of all outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from dip.options.outputs.base import AverageOptions

if TYPE_CHECKING:
    from torch import Tensor

LEAST = 0.01  # Ulyanov et al., denoising code: 1 - exp_weight


class AveragedOptions(AverageOptions):
    """The exponential average of all outputs, which forgets those of the untrained network.

    Source: Ulyanov et al. (CVPR 2018), denoising code, with a decay of 0.99. Deviation: there the
    average starts at the first output, which then weighs 37 % after 100 iterations. Here the decay
    grows to 0.99, so that the first outputs never weigh more than in a plain mean.
    """

    version: ClassVar[int] = 2
    name: Literal["averaged"] = "averaged"

    def weight(self, n: Tensor) -> Tensor:
        return (9 / (9 + n.double())).clamp(min=LEAST).masked_fill(n == 1, 1)
