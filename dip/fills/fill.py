"""A fill: a function that fills a hole, and its description."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.errors import InputError

Restore = Callable[[NDArray[np.float64], NDArray[Any], int], NDArray[np.float64]]


@dataclass(frozen=True)
class Fill:
    """A fill and its description.

    Attributes:
        name: its name in suites.
        function: fills a hole; `restore` calls it.
        summary: one line on how it fills.
        source: the paper or library that it follows.
        packages: packages that the function imports; the extra `fills` installs them.
        quick_pixels: largest image, in pixels, that is filled within about 0.1 s (measured for a
            box and for 50 % and 95 % of the pixels missing).
        version: increases when its output changes.
        order: position in lists; fills without one come last, by name.
    """

    name: str
    function: Restore
    summary: str
    source: str
    packages: tuple[str, ...] = ()
    quick_pixels: int = 0
    version: int = 1
    order: float = inf

    def restore(
        self, masked: NDArray[np.floating[Any]], mask: NDArray[Any], seed: int = 0
    ) -> NDArray[np.float64]:
        """Fill the hole of one image.

        Args:
            masked: (C, H, W) floats in [0, 1]; values in the hole are ignored.
            mask: (1, H, W), 1 = known, 0 = hole.
            seed: for fills that use random numbers.

        Returns:
            (C, H, W) float64, known pixels unchanged and the hole filled.

        Raises:
            InputError: a package that the fill needs is not installed.
        """
        self.load()
        return self.function(masked.astype(np.float64) * (mask != 0), mask, seed)

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
