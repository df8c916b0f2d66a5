"""What must hold of a photo whose hole `dip inpaint` has filled, by other programs' readers.

Each function yields a line for each law that is broken, its kind before a colon.
"""

import base64
import collections
import io
import logging
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from support.trials.metadata import EXPOSURE, MARKER, VIDEO

Pixels = NDArray[Any]
Hole = NDArray[np.bool_]
ENOUGH = 16  # pixels of noise in a hole, which nothing draws again by chance
# Mean change of what is encoded again with the tables that it had; noise is cut at black and white.
JPEG_LEVELS, JPEG_LEVELS_OF_NOISE = 2.0, 25.0
SAID_OF_NOTHING = ((1, 1), (72, 72))  # by Pillow, of the resolution of TIFFs and JPEGs
COMMENTS = (b"tEXt", b"zTXt", b"iTXt")
CARRIED = (b"cICP", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"PLTE")
# What is lost, and the name that it has where the command says so.
NAMES_IN_NOTES = {
    **{"icc_profile": "colour profile", "dpi": "resolution", "comment": "comment", "XMP": "XMP"},
    **{"EXIF tag 271": "Make", "EXIF tag 305": "Software", "EXIF's date": "DateTimeOriginal"},
    **{"the video": "video of a motion photo", "texts": "text '"},
    **{f"chunk {kind.decode()}": f"chunk {kind.decode()}" for kind in CARRIED},
    "chunk pHYs": "pixel aspect",
}
logging.getLogger("tifffile").setLevel(logging.CRITICAL)
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_by_pillow(path: Path) -> Image.Image | None:
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Of a file by its name Pillow 13 maps what is not compressed, before it has been turned.
        picture = Image.open(io.BytesIO(path.read_bytes()))
        picture.load()
        return picture
    return None


def _orientation(path: Path) -> int:
    """As it is stored: Pillow turns a TIFF when it reads its pixels."""
    with suppress(Exception), Image.open(path) as picture:
        return picture.getexif().get(274, 1)
    return 1


def _turned(stored: Pixels, orientation: int) -> Pixels:
    """As it is shown (EXIF 2.3, tag 274)."""
    rows, columns = (1, -1)[orientation in (3, 4, 7, 8)], (1, -1)[orientation in (2, 3, 6, 7)]
    stored = stored.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else stored
    return stored[::rows, ::columns]


def readings(path: Path) -> dict[str, Pixels]:
    """(H, W, C) as it is shown, palettes looked up, by each program that reads it."""
    orientation, found = _orientation(path), {}
    is_tiff = path.suffix.lower() in (".tif", ".tiff")
    if (picture := read_by_pillow(path)) is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels = np.array(picture.convert("RGBA") if picture.mode == "P" else picture)
            found["Pillow"] = pixels if is_tiff else _turned(pixels, orientation)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    with suppress(cv2.error):  # of sizes that damaged files name
        by_opencv = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        if by_opencv is not None and not (is_tiff and orientation != 1):  # of which it turns some
            found["OpenCV"] = _turned(by_opencv, orientation)
    with suppress(Exception), tifffile.TiffFile(path) as file:
        page = file.pages.first
        pixels = page.asarray()
        kind = page.photometric.name
        if page.planarconfig == 2 and page.samplesperpixel > 1:
            pixels = np.moveaxis(pixels, 0, -1)
        if kind == "PALETTE":
            pixels = np.moveaxis(page.colormap[:, pixels], 0, -1)
        elif kind == "MINISWHITE" and pixels.dtype.kind in "bu":
            kind, pixels = "MINISBLACK", ~pixels
        found[f"tifffile, {kind}"] = _turned(pixels, orientation)
    return {name: np.atleast_3d(pixels) for name, pixels in found.items()}


def broken_pixels(source: Path, out: Path, hole: Hole, is_opened: bool, said: str) -> Iterator[str]:
    """Laws of the pixels.

    hole: (H, W), as the photo is shown; is_opened: whether it was transparent,
    and is opaque then; said: what the command printed.
    """
    before, after = read_by_pillow(source), read_by_pillow(out)
    if before is None or after is None:
        yield "unreadable: Pillow cannot read what was written"
        return
    was, now = readings(source), readings(out)
    modes = [picture.mode.rstrip("B") for picture in (before, after)]  # in either order of bytes
    shapes = [(mode, read["Pillow"].shape) for mode, read in zip(modes, (was, now), strict=True)]
    if shapes[0] != shapes[1]:
        yield f"another mode or size: {shapes[0]}, then {shapes[1]}"
        return
    if not is_lossless(source, before, out):
        if before.format == after.format == "JPEG":
            yield from _broken_blocks(was["Pillow"], now["Pillow"], hole)
        return
    is_same_format = before.format == after.format
    for name in was.keys() & now.keys() if is_same_format else ("Pillow",):
        yield from _changed(name, was[name], now[name], hole, said)
    if now["Pillow"].dtype.kind == "f" and not np.isfinite(now["Pillow"]).all():
        yield "not finite: there are numbers in the hole that are none"
    if before.mode in ("LA", "RGBA"):
        alpha = 255 if is_opened else was["Pillow"][hole, -1]
        if (now["Pillow"][hole, -1] != alpha).any():
            yield "alpha: it is another one in the hole"


def is_lossless(source: Path, photo: Image.Image, out: Path) -> bool:
    if out.suffix.lower() == ".webp":
        is_lossy_webp = photo.format == "WEBP" and b"VP8 " in source.read_bytes()
        return photo.format not in ("JPEG", "MPO") and not is_lossy_webp
    return out.suffix.lower() in (".png", ".tif", ".tiff")


def _changed(name: str, was: Pixels, now: Pixels, hole: Hole, said: str) -> Iterator[str]:
    if was.dtype.str[1:] == "u2" and now.dtype == np.uint8 and "16 bits" in said:
        was = (was >> 8).astype(np.uint8)
    if "further channel" in said:  # which are left out
        was = was[..., : now.shape[2]]
    if was.shape != now.shape or was.dtype.str[1:] != now.dtype.str[1:]:
        kinds = f"{was.dtype} {was.shape}, then {now.dtype} {now.shape}"
        yield f"other samples: {name} reads {kinds}"
        return
    known = ~hole
    changed = (was[known] != now[known]).any(axis=-1)
    if changed.any():
        first = np.argwhere(known)[changed.argmax()]
        yield (
            f"known pixels changed: {changed.sum()} of {known.sum()} as {name} reads them, from"
            f" {was[tuple(first)]} to {now[tuple(first)]}"
        )
    is_noise = len(np.unique(was[hole])) > ENOUGH
    if is_noise and (was[hole] == now[hole]).all() and "left as it is" not in said:
        yield "not filled: the hole is as it was"


def _broken_blocks(was: Pixels, now: Pixels, hole: Hole) -> Iterator[str]:
    """JPEG has blocks of up to 32 pixels, of which one that has no hole is encoded as it was."""
    near = cv2.dilate(hole.astype(np.uint8), np.ones((65, 65), np.uint8)) > 0
    change = np.abs(was.astype(int) - now)[~near]
    is_cut = np.isin(was, (0, 255)).mean() > 0.001
    if change.size and change.mean() > (JPEG_LEVELS_OF_NOISE if is_cut else JPEG_LEVELS):
        yield f"JPEG changed: by {change.mean():.1f} levels far from the hole"


def still_shows(data: bytes) -> str:
    """How `MARKER` is hidden in a file; empty for not at all."""
    streams = [data, *(inflated for kind, inflated in _inflated(data))]
    for stream in streams:
        text = re.sub(rb"\s|&#x[aAdD];|&#1[03];", b"", stream)
        if MARKER in stream:
            return "as it is"
        if MARKER.hex().encode() in text.lower():
            return "in hexadecimal digits"
        for shift in range(3):
            encoded = base64.b64encode(bytes(shift) + MARKER)
            if encoded[4 * (shift > 0) : -4] in text:
                return "in base64"
    return ""


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while data[:4] == b"\x89PNG" and at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _inflated(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for kind, content in png_chunks(data):
        for at in range(len(content)) if kind in (b"zTXt", b"iTXt", b"iCCP") else ():
            with suppress(zlib.error):
                yield kind, zlib.decompress(content[at:])


def _texts(data: bytes) -> collections.Counter[tuple[str, str]]:
    """Key and text of each, but for XMP and raw profiles."""
    found: collections.Counter[tuple[str, str]] = collections.Counter()
    for kind, content in png_chunks(data):
        key, _, text = content.partition(b"\0")
        if kind not in COMMENTS or key.startswith((b"XML:", b"Raw profile type")):
            continue
        if kind == b"zTXt":
            text = zlib.decompress(text[1:])
        if kind == b"iTXt":
            is_deflated = text[0]
            text = text[2:].split(b"\0", 2)[2]
            text = zlib.decompress(text) if is_deflated else text
        found[key.decode("latin-1"), text.decode("utf-8" if kind == b"iTXt" else "latin-1")] += 1
    return found


def _transparent_colour(chunks: dict[bytes, bytes]) -> NDArray[np.float64] | None:
    """As shares of white; of a palette, how opaque its entries are."""
    data, (depth, kind) = chunks.get(b"tRNS"), chunks[b"IHDR"][8:10]
    if data is None:
        return None
    if kind == 3:
        return np.frombuffer(data.rstrip(b"\xff") or b"\xff", np.uint8) / 255
    return np.frombuffer(data, ">u2") / (2**depth - 1)


def _is_near(one: NDArray[np.float64] | None, other: NDArray[np.float64] | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.shape == other.shape and np.allclose(one, other, atol=1 / 255)


def _has_lost(key: str, before: Image.Image, after: Image.Image) -> bool:
    was, now = before.info.get(key), after.info.get(key)
    if key != "dpi" or not was:
        return bool(was) and was != now
    if was in SAID_OF_NOTHING:
        return False
    with suppress(Exception):  # some have 0/0
        was = [float(each) for each in was]
        return now is None or not np.allclose(was, [float(each) for each in now], atol=0.6)
    return False


def lost_metadata(source: Path, out: Path, notes: str) -> Iterator[str]:
    """What the photo says of itself, and neither the file that was made of it nor a note."""
    for line in _lost_metadata(source, out):
        names = (name for what, name in NAMES_IN_NOTES.items() if line.startswith(f"lost: {what}"))
        if not any(name in notes for name in names):
            yield line


def _lost_metadata(source: Path, out: Path) -> Iterator[str]:
    before, after = read_by_pillow(source), read_by_pillow(out)
    if before is None or after is None:
        return
    keys = ["icc_profile", *(["comment"] if before.format == after.format else [])]
    for key in [*keys, *(["dpi"] if after.format != "WEBP" else [])]:
        if _has_lost(key, before, after):
            yield f"lost: {key}, {str(before.info[key])[:30]}, then {str(after.info.get(key))[:30]}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        was, now = before.getexif(), after.getexif()
        for tag in (271, 305):
            if was.get(tag) not in (None, now.get(tag)):
                yield f"lost: EXIF tag {tag}, {was[tag]!r}, then {now.get(tag)!r}"
        if was.get_ifd(EXPOSURE).get(36867) != now.get_ifd(EXPOSURE).get(36867):
            yield "lost: EXIF's date of exposure"
    data, written = source.read_bytes(), out.read_bytes()
    if b"a caption" in data and b"a caption" not in written:
        yield "lost: XMP"
    if data.endswith(VIDEO) and not written.endswith(VIDEO):
        yield "lost: the video behind the picture"
    if before.format == after.format == "PNG":
        yield from _lost_chunks(data, written)


def _lost_chunks(data: bytes, written: bytes) -> Iterator[str]:
    was, now = dict(png_chunks(data)), dict(png_chunks(written))
    for kind in CARRIED:
        if kind in was and was[kind] != now.get(kind):
            yield f"lost: chunk {kind.decode()}"
    if not _is_near(_transparent_colour(was), _transparent_colour(now)):
        yield f"lost: transparent colour, {was.get(b'tRNS')!r}, then {now.get(b'tRNS')!r}"
    if missing := _texts(data) - _texts(written):
        yield f"lost: texts {list(missing)}"
