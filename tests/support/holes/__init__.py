"""What tests know of holes: modules named as those of `datasets.masks`, with `GOLDEN`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets import Image, make_mask, parse_mask
from dip.system.registry import modules_of

# Settings, and the SHA-256 of what they draw for 64x96 pixels of 'astronaut': of every kind with
# each of its choices, and with a hole_fraction where it has one.
Golden = list[tuple[Any, str]]


def black(height: int, width: int, name: str = "x") -> Image:
    """An image of that size."""
    return Image(name, np.zeros((3, height, width), np.uint8))


def missing(entry: Any, height: int = 64, width: int = 96) -> NDArray[np.bool_]:
    """(H, W): which pixels a hole takes away."""
    return make_mask(parse_mask(entry), black(height, width))[0] == 0


GOLDEN: Golden = [
    case for module in modules_of(__name__).values() for case in getattr(module, "GOLDEN", [])
]
