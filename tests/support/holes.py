"""Holes in images without content."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets import Image, make_mask, parse_mask

Golden = list[tuple[Any, str]]  # settings, and the SHA-256 of what they draw; see test_masks.py


def black(height: int, width: int, name: str = "x") -> Image:
    """An image of that size."""
    return Image(name, np.zeros((3, height, width), np.uint8))


def missing(entry: Any, height: int = 64, width: int = 96) -> NDArray[np.bool_]:
    """(H, W): which pixels a hole takes away."""
    return make_mask(parse_mask(entry), black(height, width))[0] == 0
