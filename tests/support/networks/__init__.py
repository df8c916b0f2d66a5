"""Facts about networks: a module for each, named like that of its options, with `FACTS`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dip.options import NETWORKS, NetworkOptions, Size
from dip.system.registry import modules_of

INPUT_CHANNELS = 4  # of every network that tests fit


class Output(NamedTuple):
    """Output of the source's own code, in float64 and in training mode.

    Weights and input have fixed values. Value i of a parameter with n values is
    cos(0.7 i + n) * sqrt(2 / m), where m is the number of values in each entry of its first
    dimension. Value i of the input is sin(0.37 i).

    Attributes:
        options: options of the network.
        input_shape: (C, H, W) of the input.
        figures: mean and standard deviation of the output, the pixel in row 10 and column 20 of its
            first channel, and the last pixel of its last channel.
        size: height and width of the image in pixels.
    """

    options: NetworkOptions
    input_shape: tuple[int, int, int]
    figures: list[float]
    size: Size = (64, 96)


@dataclass(frozen=True)
class Facts:
    """Facts about one network. Its settings are narrow, so that tests can fit it quickly.

    Attributes:
        golden: options of the golden trajectories, by case: the network's name, for special
            settings followed by a comma and a description.
        parameters: options, input channels, and the source's number of parameters for them.
        outputs: outputs of the source's own code.
        variants: more options for the tests of all networks.
    """

    golden: Mapping[str, NetworkOptions]
    parameters: tuple[tuple[NetworkOptions, int, int], ...]
    outputs: tuple[Output, ...] = ()
    variants: tuple[NetworkOptions, ...] = ()


FACTS: list[Facts] = [module.FACTS for module in modules_of(__name__).values()]
SMALL = [options for facts in FACTS for options in (*facts.golden.values(), *facts.variants)]


def without_facts() -> list[str]:
    """Networks without golden settings, and the file to write for each."""
    golden = {name for facts in FACTS for name in facts.golden}
    return [
        f"{name}: write tests/support/networks/{options.__module__.rpartition('.')[2]}.py with"
        f" `FACTS = Facts(golden={{'{name}': ...}}, ...)`"
        for name, options in NETWORKS.items()
        if name not in golden
    ]
