"""Base classes of all output options. Followers and passes need torch; options do without it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from dip.options.base import Options

if TYPE_CHECKING:
    from torch import Tensor


class OutputOptions(Options, ABC):
    """Options of an output: what a checkpoint shows of the trajectory.

    Attributes:
        version: increases when the same trajectory gives another output. Stored outputs of another
            version are not used, and saved states with such outputs are refused.
        name: the name by which users choose the output.
    """

    version: ClassVar[int] = 1
    name: str

    @property
    def label(self) -> str:
        """The output's name and its settings: `mean[from=7000,every=50]`."""
        settings = self.model_dump(exclude={"name"}, by_alias=True)
        listed = ",".join(f"{key}={value}" for key, value in settings.items())
        return f"{self.name}[{listed}]" if listed else self.name

    @property
    def first_iteration(self) -> int:
        """The first iteration whose checkpoint can have it."""
        return 1


class AverageOptions(OutputOptions, ABC):
    """Options of an average of the outputs that count: average += w_n (output_n - average)."""

    def takes(self, iteration: int) -> bool:
        """Whether the output of an iteration is averaged.

        Args:
            iteration: from 1.
        """
        return iteration >= 1

    @abstractmethod
    def weight(self, n: Tensor) -> Tensor:
        """Compute the weight w_n of an output. The computation must not wait for the device.

        Args:
            n: number of averaged outputs with this one, from 1.

        Returns:
            Weights in (0, 1], float64, in the shape of n; the first one is 1.
        """
