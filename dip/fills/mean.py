"""The mean colour of the known pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.fills.fill import Fill


def restore(masked: NDArray[np.float64], mask: NDArray[Any], seed: int) -> NDArray[np.float64]:
    """See `dip.fills`."""
    known = mask[0] != 0
    filled = masked.copy()
    filled[:, ~known] = masked.transpose(1, 2, 0)[known].mean(axis=0)[:, None]
    return filled


FILL = Fill(
    "mean",
    restore,
    summary="The mean of each channel over the known pixels.",
    source="this project",
    quick_pixels=2**19,
    order=1,
)
