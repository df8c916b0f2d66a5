"""Base class of all rule options. Torch is imported when it is used, not before."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from dip.options.base import Options, PositiveInt

if TYPE_CHECKING:
    from torch import Tensor


class RuleOptions(Options, ABC):
    """Options of a stopping rule: it chooses the output of the least value.

    Attributes:
        version: counts up when what it chooses changes; stored answers of another version are not
            used.
        needs_held_out: whether it looks at known pixels that are kept from the loss.
        name: what users choose the rule by.
    """

    version: ClassVar[int] = 1
    needs_held_out: ClassVar[bool] = False
    name: str
    patience: PositiveInt | None = Field(
        1000, description="iterations without a new least value until it stops; none = never"
    )

    @property
    def label(self) -> str:
        """The rule with the settings that are not its defaults: `es-wmv[window=50]`."""
        changed = self.model_dump(exclude={"name"}, exclude_defaults=True)
        settings = ",".join(
            f"{key}={'none' if changed[key] is None else changed[key]}"
            for key in sorted(changed, key=lambda key: key == "patience")  # what all have last
        )
        return f"{self.name}[{settings}]" if settings else self.name

    @abstractmethod
    def memory(self, shape: tuple[int, ...]) -> dict[str, Tensor]:
        """What it remembers of the outputs, as it is before the first one.

        Args:
            shape: (C, H, W) of an output.

        Returns:
            Tensors on the CPU, by the names that they have in a fit's saved state. The names
            `image`, `held` and `options` are taken.
        """

    @abstractmethod
    def value(self, output: Tensor, memory: Mapping[str, Tensor]) -> Tensor:
        """The value of an output; the one of the least value is chosen, of several the first.

        Nothing in it may wait for the device.

        Args:
            output: (C, H, W) float32, clamped to [0, 1].
            memory: what `memory` gave, which is changed in place; where the rule needs held-out
                pixels, also `image` (C, H, W), and `held` (1, H, W), 1 = held out.

        Returns:
            A scalar, infinite where there is no value yet.
        """
