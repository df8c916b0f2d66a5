"""Deep Decoder (Heckel and Hand, ICLR 2019, `include/decoder.py`: `decodernw`).

1x1 convolutions without biases, each followed by a bilinear doubling, ReLU and BatchNorm: nothing
but the doublings joins neighbouring pixels. The input has a side of the image's over 2^doublings.

Deviation: that side is rounded up and the output cropped, so that any image size works.
"""

from itertools import pairwise

from torch import Tensor, nn

from dip.options import Size
from dip.options.networks.deep_decoder import DeepDecoderOptions


def build(
    options: DeepDecoderOptions, input_channels: int, output_channels: int, size: Size
) -> nn.Module:
    """See `dip.networks.build_network`."""
    return DeepDecoder(options, input_channels, output_channels, size)


class DeepDecoder(nn.Module):
    """(B, input_channels, h, w), with h, w of `options.input_size`, to the image's size in [0, 1].

    The source's input has as many channels as its first layer; here it may have any number.
    """

    def __init__(
        self, options: DeepDecoderOptions, input_channels: int, output_channels: int, size: Size
    ):
        super().__init__()
        self.size = size
        channels = options.channels
        self.layers = nn.Sequential(
            *(_layer(a, b, doubling=True) for a, b in pairwise((input_channels, *channels))),
            _layer(channels[-1], channels[-1], doubling=False),
            nn.Conv2d(channels[-1], output_channels, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        height, width = self.size
        return self.layers(x)[..., :height, :width]


def _layer(input_channels: int, output_channels: int, doubling: bool) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(input_channels, output_channels, 1, bias=False),
        *([nn.Upsample(scale_factor=2, mode="bilinear")] if doubling else []),
        nn.ReLU(),
        nn.BatchNorm2d(output_channels),
    )
