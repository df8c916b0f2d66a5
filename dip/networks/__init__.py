"""The networks. Modules have the same names as those of the options in `dip.options.networks`.

Each module defines one function, and is imported when the network is built:

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
        options: options of any network.
        input_channels: channels of the network's input.
        output_channels: channels of the image.
        size: (H, W) of the image, each at least `options.minimum_side`.

    Returns:
        A module from (B, input_channels, *options.input_size(size)) to (B, output_channels, *size).

    Raises:
        InputError: an imported network cannot be imported or made.
        RuntimeError: no module builds the network.
    """
    module = NETWORKS[options.name].__module__.rpartition(".")[2]
    if find_spec(f"{__name__}.{module}") is None:
        raise RuntimeError(
            f"the network '{options.name}' needs a function `build` in dip/networks/{module}.py"
        )
    return import_module(f"{__name__}.{module}").build(
        options, input_channels, output_channels, size
    )
