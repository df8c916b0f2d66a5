"""SIREN (Sitzmann et al., NeurIPS 2020, `modules.py`: `SingleBVPNet` of type sine).

The same fully connected layers at every pixel, which makes them 1x1 convolutions over a map of
coordinates. The source's coordinates run from -1 to 1: `input: {name: meshgrid, start: -1}`.
"""

import torch
from torch import Tensor, nn

from dip.options import Size
from dip.options.networks.siren import SirenOptions


def build(options: SirenOptions, input_channels: int, output_channels: int, _: Size) -> nn.Module:
    """See `dip.networks.build_network`."""
    return Siren(options, input_channels, output_channels)


class Siren(nn.Module):
    """(B, input_channels, H, W) to (B, output_channels, H, W); the output is not bounded."""

    def __init__(self, options: SirenOptions, input_channels: int, output_channels: int):
        super().__init__()
        self.frequency = options.frequency
        channels = options.channels
        self.first = nn.Conv2d(input_channels, channels, 1)
        self.hidden = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(options.layers))
        self.last = nn.Conv2d(channels, output_channels, 1)
        # Paper, section 3.2 and supplement 1.5: sines keep the distribution of what they are given.
        nn.init.uniform_(self.first.weight, -1 / input_channels, 1 / input_channels)
        bound = (6 / channels) ** 0.5 / self.frequency
        for layer in (*self.hidden, self.last):
            assert isinstance(layer, nn.Conv2d)
            nn.init.uniform_(layer.weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.sin(self.frequency * self.first(x))
        for layer in self.hidden:
            x = torch.sin(self.frequency * layer(x))
        # The source's images lie in [-1, 1], ours in [0, 1].
        return (self.last(x) + 1) / 2
