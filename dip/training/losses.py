"""What a fit minimises: the error over the known pixels, and what is asked of the whole output."""

import math

from torch import Tensor
from torch.nn import functional as F

from dip.options import LOSSES, Method


class Loss:
    """known: (1, 1, H, W), 1 = known; target: (1, C, H, W), 0 in the hole."""

    def __init__(self, method: Method, known: Tensor, target: Tensor):
        self.error = LOSSES[method.loss].error
        self.total_variation = method.total_variation
        self.known = known
        self.target = target

    def __call__(self, output: Tensor) -> Tensor:
        """A scalar. output: (B, C, H, W)."""
        loss = self.error(output * self.known, self.target.expand_as(output))
        if self.total_variation:
            loss = loss + self.total_variation * total_variation(output)
        return loss

    def fit_db(self, output: Tensor) -> float:
        """PSNR between output and image with the hole as zero in both: how well it fits."""
        error = F.mse_loss(output.detach() * self.known, self.target.expand_as(output))
        return -10 * math.log10(max(error.item(), 1e-20))


def total_variation(output: Tensor) -> Tensor:
    """Mean absolute difference between neighbours, down plus across: anisotropic.

    Source: Liu et al., Image restoration using total variation regularized deep image prior,
    ICASSP 2019 (arXiv 1810.12864), which sums where this takes means.
    """
    down = (output[..., 1:, :] - output[..., :-1, :]).abs()
    across = (output[..., :, 1:] - output[..., :, :-1]).abs()
    # An image of one row or column has no neighbours there: a sum over nothing is 0, a mean is not.
    return down.sum() / max(1, down.numel()) + across.sum() / max(1, across.numel())
