"""A photo's file, written again: format, metadata and compression as its source had them."""

import os
import shutil
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from PIL import Image, JpegImagePlugin, TiffImagePlugin

from dip.errors import InputError
from dip.inpainting.files.metadata import (
    EXPOSURE,
    PLACE,
    dpi_of,
    exif_bytes,
    png_chunks,
    tiff_tags,
    xmp_of,
)
from dip.system.files import replacing

FORMATS = {
    **{".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"},
    **{".tif": "TIFF", ".tiff": "TIFF"},
}
# The modes that a format gives back as they were.
MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B", "I", "F", "YCbCr", "CMYK"),
}
LOSSLESS_TIFF = ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "zstd")
JPEG_QUALITY = 95  # of a file whose source was none
LONGEST_WEBP_SIDE = 16_383


def check_format(path: Path, picture: Image.Image) -> None:
    """Raises InputError if that photo cannot be written there as it is."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: the output is one of {', '.join(FORMATS)}")
    name, mode = FORMATS[path.suffix.lower()], picture.mode
    if mode not in MODES[name]:
        able = [each for each, modes in MODES.items() if mode in modes]
        hint = f"{' or '.join(able)} does" if able else "convert it to RGB before"
        raise InputError(f"{path}: {name} does not hold a photo of mode {mode}; {hint}")
    if "transparency" in picture.info and name != "PNG":
        raise InputError(f"{path}: {name} does not hold a transparent colour; PNG does")
    if name == "WEBP" and max(picture.size) > LONGEST_WEBP_SIDE:
        raise InputError(f"{path}: a WebP has {LONGEST_WEBP_SIDE} pixels a side at most; use .png")
    corner = picture.crop((0, 0, min(8, picture.width), min(8, picture.height)))
    _encode(corner, BytesIO(), path, name, lambda: _options(name, mode, picture))


def is_lossless(path: Path, source: Image.Image) -> bool:
    """Whether `save` gives every pixel back as it is."""
    name = FORMATS[path.suffix.lower()]
    return name in ("PNG", "TIFF") or (name == "WEBP" and "lossless" in _webp(source))


def save(result: Image.Image, source: Image.Image, path: Path) -> None:
    """Write the photo, whole or not at all; raises InputError if it cannot be written.

    source: the picture it was made from, whose file's metadata and compression it gets.
    """
    name = FORMATS[path.suffix.lower()]
    write(result, path, name, _options(name, result.mode, source))


def write(picture: Image.Image, path: Path, name: str, options: dict[str, Any]) -> None:
    """Write a picture beside its place and move it there; raises InputError if that fails.

    What was there gives its permissions; a link leads on to what it leads to.
    """
    place = path.resolve()
    try:
        with replacing(place) as partial:
            with partial.open("wb") as file:
                _encode(picture, file, path, name, lambda: options)
                file.flush()
                os.fsync(file.fileno())  # or a power cut may leave neither the old nor the new one
            if place.exists():
                shutil.copymode(place, partial)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None


def _encode(
    picture: Image.Image, file: IO[bytes], path: Path, name: str, options: Callable[[], Any]
) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture.save(file, format=name, **options())
    except Exception as error:  # Pillow has many, for sizes, metadata and values
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be written ({why})") from None


def _options(name: str, mode: str, source: Image.Image) -> dict[str, Any]:
    common = {"icc_profile": source.info.get("icc_profile"), "dpi": dpi_of(source)}
    match name:
        case "PNG":
            transparency = source.info.get("transparency")
            own = {"pnginfo": png_chunks(source), "transparency": transparency}
            own["exif"] = exif_bytes(source)
        case "JPEG":
            own = _jpeg(source)
        case "WEBP":
            own = {**_webp(source), "exif": exif_bytes(source), "xmp": xmp_of(source)}
        case _:
            own = _tiff(mode, source)
    return {key: value for key, value in {**common, **own}.items() if value is not None}


def _jpeg(source: Image.Image) -> dict[str, Any]:
    said = {
        "exif": exif_bytes(source),
        "xmp": xmp_of(source),
        "comment": source.info.get("comment"),
    }
    if not isinstance(source, JpegImagePlugin.JpegImageFile):
        return {**said, "quality": JPEG_QUALITY, "subsampling": 0}
    # With the source's own tables known pixels change little, or not at all: of `astronaut` in
    # full colour 97 per cent of the blocks keep every level at quality 75, and 35 at 95.
    return {
        **said,
        "qtables": source.quantization,
        "subsampling": max(0, JpegImagePlugin.get_sampling(source)),  # or what Pillow cannot write
        "keep_rgb": source.mode == "RGB" and [each[0] for each in source.layer] == [*b"RGB"],
        "progressive": bool(source.info.get("progressive")),
    }


def _webp(source: Image.Image) -> dict[str, Any]:
    if source.format in ("JPEG", "MPO") or _is_lossy_webp(source):
        return {"quality": JPEG_QUALITY}
    return {"lossless": True, "exact": True}  # colours below full transparency, too


def _is_lossy_webp(source: Image.Image) -> bool:
    """By the kind of its first chunk with pixels (RFC 9649, section 2.5)."""
    if source.format != "WEBP":
        return False
    try:
        with Path(getattr(source, "filename", "")).open("rb") as file:
            head = file.read(2**20)
    except OSError:  # it was moved meanwhile
        return False
    lossy, lossless = head.find(b"VP8 "), head.find(b"VP8L")
    return lossy >= 0 and (lossless < 0 or lossy < lossless)


def _tiff(mode: str, source: Image.Image) -> dict[str, Any]:
    tags = tiff_tags(source)
    compression = source.info.get("compression", "raw")
    if compression not in LOSSLESS_TIFF and not (compression == "group4" and mode == "1"):
        compression = "tiff_adobe_deflate"
    if {EXPOSURE, PLACE} & {*tags}:  # which libtiff's writer does not take from Pillow
        compression = "raw"
    is_tiff = isinstance(source, TiffImagePlugin.TiffImageFile)
    own: dict[str, Any] = {"tiffinfo": tags, "compression": compression}
    return own | ({"dpi": None} if is_tiff else {})  # the tags say it
