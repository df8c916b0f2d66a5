"""Telea, Fast Marching Method, 2004: from the rim inwards, by what is within three pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.fills.fill import Fill
from dip.fills.opencv import inpaint


def restore(masked: NDArray[np.float64], mask: NDArray[Any], seed: int) -> NDArray[np.float64]:
    """See `dip.fills`."""
    import cv2

    return inpaint(masked, mask, cv2.INPAINT_TELEA)


FILL = Fill(
    "telea",
    restore,
    summary="Fills from the rim inwards with weighted means over a radius of three pixels.",
    source="Telea, An Image Inpainting Technique Based on the Fast Marching Method, 2004;"
    " cv2.inpaint",
    packages=("cv2",),
    quick_pixels=2**16,
    order=5,
)
