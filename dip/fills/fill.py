"""What a fill is: a function that restores, and its description."""

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
    """A fill, described.

    Attributes:
        name: as suites name it.
        function: what `restore` calls.
        summary: one line on how it fills.
        source: the paper or the library that it follows.
        packages: those that the function imports; the extra `fills` has them.
        quick_pixels: images of up to so many pixels are filled within about a tenth of a second
            (measured for a box and for half and 95 % of the pixels missing).
        version: counts up when its numbers change.
        order: where lists show it; fills without one come last, by name.
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
            masked: (C, H, W) floats in [0, 1]; what stands in the hole does not matter.
            mask: (1, H, W), 1 = known, 0 = hole.
            seed: for fills that draw at random.

        Returns:
            (C, H, W) float64: the known pixels as they were, the hole filled.

        Raises:
            InputError: a package that the fill needs is not installed.
        """
        self.load()
        return self.function(masked.astype(np.float64) * (mask != 0), mask, seed)

    def load(self) -> None:
        """Import the packages, which may take a second. `restore` does so where it is not done.

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
