"""The nearest known pixel, by Euclidean distance."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt


def restore(masked: NDArray[np.float64], mask: NDArray[Any], seed: int = 0) -> NDArray[np.float64]:
    """See `dip.fills`."""
    hole = mask[0] == 0
    rows, columns = distance_transform_edt(hole, return_distances=False, return_indices=True)
    return masked[:, rows, columns]
