"""Reads blocks of a photo's file that Pillow does not show: chunks, and data behind a JPEG."""

import struct
import zlib
from collections.abc import Iterator, Sequence

Block = tuple[str, bytes]  # a chunk's type and content; of a JPEG, BEHIND and all that follows it

BEHIND = "behind"
PIXELS = ("IDAT", "fdAT", "VP8 ", "VP8L", "ALPH")  # whose content is not kept
LATE = ("bKGD", "hIST")  # stand behind the palette, others before it (PNG, third edition, 5.6)
PNG_START, HEADER_END = 8, 33  # behind the signature; behind the first chunk, IHDR
# Markers of a JPEG that stand alone (ITU-T T.81, table B.1), and 0, behind a byte 255 of the data.
ALONE = (0x00, 0x01, *range(0xD0, 0xD9))
END_OF_IMAGE = 0xD9


def blocks_in(content: bytes, name: str | None) -> list[Block]:
    """List the blocks of a file. name: Pillow's name of the format. A cut-off file has fewer."""
    if name in ("JPEG", "MPO"):
        return [(BEHIND, content[_end_of_jpeg(content) :])]
    if name not in ("PNG", "WEBP"):
        return []
    return [
        (kind, b"" if kind in PIXELS else content[start:end])
        for kind, start, end in _chunks(content, is_png=name == "PNG")
    ]


def with_chunks(png: bytes, chunks: Sequence[Block]) -> bytes:
    """Add chunks to a PNG, each at a place that its type allows."""
    data = next(start - 8 for kind, start, _ in _chunks(png, is_png=True) if kind == "IDAT")
    early = b"".join(_packed(*chunk) for chunk in chunks if chunk[0] not in LATE)
    late = b"".join(_packed(*chunk) for chunk in chunks if chunk[0] in LATE)
    return png[:HEADER_END] + early + png[HEADER_END:data] + late + png[data:]


def _packed(kind: str, data: bytes) -> bytes:
    body = kind.encode("latin-1") + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def _chunks(content: bytes, *, is_png: bool) -> Iterator[tuple[str, int, int]]:
    """Types, and where their contents begin and end (PNG, 5.3; RIFF as in RFC 9649, 2.3)."""
    at = PNG_START if is_png else 12
    while at + 8 <= len(content):
        first, second = content[at : at + 4], content[at + 4 : at + 8]
        kind, size = (
            (second, int.from_bytes(first, "big"))
            if is_png
            else (first, int.from_bytes(second, "little"))
        )
        yield kind.decode("latin-1"), at + 8, at + 8 + size
        at += 8 + size + (4 if is_png else size % 2)


def _end_of_jpeg(content: bytes) -> int:
    """Where the first picture of a file ends (ITU-T T.81, annex B)."""
    at = 2
    while 0 <= (at := content.find(b"\xff", at)) < len(content) - 3:
        marker = content[at + 1]
        if marker == END_OF_IMAGE:
            break
        if marker == 0xFF:  # any number of them may stand before a marker
            at += 1
        elif marker in ALONE:
            at += 2
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    is_end = content[at : at + 2] == b"\xff\xd9"
    return at + 2 if at >= 0 and is_end else len(content)
