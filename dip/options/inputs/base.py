"""Base class of all input options. `make` imports torch; options do without it."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from dip.options.base import Options, Size

if TYPE_CHECKING:
    from torch import Generator, Tensor


class InputOptions(Options, ABC):
    """Options of an input.

    Attributes:
        version: increases when the tensors change.
        is_learned: whether the input is trained together with the weights.
        name: the name by which users choose the input.
        channels: channels of the tensor; each derived class defines it as a field or a property.
    """

    version: ClassVar[int] = 1
    is_learned: ClassVar[bool] = False
    name: str

    if TYPE_CHECKING:  # pydantic does not let a field of a derived class replace a property

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
            batch: number of inputs.
            size: height and width in pixels.
            generator: source of random numbers, on the CPU.

        Returns:
            (batch, channels, *size) on the CPU.
        """
