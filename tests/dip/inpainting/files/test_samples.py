"""Pixels of TIFF files as they are stored: given back as they were, or refused, or named."""

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from support.photo_files import filled_again

from dip.errors import InputError
from dip.inpainting.files.losses import losses
from dip.inpainting.files.photo import open_picture
from dip.inpainting.files.save import check_format

TYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64")
LAYOUTS: dict[str, tuple[int, dict[str, Any]]] = {
    "grey": (1, {"photometric": "minisblack"}),
    "zero is white": (1, {"photometric": "miniswhite"}),
    "grey, plain alpha": (2, {"photometric": "minisblack", "extrasamples": (2,)}),
    "grey, premultiplied": (2, {"photometric": "minisblack", "extrasamples": (1,)}),
    "grey, selection": (2, {"photometric": "minisblack", "extrasamples": (0,)}),
    "three of grey": (3, {"photometric": "minisblack"}),
    "RGB": (3, {"photometric": "rgb"}),
    "plain alpha": (4, {"photometric": "rgb", "extrasamples": (2,)}),
    "premultiplied": (4, {"photometric": "rgb", "extrasamples": (1,)}),
    "selection": (4, {"photometric": "rgb", "extrasamples": (0,)}),
    "spots": (5, {"photometric": "rgb", "extrasamples": (0, 0)}),
    "alpha and selection": (5, {"photometric": "rgb", "extrasamples": (2, 0)}),
    "CMYK": (4, {"photometric": "separated"}),
    "CMYK and spot": (5, {"photometric": "separated", "extrasamples": (0,)}),
}
WAYS: dict[str, dict[str, Any]] = {
    "strips": {},
    "tiles": {"tile": (16, 16)},
    "planes": {"planarconfig": "separate"},
    "packed planes": {"planarconfig": "separate", "compression": "zlib"},
    "packed": {"compression": "zlib", "predictor": False},
    "big-endian": {"byteorder": ">"},
    "big": {"bigtiff": True},
}


def _drawn(kind: str, channels: int) -> Any:
    random = np.random.default_rng(0)
    shape = (20, 24) if channels == 1 else (20, 24, channels)
    if kind.startswith("float"):
        return random.normal(0.5, 2, shape).astype(kind)  # beyond 0 and 1, too
    limits = np.iinfo(kind)
    return random.integers(limits.min, limits.max, shape, kind, endpoint=True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", TYPES)
def test_known_samples_are_the_same_or_it_is_said(
    tmp_path: Path, kind: str, layout: str, way: str
) -> None:
    """Held to tifffile, which reads and writes samples as they are."""
    channels, options = LAYOUTS[layout]
    pixels = _drawn(kind, channels)
    stored = np.moveaxis(pixels, 2, 0) if "planes" in way and channels > 1 else pixels
    source, out = tmp_path / "a.tif", tmp_path / "b.tif"
    tifffile.imwrite(source, stored, metadata=None, **options, **WAYS[way])
    try:
        picture = open_picture(source)
        check_format(out, picture)
        lost = losses(picture, out)
        filled_again(source, out)
    except InputError:
        return
    after = tifffile.imread(out)
    if lost:
        assert lost[-1].endswith(("channel", "channels", "of its colours"))
        assert after.ndim == pixels.ndim or "channel" in lost[-1]
        return
    assert (after.dtype, after.shape) == (pixels.dtype, pixels.shape)
    np.testing.assert_array_equal(after[10:], pixels[10:])


@pytest.mark.parametrize(
    ("kind", "layout"),
    [
        *(("uint8", each) for each in ("grey", "zero is white", "grey, plain alpha", "RGB")),
        *(("uint8", each) for each in ("plain alpha", "CMYK")),
        *((each, "grey") for each in ("uint16", "int32", "float32")),
    ],
)
def test_usual_samples_are_not_refused(tmp_path: Path, kind: str, layout: str) -> None:
    channels, options = LAYOUTS[layout]
    tifffile.imwrite(tmp_path / "a.tif", _drawn(kind, channels), metadata=None, **options)
    picture = open_picture(tmp_path / "a.tif")
    check_format(tmp_path / "b.tif", picture)
    assert losses(picture, tmp_path / "b.tif") == []


@pytest.mark.parametrize("photometric", ["miniswhite", "minisblack"])
def test_black_and_white_stay_what_they_are(tmp_path: Path, photometric: str) -> None:
    pixels = np.random.default_rng(0).random((20, 24)) < 0.5
    tifffile.imwrite(tmp_path / "a.tif", pixels, metadata=None, photometric=photometric)
    filled_again(tmp_path / "a.tif", tmp_path / "b.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif")[10:], pixels[10:])


@pytest.mark.parametrize(
    ("kind", "layout", "way", "message"),
    [
        (
            "uint32",
            "grey",
            "strips",
            "its samples are 32-bit unsigned numbers, which cannot be kept",
        ),
        ("int16", "grey", "strips", "its samples are 16-bit signed numbers, which cannot be kept"),
        ("uint16", "zero is white", "strips", "zero is white in it, which cannot be kept"),
        ("uint8", "premultiplied", "strips", "its colours are multiplied by its alpha"),
        ("uint16", "RGB", "planes", "its planes cannot be read"),
    ],
)
def test_samples_that_cannot_be_kept_are_called_what_they_are(
    tmp_path: Path, kind: str, layout: str, way: str, message: str
) -> None:
    channels, options = LAYOUTS[layout]
    pixels = _drawn(kind, channels)
    stored = np.moveaxis(pixels, 2, 0) if way == "planes" else pixels
    tifffile.imwrite(tmp_path / "a.tif", stored, metadata=None, **options, **WAYS[way])
    with pytest.raises(InputError, match=f"a.tif: {message}"):
        check_format(tmp_path / "b.png", open_picture(tmp_path / "a.tif"))


def test_a_transparent_colour_of_16_bits_is_refused(tmp_path: Path) -> None:
    pixels = _drawn("uint16", 3)
    assert cv2.imwrite(str(tmp_path / "a.png"), pixels)
    png = (tmp_path / "a.png").read_bytes()
    at = png.index(b"IDAT") - 4
    chunk = b"tRNS" + pixels[0, 0, ::-1].astype(">u2").tobytes()
    chunk = struct.pack(">I", 6) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "a.png").write_bytes(png[:at] + chunk + png[at:])
    with pytest.raises(InputError, match="a.png: its transparent colour has 16 bits, of which 8"):
        check_format(tmp_path / "b.png", open_picture(tmp_path / "a.png"))
