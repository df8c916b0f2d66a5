"""The paper's residual network (Ulyanov et al., CVPR 2018, `models/resnet.py`)."""

from torch import Tensor, nn

from dip.options import Size
from dip.options.networks.resnet import ResNetOptions


def build(options: ResNetOptions, input_channels: int, output_channels: int, _: Size) -> nn.Module:
    """See `dip.networks.build_network`."""
    return ResNet(options, input_channels, output_channels)


class ResNet(nn.Module):
    """(B, input_channels, H, W) to (B, output_channels, H, W) in [0, 1]."""

    def __init__(self, options: ResNetOptions, input_channels: int, output_channels: int):
        super().__init__()
        channels = options.channels
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(input_channels, channels, 3),
            nn.LeakyReLU(0.2, inplace=True),
            *(_Block(channels) for _ in range(options.blocks)),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, output_channels, 3),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class _Block(nn.Module):
    """Two convolutions whose result is added to what they are given."""

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)
