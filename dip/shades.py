"""What is known by the shades of a mask: white is known, black is the hole.

The first channel counts, at a threshold of one half, as in Ulyanov et al.'s code.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.errors import InputError

WHITES = (1, 255, 65535)  # the least that none of the mask's values is above


def known_in(mask: NDArray[Any], size: tuple[int, int], name: str, of: str) -> NDArray[np.bool_]:
    """(H, W), True = known: above half of white, in the first channel.

    Args:
        mask: (H, W) or (H, W, C) of bool or numbers, white = known.
        size: height and width that it has to have.
        name: of the mask, in messages.
        of: what it is the mask of, in messages.

    Raises:
        InputError: another size, or values that are no shades.
    """
    if mask.ndim not in (2, 3):
        raise InputError(f"{name}: (H, W) or (H, W, C), not an array of shape {mask.shape}")
    shades = mask if mask.ndim == 2 else mask[..., 0]
    if shades.shape != size:
        raise InputError(
            f"{name}: {shades.shape[1]}x{shades.shape[0]} pixels, but the {of} has"
            f" {size[1]}x{size[0]}"
        )
    if shades.dtype == bool:
        return np.array(shades)
    is_number = shades.dtype.kind in "uif"
    if not (is_number and np.isfinite(shades).all() and shades.min() >= 0):
        raise InputError(f"{name}: holds values of {shades.dtype} that are no shades")
    white = next((white for white in WHITES if shades.max() <= white), None)
    if white is None:
        raise InputError(f"{name}: its values go up to {shades.max()}; white is 1, 255 or 65535")
    return np.asarray(shades > white / 2)
