"""Telea, Fast Marching Method, 2004: from the rim inwards, by what is within three pixels."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dip.fills.opencv import inpaint


def restore(masked: NDArray[np.float64], mask: NDArray[Any], seed: int = 0) -> NDArray[np.float64]:
    """See `dip.fills`."""
    return inpaint(masked, mask, cv2.INPAINT_TELEA)
