"""What a photo says of itself beside its pixels, for the file that it is written to again.

Cameras, phones and programs write much that is not as the standards have it: what cannot be read is
left out, and is never a reason to fail.
"""

import math
import struct
import warnings
from contextlib import suppress
from typing import Any

from PIL import Image, PngImagePlugin, TiffImagePlugin

ORIENTATION, XMP, EXPOSURE, PLACE = 274, 700, 34665, 34853  # tags; the last two are directories
# Tags of TIFF 6.0 that say how and where pixels are stored, or that are kept in other ways.
STORAGE_TAGS = {
    *range(254, 260),
    *(262, 266, 273, ORIENTATION, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 330),
    *(338, 339, 347, 512, 513, 514, 519, 520, 521, 529, 530, 531, 532, XMP, EXPOSURE, 34675, PLACE),
}
# Photoshop's resources, among which is a picture of the photo as it was; where another directory
# of EXIF data was.
LEFT_OUT = {34377, 40965}
PREFIX = b"Exif\0\0"
ASCII, BYTE = 2, 1  # types of a tag's value


def exif_of(picture: Image.Image) -> Image.Exif:
    """A picture's EXIF data, empty where they cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exif = picture.getexif()
            exif.get(ORIENTATION)
    except Exception:  # of the many that Pillow has for what is malformed
        return Image.Exif()
    return exif


def exif_bytes(picture: Image.Image) -> bytes | None:
    """EXIF data for a JPEG, PNG or WebP, without a thumbnail: it would go on showing the hole."""
    if "exif" in picture.info:
        exif = without_thumbnail(picture.info["exif"])
    else:
        rebuilt = _rebuilt(exif_of(picture))
        exif = rebuilt.tobytes() if len(rebuilt) else b""
    if not exif:
        return None
    return exif if exif.startswith(PREFIX) else PREFIX + exif


def xmp_of(picture: Image.Image) -> bytes | None:
    """XMP as Pillow has it, which knows by then how the photo is turned."""
    xmp = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    return xmp.encode() if isinstance(xmp, str) else xmp


def dpi_of(picture: Image.Image) -> tuple[float, float] | None:
    """Pixels per inch, where they are numbers; some files have 0/0."""
    try:
        x, y = (float(each) for each in picture.info["dpi"])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def tiff_tags(picture: Image.Image) -> TiffImagePlugin.ImageFileDirectory_v2:
    """The tags of a TIFF, or what the EXIF data of another format say as such."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        for tag, value in picture.tag_v2.items():
            if tag not in STORAGE_TAGS | LEFT_OUT:
                _put(tags, tag, value, picture.tag_v2.tagtype[tag])
    rebuilt = _rebuilt(exif_of(picture))
    for tag in rebuilt:
        if tag not in tags:
            _put(tags, tag, rebuilt[tag])
    if xmp := xmp_of(picture):
        _put(tags, XMP, xmp, BYTE)
    return tags


def _put(
    tags: TiffImagePlugin.ImageFileDirectory_v2, tag: int, value: Any, kind: int | None = None
) -> None:
    if isinstance(value, str):  # read as Latin-1, but Pillow would write it as ASCII
        value, kind = value.encode("latin-1", "replace"), ASCII
    if kind is not None:
        tags.tagtype[tag] = kind
    tags[tag] = value


def _rebuilt(exif: Image.Exif) -> Image.Exif:
    """What EXIF data say, but for how pixels were stored; empty where Pillow cannot write it."""
    result = Image.Exif()
    result.endian = exif.endian
    for tag in exif:
        with suppress(Exception):  # one that is malformed
            if tag in (EXPOSURE, PLACE):
                inside = exif.get_ifd(tag).items()
                result[tag] = {key: value for key, value in inside if key not in LEFT_OUT}
            elif tag == ORIENTATION or tag not in STORAGE_TAGS | LEFT_OUT:
                result[tag] = exif[tag]
    try:
        result.tobytes()
    except Exception:  # likewise
        return Image.Exif()
    return result


def png_chunks(picture: Image.Image) -> PngImagePlugin.PngInfo:
    """Texts, XMP, and what makes the numbers colours (PNG, third edition, section 11.3)."""
    chunks = PngImagePlugin.PngInfo()
    texts = dict(getattr(picture, "text", {}))
    texts.pop("Raw profile type exif", None)  # ImageMagick's way to write EXIF data
    for key, text in texts.items():
        if isinstance(text, PngImagePlugin.iTXt):
            chunks.add_itxt(key, text, text.lang or "", text.tkey or "")
        else:
            chunks.add_text(key, text)
    if (xmp := xmp_of(picture)) and "XML:com.adobe.xmp" not in texts:
        chunks.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    if picture.format == "PNG":
        info = picture.info
        if "gamma" in info:
            chunks.add(b"gAMA", struct.pack(">I", round(info["gamma"] * 100_000)))
        if "chromaticity" in info:
            points = (round(value * 100_000) for value in info["chromaticity"])
            chunks.add(b"cHRM", struct.pack(">8I", *points))
        if "srgb" in info:
            chunks.add(b"sRGB", bytes([info["srgb"]]))
    return chunks


def without_thumbnail(exif: bytes) -> bytes:
    """EXIF data without their second directory, that of a thumbnail (EXIF 2.3, section 4.5.8).

    Everything else keeps its place, on which the makers' own notes depend.
    """
    start = 0
    while exif.startswith(PREFIX, start):  # some have it twice
        start += len(PREFIX)
    data = bytearray(exif)
    with suppress(KeyError, struct.error):  # where it is laid out as no standard has it
        order = {b"II": "<", b"MM": ">"}[bytes(data[start : start + 2])]
        (first,) = struct.unpack_from(order + "I", data, start + 4)
        (count,) = struct.unpack_from(order + "H", data, start + first)
        link = start + first + 2 + 12 * count
        (second,) = struct.unpack_from(order + "I", data, link)
        if not second:
            return exif
        struct.pack_into(order + "I", data, link, 0)
        (count,) = struct.unpack_from(order + "H", data, start + second)
        fields = {}
        for index in range(count):
            at = start + second + 2 + 12 * index
            tag, _, _, value = struct.unpack_from(order + "HHII", data, at)
            fields[tag] = value
        # Where it is and how long: as a JPEG, or as plain pixels.
        offset, length = (513, 514) if 513 in fields else (273, 279)
        begin = start + fields[offset]
        part = data[begin : begin + fields[length]]
        data[begin : begin + len(part)] = bytes(len(part))
    return bytes(data)
