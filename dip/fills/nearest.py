"""The nearest known pixel, by Euclidean distance."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.fills.fill import Fill


def restore(masked: NDArray[np.float64], mask: NDArray[Any], seed: int) -> NDArray[np.float64]:
    """See `dip.fills`."""
    from scipy.ndimage import distance_transform_edt

    hole = mask[0] == 0
    rows, columns = distance_transform_edt(hole, return_distances=False, return_indices=True)
    return masked[:, rows, columns]


FILL = Fill(
    "nearest",
    restore,
    summary="The nearest known pixel, by Euclidean distance.",
    source="scipy.ndimage.distance_transform_edt",
    packages=("scipy.ndimage",),
    quick_pixels=2**19,
    order=2,
)
