"""Halving a map with a Lanczos filter (Ulyanov et al., CVPR 2018, `models/downsampler.py`)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Lanczos(nn.Module):
    """(B, C, H, W) to (B, C, ceil(H / 2), ceil(W / 2)).

    As in the source the filter is only where the weights start: one dense convolution over all
    channels, trained with the rest of the network.
    """

    def __init__(self, channels: int, support: int):
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 4 * support, stride=2)
        assert self.convolution.bias is not None
        nn.init.zeros_(self.convolution.bias)
        nn.init.zeros_(self.convolution.weight)
        with torch.no_grad():
            self.convolution.weight[range(channels), range(channels)] = _kernel(support).to(
                self.convolution.weight
            )

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        border = self.convolution.kernel_size[0] // 2 - 1
        # An odd side gets a pixel more at its end, so that half of it is rounded up.
        sides = (border, border + width % 2, border, border + height % 2)
        return self.convolution(F.pad(x, sides, mode="replicate"))


def _kernel(support: int) -> Tensor:
    """(4 support, 4 support), sums to 1; taps lie half a pixel beside the centre."""
    half = 2 * support
    distance = (torch.arange(-half, half, dtype=torch.float64) + 0.5) / 2  # in pixels of the output
    taps = torch.sinc(distance) * torch.sinc(distance / support)
    kernel = torch.outer(taps, taps)
    return kernel / kernel.sum()
