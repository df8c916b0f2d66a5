"""Finds metadata that may show what was in the hole: thumbnails, previews, layers.

Nobody knows all the places where programs put a picture. So only what can be read as something
else goes along: text, numbers, and what is too short to be a picture.
"""

import html
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from unicodedata import category
from xml.parsers import expat

SHORTEST_PICTURE = 128  # bytes: 8 x 8 grey pixels of 16 bits
SIGNATURES = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"8BPS", b"WEBP")

# Bytes encoded as text contain few words: of 160 letters and digits in a row (120 bytes in base64),
# at most a fifth belong to words. In texts of people and programs at least a third do, in prose
# most. A word has letters only, or is a name such as FocalLength.
STRETCH, LEAST_IN_WORDS = 160, 0.25
WORD, LONGEST_WORD = re.compile(r"[A-Z]{3,}|[A-Za-z][a-z]{2,}(?:[A-Z][a-z]{2,})*"), 45
CONTROL = ("Cc", "Co", "Cs")  # categories of Unicode: control, private use, surrogates
IDENTIFIER = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)  # UUID

# XMP that announces pictures and videos elsewhere in the file, which are not written. By namespace
# (Android's Ultra HDR and Motion Photo formats, Dynamic Depth, Apple's gain maps) or by name.
NAMESPACES = {
    "http://ns.adobe.com/hdr-gain-map/": "gain map (HDR)",
    "http://ns.apple.com/HDRGainMap/": "gain map (HDR)",
    "http://ns.apple.com/pixeldatainfo/": "gain map (HDR)",
    "http://ns.google.com/photos/1.0/container/": "pictures or a video behind the photo",
    "http://ns.google.com/photos/1.0/depthmap/": "depth map",
    "http://ns.google.com/photos/1.0/image/": "picture in its XMP",
    "http://ns.google.com/photos/1.0/audio/": "sound in its XMP",
    "http://ns.google.com/photos/dd/1.0/": "depth map",
}
PROPERTIES = {
    r"(?:MotionPhoto|MicroVideo|OLivePhoto|LivePhoto)[\w.-]*": "video of a motion photo",
    "HasExtendedXMP": "extended XMP",
    "Thumbnails": "",  # of the photo itself: no loss
}
# A part of well-formed XML: a tag, other markup or the text between; and an attribute of a tag.
ATTRIBUTE = r"\s+([^\s=]+)\s*=\s*(?:\"[^\"]*\"|'[^']*')"
PART = re.compile(
    r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>|</[^>]*>|[^<]+"
    rf"|(?P<tag><[^\s/>]+)(?P<attributes>(?:{ATTRIBUTE})*+)(?P<end>\s*/?>)",
    re.DOTALL,
)


def may_hide(data: bytes, *encodings: str) -> bool:
    """Whether bytes may be a picture or hold one.

    encodings: possible encodings of a text.
    """
    if is_text(data, *(encodings or ("utf-8",))):
        return False
    return not is_short(data) or any(signature in data for signature in SIGNATURES)


def is_short(data: bytes) -> bool:
    """Whether it is too short for a picture, or has nothing but zeros beyond that."""
    return len(data.rstrip(b"\0")) <= SHORTEST_PICTURE


def is_text(data: bytes, *encodings: str) -> bool:
    """Whether bytes are text in one of the encodings, and not bytes encoded as text."""
    for encoding in encodings:
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding).replace("\0", "")
            return not has_bytes(text)
    return False


def has_bytes(text: str) -> bool:
    """Whether a text has control characters, or bytes encoded as text, such as base64.

    Joiners and unassigned characters are allowed.
    """
    if any(category(letter) in CONTROL and not letter.isspace() for letter in set(text)):
        return True
    tokens = re.findall(r"[^\W_]+", IDENTIFIER.sub(" ", text))
    flags = (is_word for token in tokens for is_word in [_is_word(token)] * len(token))
    sums = [0, *accumulate(flags)]
    least = LEAST_IN_WORDS * STRETCH
    return any(b - a < least for a, b in zip(sums, sums[STRETCH:], strict=False))


def _is_word(token: str) -> bool:
    is_word = len(token) <= LONGEST_WORD and WORD.fullmatch(token)
    return bool(is_word) or not token.isascii()


def is_iptc(data: bytes) -> bool:
    """Whether it is IPTC data (IIM 4.2, section 1.5) that hold nothing but texts and numbers."""
    at = 0
    while data[at : at + 1] == b"\x1c" and at + 5 <= len(data):
        (size,) = struct.unpack_from(">H", data, at + 3)
        if may_hide(data[at + 5 : at + 5 + size], "utf-8", "latin-1"):
            return False
        at += 5 + size
    return not data[at:].strip(b"\0")


def cleaned_xmp(xmp: bytes) -> tuple[bytes, list[str]]:
    """Remove pictures from XMP, and all that announces parts which the output will not have.

    Returns the rest, byte for byte, and names of what was removed. Malformed XMP (Adobe's
    specification, part 1, section 7) is removed whole.
    """
    try:
        text = xmp.decode()
        whole = text.strip("\0\ufeff \t\r\n")
        left, names = _cleaned(whole)
        _tags(left)  # raises ExpatError if the rest is malformed
    except (UnicodeDecodeError, expat.ExpatError):
        return b"", ["XMP"]
    before, _, behind = text.partition(whole)
    return (before + left + behind).encode(), sorted(names - {""})


def _cleaned(xmp: str) -> tuple[str, set[str]]:
    left, names, depth = [], set(), 0  # depth: of tags, in an element that is cut out
    tags = _tags(xmp)
    for part in PART.finditer(xmp):
        whole, tag = part[0], part["tag"]
        is_open = tag is not None and not whole.endswith("/>")
        element, *attributes = next(tags) if tag else ("",)
        if depth:
            depth += is_open - whole.startswith("</")
        elif (name := _announced(element)) is not None:
            names.add(name)
            depth += is_open
        elif has_bytes(html.unescape(tag or whole)):
            names.add("encoded data in its XMP")
        elif tag:
            inside, lost = _cleaned_attributes(part["attributes"], iter(attributes))
            left.append(tag + inside + part["end"])
            names |= lost
        else:
            left.append(whole)
    return "".join(left), names


def _cleaned_attributes(text: str, resolved: Iterator[str]) -> tuple[str, set[str]]:
    """Split the attributes of a tag: those to keep, and names of the others.

    resolved: their names as `_tags` has them.
    """
    left, names = "", set()
    for attribute in re.finditer(ATTRIBUTE, text):
        is_namespace = re.match("xmlns(:|$)", attribute[1])
        name = None if is_namespace else _announced(next(resolved))
        if name is None and has_bytes(html.unescape(attribute[0])):
            name = "encoded data in its XMP"
        if name is None:
            left += attribute[0]
        else:
            names.add(name)
    return left, names


def _announced(name: str) -> str | None:
    """Name what an element or attribute announces, if the output will not have it; else None.

    name: its namespace, a space and its local name.
    """
    uri, _, local = name.rpartition(" ")
    for start, what in NAMESPACES.items():
        if uri.startswith(start):
            return what
    for pattern, what in PROPERTIES.items():
        if uri and re.fullmatch(pattern, local):
            return what
    return None


def _tags(text: str) -> Iterator[list[str]]:
    """List the name of each start tag and of its attributes, with namespaces.

    Raises ExpatError for malformed XML, and for a document type: entities make parsing unsafe.
    """
    parser = expat.ParserCreate("UTF-8", " ")
    parser.ordered_attributes = True
    tags: list[list[str]] = []
    parser.StartElementHandler = lambda name, pairs: tags.append([name, *pairs[::2]])
    if "<!DOCTYPE" in text:
        raise expat.ExpatError("it has a document type")
    parser.Parse(text.encode(), True)
    return iter(tags)
