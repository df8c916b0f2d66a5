"""Writes EXIF data anew: the fields keep their bytes, and pictures are left out.

What is in no field of a directory that is known, as the thumbnail behind the second one, is not
there any more. Fields that may hold a picture, as the makers' own notes with their previews, are
left out: nobody but the maker can read them.
"""

import struct
from typing import Any

from dip.inpainting.files.hidden import is_iptc, is_short, may_hide

PREFIX = b"Exif\0\0"
ORIENTATION, EXPOSURE, PLACE, INTEROPERABILITY = 274, 34665, 34853, 40965
DIRECTORIES = (EXPOSURE, PLACE, INTEROPERABILITY)
IPTC, RESOURCES, LAYERS = 33723, 34377, 37724  # the last two are Photoshop's
# Photoshop's pictures of the photo as it was; where pixels or other pictures are.
LEFT_OUT = {RESOURCES, LAYERS, 273, 279, 288, 289, 324, 325, 330, 347, 513, 514}
# Bytes per value of each type (TIFF 6.0, section 2).
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
BYTE, ASCII, SHORT, LONG, UNDEFINED = 1, 2, 3, 4, 7
TEXTS = {  # that may be in UTF-16: a comment, places, and what Windows writes
    *(37510, 27, 28),
    *range(40091, 40096),
}
# Tables of numbers: of brightness (TransferFunction), and of GeoTIFF.
TABLES = {301, 33550, 33922, 34264, 34735, 34736}

Field = tuple[int, int, bytes]  # type, count and value
Directory = dict[int, "Field | Directory"]


def keeps(tag: int, kind: int, value: bytes) -> bool:
    """Whether a field of EXIF data or of a TIFF is kept."""
    if tag in LEFT_OUT:
        return False
    if tag == IPTC:
        return is_iptc(value) or not may_hide(value)
    if tag in TEXTS:
        return not may_hide(value, "utf-8", "utf-16-le", "utf-16-be")
    if kind == ASCII:
        return not may_hide(value, "utf-8", "latin-1")
    if kind in (BYTE, UNDEFINED):
        return not may_hide(value)
    return is_short(value) or tag in TABLES


def cleaned_exif(exif: bytes, orientation: Any = None) -> bytes:
    """EXIF data without pictures, prefix included; empty if nothing of them can be read.

    orientation: as Pillow reads it, which reads some malformed data.
    """
    while exif.startswith(PREFIX):  # some have it twice
        exif = exif.removeprefix(PREFIX)
    order = {b"II": "<", b"MM": ">"}.get(exif[:2], "<")
    directory: Directory = {}
    if len(exif) >= 8:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        directory = _read(exif, order, start)
    if orientation in range(2, 9) and ORIENTATION not in directory:
        directory[ORIENTATION] = (SHORT, 1, struct.pack(order + "H", orientation))
    if not directory:
        return b""
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8)
    return PREFIX + head + _written(directory, order, 8)


def _read(exif: bytes, order: str, start: int, depth: int = 0) -> Directory:
    """Read the fields of a directory that are complete and are kept."""
    found: Directory = {}
    count = struct.unpack_from(order + "H", exif, start)[0] if start + 2 <= len(exif) else 0
    for at in range(start + 2, min(start + 2 + 12 * count, len(exif) - 11), 12):
        tag, kind, values = struct.unpack_from(order + "HHI", exif, at)
        size = SIZES.get(kind, 0) * values
        (offset,) = struct.unpack_from(order + "I", exif, at + 8)
        if tag in DIRECTORIES:
            if depth < 2 and (inner := _read(exif, order, offset, depth + 1)):
                found[tag] = inner
            continue
        begin = at + 8 if size <= 4 else offset
        value = exif[begin : begin + size]
        if size and len(value) == size and keeps(tag, kind, value):
            found[tag] = (kind, values, value)
    return found


def _written(directory: Directory, order: str, start: int) -> bytes:
    """Encode a directory at offset `start`, followed by the values that do not fit into it."""
    entries, behind = struct.pack(order + "H", len(directory)), b""
    for tag, field in sorted(directory.items()):
        place = start + 6 + 12 * len(directory) + len(behind)
        if isinstance(field, dict):
            kind, count, value = LONG, 1, _written(field, order, place)
        else:
            kind, count, value = field
        if isinstance(field, dict) or len(value) > 4:
            behind += value + b"\0" * (len(value) % 2)  # the next value starts at an even offset
            value = struct.pack(order + "I", place)
        entries += struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")
    return entries + bytes(4) + behind
