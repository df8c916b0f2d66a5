"""The networks: one file each, built from the options of the same name in `dip.options`."""

from collections.abc import Callable
from typing import Any

from torch import nn

from dip.networks.conv_decoder import ConvDecoder
from dip.networks.deep_decoder import DeepDecoder
from dip.networks.imported import ImportedNetwork, build_imported
from dip.networks.paper_unet import PaperUNet
from dip.networks.resnet import ResNet
from dip.networks.siren import Siren
from dip.networks.skip import Skip
from dip.networks.unet import UNet
from dip.options import NetworkOptions, Size

# From options, input channels, output channels and the image's size.
Builder = Callable[[Any, int, int, Size], nn.Module]
NETWORKS: dict[str, Builder] = {
    "unet": lambda options, inputs, outputs, _: UNet(options, inputs, outputs),
    "skip": lambda options, inputs, outputs, _: Skip(options, inputs, outputs),
    "resnet": lambda options, inputs, outputs, _: ResNet(options, inputs, outputs),
    "paper-unet": lambda options, inputs, outputs, _: PaperUNet(options, inputs, outputs),
    "deep-decoder": DeepDecoder,
    "conv-decoder": ConvDecoder,
    "pip": lambda options, inputs, outputs, _: Skip(options.as_skip, inputs, outputs),
    "siren": lambda options, inputs, outputs, _: Siren(options, inputs, outputs),
    "import": lambda options, _, outputs, size: ImportedNetwork(
        build_imported(options), outputs, size
    ),
}


def build_network(
    options: NetworkOptions, input_channels: int, output_channels: int, size: Size
) -> nn.Module:
    """A freshly initialised network; its weights are drawn from torch's global generator.

    It maps (B, input_channels, *options.input_size(size)) to (B, output_channels, *size), where
    size is the image's (H, W), each at least `options.minimum_side`. Raises InputError for an
    imported network that cannot be had.
    """
    return NETWORKS[options.name](options, input_channels, output_channels, size)
