"""The networks: one file each, built from the options of the same name in `dip.options`."""

from torch import nn

from dip.networks.skip import Skip
from dip.networks.unet import UNet
from dip.options import NetworkOptions

NETWORKS: dict[str, type[nn.Module]] = {"unet": UNet, "skip": Skip}


def build_network(options: NetworkOptions, input_channels: int, output_channels: int) -> nn.Module:
    """A freshly initialised network; its weights are drawn from torch's global generator.

    It maps (B, input_channels, H, W) to (B, output_channels, H, W) for every H and W of at least
    `options.minimum_side`.
    """
    return NETWORKS[options.name](options, input_channels, output_channels)
