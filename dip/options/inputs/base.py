"""Base class of all input options. Torch is imported by what makes a tensor, not before."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from dip.options.base import Options, Size

if TYPE_CHECKING:
    from torch import Generator, Tensor


class InputOptions(Options, ABC):
    """Options of an input.

    Attributes:
        version: counts up when the tensors change.
        is_learned: whether it is trained together with the weights.
        name: what users choose the input by.
        channels: of the tensor; a field or a property of every class that is derived.
    """

    version: ClassVar[int] = 1
    is_learned: ClassVar[bool] = False
    name: str

    if TYPE_CHECKING:  # a field of some, which pydantic does not let hide a property

        @property
        def channels(self) -> int: ...

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if "channels" not in cls.model_fields and not hasattr(cls, "channels"):
            raise TypeError(f"{cls.__name__} needs `channels`, as a field or a property")

    @abstractmethod
    def make(self, batch: int, size: Size, generator: "Generator") -> "Tensor":
        """Make the tensor that a fit starts with.

        Args:
            batch: how many inputs run through one network.
            size: height and width.
            generator: what random inputs are drawn from, on the CPU.

        Returns:
            (batch, channels, *size) on the CPU.
        """
