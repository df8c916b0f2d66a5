"""What photos say of themselves beside their pixels, as cameras and programs write it.

What would go on showing the hole, as a thumbnail does, is `MARKER`.
"""

import base64
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from support.photo_files import SRGB, exif_data
from support.trials.draw import Draw

MARKER = b"\xff\xd8\xff\xe0what was in the hole\xff\xd9"
VIDEO = b"\0\0\0\x18ftypmp42 and so on"  # behind a phone's JPEG
RESOURCES = b"8BIM\x04\x0c\0\0" + struct.pack(">I", len(MARKER)) + MARKER  # Photoshop's
EXPOSURE, MAKERS_NOTE = 34665, 37500  # tags
XMP_KEY = b"XML:com.adobe.xmp"


@dataclass
class Metadata:
    """What goes into a photo's file where its format has a place for it; empty for nothing."""

    exif: bytes
    xmp: bytes
    icc: bytes
    dpi: tuple[float, float] | None

    def options(self) -> dict[str, Any]:
        """For Pillow."""
        said = {"exif": self.exif, "xmp": self.xmp, "icc_profile": self.icc, "dpi": self.dpi}
        return {key: value for key, value in said.items() if value}


def draw_metadata(draw: Draw) -> Metadata:
    return Metadata(
        exif=_exif(draw) if draw.chance(0.5) else b"",
        xmp=_xmp(draw) if draw.chance(0.3) else b"",
        icc=SRGB if draw.chance(0.3) else b"",
        dpi=draw.one_of(None, None, (300, 150), (300, 300), (72.009, 72.009)),
    )


def _exif(draw: Draw) -> bytes:
    """With an orientation, and a thumbnail or a camera's own note."""
    orientation = draw.whole(1, 8)
    if draw.chance(0.5):
        return exif_data(draw.one_of("<", ">"), MARKER, main={274: orientation})
    exif = Image.Exif()
    exif.endian = draw.one_of("<", ">")
    exif[274], exif[271], exif[305] = orientation, "Camera & Co", draw.one_of("a program", "日本")
    note = b"Camera\0" + draw.one_of(b"", MARKER) + bytes(9)
    exif.get_ifd(EXPOSURE).update({36867: "2024:05:06 07:08:09", MAKERS_NOTE: note})
    return exif.tobytes()


def _xmp(draw: Draw) -> bytes:
    """With a thumbnail or without (ISO 16684-1; the XMP specification, part 2)."""
    image = base64.b64encode(MARKER).decode()
    image = draw.one_of(image, f"{image[:20]}&#xA;{image[20:]}", f"{image[:20]}\n{image[20:]}")
    item = draw.one_of(
        f"<xmpGImg:image>{image}</xmpGImg:image>", f"<xmpGImg:image>\n{image}</xmpGImg:image>"
    )
    thumbnails = (
        f'<xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType="Resource">{item}'
        "</rdf:li></rdf:Alt></xmp:Thumbnails>"
    )
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/" xmp:Label="a caption">'
        f"{draw.one_of('', thumbnails)}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def colour_chunks(draw: Draw, metadata: Metadata) -> Iterator[bytes]:
    if metadata.icc:
        yield chunk(b"iCCP", b"a profile\0\0" + zlib.compress(metadata.icc))
    elif draw.chance(0.1):
        yield chunk(b"sRGB", b"\1")
    if draw.chance(0.15):
        yield chunk(b"cICP", bytes([12, 13, 0, 1]))
    if draw.chance(0.15):
        yield chunk(b"gAMA", struct.pack(">I", 45455))
        points = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
        yield chunk(b"cHRM", struct.pack(">8I", *points))


def texts(draw: Draw, metadata: Metadata) -> Iterator[bytes]:
    if metadata.exif and draw.chance(0.7):
        yield chunk(b"eXIf", metadata.exif[6:])
    elif metadata.exif:  # as ImageMagick has it
        yield _profile(draw, draw.one_of("exif", "APP1"), metadata.exif)
    if metadata.xmp:
        yield chunk(b"iTXt", XMP_KEY + b"\0\0\0\0\0" + metadata.xmp)
    if draw.chance(0.1):
        yield _profile(draw, draw.one_of("8bim", "iptc"), RESOURCES)
    for _ in range(draw.one_of(0, 0, 1, 3)):
        key, text = draw.one_of(b"Title", b"Comment"), draw.one_of("", "a text", "é", "日本")
        yield draw.one_of(
            chunk(b"tEXt", key + b"\0" + text.encode("latin-1", "replace")),
            chunk(b"zTXt", key + b"\0\0" + zlib.compress(text.encode("latin-1", "replace"))),
            chunk(b"iTXt", key + b"\0\0\0de\0Titel\0" + text.encode()),
        )
    if draw.chance(0.1):
        yield chunk(b"tIME", struct.pack(">H5B", 2024, 5, 6, 7, 8, 9))


def _profile(draw: Draw, name: str, data: bytes) -> bytes:
    """A raw profile in a text, as ImageMagick writes it."""
    key = f"Raw profile type {name}".encode()
    text = f"\n{name}\n{len(data):8}\n{data.hex()[:72]}\n{data.hex()[72:]}\n".encode()
    kinds = (b"tEXt", key + b"\0" + text), (b"zTXt", key + b"\0\0" + zlib.compress(text))
    return chunk(*draw.one_of(*kinds))
