"""ConvDecoder (Darestani and Heckel, 2021, `ConvDecoder_for_MRI.ipynb`: `conv_model`).

3x3 convolutions with ReLU and BatchNorm, each but the last after a nearest-neighbour resize; the
sizes between the input's and the image's grow geometrically.

Deviations: a sigmoid at the end, because pixels lie in [0, 1] (the source reconstructs MRI and
scales its output); and sizes are cleaned of rounding noise before they are rounded up, where the
source makes 17 pixels of 16.000000000000004.
"""

import math

from torch import Tensor, nn

from dip.options import Size
from dip.options.networks.conv_decoder import ConvDecoderOptions


def build(
    options: ConvDecoderOptions, input_channels: int, output_channels: int, size: Size
) -> nn.Module:
    """See `dip.networks.build_network`."""
    return ConvDecoder(options, input_channels, output_channels, size)


class ConvDecoder(nn.Module):
    """(B, input_channels, h, w), with h, w of `options.input_size`, to the image's size in [0, 1].

    The source's input has as many channels as each layer; here it may have any number.
    """

    def __init__(
        self, options: ConvDecoderOptions, input_channels: int, output_channels: int, size: Size
    ):
        super().__init__()
        channels = options.channels
        layers: list[nn.Module] = []
        for index, map_size in enumerate(_sizes(options, size)):
            layers.append(nn.Upsample(size=map_size, mode="nearest"))
            layers += _convolution(input_channels if index == 0 else channels, channels)
        self.layers = nn.Sequential(
            *layers,
            *_convolution(channels, channels),
            nn.Conv2d(channels, output_channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def _sizes(options: ConvDecoderOptions, size: Size) -> list[Size]:
    """What the map is resized to before each layer but the last; ends at the image's size."""
    resizes = options.layers - 1
    start = options.input_size(size)

    def side(axis: int, step: int) -> int:
        growth = size[axis] / start[axis]
        return math.ceil(round(start[axis] * growth ** (step / resizes), 6))

    return [(side(0, step), side(1, step)) for step in range(1, resizes)] + [size]


def _convolution(input_channels: int, output_channels: int) -> list[nn.Module]:
    return [
        nn.Conv2d(input_channels, output_channels, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(output_channels),
    ]
