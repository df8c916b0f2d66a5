"""The U-Net of the paper's code (Ulyanov et al., CVPR 2018, `models/unet.py`).

Two convolutions with a norm and ReLU per level, max-pooling down; on the way up a deconvolution or
an upsampling, the encoder's map joined to it, and two convolutions without a norm.

Deviation: pooling rounds up and the decoder's map is cropped to the encoder's, so that sides which
do not divide by 2^(levels - 1) keep their size; the source crops the other way and shrinks them.
"""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dip.options import Size
from dip.options.networks.paper_unet import PaperUNetOptions


def build(
    options: PaperUNetOptions, input_channels: int, output_channels: int, _: Size
) -> nn.Module:
    """See `dip.networks.build_network`."""
    return PaperUNet(options, input_channels, output_channels)


class PaperUNet(nn.Module):
    """(B, input_channels, H, W) to (B, output_channels, H, W) in [0, 1]."""

    def __init__(self, options: PaperUNetOptions, input_channels: int, output_channels: int):
        super().__init__()
        channels, padding = options.channels, options.padding
        self.encoder = nn.ModuleList(
            _two_convolutions(before, here, padding, options.norm)
            for before, here in zip((input_channels, *channels), channels, strict=False)
        )
        self.ups = nn.ModuleList(
            _up(options.upsampling, below, here, padding) for here, below in pairwise(channels)
        )
        self.decoder = nn.ModuleList(
            _two_convolutions(2 * here, here, padding, norm=None) for here in channels[:-1]
        )
        self.head = nn.Sequential(nn.Conv2d(channels[0], output_channels, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level, encode in enumerate(self.encoder):
            if level > 0:
                skips.append(x)
                x = F.max_pool2d(x, kernel_size=2, ceil_mode=True)
            x = encode(x)
        for up, decode in zip(reversed(self.ups), reversed(self.decoder), strict=True):
            skip = skips.pop()
            x = up(x)[..., : skip.shape[-2], : skip.shape[-1]]
            x = decode(torch.cat([x, skip], dim=1))
        return self.head(x)


def _up(upsampling: str, input_channels: int, output_channels: int, padding: str) -> nn.Module:
    if upsampling == "deconvolution":
        return nn.ConvTranspose2d(input_channels, output_channels, 4, stride=2, padding=1)
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode=upsampling),
        _convolution(input_channels, output_channels, padding),
    )


def _two_convolutions(
    input_channels: int, output_channels: int, padding: str, norm: str | None
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before in (input_channels, output_channels):
        layers.append(_convolution(before, output_channels, padding))
        if norm == "instance":
            layers.append(nn.InstanceNorm2d(output_channels))
        elif norm == "batch":
            layers.append(nn.BatchNorm2d(output_channels))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def _convolution(input_channels: int, output_channels: int, padding: str) -> nn.Conv2d:
    mode: Literal["zeros", "reflect"] = "zeros" if padding == "zero" else "reflect"
    return nn.Conv2d(input_channels, output_channels, 3, padding=1, padding_mode=mode)
