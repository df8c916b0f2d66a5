"""What tests know of each network: one module each, named as that of its options, with `FACTS`."""

from collections.abc import Mapping
from dataclasses import dataclass

from dip.options import NETWORKS, NetworkOptions
from dip.system.registry import modules_of

INPUT_CHANNELS = 4  # of all settings that are fitted here
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Facts:
    """Of one network, in settings so narrow that tests may fit them.

    golden: what golden trajectories are computed with, by case: the network's name, with what is
    special about it behind a comma. variants: more settings for the tests that hold for every
    network. parameters: options, input channels, and how many parameters the source has with
    them. outputs: options, the input's shape, and mean, standard deviation and two pixels of what
    the source's own code draws, with weights and input as the test fills them in.
    """

    golden: Mapping[str, NetworkOptions]
    parameters: tuple[tuple[NetworkOptions, int, int], ...]
    outputs: tuple[tuple[NetworkOptions, Shape, list[float]], ...] = ()
    variants: tuple[NetworkOptions, ...] = ()


FACTS: list[Facts] = [module.FACTS for module in modules_of(__name__).values()]
SMALL = [each for facts in FACTS for each in (*facts.golden.values(), *facts.variants)]


def without_facts() -> list[str]:
    """What to write for the networks that no module here tells of."""
    told = {options.name for options in SMALL}
    return [
        f"{name}: write tests/support/networks/{options.__module__.rpartition('.')[2]}.py with"
        " `FACTS = Facts(...)`"
        for name, options in NETWORKS.items()
        if name not in told
    ]
