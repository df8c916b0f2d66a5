"""What the options of every input answer. Torch is imported by what makes a tensor, not before."""

from typing import TYPE_CHECKING, ClassVar

from dip.options.base import Options, Size

if TYPE_CHECKING:
    from torch import Generator, Tensor


class InputOptions(Options):
    """Options of an input.

    version: counts up when the tensors change. is_learned: whether it is trained together with the
    weights.
    """

    version: ClassVar[int] = 1
    is_learned: ClassVar[bool] = False
    name: str

    if TYPE_CHECKING:  # a field of some, which pydantic does not let hide a property

        @property
        def channels(self) -> int: ...

    def make(self, batch: int, size: Size, generator: "Generator") -> "Tensor":
        """Make the tensor that a fit starts with.

        Args:
            batch: how many inputs run through one network.
            size: height and width.
            generator: what random inputs are drawn from, on the CPU.

        Returns:
            (batch, channels, *size) on the CPU.
        """
        raise NotImplementedError
