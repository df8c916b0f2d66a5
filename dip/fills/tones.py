"""Reads the hole in a mask: by black and white, by colour or by transparency.

A mask is white where the image is known, by its first channel at half of white, as in Ulyanov et
al.'s code. Two other kinds of masks that people draw are understood, too:

- strokes of a colour on plain black or plain white: the colour stands for the other of the two;
- a transparent layer on which all is painted black, white or in a colour: what is transparent
  stands for the other one of black and white, or for white if the paint is a colour.

Suites read masks by it, too: it is the one module of `dip` that `datasets` imports.
"""

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Hole = Literal["black", "white", "transparent"]
WHITES = (1, 255, 65535)  # values of white; the smallest one that no value of the mask exceeds
MODES = (
    "1",
    "L",
    "LA",
    "RGB",
    "RGBA",
    "I;16",
    "I;16B",
    "I",
    "F",
)  # modes whose values are brightness levels
COLOURED = 0.25  # difference between channels, as a share of white; JPEG noise is smaller
PLAIN = 0.99  # share of pixels of one tone that is enough; JPEG ringing changes some
MOSTLY = 0.6  # share of the hole above which the mask is probably inverted


def shades_in(picture: Image.Image) -> NDArray[Any]:
    """The values of a picture of any mode, (H, W) or (H, W, C); alpha is the last of 2 or 4."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of palettes with transparency
        if picture.mode == "La":  # premultiplied alpha, which Pillow converts to LA only
            picture = picture.convert("LA")
        if picture.has_transparency_data and not picture.mode.startswith("I"):
            return np.asarray(picture.convert("RGBA"))
        # Values of a palette picture are indices, not brightness; those of CMYK are inks.
        return np.asarray(picture if picture.mode in MODES else picture.convert("RGB"))


def hole_in(
    shades: NDArray[Any], hole: Hole | None, which: str, transparent: str
) -> NDArray[np.bool_]:
    """The hole of a mask, (H, W), True in it.

    Args:
        shades: (H, W) or (H, W, C) of bool or numbers; alpha is the last of 2 or 4.
        hole: what marks the hole; None if the user has not said so, which means black.
        which: for messages, how the user says that it is white or black.
        transparent: for messages, how the user says that it is transparent.

    Raises:
        ValueError: the values are not brightness levels, or the hole is ambiguous.
    """
    if hole == "transparent":
        painted = _painted(shades)
        if painted is None:
            raise ValueError("has no transparent pixels beside opaque ones")
        return ~painted
    white = white_in(shades, f", or {transparent} if the hole is transparent")
    found = white if hole == "white" else ~white
    share = float(found.mean())
    if hole is None and MOSTLY < share < 1:
        raise ValueError(
            f"white = known (as here) makes {100 * share:.1f} % of the photo the hole, white = hole"
            f" {100 - 100 * share:.1f} %; {which}"
        )
    return found


def white_in(shades: NDArray[Any], hint: str = "") -> NDArray[np.bool_]:
    """Find the pixels that stand for white, (H, W); raises ValueError as `hole_in`.

    hint: for messages, what else the user can do about transparent pixels.
    """
    channels = _channels(shades)
    colours = channels[..., :3] if channels.shape[2] in (3, 4) else channels[..., :1]
    half = _white(colours) / 2
    white = colours[..., 0] > half
    coloured = colours.max(axis=2) - colours.min(axis=2) > 2 * COLOURED * half
    painted = _painted(shades)
    if painted is not None:
        if (white | coloured)[painted].mean() <= 1 - PLAIN or coloured[painted].mean() >= PLAIN:
            return ~painted
        if (white & ~coloured)[painted].mean() >= PLAIN:
            return painted
        raise ValueError(
            "has transparent pixels, and the others are not all black, all white or all of a"
            f" colour; flatten it{hint}"
        )
    if coloured.any() and not coloured.all():
        ground = white[~coloured].mean()
        if ground >= PLAIN:
            return white & ~coloured
        if ground <= 1 - PLAIN:
            return white | coloured
    return np.asarray(white)


def _painted(shades: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where a layer is painted, (H, W); None if it is everywhere or nowhere.

    Paint is at least half opaque; with a brush that is softer everywhere, any paint counts.
    """
    channels = _channels(shades)
    if channels.shape[2] not in (2, 4):
        return None
    alpha = channels[..., -1]
    painted = alpha > _white(alpha) / 2
    if not painted.any():
        painted = alpha > 0
    return painted if painted.any() and not painted.all() else None


def _channels(shades: NDArray[Any]) -> NDArray[Any]:
    channels = shades[..., None] if shades.ndim == 2 else shades
    return channels.astype(np.uint8) if channels.dtype == bool else channels


def _white(values: NDArray[Any]) -> int:
    """Find the value of white; raises ValueError if the values are not brightness levels."""
    if values.dtype.kind not in "uif":
        raise ValueError(f"has values of type {values.dtype}, not numbers or bool")
    if not (np.isfinite(values).all() and values.min() >= 0):
        raise ValueError("has negative or non-finite values")
    white = next((white for white in WHITES if values.max() <= white), None)
    if white is None:
        raise ValueError(f"its values go up to {values.max()}; white is 1, 255 or 65535")
    return white
