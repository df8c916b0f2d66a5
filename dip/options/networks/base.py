"""Base class of all network options."""

from typing import ClassVar

from dip.options.base import Options, Size


class NetworkOptions(Options):
    """Options of a network. A module of the same name in `dip.networks` builds the network.

    Attributes:
        version: increases when the network's output changes.
        may_rebuild: whether the engine may change the network's layout and layers.
        name: the name by which users choose the network.
    """

    version: ClassVar[int] = 1
    may_rebuild: ClassVar[bool] = True
    name: str

    @property
    def label(self) -> str:
        """The network's name in results."""
        return self.name

    @property
    def key_version(self) -> int | str:
        """The network's version in run keys."""
        return self.version

    @property
    def minimum_side(self) -> int:
        """Smallest side of an image in pixels.

        BatchNorm needs more than one value per channel, and reflection padding must be narrower
        than the map that it pads.
        """
        return 1

    def input_size(self, size: Size) -> Size:
        """Height and width of the network's input for an image of that size."""
        return size


def smallest_side(downsamplings: int, deepest_side: int) -> int:
    """The smallest image side in pixels that has `deepest_side` pixels after all downsamplings.

    Args:
        downsamplings: number of halvings, each rounded up.
        deepest_side: pixels that the deepest map needs on each side.
    """
    return 2**downsamplings * (deepest_side - 1) + 1
