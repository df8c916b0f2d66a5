"""A photo's file, written again: format, metadata and compression as its source had them.

The thumbnail inside EXIF data is left out, because it would go on showing what was in the hole.
"""

import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from dip.errors import InputError

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
# Tags of TIFF 6.0 that say how pixels are stored, and where; the new file has its own.
STORAGE_TAGS = {
    *range(254, 260), *(262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324),
    *(325, 330, 338, 339, 347, 512, 513, 514, 519, 520, 521, 529, 530, 531, 532),
    *(34665, 34675, 34853),  # where EXIF, colour profile and GPS were
}  # fmt: skip


def check_format(path: Path, mode: str) -> None:
    """Raises InputError if a photo of that mode cannot be written there as it is."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: the output is one of {', '.join(FORMATS)}")
    name = FORMATS[path.suffix.lower()]
    if mode not in MODES[name]:
        able = " or ".join(each for each, modes in MODES.items() if mode in modes)
        raise InputError(f"{path}: {name} does not hold a photo of mode {mode}; {able} does")


def save(result: Image.Image, source: Image.Image, path: Path) -> None:
    """Write the photo, whole or not at all; raises InputError if it cannot be written.

    source: the picture it was made from, whose file's metadata and compression it gets.
    """
    name = FORMATS[path.suffix.lower()]
    write(result, path, name, _options(name, result.mode, source))


def write(picture: Image.Image, path: Path, name: str, options: dict[str, Any]) -> None:
    """Write a picture beside its place and move it there; raises InputError if that fails."""
    partial = path.with_name(f".{path.name}-partial")
    try:
        picture.save(partial, format=name, **options)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        with suppress(OSError):
            partial.unlink()


def _options(name: str, mode: str, source: Image.Image) -> dict[str, Any]:
    info = source.info
    options: dict[str, Any] = {"icc_profile": info.get("icc_profile")}
    if "exif" in info:
        options["exif"] = without_thumbnail(info["exif"])
    elif name != "TIFF" and source.format == "TIFF":
        exif = source.getexif()
        for tag in STORAGE_TAGS - {34665, 34853}:
            exif.pop(tag, None)
        options["exif"] = exif.tobytes()
    if "dpi" in info:
        options["dpi"] = info["dpi"]
    if xmp := info.get("xmp") or info.get("XML:com.adobe.xmp"):
        options["xmp"] = xmp if isinstance(xmp, bytes) else xmp.encode()
    options |= _OF_FORMAT[name](mode, source)
    return {key: value for key, value in options.items() if value is not None}


def _png(_: str, source: Image.Image) -> dict[str, Any]:
    chunks = PngImagePlugin.PngInfo()
    for key, text in getattr(source, "text", {}).items():
        if isinstance(text, PngImagePlugin.iTXt):
            chunks.add_itxt(key, text, text.lang or "", text.tkey or "", zip=len(text) > 1000)
        else:
            chunks.add_text(key, text)
    xmp = source.info.get("xmp")
    if xmp and "XML:com.adobe.xmp" not in getattr(source, "text", {}):
        chunks.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    return {"pnginfo": chunks, "transparency": source.info.get("transparency"), "xmp": None}


def _jpeg(_: str, source: Image.Image) -> dict[str, Any]:
    options: dict[str, Any] = {"comment": source.info.get("comment")}
    if not isinstance(source, JpegImagePlugin.JpegImageFile):
        return {**options, "quality": JPEG_QUALITY, "subsampling": 0}
    # With the source's own tables most blocks of known pixels come out as they were.
    options["qtables"] = source.quantization
    sampling = JpegImagePlugin.get_sampling(source)
    if sampling != -1:
        options["subsampling"] = sampling
    options["progressive"] = bool(source.info.get("progressive"))
    return options


def _webp(_: str, source: Image.Image) -> dict[str, Any]:
    was_lossy = source.format in ("JPEG", "MPO") or _is_lossy_webp(source)
    if was_lossy:
        return {"quality": JPEG_QUALITY}
    return {"lossless": True, "exact": True}  # colours below full transparency, too


def _is_lossy_webp(source: Image.Image) -> bool:
    """By the kind of its first chunk with pixels (RFC 9649, section 2.5)."""
    if source.format != "WEBP":
        return False
    with Path(getattr(source, "filename", "")).open("rb") as file:
        head = file.read(2**20)
    lossy, lossless = head.find(b"VP8 "), head.find(b"VP8L")
    return lossy >= 0 and (lossless < 0 or lossy < lossless)


def _tiff(mode: str, source: Image.Image) -> dict[str, Any]:
    compression = source.info.get("compression", "raw")
    if compression not in LOSSLESS_TIFF and not (compression == "group4" and mode == "1"):
        compression = "tiff_adobe_deflate"
    options: dict[str, Any] = {"compression": compression}
    if isinstance(source, TiffImagePlugin.TiffImageFile):
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        for tag, value in source.tag_v2.items():
            if tag not in STORAGE_TAGS:
                tags.tagtype[tag] = source.tag_v2.tagtype[tag]
                tags[tag] = value
        exif = source.getexif()
        for pointer in (34665, 34853):
            if inside := exif.get_ifd(pointer):
                tags.tagtype.pop(pointer, None)
                tags[pointer] = dict(inside)
        options |= {"tiffinfo": tags, "dpi": None, "exif": None, "xmp": None}
    return options


_OF_FORMAT = {"PNG": _png, "JPEG": _jpeg, "WEBP": _webp, "TIFF": _tiff}


def without_thumbnail(exif: bytes) -> bytes:
    """EXIF data without its second directory, which holds a thumbnail (EXIF 2.3, section 4.5.8).

    Everything else keeps its place, on which the makers' own notes depend.
    """
    start = 6 if exif.startswith(b"Exif\0\0") else 0
    data = bytearray(exif)
    try:
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
        at, length = start + fields[513], fields[514]  # where the thumbnail is, and its size
        data[at : at + length] = bytes(len(data[at : at + length]))
    except (KeyError, struct.error):  # another one's layout: Pillow writes what it understood
        pass
    return bytes(data)
