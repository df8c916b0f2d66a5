"""ES-EMV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dip.options.base import LONGEST, Number
from dip.options.rules.base import RuleOptions

if TYPE_CHECKING:
    from torch import Tensor


class ExponentialVarianceOptions(RuleOptions):
    """Least exponential moving variance of the outputs; it does not store outputs.

    Source: Wang et al., Early Stopping for Deep Image Prior (arXiv 2112.06074), ES-EMV, and its
    code, `ES_EMV.ipynb`.
    """

    name: Literal["es-emv"] = "es-emv"
    alpha: Number = Field(0.1, gt=0, lt=1, description="share of the newest output")
    warm_up: int = Field(
        101,  # the code starts at epoch 101 and counts epochs from 0
        strict=True,
        ge=1,
        le=LONGEST,
        description="iterations at the start whose variance is ignored",
    )

    def memory(self, shape: tuple[int, ...]) -> dict[str, Tensor]:
        import torch

        return {
            "mean": torch.zeros(shape),
            "variance": torch.zeros((), dtype=torch.float64),
            "seen": torch.zeros((), dtype=torch.int64),
        }

    def value(self, output: Tensor, memory: Mapping[str, Tensor]) -> Tensor:
        """Exponential moving variance around the exponential moving mean.

        As in the source's code, the mean starts at the first output and the variance at zero.
        """
        import torch

        mean, variance, seen = memory["mean"], memory["variance"], memory["seen"]
        change = torch.where(seen == 0, 0, output - mean)
        mean.copy_(torch.where(seen == 0, output, mean + self.alpha * change))
        squared = change.square().mean(dtype=torch.float64)
        variance.add_(self.alpha * squared).mul_(1 - self.alpha)
        seen.add_(1)
        return torch.where(seen > self.warm_up, variance, torch.inf)
