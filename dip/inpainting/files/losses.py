"""Lists what the output would lose of a photo, before anything is fitted.

What a file holds is listed by name, that of the photo and that of a few of its pixels written as
the whole would be: what is only in the first list is lost. So the lists cannot promise what the
writers do not keep. Thumbnails of the photo itself are in no list: they are no loss.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PIL import ExifTags, Image, TiffTags

from dip.inpainting.files.blocks import BEHIND
from dip.inpainting.files.exif import (
    EXPOSURE,
    INTEROPERABILITY,
    IPTC,
    LAYERS,
    PLACE,
    RESOURCES,
)
from dip.inpainting.files.hidden import cleaned_xmp
from dip.inpainting.files.metadata import (
    EXIF_TEXT,
    STORAGE_TAGS,
    TEXTS,
    WRITTEN_BY_PILLOW,
    X_RESOLUTION,
    XMP_TEXT,
    directory_of,
    dpi_of,
    exif_of,
    raw_xmp_of,
    text_in,
)
from dip.inpainting.files.photo import open_bytes
from dip.inpainting.files.samples import further_channels, loses_depth
from dip.inpainting.files.save import trial

RESOLUTION = {X_RESOLUTION, 283, 296}
PAGES = 330
NAMES = {
    **{37500: "maker note", PAGES: "further pictures (SubIFDs)", IPTC: "IPTC"},
    **{RESOURCES: "Photoshop's resources", LAYERS: "Photoshop's layers"},
}
# Segments of a JPEG, by what they begin with, that have a name or are listed by their contents.
SEGMENTS = {
    **{b"JFIF\0": None, b"JFXX\0": None, b"Exif\0": None, b"ICC_PROFILE\0": None, b"Adobe": None},
    b"http://ns.adobe.com/xap/1.0/\0": None,
    b"http://ns.adobe.com/xmp/extension/\0": "extended XMP",
    b"MPF\0": "pictures behind the photo (previews, depth or a gain map)",
    b"urn:iso:std:iso:ts:21496": "gain map (HDR)",
    b"Photoshop 3.0\0": "Photoshop's resources and IPTC",
}
BESIDE_PIXELS = ("VP8 ", "VP8L", "VP8X", "ALPH", "ICCP", "EXIF", "XMP ", "sRGB")
PLAIN = ("BMP", "DIB", "GIF", "PPM")  # formats of which everything is listed


def losses(picture: Image.Image, out: Path) -> list[str]:
    """Name what `out` will lose of a photo that was opened from a file."""
    kept = Counter(_contents(open_bytes(trial(out, picture))))
    lost = [*(Counter(_contents(picture)) - kept)]
    if loses_depth(picture):
        lost.insert(0, "8 of the 16 bits of its colours")
    return lost


def _contents(picture: Image.Image) -> Iterator[str]:
    """Names of all that a file holds beside its pixels."""
    if count := further_channels(picture):
        yield f"{count} further channel{'s' if count > 1 else ''}"
    if picture.info.get("icc_profile"):
        yield "colour profile"
    if xmp := raw_xmp_of(picture):
        yield from dict.fromkeys(["XMP", *cleaned_xmp(xmp)[1]])
    yield from _tags(picture)
    match picture.format:
        case "JPEG" | "MPO":
            yield from _segments(picture)
        case "PNG" | "WEBP":
            yield from _chunks(picture)
        case "TIFF":
            pass
        case other:
            if picture.info.get("comment"):
                yield "comment"
            if other not in PLAIN:
                yield f"what {other} files hold beside pixels, profile, EXIF and XMP"


def _tags(picture: Image.Image) -> Iterator[str]:
    exif = exif_of(picture)
    if dpi_of(picture) or X_RESOLUTION in exif:
        yield "resolution"
    for tag in exif:
        if tag in NAMES or tag not in STORAGE_TAGS | RESOLUTION:
            name = ExifTags.TAGS.get(tag) or TiffTags.lookup(tag).name
            yield NAMES.get(tag) or (name if name != "unknown" else f"tag {tag}")
    for directory in (EXPOSURE, PLACE, INTEROPERABILITY):
        names = ExifTags.GPSTAGS if directory == PLACE else ExifTags.TAGS
        for tag in directory_of(exif, directory):
            if tag != INTEROPERABILITY:
                yield NAMES.get(tag) or names.get(tag) or f"EXIF tag {tag}"


def _segments(picture: Image.Image) -> Iterator[str]:
    for segment, data in getattr(picture, "applist", []):
        if segment == "COM":
            yield "comment"
            continue
        for start, name in SEGMENTS.items():
            if data.startswith(start):
                if name is not None:
                    yield name
                break
        else:
            word = data.split(b"\0")[0][:30].decode("latin-1")
            is_name = bool(word) and word.isascii() and word.isprintable()
            yield f"{segment} ({word})" if is_name else segment
    width, height = picture.info.get("jfif_density", (1, 1))
    if picture.info.get("jfif_unit") == 0 and width != height:
        yield "pixel aspect"
    rest = dict(picture.info.get("blocks", [])).get(BEHIND, b"").strip(b"\0\r\n ")
    has_video = b"ftyp" in rest
    if has_video:
        yield "video of a motion photo"
    if rest.startswith(b"\xff\xd8"):
        yield SEGMENTS[b"MPF\0"] or ""
    elif rest and not has_video:
        yield f"{len(rest)} bytes behind the photo"


def _chunks(picture: Image.Image) -> Iterator[str]:
    for kind, data in picture.info.get("blocks", []):
        if kind in TEXTS:
            keyword, _ = text_in(kind, data)
            if keyword not in (XMP_TEXT, EXIF_TEXT):
                yield f"text {keyword[:79]!r}"
        elif kind == "pHYs" and data[8:9] == b"\0":
            yield "pixel aspect"
        elif kind not in (*WRITTEN_BY_PILLOW, *BESIDE_PIXELS, "pHYs"):
            yield f"chunk {kind}" if kind.isprintable() else f"chunk {kind!r}"
