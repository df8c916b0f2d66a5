"""Where a hole is."""

import numpy as np
from numpy.typing import NDArray

Rectangle = tuple[slice, slice]  # rows and columns


def bounding_box(hole: NDArray[np.bool_], margin: int = 0) -> Rectangle:
    """Rows and columns of the smallest box around the hole, wider by a margin within the image.

    hole: (H, W), True in the hole, which has a pixel at least.
    """
    rows, columns = (
        slice(max(0, int(at[0]) - margin), min(int(at[-1]) + 1 + margin, side))
        for at, side in zip(
            (np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))),
            hole.shape,
            strict=True,
        )
    )
    return rows, columns
