"""A fill: a function that fills a hole, and its description."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from dip.errors import InputError, explain
from dip.options.base import Options
from dip.system.memory import free_bytes
from dip.system.text import gibibytes

Report = Callable[[float], None]  # called with the share of the work that is done, in (0, 1]
Restore = Callable[..., NDArray[np.float64]]
Memory = Callable[[NDArray[np.bool_], int, Any], float]


NO_OPTIONS = Options()


def silent(_: float) -> None:
    """Ignore how much of the work is done."""


@dataclass(frozen=True)
class Fill:
    """A fill and its description.

    Attributes:
        name: its name in suites.
        function: fills a hole; `restore` calls it.
        summary: one line on how it fills.
        source: the paper or library that it follows.
        options: what can be set, with its values; for a fill with options, `function` takes them
            as `options`.
        packages: packages that the function imports; the extra `fills` installs them.
        quick_pixels: largest image, in pixels, that is filled within about 0.1 s (measured for a
            box and for 50 % and 95 % of the pixels missing).
        slow: whether 128x128 pixels may take more than a second; it is then not part of
            `fill: all`.
        has_progress: whether `function` takes `report`, which it calls with the share of the work
            that is done.
        cost: what to expect, in words, of a fill that may take long.
        memory: estimate of the bytes that it needs, from the hole (H, W), the number of channels
            and the options; None where it needs little beside the image.
        version: increases when its output changes.
        order: position in lists; fills without one come last, by name.
    """

    name: str
    function: Restore
    summary: str
    source: str
    options: Options = NO_OPTIONS
    packages: tuple[str, ...] = ()
    quick_pixels: int = 0
    slow: bool = False
    has_progress: bool = False
    cost: str = ""
    memory: Memory | None = None
    version: int = 1
    order: float = inf

    def with_settings(self, settings: Mapping[str, Any]) -> "Fill":
        """The fill with options changed.

        Args:
            settings: values by option, e.g. `{"radius": 5}`.

        Returns:
            The fill; its other options keep their values.

        Raises:
            InputError: it has no such option, or the value does not fit.
        """
        kind = type(self.options)
        if settings and not kind.model_fields:
            raise InputError(f"the fill '{self.name}' has no options; leave out {_named(settings)}")
        try:
            options = kind.model_validate({**self.options.model_dump(), **settings})
        except ValidationError as error:
            raise InputError(explain(error, kind)) from None
        return replace(self, options=options)

    @property
    def has_defaults(self) -> bool:
        """Whether all options are at their defaults, for which cost and `quick_pixels` hold."""
        return self.options == type(self.options)()

    @property
    def canonical(self) -> dict[str, Any]:
        """Name and options, JSON-compatible, as keys of runs contain them.

        An option at its default is left out, so that one added later leaves stored runs valid. Its
        default must therefore change nothing; a change of a default needs a higher `version`.
        """
        settings = self.options.model_dump(mode="json", exclude_defaults=True)
        return {"fill": self.name, **({"options": settings} if settings else {})}

    def restore(
        self,
        masked: NDArray[np.floating[Any]],
        mask: NDArray[Any],
        seed: int = 0,
        report: Report = silent,
    ) -> NDArray[np.float64]:
        """Fill the hole of one image.

        Args:
            masked: (C, H, W) floats in [0, 1]; values in the hole are ignored.
            mask: (1, H, W), 1 = known, 0 = hole.
            seed: for fills that use random numbers.
            report: called with the share of the work that is done, if the fill has progress.

        Returns:
            (C, H, W) float64, known pixels unchanged and the hole filled.

        Raises:
            InputError: a package that the fill needs is not installed, the fill needs more memory
                than there is, or nothing is known.
        """
        hole = mask[0] == 0
        image = masked.astype(np.float64) * ~hole
        if not hole.any():
            return image
        if hole.all():
            raise InputError(f"the fill '{self.name}' has nothing to go by: all pixels are missing")
        self.load()
        self.check_memory(hole, masked.shape[0])
        keywords: dict[str, Any] = {}
        if type(self.options).model_fields:
            keywords["options"] = self.options
        if self.has_progress:
            keywords["report"] = report
        return self.function(image, mask, seed, **keywords)

    def check_memory(self, hole: NDArray[np.bool_], channels: int) -> None:
        """Refuse a hole for which the memory does not suffice.

        Args:
            hole: (H, W), True in the hole.
            channels: of the image.

        Raises:
            InputError: the estimate is above what is free.
        """
        free = free_bytes()
        needed = self.memory(hole, channels, self.options) if self.memory is not None else 0
        if free is not None and needed > free:
            raise InputError(
                f"the fill '{self.name}' needs about {gibibytes(needed)} of memory for a hole of"
                f" {int(hole.sum()):,} pixels, and {gibibytes(free)} are free; use a smaller image"
                " or another fill"
            )

    def load(self) -> None:
        """Import the packages of the fill, which may take a second; `restore` does it if needed.

        Raises:
            InputError: a package that the fill needs is not installed.
        """
        for package in self.packages:
            try:
                import_module(package)
            except ModuleNotFoundError as error:
                raise InputError(
                    f"the fill '{self.name}' needs the package '{error.name}'; the extra `fills`"
                    " of dip-bench has it"
                ) from None


def _named(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"'{name}'" for name in settings)
