"""Base class of all rule options. Methods import torch; options do without it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from dip.options.base import Options, PositiveInt

if TYPE_CHECKING:
    from torch import Tensor


class RuleOptions(Options, ABC):
    """Options of a stopping rule. A rule chooses the output with the least value.

    Attributes:
        version: increases when the choice changes; stored choices of another version are not used.
        needs_held_out: whether the rule compares known pixels that the loss does not see.
        name: the name by which users choose the rule.
    """

    version: ClassVar[int] = 1
    needs_held_out: ClassVar[bool] = False
    name: str
    patience: PositiveInt | None = Field(
        1000, description="iterations without a new least value before it stops; none = never"
    )

    @property
    def label(self) -> str:
        """The rule's name and the settings that differ from its defaults: `es-wmv[window=50]`."""
        changed = self.model_dump(exclude={"name"}, exclude_defaults=True)
        settings = ",".join(
            f"{key}={'none' if changed[key] is None else changed[key]}"
            for key in sorted(changed, key=lambda key: key == "patience")  # patience last
        )
        return f"{self.name}[{settings}]" if settings else self.name

    @abstractmethod
    def memory(self, shape: tuple[int, ...]) -> dict[str, Tensor]:
        """Make the tensors that the rule keeps between iterations, as they are before the first.

        Args:
            shape: (C, H, W) of an output.

        Returns:
            Tensors on the CPU, by their names in a fit's saved state. The names `image`, `held` and
            `options` are reserved.
        """

    @abstractmethod
    def value(self, output: Tensor, memory: Mapping[str, Tensor]) -> Tensor:
        """Compute the value of an output. The fit keeps the first output with the least value.

        The computation must not synchronize with the device.

        Args:
            output: (C, H, W) float32, clamped to [0, 1].
            memory: the tensors made by the method `memory`, to be updated in place. If the rule
                needs held-out pixels, also `image` (C, H, W), and `held` (1, H, W), 1 = held out.

        Returns:
            A scalar; infinity as long as the rule has no value.
        """
