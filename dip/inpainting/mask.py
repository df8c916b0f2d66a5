"""Where a photo has its hole: from a mask file, boxes or an array, as the photo is shown.

Masks are white where the photo is known and black in the hole, by their first channel at a
threshold of one half, as in Ulyanov et al.'s code.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dip.errors import InputError
from dip.inpainting.files.photo import Mask, open_picture, orientation_of, turned
from dip.training.pictures import known_in, shades_in

PHOTO = "photo as it is shown"
Box = tuple[int, int, int, int]  # x, y, width, height


def parse_box(text: str) -> Box:
    """`x,y,width,height` in pixels from the upper left corner; raises InputError."""
    if not re.fullmatch(r"\s*\d+\s*(,\s*\d+\s*){3}", text):
        raise InputError(
            f"`box` {text}: a box is x,y,width,height in whole pixels, as 120,40,64,32"
        )
    x, y, width, height = map(int, text.split(","))
    if not width or not height:
        raise InputError(f"`box` {text}: a box is at least one pixel wide and high")
    return x, y, width, height


def hole_of_boxes(boxes: Sequence[Box], size: tuple[int, int]) -> Mask:
    """(H, W), True in the boxes; raises InputError if one is not inside the photo."""
    hole = np.zeros(size, bool)
    for x, y, width, height in boxes:
        if x + width > size[1] or y + height > size[0]:
            raise InputError(
                f"`box` {x},{y},{width},{height}: reaches out of the photo of"
                f" {size[1]}x{size[0]} pixels"
            )
        hole[y : y + height, x : x + width] = True
    if hole.all():
        raise InputError("the boxes: every pixel is in them, and nothing is known to fill it from")
    return hole


def hole_in_file(path: Path, size: tuple[int, int], hole_is_white: bool) -> Mask:
    """(H, W), True in the hole; raises InputError for a mask that does not fit the photo."""
    return hole_in_picture(open_picture(path), size, hole_is_white, str(path))


def hole_in_picture(
    mask: Image.Image, size: tuple[int, int], hole_is_white: bool = False, name: str = "the mask"
) -> Mask:
    """The same of a picture that has been read."""
    known = known_in(turned(shades_in(mask), orientation_of(mask)), size, name, PHOTO)
    return _checked(known if hole_is_white else ~known, name)


def hole_in_array(mask: NDArray[Any], size: tuple[int, int], hole_is_white: bool = False) -> Mask:
    """(H, W), True in the hole, of a mask as `dip.inpaint` takes it."""
    known = known_in(mask, size, "the mask", PHOTO)
    return _checked(known if hole_is_white else ~known, "the mask")


def _checked(hole: Mask, name: str) -> Mask:
    if not hole.any():
        raise InputError(
            f"{name}: no pixel is in the hole: none is black (or white, with `hole_is_white`)"
        )
    if hole.all():
        raise InputError(
            f"{name}: every pixel is in the hole, and nothing is known to fill it from"
        )
    return hole
