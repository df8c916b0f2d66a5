"""Where a photo has its hole: from a mask, boxes or its own transparency, as the photo is shown.

Masks are white where the photo is known, unless somebody says otherwise; `dip.fills.tones` says
what counts as white.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dip.errors import InputError
from dip.fills.tones import Hole, hole_in, shades_in
from dip.inpainting.files.photo import Mask, open_picture, orientation_of, turned
from dip.training.pictures import check_mask_size

PHOTO = "photo as it is shown"
Box = tuple[int, int, int, int]  # x, y, width, height


def parse_box(text: str) -> Box:
    """`x,y,width,height` in pixels from the upper left corner; raises InputError."""
    number = r"\s*[0-9]{1,9}\s*"
    if not re.fullmatch(f"{number}(,{number}){{3}}", text):
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


def hole_marker(white: bool, black: bool, transparent: bool) -> Hole | None:
    """What the user says marks the hole; raises InputError if that is contradictory."""
    marker: dict[Hole, bool] = {"white": white, "black": black, "transparent": transparent}
    names = [name for name, is_marked in marker.items() if is_marked]
    if len(names) > 1:
        flags = " and ".join(f"`hole_is_{name}`" for name in names)
        raise InputError(f"{flags} exclude each other")
    return names[0] if names else None


def hole_in_file(path: Path, size: tuple[int, int], marker: Hole | None) -> Mask:
    """(H, W), True in the hole; raises InputError for a mask that does not fit the photo."""
    return hole_in_picture(open_picture(path), size, marker, str(path))


def hole_in_picture(
    mask: Image.Image, size: tuple[int, int], marker: Hole | None, name: str = "the mask"
) -> Mask:
    """The same of a picture that has been read."""
    return hole_in_array(turned(shades_in(mask), orientation_of(mask)), size, marker, name)


def hole_in_array(
    mask: NDArray[Any], size: tuple[int, int], marker: Hole | None, name: str = "the mask"
) -> Mask:
    """The same of an array, as `dip.inpaint` takes it."""
    check_mask_size(mask, size, name, PHOTO)
    which, transparent = "add `hole_is_white` or `hole_is_black`", "add `hole_is_transparent`"
    try:
        hole = hole_in(mask, marker, which, transparent)
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None
    channel = " by its first channel (red)" if mask.ndim == 3 and mask.shape[2] > 2 else ""
    if not hole.any():
        other = (
            "black, with `hole_is_black`" if marker == "white" else "white, with `hole_is_white`"
        )
        raise InputError(
            f"{name}: no pixel is in the hole: none is {marker or 'black'}{channel} (or {other})"
        )
    if hole.all():
        raise InputError(
            f"{name}: every pixel is in the hole{channel}, and nothing is known to fill it from"
        )
    return hole


def transparent_hole(visible: Mask, name: str = "the image") -> Mask:
    """(H, W), True where a photo is fully transparent; raises InputError if that is nowhere.

    visible: where it is not.
    """
    if visible.all():
        raise InputError(f"{name}: no pixel is fully transparent; give a mask or boxes")
    if not visible.any():
        raise InputError(f"{name}: every pixel is fully transparent, and nothing is known")
    return ~visible
