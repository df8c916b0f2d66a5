"""What tests know of each network: one module each, named as that of its options, with `FACTS`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dip.options import NETWORKS, NetworkOptions, Size
from dip.system.registry import modules_of

INPUT_CHANNELS = 4  # of all settings that are fitted here


class Output(NamedTuple):
    """What the source's own code draws, in float64 and in training mode.

    Weights and input are filled in order. Value i of a parameter of n values is
    cos(0.7 i + n) * sqrt(2 / m), where m values belong to each entry of its first dimension. Value
    i of the input is sin(0.37 i).

    Attributes:
        options: of the network.
        input_shape: (C, H, W).
        figures: mean and standard deviation of the output, the pixel in row 10 and column 20 of its
            first channel, and the last pixel of its last channel.
        size: height and width of the image.
    """

    options: NetworkOptions
    input_shape: tuple[int, int, int]
    figures: list[float]
    size: Size = (64, 96)


@dataclass(frozen=True)
class Facts:
    """Of one network, in settings so narrow that tests may fit them.

    Attributes:
        golden: what golden trajectories are computed with, by case: the network's name, with what
            is special about it behind a comma.
        parameters: options, input channels, and how many parameters the source has with them.
        outputs: what the source's own code draws.
        variants: more settings for the tests that hold for every network.
    """

    golden: Mapping[str, NetworkOptions]
    parameters: tuple[tuple[NetworkOptions, int, int], ...]
    outputs: tuple[Output, ...] = ()
    variants: tuple[NetworkOptions, ...] = ()


FACTS: list[Facts] = [module.FACTS for module in modules_of(__name__).values()]
SMALL = [each for facts in FACTS for each in (*facts.golden.values(), *facts.variants)]


def without_facts() -> list[str]:
    """What to write for the networks that have no golden settings here."""
    golden = {name for facts in FACTS for name in facts.golden}
    return [
        f"{name}: write tests/support/networks/{options.__module__.rpartition('.')[2]}.py with"
        f" `FACTS = Facts(golden={{'{name}': ...}}, ...)`"
        for name, options in NETWORKS.items()
        if name not in golden
    ]
