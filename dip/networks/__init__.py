"""The networks: a module for each, named as the module of its options in `dip.options.networks`.

Each has one function, and is imported when that is called:

    build(options, input_channels, output_channels, size) -> nn.Module
"""

from importlib import import_module
from importlib.util import find_spec

from torch import nn

from dip.options import NETWORKS, NetworkOptions, Size


def build_network(
    options: NetworkOptions, input_channels: int, output_channels: int, size: Size
) -> nn.Module:
    """Make a freshly initialised network; its weights are drawn from torch's global generator.

    Args:
        options: of any network.
        input_channels: channels of what it is fed.
        output_channels: channels of the image.
        size: the image's (H, W), each at least `options.minimum_side`.

    Returns:
        A module from (B, input_channels, *options.input_size(size)) to (B, output_channels, *size).

    Raises:
        InputError: an imported network cannot be had.
        RuntimeError: no module builds the network.
    """
    module = NETWORKS[options.name].__module__.rpartition(".")[2]
    if find_spec(f"{__name__}.{module}") is None:
        raise RuntimeError(
            f"the network '{options.name}' needs dip/networks/{module}.py with `build`"
        )
    return import_module(f"{__name__}.{module}").build(
        options, input_channels, output_channels, size
    )
