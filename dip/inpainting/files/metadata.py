"""What a photo says of itself beside its pixels, for the file that it is written to again.

Cameras, phones and programs write much that is not as the standards have it: what cannot be read is
left out, and is never a reason to fail. Neither does anything go along that may show the hole.
"""

import math
import warnings
import zlib
from contextlib import suppress
from typing import Any

from PIL import Image, TiffImagePlugin

from dip.inpainting.files.blocks import Block
from dip.inpainting.files.exif import (
    ASCII,
    BYTE,
    EXPOSURE,
    INTEROPERABILITY,
    ORIENTATION,
    PLACE,
    SIZES,
    UNDEFINED,
    cleaned_exif,
    keeps,
)
from dip.inpainting.files.hidden import SHORTEST_PICTURE, cleaned_xmp, is_short, is_text, may_hide

X_RESOLUTION = 282
XMP, XMP_TEXT, EXIF_TEXT = 700, "XML:com.adobe.xmp", "Raw profile type exif"
# Tags of TIFF 6.0 that say how and where pixels are stored, or that are kept in other ways.
STORAGE_TAGS = {
    *range(254, 260),
    *(262, 266, 273, ORIENTATION, 277, 278, 279, 284, 288, 289, 292, 293, 317, 320, 322, 323, 324),
    *(325, 330, 338, 339, 347, 512, 513, 514, 519, 520, 521, 529, 530, 531, 532, XMP, EXPOSURE),
    *(34675, PLACE),
}
# Chunks that go along as they are (PNG, third edition, 11.3, and its register of extensions); an
# unknown one where its name says that it is safe, in lower case at its end.
NUMBERS = (
    *("gAMA", "cHRM", "sRGB", "cICP", "mDCV", "cLLI", "pHYs", "sBIT", "bKGD", "hIST", "tIME"),
    *("oFFs", "pCAL", "sCAL", "sTER"),
)
TEXTS = ("tEXt", "zTXt", "iTXt")
ENCODINGS = ("utf-8", "latin-1")  # of them, and of comments
WRITTEN_BY_PILLOW = ("IHDR", "PLTE", "IDAT", "IEND", "tRNS", "iCCP", "eXIf")


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


def directory_of(exif: Image.Exif, tag: int) -> dict[int, Any]:
    """A directory inside EXIF data; empty if it cannot be read."""
    with suppress(Exception), warnings.catch_warnings():  # likewise
        warnings.simplefilter("ignore")
        return exif.get_ifd(tag)
    return {}


def exif_bytes(picture: Image.Image) -> bytes | None:
    """EXIF data for a JPEG, PNG or WebP."""
    exif = picture.info.get("exif") or _profile(picture, EXIF_TEXT)
    if not exif:
        rebuilt = _rebuilt(exif_of(picture))
        exif = rebuilt.tobytes() if len(rebuilt) else b""
    return cleaned_exif(exif, exif_of(picture).get(ORIENTATION)) if exif else None


def shown_info(picture: Image.Image) -> dict[Any, Any]:
    """Clean a picture's `info`, which is written when somebody saves the picture."""
    info: dict[Any, Any] = {}
    for key, value in picture.info.items():
        if key == "exif":
            info[key] = exif_bytes(picture) or b""
        elif key in ("xmp", XMP_TEXT):
            left = xmp_of(picture) or b""
            info[key] = left.decode() if isinstance(value, str) else left
        elif key in ("comment", "icc_profile"):
            goes_along = comment_of(picture) if key == "comment" else profile_of(picture)
            info |= {key: value} if goes_along else {}
        elif key not in ("blocks", "is_deep", "photoshop", "flashpix", "mp", "mpoffset"):
            is_hidden = isinstance(value, str) and (
                str(key).startswith("Raw profile type") or may_hide(value.encode())
            )
            info |= {} if is_hidden else {key: value}
    return info


def _profile(picture: Image.Image, name: str) -> bytes:
    """What ImageMagick writes into a text of a PNG: a name, a length, hexadecimal digits."""
    with suppress(KeyError, ValueError):
        return bytes.fromhex("".join(getattr(picture, "text", {})[name].split("\n")[3:]))
    return b""


def raw_xmp_of(picture: Image.Image) -> bytes:
    """XMP as Pillow has it, with the orientation that Pillow has applied."""
    xmp = picture.info.get("xmp") or picture.info.get(XMP_TEXT) or b""
    return xmp.encode() if isinstance(xmp, str) else xmp


def xmp_of(picture: Image.Image) -> bytes | None:
    """XMP for the file, None if there is none."""
    return cleaned_xmp(raw_xmp_of(picture))[0] or None


def profile_of(picture: Image.Image) -> bytes:
    """The colour profile, empty if there is none (ICC.1:2022, section 7.2)."""
    profile = picture.info.get("icc_profile") or b""
    return profile if profile[36:40] == b"acsp" else b""


def dpi_of(picture: Image.Image) -> tuple[float, float] | None:
    """Pixels per inch, where the file says so, in numbers; some have 0/0."""
    says = picture.info.get("jfif_unit") in (1, 2) or X_RESOLUTION in exif_of(picture)
    if picture.format in ("JPEG", "MPO", "TIFF") and not says:
        return None  # Pillow makes up a number
    try:
        x, y = (float(each) for each in picture.info["dpi"])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def comment_of(picture: Image.Image) -> bytes | None:
    """The comment of a JPEG or GIF."""
    comment = picture.info.get("comment")
    comment = comment.encode() if isinstance(comment, str) else comment
    return None if not comment or may_hide(comment, *ENCODINGS) else comment


def tiff_tags(picture: Image.Image) -> TiffImagePlugin.ImageFileDirectory_v2:
    """The tags of a TIFF, or what the EXIF data of another format say as such."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    exif = exif_of(picture)
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        for tag, value in picture.tag_v2.items():
            kind = picture.tag_v2.tagtype[tag]
            if tag not in STORAGE_TAGS and _goes_along(tag, value, kind):
                _put(tags, tag, value, kind)
        if picture.mode in ("1", "L") and picture.tag_v2.get(262) == 0:  # zero is white
            tags[262] = 0
    elif content := exif_bytes(picture):
        exif = Image.Exif()
        exif.load(content)
    rebuilt = _rebuilt(exif)
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


def _goes_along(tag: int, value: Any, kind: int | None = None) -> bool:
    """Whether a field is kept, by its value as Pillow reads it."""
    if isinstance(value, str):
        return keeps(tag, ASCII, value.encode("latin-1", "replace"))
    if isinstance(value, bytes):
        return keeps(tag, UNDEFINED, value)
    count = len(value) if isinstance(value, tuple) else 1
    return keeps(tag, kind or 4, b"\xff" * count * SIZES.get(kind or 4, 8))


def _rebuilt(exif: Image.Exif) -> Image.Exif:
    """What EXIF data say, but for how pixels were stored; empty where Pillow cannot write it."""
    result = Image.Exif()
    result.endian = exif.endian
    for tag in exif:
        with suppress(Exception):  # one that is malformed
            if tag in (EXPOSURE, PLACE):
                result[tag] = inside = _kept(directory_of(exif, tag))
                if inside.pop(INTEROPERABILITY, None) is not None:
                    inside[INTEROPERABILITY] = _kept(directory_of(exif, INTEROPERABILITY))
            elif tag == ORIENTATION or (tag not in STORAGE_TAGS and _goes_along(tag, exif[tag])):
                result[tag] = exif[tag]
    try:
        result.tobytes()
    except Exception:  # likewise
        return Image.Exif()
    return result


def _kept(directory: dict[int, Any]) -> dict[int, Any]:
    return {tag: value for tag, value in directory.items() if _goes_along(tag, value)}


def png_chunks(picture: Image.Image) -> list[Block]:
    """Chunks for a PNG: texts, XMP, and what makes the numbers colours."""
    blocks = picture.info.get("blocks", []) if picture.format == "PNG" else []
    # Their numbers are samples of the file's depth; pixels of other depths are written with 8 bits.
    depth = 8 if picture.mode in ("P", "1", "I;16") else _depth(blocks)
    chunks = []
    for kind, data in blocks:
        if kind in TEXTS:
            keyword, text = text_in(kind, data)
            is_other = keyword == XMP_TEXT or keyword.startswith("Raw profile type")
            goes_along = not is_other and text is not None and not may_hide(text, *ENCODINGS)
        else:
            is_safe = kind not in WRITTEN_BY_PILLOW and kind[3:].islower() and not may_hide(data)
            is_other = (kind == "sRGB" and profile_of(picture) != b"") or (
                kind in ("sBIT", "bKGD") and depth != 8
            )
            goes_along = (kind in NUMBERS or is_safe) and not is_other and is_short(data)
        if goes_along:
            chunks.append((kind, data))
    if xmp := xmp_of(picture):
        chunks.append(("iTXt", XMP_TEXT.encode() + bytes(5) + xmp))
    return chunks


def _depth(blocks: list[Block]) -> int:
    return blocks[0][1][8] if blocks and len(blocks[0][1]) > 8 else 8


def text_in(kind: str, data: bytes) -> tuple[str, bytes | None]:
    """Keyword and text of a PNG's chunk (11.3.3); the text is None if it cannot be fully read."""
    name, _, text = data.partition(b"\0")
    is_compressed = kind == "zTXt" or (kind == "iTXt" and text[:1] == b"\1")
    if kind == "zTXt":
        text = text[1:]
    elif kind == "iTXt":
        text = text[2:].split(b"\0", 2)[-1]  # behind its language and the keyword in that
    keyword, before = name.decode("latin-1"), data[: len(data) - len(text)]
    if is_compressed:
        decoder = zlib.decompressobj()
        try:
            text = decoder.decompress(text)
        except zlib.error:
            return keyword, None
        if not decoder.eof or decoder.unused_data:
            return keyword, None
    is_usual = len(before) <= SHORTEST_PICTURE and is_text(before.replace(b"\1", b""), *ENCODINGS)
    return keyword, text if is_usual else None
