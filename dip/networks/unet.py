"""The generalised U-Net of T. Lemsky's deep-image-prior (`unet.py`): any levels, any channels.

Two convolutions with BatchNorm and LeakyReLU per level; max-pooling down; nearest upsampling and a
2x2 convolution up; the encoder's map joined to the decoder's. The decoder's kernel is wider than
the encoder's: a hole pixel of a learned input that no known output pixel's receptive field reaches
is never trained.

Deviation: the decoder's map is cropped to the encoder's, so that sides which do not divide by
2^(levels - 1) work too; the source's own code fails on them. Nothing changes where they divide.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dip.options import Size
from dip.options.networks.unet import UNetOptions


def build(options: UNetOptions, input_channels: int, output_channels: int, _: Size) -> nn.Module:
    """See `dip.networks.build_network`."""
    return UNet(options, input_channels, output_channels)


class UNet(nn.Module):
    """(B, input_channels, H, W) to (B, output_channels, H, W); the output is not bounded."""

    def __init__(self, options: UNetOptions, input_channels: int, output_channels: int):
        super().__init__()
        channels = options.channels
        self.encoder = nn.ModuleList(
            _two_convolutions(before, here, options.encoder_kernel)
            for before, here in zip((input_channels, *channels), channels, strict=False)
        )
        self.ups = nn.ModuleList(
            nn.Conv2d(below, here, kernel_size=2) for here, below in pairwise(channels)
        )
        self.decoder = nn.ModuleList(
            _two_convolutions(2 * here, here, options.decoder_kernel) for here in channels[:-1]
        )
        self.head = nn.Conv2d(channels[0], output_channels, kernel_size=2)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        skips = []
        for level, encode in enumerate(self.encoder):
            if level > 0:
                x = F.max_pool2d(x, kernel_size=2, ceil_mode=True)
            x = encode(x)
            skips.append(x)
        skips.pop()
        for up, decode in zip(reversed(self.ups), reversed(self.decoder), strict=True):
            skip = skips.pop()
            x = _same_2x2(up, F.interpolate(x, scale_factor=2, mode="nearest"))
            x = x[..., : skip.shape[-2], : skip.shape[-1]]
            x = decode(torch.cat([x, skip], dim=1))
        # The source resizes to the input's size here; after the crop the map has that size.
        assert x.shape[-2:] == (height, width)
        return _same_2x2(self.head, x)


def _same_2x2(convolution: nn.Module, x: Tensor) -> Tensor:
    """A 2x2 convolution that keeps the size: zeros to the right and at the bottom only."""
    return convolution(F.pad(x, (0, 1, 0, 1)))


def _two_convolutions(input_channels: int, output_channels: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(input_channels, output_channels, kernel, padding=kernel // 2),
        nn.BatchNorm2d(output_channels),
        nn.LeakyReLU(inplace=True),
        nn.Conv2d(output_channels, output_channels, kernel, padding=kernel // 2),
        nn.BatchNorm2d(output_channels),
        nn.LeakyReLU(inplace=True),
    )
