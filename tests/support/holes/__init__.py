"""Golden masks. Modules are named like those of `datasets.masks` and define `GOLDEN`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets import Image, make_mask, parse_mask
from dip.system.registry import modules_of

# Settings of a hole and the SHA-256 of its mask for an image 'astronaut' of 64x96 pixels. Every
# kind is here with each of its choices, and with a hole_fraction if it has one.
Golden = list[tuple[Any, str]]


def black(height: int, width: int, name: str = "x") -> Image:
    """A black image."""
    return Image(name, np.zeros((3, height, width), np.uint8))


def missing(entry: Any, height: int = 64, width: int = 96) -> NDArray[np.bool_]:
    """The missing pixels of a hole: (H, W), True = missing."""
    return make_mask(parse_mask(entry), black(height, width))[0] == 0


GOLDEN: Golden = [
    case for module in modules_of(__name__).values() for case in getattr(module, "GOLDEN", [])
]
