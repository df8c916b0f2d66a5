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
from dip.inpainting.files.blocks import with_chunks
from dip.inpainting.files.exif import EXPOSURE, PLACE
from dip.inpainting.files.metadata import (
    comment_of,
    dpi_of,
    exif_bytes,
    png_chunks,
    profile_of,
    shown_info,
    tiff_tags,
    xmp_of,
)
from dip.inpainting.files.samples import check_samples, mode_in_words
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
# Of libjpeg, and of RFC 9649, section 2.6.
LONGEST_SIDES = {"JPEG": 65_500, "WEBP": 16_383}
APPEARED = "appeared during the run and was not overwritten; move it"
YCCK = 2  # how an Adobe segment says that colours are luma and chroma, and black


def check_format(path: Path, picture: Image.Image) -> None:
    """Raises InputError if that photo cannot be written there as it is."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: the output is one of {', '.join(FORMATS)}")
    check_samples(picture, getattr(picture, "filename", "") or "the image")
    name, mode = FORMATS[path.suffix.lower()], picture.mode
    if mode not in MODES[name]:
        able = [each for each, modes in MODES.items() if mode in modes]
        hint = f"{' or '.join(able)} does" if able else "convert it to RGB before"
        words = mode_in_words(mode)
        raise InputError(f"{path}: {name} does not hold a photo of mode {words}; {hint}")
    if "transparency" in picture.info and name != "PNG":
        raise InputError(f"{path}: {name} does not hold a transparent colour; PNG does")
    longest = LONGEST_SIDES.get(name)
    if longest is not None and max(picture.size) > longest:
        raise InputError(f"{path}: a {name} has {longest} pixels a side at most; use .png")
    trial(path, picture)


def trial(path: Path, picture: Image.Image) -> bytes:
    """A corner of the photo, written as the whole will be; raises InputError if it cannot be."""
    name = FORMATS[path.suffix.lower()]
    corner, file = picture.crop((0, 0, min(8, picture.width), min(8, picture.height))), BytesIO()
    corner.info = shown_info(picture)
    _encode(corner, file, path, name, lambda: _options(name, picture.mode, picture))
    return file.getvalue()


def is_lossless(path: Path, source: Image.Image) -> bool:
    """Whether `save` gives every pixel back as it is."""
    name = FORMATS[path.suffix.lower()]
    return name in ("PNG", "TIFF") or (name == "WEBP" and "lossless" in _webp(source))


def save(result: Image.Image, source: Image.Image, path: Path, over: bool = True) -> None:
    """Write the photo, whole or not at all; raises InputError if it cannot be written.

    source: the picture it was made from, whose file's metadata and compression it gets. over: as
    for `write`.
    """
    name = FORMATS[path.suffix.lower()]
    write(result, path, name, _options(name, result.mode, source), over)


def write(
    picture: Image.Image, path: Path, name: str, options: dict[str, Any], over: bool = True
) -> None:
    """Write a picture beside its place and move it there; raises InputError if that fails.

    What was there gives its permissions; a link leads on to what it leads to. over: whether there
    may be a file already.
    """
    place = Path(os.path.realpath(path))
    try:
        with replacing(place, over=over) as partial:
            with partial.open("wb") as file:
                _encode(picture, file, path, name, lambda: options)
                file.flush()
                os.fsync(file.fileno())  # or a power cut may leave neither the old nor the new one
            if place.exists():
                shutil.copymode(place, partial)
    except FileExistsError:
        raise InputError(f"{path}: {APPEARED}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None


def _encode(
    picture: Image.Image, file: IO[bytes], path: Path, name: str, options: Callable[[], Any]
) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given = options()
            if chunks := given.pop("chunks", None):
                png = BytesIO()
                picture.save(png, format=name, **given)
                file.write(with_chunks(png.getvalue(), chunks))
            else:
                picture.save(file, format=name, **given)
    except Exception as error:  # Pillow has many, for sizes, metadata and values
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be written ({why})") from None


def _options(name: str, mode: str, source: Image.Image) -> dict[str, Any]:
    common = {"icc_profile": profile_of(source), "dpi": dpi_of(source)}
    match name:
        case "PNG":
            own = _png(mode, source)
        case "JPEG":
            own = _jpeg(source)
        case "WEBP":
            own = {**_webp(source), "exif": exif_bytes(source), "xmp": xmp_of(source)}
        case _:
            own = _tiff(mode, source)
    return {key: value for key, value in {**common, **own}.items() if value is not None}


def _png(mode: str, source: Image.Image) -> dict[str, Any]:
    chunks = png_chunks(source)
    key = source.info.get("transparency")
    own = {
        "chunks": chunks,
        "exif": exif_bytes(source),
        "transparency": key // 255 if mode == "1" and key is not None else key,
    }
    return own | ({"dpi": None} if "pHYs" in dict(chunks) else {})


def _jpeg(source: Image.Image) -> dict[str, Any]:
    said = {"exif": exif_bytes(source), "xmp": xmp_of(source), "comment": comment_of(source) or b""}
    if not isinstance(source, JpegImagePlugin.JpegImageFile):
        return {**said, "quality": JPEG_QUALITY, "subsampling": 0}
    # With the source's own tables known pixels change little, or not at all: of `astronaut` in
    # full colour 97 per cent of the blocks keep every level at quality 75, and 35 at 95.
    return {
        **said,
        "qtables": _tables(source),
        "subsampling": max(0, JpegImagePlugin.get_sampling(source)),  # or what Pillow cannot write
        "keep_rgb": _is_stored_as_rgb(source),
        "progressive": bool(source.info.get("progressive")),
    }


def _tables(source: JpegImagePlugin.JpegImageFile) -> list[list[int]]:
    """The table of each channel, whatever its number; those that have none get the last."""
    tables = [source.quantization[number] for _, _, _, number in source.layer]
    if source.info.get("adobe_transform") == YCCK and len(tables) == 4:
        return tables[:1]  # it is written as CMYK, to whose channels that of luma does most justice
    while len(tables) > 1 and tables[-1] == tables[-2]:
        tables.pop()
    return tables


def _is_stored_as_rgb(source: JpegImagePlugin.JpegImageFile) -> bool:
    """As libjpeg decides it (`default_decompress_parms`)."""
    if source.mode != "RGB" or "jfif" in source.info:
        return False
    if "adobe" in source.info:
        return source.info.get("adobe_transform") == 0
    return [each[0] for each in source.layer] == [*b"RGB"]


def _webp(source: Image.Image) -> dict[str, Any]:
    if source.format in ("JPEG", "MPO") or _is_lossy_webp(source):
        return {"quality": JPEG_QUALITY}
    return {"lossless": True, "exact": True}  # colours below full transparency, too


def _is_lossy_webp(source: Image.Image) -> bool:
    """By the kind of its chunk with pixels (RFC 9649, section 2.5)."""
    return source.format == "WEBP" and "VP8 " in dict(source.info.get("blocks", []))


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
