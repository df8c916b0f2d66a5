"""Telea, Fast Marching Method, 2004: from the rim inwards, by what is within a radius."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.fills.fill import Fill
from dip.fills.opencv import RadiusOptions, inpaint


def restore(
    masked: NDArray[np.float64], mask: NDArray[Any], seed: int, options: RadiusOptions
) -> NDArray[np.float64]:
    """See `dip.fills`."""
    import cv2

    return inpaint(masked, mask, cv2.INPAINT_TELEA, options.radius)


FILL = Fill(
    "telea",
    restore,
    summary="Fills from the rim inwards with weighted means within a radius.",
    source="Telea, An Image Inpainting Technique Based on the Fast Marching Method, 2004;"
    " cv2.inpaint",
    options=RadiusOptions(),
    packages=("cv2",),
    quick_pixels=2**16,
    order=5,
)
