"""Photos as cameras and programs write them, with what Pillow alone would not put into them."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from dip.inpainting.files.photo import open_picture, photo_in, with_hole
from dip.inpainting.files.save import save

ENDINGS = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif"}
BYTES = {"L": 1, "P": 1, "LA": 2, "I;16": 2, "I;16B": 2, "RGB": 3, "YCbCr": 3, "RGBA": 4}
BYTES |= {"CMYK": 4, "I": 4}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">a caption</x:xmpmeta>'
THUMBNAIL = b"\xff\xd8what was in the hole\xff\xd9"
EXPOSURE, PLACE, COMPATIBLE, SECOND, BEHIND = 1000, 1200, 1300, 1400, 1500  # where EXIF data has it
CAMERA = ("Camera & Co", "2024:05:06 07:08:09", b"a note", 1 / 250, "N", (48, 8, 12.34))


def directory(order: str, at: int, fields: dict[int, Any], following: int = 0) -> bytes:
    """A directory that stands at `at` (TIFF 6.0, section 2); a list is of fractions."""
    entries, values = struct.pack(order + "H", len(fields)), b""
    for tag, value in sorted(fields.items()):
        if isinstance(value, str):
            kind, count, data = 2, len(value) + 1, value.encode() + b"\0"
        elif isinstance(value, bytes):
            kind, count, data = 7, len(value), value
        elif isinstance(value, list):
            kind, count, data = 5, len(value) // 2, struct.pack(f"{order}{len(value)}I", *value)
        else:
            kind, count, data = 4, 1, struct.pack(order + "I", value)
        entries += struct.pack(order + "HHI", tag, kind, count)
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
        else:
            entries += struct.pack(order + "I", at + 6 + 12 * len(fields) + len(values))
            values += data
    return entries + struct.pack(order + "I", following) + values


def exif_data(
    order: str = "<", behind: bytes = THUMBNAIL, second: int = SECOND, **more: Any
) -> bytes:
    """EXIF data with a thumbnail (EXIF 2.3, section 4.5) as cameras write it.

    second: where the thumbnail's directory is said to be; main, thumbnail: fields of directories.
    """
    main = {271: CAMERA[0], 274: 6, 34665: EXPOSURE, 34853: PLACE, **more.get("main", {})}
    data = bytearray(BEHIND) + behind
    data[:8] = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8)
    for at, fields, following in (
        (8, {tag: value for tag, value in main.items() if value is not None}, second),
        (EXPOSURE, {33434: [1, 250], 36867: CAMERA[1], 37500: CAMERA[2], 40965: COMPATIBLE}, 0),
        (PLACE, {1: "N", 2: [48, 1, 8, 1, 1234, 100]}, 0),
        (COMPATIBLE, {1: "R98"}, 0),
        (SECOND, more.get("thumbnail", {259: 6, 513: BEHIND, 514: len(behind)}), 0),
    ):
        part = directory(order, at, fields, following)
        data[at : at + len(part)] = part
    return b"Exif\0\0" + bytes(data)


def tiff_file(compression: int, *, second: int = 0, main: dict[int, Any]) -> bytes:
    """A file that says the same of its camera, which Pillow would not write compressed."""
    strip = bytes(range(48)) * 192
    strip = zlib.compress(strip) if compression == 8 else strip
    storage = {256: 64, 257: 48, 258: 8, 259: compression, 262: 2, 273: BEHIND, 277: 3, 278: 48}
    return exif_data(behind=strip, second=second, main={**storage, 279: len(strip), **main})[6:]


def png_with(*chunks: tuple[bytes, bytes], png: bytes | None = None) -> bytes:
    """A PNG with chunks in front of its pixels."""
    png = png or encoded("PNG")
    at = png.index(b"IDAT") - 4
    packed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return png[:at] + b"".join(packed) + png[at:]


def jpeg_with(*segments: tuple[int, bytes], behind: bytes = b"") -> bytes:
    """A JPEG with segments, by marker, behind its first one, and with something behind it."""
    jpeg = encoded("JPEG")
    packed = [
        b"\xff" + struct.pack(">BH", marker, 2 + len(data)) + data for marker, data in segments
    ]
    return jpeg[:20] + b"".join(packed) + jpeg[20:] + behind


def webp_with(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP with chunks behind its pixels (RFC 9649, section 2.7)."""
    webp = encoded("WEBP", lossless=True, exif=exif_data())
    packed = [
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks
    ]
    body = webp[8:] + b"".join(packed)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def encoded(name: str, **options: Any) -> bytes:
    file = BytesIO()
    smooth().save(file, name, **options)
    return file.getvalue()


def camera(picture: Image.Image) -> tuple[Any, ...]:
    exif = picture.getexif()
    exposure, place = exif.get_ifd(34665), exif.get_ifd(34853)
    said = [exposure.get(tag) for tag in (36867, 37500, 33434)]
    return exif.get(271), *said, place.get(1), place.get(2)


def smooth(mode: str = "RGB", height: int = 48, width: int = 64, seed: int = 0) -> Image.Image:
    """Colours that change over 32 pixels, far from black and white."""
    random, bands = np.random.default_rng(seed), []
    for _ in range(BYTES[mode]):
        coarse = random.integers(60, 190, (height // 32 + 2, width // 32 + 2), np.uint8)
        bands.append(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    return Image.merge(mode, bands)


def shown(picture: Image.Image) -> NDArray[Any]:
    return np.array(ImageOps.exif_transpose(picture))


def filled_again(source: Path, out: Path) -> tuple[Any, Any]:
    """The picture of a file, and what is read again of it with a hole in its upper left corner."""
    picture = open_picture(source)
    colours = photo_in(picture).colours.copy()
    hole = np.zeros(colours.shape[:2], bool)
    hole[2:7, 3:9] = True
    colours[hole] = 255 - colours[hole]
    save(with_hole(picture, colours, hole), picture, out)
    return picture, open_picture(out)
