"""ES-WMV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dip.options.base import LARGEST
from dip.options.rules.base import RuleOptions

if TYPE_CHECKING:
    from torch import Tensor


class WindowedVarianceOptions(RuleOptions):
    """Least variance of the last outputs.

    Source: Wang et al., Early Stopping for Deep Image Prior (arXiv 2112.06074), ES-WMV.
    """

    name: Literal["es-wmv"] = "es-wmv"
    window: int = Field(
        100, strict=True, ge=2, le=LARGEST, description="number of outputs in the window"
    )

    def memory(self, shape: tuple[int, ...]) -> dict[str, Tensor]:
        """Deviation from the paper: outputs are stored with 8 bits, like pictures.

        This takes a quarter of the memory, and sums over the window stay exact.
        """
        import torch

        return {
            "window": torch.zeros((self.window, *shape), dtype=torch.uint8),
            "total": torch.zeros(shape, dtype=torch.int32),
            "squares": torch.zeros(self.window, dtype=torch.int64),
            "seen": torch.zeros((), dtype=torch.int64),
        }

    def value(self, output: Tensor, memory: Mapping[str, Tensor]) -> Tensor:
        """Variance of the last outputs around their mean, averaged over pixels."""
        import torch

        window, total, squares = memory["window"], memory["total"], memory["squares"]
        size, seen = self.window, memory["seen"]
        place = (seen % size)[None]
        newest = (output * 255).round().to(torch.uint8)
        oldest = window.index_select(0, place)[0]
        total += newest.int() - oldest.int()
        window.index_copy_(0, place, newest[None])
        squares.index_copy_(0, place, newest.int().square().sum(dtype=torch.int64)[None])
        seen += 1
        # size^2 times the sum of squared distances, in whole numbers, so that no error accumulates.
        spread = size * squares.sum() - total.long().square().sum()
        variance = spread.double() / (size**2 * 255**2 * newest.numel())
        return torch.where(seen >= size, variance, torch.inf)
