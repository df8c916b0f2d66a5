"""What OpenCV's own fills have in common: they work on 8-bit images."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

RADIUS = 3  # pixels; that of OpenCV's own example


def inpaint(masked: NDArray[np.float64], mask: NDArray[Any], method: int) -> NDArray[np.float64]:
    """Fill by `cv2.inpaint`. method: `cv2.INPAINT_TELEA` or `cv2.INPAINT_NS`."""
    import cv2

    hole = mask[0] == 0
    image = masked.transpose(1, 2, 0)
    pixels = np.round(image * 255).astype(np.uint8)
    found = cv2.inpaint(pixels, hole.astype(np.uint8), RADIUS, method)
    filled = image.copy()
    filled[hole] = found.reshape(image.shape)[hole] / 255
    return filled.transpose(2, 0, 1)
