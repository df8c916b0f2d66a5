"""Base class of all network options."""

from typing import ClassVar

from dip.options.base import Options, Size


class NetworkOptions(Options):
    """Options of a network; `dip.networks` builds it from them, in a module of the same name.

    Attributes:
        version: counts up when what the network computes changes.
        may_rebuild: whether the engine may change its layout and layers.
        name: what users choose the network by.
    """

    version: ClassVar[int] = 1
    may_rebuild: ClassVar[bool] = True
    name: str

    @property
    def label(self) -> str:
        """What the network is called in results."""
        return self.name

    @property
    def key_version(self) -> int | str:
        """What stands for the version in a run's key."""
        return self.version

    @property
    def minimum_side(self) -> int:
        """Pixels an image needs on each side.

        BatchNorm wants more than one value per channel, and a reflection is narrower than the map
        it pads.
        """
        return 1

    def input_size(self, size: Size) -> Size:
        """Height and width of the network's input for an image of that size."""
        return size


def smallest_side(downsamplings: int, deepest_side: int) -> int:
    """The smallest side of which `deepest_side` pixels are left after so many ceiling halvings."""
    return 2**downsamplings * (deepest_side - 1) + 1
