"""Masks as people draw them: what suites and `dip inpaint` read in them is the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from datasets import DatasetError
from datasets.images import read_mask
from dip.errors import InputError
from dip.fills.tones import Hole
from dip.inpainting.mask import hole_in_array, hole_in_file

HOLE = np.zeros((24, 32), bool)
HOLE[9:15, 8:17] = True
KNOWN = np.where(HOLE, 0, 255).astype(np.uint8)
DRAWN = 255 - KNOWN  # white in the hole


def _layers(*channels: NDArray[np.uint8] | int, mode: str) -> Image.Image:
    size = (HOLE.shape[1], HOLE.shape[0])
    bands = [
        Image.new("L", size, each) if isinstance(each, int) else Image.fromarray(each)
        for each in channels
    ]
    return Image.merge(mode, bands)


def _palette() -> Image.Image:
    """Black and white by their colours, of which the numbers are the wrong way round."""
    picture = Image.fromarray(HOLE.astype(np.uint8), "P")
    picture.putpalette([255, 255, 255, 0, 0, 0])
    return picture


def _clear_palette() -> Image.Image:
    picture = _palette()
    picture.info["transparency"] = 1
    picture.putpalette([255, 255, 255, 255, 255, 255])
    return picture


def _shaded(low: int, high: int) -> NDArray[np.uint8]:
    return np.where(HOLE, low, high).astype(np.uint8)


noise = np.random.default_rng(0).integers(0, 256, HOLE.shape, np.uint8)
paint = np.where(HOLE, 30, noise).astype(np.uint8)  # of no meaning where it is transparent

# Files by name, each with what its hole is said to be.
UNDERSTOOD: dict[str, tuple[Image.Image, Hole | None]] = {
    "grey.png": (Image.fromarray(KNOWN), None),
    "the-other-way-round.png": (Image.fromarray(DRAWN), "white"),
    "grey.jpg": (Image.fromarray(KNOWN), None),
    "ones-and-zeros.png": (Image.fromarray(KNOWN // 255), None),
    "sixteen-bits.png": (Image.fromarray(KNOWN.astype(np.uint16) * 257), None),
    "one-bit.png": (Image.fromarray(KNOWN).convert("1"), None),
    "one-bit.bmp": (Image.fromarray(KNOWN).convert("1"), None),
    "palette.png": (_palette(), None),
    "palette-with-transparency.png": (_clear_palette(), None),
    "colours.jpg": (Image.fromarray(KNOWN).convert("RGB"), None),
    "inks.jpg": (Image.fromarray(KNOWN).convert("CMYK"), None),
    "opaque.png": (_layers(KNOWN, KNOWN, KNOWN, 255, mode="RGBA"), None),
    "red-on-white.png": (_layers(255, KNOWN, KNOWN, mode="RGB"), None),
    "red-on-white.jpg": (_layers(255, KNOWN, KNOWN, mode="RGB"), None),
    "green-on-white.png": (_layers(KNOWN, 255, KNOWN, mode="RGB"), None),
    "yellow-on-white.webp": (_layers(255, 255, KNOWN, mode="RGB"), None),
    "green-on-black.png": (_layers(0, DRAWN, 0, mode="RGB"), "white"),
    "red-on-black.jpg": (_layers(DRAWN, 0, 0, mode="RGB"), "white"),
    "white-cut-out.png": (_layers(255, 255, 255, KNOWN, mode="RGBA"), None),
    "grey-cut-out.png": (_layers(255, KNOWN, mode="LA"), None),
    "black-strokes.png": (_layers(0, 0, 0, DRAWN, mode="RGBA"), None),
    "black-strokes.webp": (_layers(0, 0, 0, DRAWN, mode="RGBA"), None),
    "soft-strokes.png": (_layers(0, 0, 0, DRAWN // 3, mode="RGBA"), None),
    "soft-strokes-said-to-be-known.png": (_layers(0, 0, 0, KNOWN // 3, mode="RGBA"), "transparent"),
    "white-strokes.png": (_layers(255, 255, 255, DRAWN, mode="RGBA"), "white"),
    "red-strokes.png": (_layers(_shaded(255, 0), 0, 0, DRAWN, mode="RGBA"), None),
    "strokes-over-noise.png": (_layers(paint, paint, paint, DRAWN, mode="RGBA"), None),
    "photo-cut-out.png": (_layers(noise, noise.copy(), noise, KNOWN, mode="RGBA"), "transparent"),
}
REFUSED: dict[str, tuple[Image.Image, Hole | None, str]] = {
    "mostly.png": (
        Image.fromarray(DRAWN),
        None,
        "mostly.png: white = known (as here) makes 93.0 % of the photo the hole, white = hole 7.0 %"
        "; add ",
    ),
    "white-on-a-layer.png": (
        _layers(255, 255, 255, DRAWN, mode="RGBA"),
        None,
        "makes 93.0 % of the photo the hole",
    ),
    "cut-out.png": (
        _layers(noise, noise, noise, KNOWN, mode="RGBA"),
        None,
        "cut-out.png: has transparent pixels, and the others are not all black, all white or all of"
        " a colour; flatten it, or add ",
    ),
    "nowhere.png": (
        Image.fromarray(KNOWN),
        "transparent",
        "nowhere.png: has no transparent pixels beside opaque ones",
    ),
}


def _both(path: Path, hole: Hole | None) -> list[NDArray[np.bool_]]:
    return [~read_mask(path, hole), hole_in_file(path, HOLE.shape, hole)]


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_a_mask_is_understood(name: str, tmp_path: Path) -> None:
    picture, hole = UNDERSTOOD[name]
    picture.save(tmp_path / name, quality=90)
    for found in _both(tmp_path / name, hole):
        if name.endswith((".jpg", ".webp")):  # whose colours are known for 2x2 pixels together
            assert (found != HOLE).mean() < 0.04
        else:
            np.testing.assert_array_equal(found, HOLE)


def test_a_mask_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # to be turned to the right
    turned = np.rot90(KNOWN)
    Image.fromarray(turned).save(tmp_path / "turned.png", exif=exif)
    for found in _both(tmp_path / "turned.png", None):
        np.testing.assert_array_equal(found, HOLE)


@pytest.mark.parametrize("name", REFUSED)
def test_a_mask_that_may_be_read_in_two_ways_is_asked_about(name: str, tmp_path: Path) -> None:
    picture, hole, message = REFUSED[name]
    picture.save(tmp_path / name)
    reads: list[tuple[Callable[[], Any], type[Exception]]] = [
        (lambda: read_mask(tmp_path / name, hole), DatasetError),
        (lambda: hole_in_file(tmp_path / name, HOLE.shape, hole), InputError),
    ]
    for read, error in reads:
        with pytest.raises(error) as caught:
            read()
        assert message in str(caught.value)


@given(arrays(np.bool_, (7, 9)))
def test_black_or_white_as_said_is_never_asked_about(hole: NDArray[np.bool_]) -> None:
    """Of any array, however much of it is the hole."""
    if hole.any() and not hole.all():
        np.testing.assert_array_equal(hole_in_array(~hole, (7, 9), "black"), hole)
        np.testing.assert_array_equal(hole_in_array(hole, (7, 9), "white"), hole)


def test_what_cannot_be_in_a_hole_is_said(tmp_path: Path) -> None:
    Image.new("RGB", (32, 24), (255, 0, 0)).save(tmp_path / "red.png")
    with pytest.raises(InputError, match=r"no pixel .* none is black by its first channel \(red\)"):
        hole_in_file(tmp_path / "red.png", HOLE.shape, None)
