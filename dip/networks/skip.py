"""The paper's `skip` network (Ulyanov et al., CVPR 2018, `models/skip.py`).

An encoder-decoder that halves the map at each scale. Each scale passes a few channels of its input
over a 1x1 convolution to its decoder.

Deviation, for sides that do not divide by 2^scales only: maps shrink to half their side rounded up,
and are cropped to the scale's own size on the way up. The source's pooling and Lanczos filter round
down, and it crops only where a scale has a skip connection, so that its output is of another size.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from dip.networks.lanczos import Lanczos
from dip.options import Size
from dip.options.networks.skip import SkipOptions


def build(options: SkipOptions, input_channels: int, output_channels: int, _: Size) -> nn.Module:
    """See `dip.networks.build_network`."""
    return Skip(options, input_channels, output_channels)


class Skip(nn.Module):
    """(B, input_channels, H, W) to (B, output_channels, H, W) in [0, 1]."""

    def __init__(self, options: SkipOptions, input_channels: int, output_channels: int):
        super().__init__()
        channels = options.channels
        before = (input_channels, *channels)
        below = (*channels[1:], channels[-1])
        scales = nn.ModuleList(
            _Scale(options, before[scale], channels[scale], skip_channels, below[scale])
            for scale, skip_channels in enumerate(options.skip_channels)
        )
        self.scales = cast(Sequence[_Scale], scales)
        self.head = nn.Sequential(nn.Conv2d(channels[0], output_channels, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        inputs = []
        for scale in self.scales:
            inputs.append(x)
            x = scale.down(x)
        for scale, scale_input in zip(reversed(self.scales), reversed(inputs), strict=True):
            x = scale.upsample(x)[..., : scale_input.shape[-2], : scale_input.shape[-1]]
            if scale.skip is not None:
                x = torch.cat([scale.skip(scale_input), x], dim=1)
            x = scale.up(x)
        return self.head(x)


class _Scale(nn.Module):
    """The layers of one scale: down to the next, across to its own decoder, and up again."""

    def __init__(
        self, options: SkipOptions, before: int, channels: int, skip_channels: int, below: int
    ):
        super().__init__()
        down, up, padding = options.encoder_kernel, options.decoder_kernel, options.padding
        self.skip = _convolution(before, skip_channels, 1, padding) if skip_channels else None
        self.down = nn.Sequential(
            _convolution(before, channels, down, padding, options.downsampling),
            _convolution(channels, channels, down, padding),
        )
        self.upsample = nn.Upsample(scale_factor=2, mode=options.upsampling)
        self.up = nn.Sequential(
            nn.BatchNorm2d(skip_channels + below),
            _convolution(skip_channels + below, channels, up, padding),
            *([_convolution(channels, channels, 1, padding)] if options.pointwise else []),
        )


def _convolution(
    input_channels: int,
    output_channels: int,
    kernel: int,
    padding: str,
    downsampling: str | None = None,
) -> nn.Sequential:
    reflect = [nn.ReflectionPad2d(kernel // 2)] if padding == "reflection" and kernel > 1 else []
    zeros = 0 if padding == "reflection" else kernel // 2
    stride = 2 if downsampling == "stride" else 1
    return nn.Sequential(
        *reflect,
        nn.Conv2d(input_channels, output_channels, kernel, stride, padding=zeros),
        *_downsampling(downsampling, output_channels),
        nn.BatchNorm2d(output_channels),
        nn.LeakyReLU(0.2, inplace=True),
    )


def _downsampling(kind: str | None, channels: int) -> list[nn.Module]:
    """What halves a map after a convolution of stride 1."""
    match kind:
        case "average":
            return [nn.AvgPool2d(2, ceil_mode=True)]
        case "max":
            return [nn.MaxPool2d(2, ceil_mode=True)]
        case "lanczos2" | "lanczos3":
            return [Lanczos(channels, support=int(kind[-1]))]
        case _:
            return []
