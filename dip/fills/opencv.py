"""What OpenCV's own fills have in common: they work on 8-bit images and within a radius."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dip.options.base import Options


class RadiusOptions(Options):
    """The reach of `cv2.inpaint`."""

    radius: int = Field(
        3,
        ge=1,
        le=100,
        strict=True,
        description="pixels around a missing one that it is computed from; 3 in OpenCV's example",
    )


def inpaint(
    masked: NDArray[np.float64], mask: NDArray[Any], method: int, radius: int
) -> NDArray[np.float64]:
    """Fill by `cv2.inpaint`. method: `cv2.INPAINT_TELEA` or `cv2.INPAINT_NS`."""
    import cv2

    hole = mask[0] == 0
    filled = cv2.inpaint(to_pixels(masked), hole.astype(np.uint8), radius, method)
    return from_pixels(filled, masked, hole)


def to_pixels(masked: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The image (H, W, C) in 8-bit levels."""
    return np.round(masked.transpose(1, 2, 0) * 255).astype(np.uint8)


def from_pixels(
    pixels: NDArray[Any], masked: NDArray[np.float64], hole: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The image (C, H, W) with pixels (H, W) or (H, W, C) of 8-bit levels in its hole."""
    image = masked.transpose(1, 2, 0).copy()
    image[hole] = pixels.reshape(image.shape)[hole] / 255
    return image.transpose(2, 0, 1)
