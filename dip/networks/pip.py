"""PIP's network (Shabtay et al., arXiv 2211.14298): `skip` with 1x1 kernels throughout."""

from torch import nn

from dip.networks.skip import Skip
from dip.options import Size
from dip.options.networks.pip import PIPOptions


def build(options: PIPOptions, input_channels: int, output_channels: int, _: Size) -> nn.Module:
    """See `dip.networks.build_network`."""
    return Skip(options.as_skip, input_channels, output_channels)
