"""Whatever shows what was in the hole is gone, wherever it was and however it was written."""

import base64
import binascii
import io
import quopri
import re
import struct
import urllib.parse
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin
from support.photo_files import (
    ENDINGS,
    encoded,
    exif_data,
    filled_again,
    jpeg_with,
    png_with,
    smooth,
    webp_with,
)

from dip.inpainting.files.hidden import cleaned_xmp, is_iptc, may_hide
from dip.inpainting.files.photo import photo_in, with_hole

XMP_START = b"http://ns.adobe.com/xap/1.0/\0"
TEXT = "Ein langer Text, wie ihn jemand schreibt: über Wasser, 水面, und mehr. " * 20
Place = tuple[str, Callable[[bytes], bytes]]


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data)


def _base64_text(data: bytes) -> str:
    return _base64(data).decode()


def _lines(data: bytes) -> bytes:
    return base64.encodebytes(data)


def _hex(data: bytes) -> bytes:
    return data.hex().encode()


def _profile(data: bytes) -> bytes:
    return b"\n8bim\n%8d\n" % len(data) + re.sub(b"(.{72})", rb"\1\n", _hex(data)) + b"\n"


def _xmp(inside: str) -> Callable[[bytes], bytes]:
    """XMP with something in it, in base64 and with XML's way to end its lines."""
    start = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf'
        '-syntax-ns#"><rdf:Description xmlns:a="http://a/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:G="http://ns.google.com/photos/1.0/image/"'
    )
    end = "</rdf:Description></rdf:RDF></x:xmpmeta>"

    def xmp(data: bytes) -> bytes:
        text = _lines(data).decode().replace("\n", "&#xA;")
        return f"{start}{inside.replace('DATA', text)}{end}".encode()

    return xmp


ELEMENT = _xmp("><xmp:Thumbnails><rdf:Alt><rdf:li>DATA</rdf:li></rdf:Alt></xmp:Thumbnails>")
UNKNOWN = _xmp("><a:b>DATA</a:b>")
ATTRIBUTE = _xmp(' G:Data="DATA" a:other="DATA">')


def _field(tag: int, coded: Callable[[bytes], Any] = bytes) -> Callable[[bytes], bytes]:
    return lambda data: exif_data(main={tag: coded(data)}, second=0, behind=b"")


def _tiff(tag: int, kind: int, coded: Callable[[bytes], Any] = bytes) -> Callable[[bytes], bytes]:
    def tiff(data: bytes) -> bytes:
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags.tagtype[tag] = kind
        tags[tag] = coded(data)
        return encoded("TIFF", tiffinfo=tags)

    return tiff


def _shorts(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 2}H", data[: len(data) // 2 * 2])


def _chunk(kind: bytes, coded: Callable[[bytes], bytes] = bytes) -> Callable[[bytes], bytes]:
    return lambda data: png_with((kind, coded(data)))


def _text(coded: Callable[[bytes], bytes], *, packed: bool = False) -> Callable[[bytes], bytes]:
    if packed:
        return lambda data: png_with((b"zTXt", b"Note\0\0" + zlib.compress(coded(data))))
    return lambda data: png_with((b"tEXt", b"Note\0" + coded(data)))


PLACES: dict[str, Place] = {
    "PNG text": (".png", _text(bytes)),
    "PNG text, base64": (".png", _text(_base64)),
    "PNG text, lines": (".png", _text(_lines)),
    "PNG text, hex": (".png", _text(_hex)),
    "PNG text, packed": (".png", _text(bytes, packed=True)),
    "PNG text, packed hex": (".png", _text(_hex, packed=True)),
    "PNG text, behind what is packed": (
        ".png",
        lambda data: png_with((b"zTXt", b"Note\0\0" + zlib.compress(b"short") + data)),
    ),
    "PNG profile": (
        ".png",
        lambda d: png_with((b"tEXt", b"Raw profile type 8bim\0" + _profile(d))),
    ),
    "PNG international text": (".png", _chunk(b"iTXt", lambda d: b"a\0\0\0en\0\0" + _base64(d))),
    "PNG international text, language": (
        ".png",
        _chunk(b"iTXt", lambda data: b"a\0\0\0" + data.replace(b"\0", b"\1") + b"\0\0short"),
    ),
    "PNG keyword": (".png", _chunk(b"tEXt", lambda data: data + b"\0short")),
    "PNG XMP": (".png", _chunk(b"iTXt", lambda d: b"XML:com.adobe.xmp\0\0\0\0\0" + ELEMENT(d))),
    "PNG unknown chunk": (".png", _chunk(b"prVw")),
    "PNG unknown chunk, not to be copied": (".png", _chunk(b"prVW")),
    "PNG palette": (".png", _chunk(b"sPLT", lambda data: b"name\0\x08" + data)),
    "PNG histogram": (".png", _chunk(b"hIST")),
    "PNG colour profile": (".png", _chunk(b"iCCP", lambda d: b"a\0\0" + zlib.compress(d))),
    "PNG EXIF": (".png", _chunk(b"eXIf", lambda data: exif_data(behind=data)[6:])),
    "JPEG EXIF": (".jpg", lambda data: jpeg_with((0xE1, exif_data(behind=data)))),
    "JPEG EXIF, unknown": (".jpg", lambda d: jpeg_with((0xE1, _field(60000)(d)))),
    "JPEG EXIF, text": (
        ".jpg",
        lambda d: jpeg_with((0xE1, _field(270, lambda x: _base64(x).decode())(d))),
    ),
    "JPEG EXIF, maker note": (".jpg", lambda d: jpeg_with((0xE1, _maker_note(d)))),
    "JPEG EXIF, between": (".jpg", lambda d: jpeg_with((0xE1, exif_data(second=0, behind=d)))),
    "JPEG XMP": (".jpg", lambda data: jpeg_with((0xE1, XMP_START + ELEMENT(data)))),
    "JPEG XMP, element": (".jpg", lambda data: jpeg_with((0xE1, XMP_START + UNKNOWN(data)))),
    "JPEG XMP, attribute": (".jpg", lambda d: jpeg_with((0xE1, XMP_START + ATTRIBUTE(d)))),
    "JPEG XMP, no XMP": (".jpg", lambda data: jpeg_with((0xE1, XMP_START + data))),
    "JPEG comment": (".jpg", lambda data: jpeg_with((0xFE, data))),
    "JPEG comment, base64": (".jpg", lambda data: jpeg_with((0xFE, _base64(data)))),
    "JPEG Photoshop": (".jpg", lambda data: jpeg_with((0xED, b"Photoshop 3.0\x008BIM" + data))),
    "JPEG other segment": (".jpg", lambda data: jpeg_with((0xEB, data))),
    "JPEG behind": (".jpg", lambda data: jpeg_with(behind=data)),
    "TIFF layers": (".tif", _tiff(37724, 7)),
    "TIFF resources": (".tif", _tiff(34377, 1)),
    "TIFF unknown": (".tif", _tiff(65000, 7)),
    "TIFF unknown bytes": (".tif", _tiff(65000, 1)),
    "TIFF unknown numbers": (".tif", _tiff(65000, 3, _shorts)),
    "TIFF text": (".tif", _tiff(270, 2, _base64_text)),
    "TIFF IPTC": (
        ".tif",
        _tiff(33723, 7, lambda d: b"\x1c\x02\xca" + struct.pack(">H", len(d)) + d),
    ),
    "TIFF XMP": (".tif", _tiff(700, 1, UNKNOWN)),
    "WebP unknown chunk": (".webp", lambda data: webp_with((b"PREV", data))),
    "WebP EXIF": (".webp", lambda d: encoded("WEBP", exif=exif_data(behind=d), lossless=True)),
    "WebP XMP": (".webp", lambda data: encoded("WEBP", xmp=UNKNOWN(data), lossless=True)),
}


def _maker_note(data: bytes) -> bytes:
    exif = bytearray(exif_data(second=0, behind=b"Maker\0" + data))
    at = exif.index(struct.pack("<HHI", 37500, 7, 6))
    exif[at : at + 12] = struct.pack("<HHII", 37500, 7, len(data) + 6, 1500)
    return bytes(exif)


def _plain(content: bytes) -> bytes:
    """All that a file holds, packed or not, without blanks."""
    unpacked = []
    for start in re.finditer(b"\x78[\x01\x5e\x9c\xda]", content):
        try:
            unpacked.append(zlib.decompressobj().decompress(content[start.start() :]))
        except zlib.error:
            continue
    return re.sub(rb"\s|&#xA;", b"", b"".join([content, *unpacked]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hidden")


@pytest.mark.parametrize("place", PLACES)
@given(seed=st.integers(0, 2**32), length=st.integers(200, 900), out=st.sampled_from([*ENDINGS]))
@settings(deadline=None, max_examples=4)
def test_no_block_of_bytes_goes_along(
    folder: Path, place: str, seed: int, length: int, out: str
) -> None:
    data = np.random.default_rng(seed).bytes(length)
    ending, made = PLACES[place]
    (folder / f"a{ending}").write_bytes(made(data))
    filled_again(folder / f"a{ending}", folder / f"b{ENDINGS[out]}")
    written = (folder / f"b{ENDINGS[out]}").read_bytes()
    everything = _plain(written)
    part = data[-100:-40]
    assert part not in written
    assert re.sub(rb"\s", b"", part) not in everything
    for text in (_base64(data)[-100:-20], _hex(part), _hex(part).upper()):
        assert text not in everything


def _groups(text: str, length: int, between: str = " ") -> str:
    return between.join(text[at : at + length] for at in range(0, len(text), length))


def _each(pattern: str) -> Callable[[bytes], str]:
    return lambda data: "".join(pattern.format(number) for number in data)


def _uuencoded(data: bytes) -> str:
    return "".join(binascii.b2a_uu(data[at : at + 45]).decode() for at in range(0, len(data), 45))


WRITTEN_AS_TEXT: dict[str, Callable[[bytes], str]] = {
    "base64": _base64_text,
    "base64 for addresses": lambda data: base64.urlsafe_b64encode(data).decode(),
    "base64 in lines of 32": lambda data: _groups(_base64_text(data), 32, "\n"),
    "base64 in groups of 4": lambda data: _groups(_base64_text(data), 4),
    "base64 in pairs": lambda data: _groups(_base64_text(data), 2),
    "base32": lambda data: base64.b32encode(data).decode(),
    "hexadecimal": bytes.hex,
    "hexadecimal pairs": lambda data: data.hex(" "),
    "percent": _each("%{:02X}"),
    "percent where needed": urllib.parse.quote_from_bytes,
    "0xff": _each("0x{:02x}, "),
    "\\xff": _each("\\x{:02x}"),
    "octal": _each("\\{:03o}"),
    "decimal": _each("{}, "),
    "binary": _each("{:08b} "),
    "references": _each("&#{};"),
    "literal": repr,
    "uuencode": _uuencoded,
    "ascii85": lambda data: base64.a85encode(data).decode(),
    "base85": lambda data: base64.b85encode(data).decode(),
    "quoted-printable": lambda data: quopri.encodestring(data).decode(),
}


@pytest.mark.parametrize("way", WRITTEN_AS_TEXT)
def test_a_picture_written_as_text_does_not_go_along(way: str) -> None:
    file = io.BytesIO()
    smooth(height=32, width=32).save(file, "JPEG")
    text = WRITTEN_AS_TEXT[way](file.getvalue())
    assert may_hide(text.encode())
    assert may_hide(f"{TEXT}{text}{TEXT}".encode())
    in_xmp = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    for inside in (f"><a:b>{in_xmp}</a:b>", f' a:c="{in_xmp}">', f"><a:b/><![CDATA[{text}]]>"):
        left, names = cleaned_xmp(_xmp("INSIDE")(b"").replace(b"INSIDE", inside.encode()))
        assert names == ["encoded data in its XMP"]
        assert len(left) <= len(_xmp("><a:b></a:b>")(b""))


ORDINARY = {
    "English": "The photographer took 24 pictures of a bridge (f/8, 1/250 s) before it rained. "
    * 9,
    "German": "Donaudampfschifffahrtsgesellschaftskapitän Müller am 3. Mai 2024 um 7:45 Uhr. " * 9,
    "Chinese": "这张照片是在长城上拍摄的。当时天气晴朗。我们一早就出发了。" * 9,
    "Persian": "می\u200cخواهم این عکس را نگه دارم؛ خانواده\u200cام کنار رودخانه است. " * 9,  # noqa: RUF001
    "Hindi": "यह तस्वीर हिन्दी में लिखी गई है और नदी के किनारे ली गई थी। " * 9,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001fadf and soft hy\xadphens " * 20,
    "address": "https://www.example.com/photos/albums/2024/05/06/holiday-in-italy/day-3/IMG_2024.jpg"
    "?size=large&user=1234567&utm_source=newsletter&utm_campaign=spring_sale&ref=homepage-banner",
    "path": "/home/someone/Pictures/archive/2019/summer/trip_to_the_mountains/originals/raw_files/"
    "selected_for_print/final-version/corrected/large/export_of_june/without_border/DSC_0042-2.tif",
    "identifiers": "xmp.did:8f6b3a52-66c1-4d0e-9d6e-1c6f0f0a2b11 " * 50,
    "a generator's settings": "a cat in a garden, highly detailed\nNegative prompt: lowres, text\n"
    "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 1234567890, Size: 512x512, Model"
    " hash: 6ce0161689, Model: v1-5-pruned-emaonly, VAE hash: 735e4c3a44, Version: v1.6.0",
    "EXIF": "Exif.Photo.FNumber 28/10 Exif.Photo.ISOSpeedRatings 100 Exif.Photo.DateTimeOriginal"
    " 2024:05:06 07:08:09 Exif.GPSInfo.GPSLatitude 48/1 8/1 1234/100 Exif.Photo.Flash 16 " * 3,
}


@pytest.mark.parametrize("name", ORDINARY)
def test_what_people_and_programs_write_is_no_picture(name: str) -> None:
    assert not may_hide(ORDINARY[name].encode())
    text = ORDINARY[name].replace("&", "&amp;")
    xmp = _xmp(f' a:c="{text}"><a:b>{text}</a:b>')(b"")
    assert cleaned_xmp(xmp) == (xmp, [])


def test_the_history_and_settings_of_a_raw_converter_are_kept() -> None:
    changes = "".join(
        f'<rdf:li e:action="saved" e:instanceID="xmp.iid:8f6b3a52-66c1-4d0e-9d6e-{number:012x}"'
        ' e:when="2024-05-06T07:08:09+02:00" e:softwareAgent="Adobe Photoshop Lightroom 13.2"/>'
        f"<rdf:li>{number:032X}</rdf:li>"
        for number in range(50)
    )
    curve = "".join(f"<rdf:li>{level}, {level}</rdf:li>\n" for level in range(0, 256, 3))
    xmp = _xmp(
        ' xmlns:c="http://ns.adobe.com/camera-raw-settings/1.0/" c:Exposure2012="+0.35"'
        ' xmlns:e="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"><a:History><rdf:Seq>'
        f"{changes}</rdf:Seq></a:History><c:ToneCurve><rdf:Seq>{curve}</rdf:Seq></c:ToneCurve>"
    )(b"")
    assert cleaned_xmp(xmp) == (xmp, [])


def test_texts_and_short_blocks_are_no_pictures() -> None:
    for text in (TEXT.encode(), TEXT.encode() + b"\0", b"x" * 20, b"", bytes(5000)):
        assert not may_hide(text)
    assert not may_hide(TEXT.encode("latin-1", "replace"), "utf-8", "latin-1")
    assert not may_hide(b"UNICODE\0" + TEXT.encode("utf-16-be"), "utf-8", "utf-16-be")
    assert may_hide(TEXT.encode("utf-16-be"))
    assert may_hide(b"\xff\xd8 as short as this")
    assert not may_hide(b"converted from WEBP and GIF89a")


def test_iptc_data_are_texts() -> None:
    def dataset(number: int, data: bytes) -> bytes:
        return struct.pack(">BBBH", 0x1C, 2, number, len(data)) + data

    caption = dataset(120, TEXT.encode())
    assert is_iptc(dataset(0, b"\0\4") + caption + b"\0")
    assert not is_iptc(caption + dataset(202, bytes(range(256))))
    assert not is_iptc(caption + bytes(range(256)))


def test_xmp_is_kept_byte_for_byte_where_nothing_is_cut_out() -> None:
    xmp = _xmp(f'><a:b a:c="1">{TEXT}</a:b>')(b"") + b"\n" * 2000 + b'<?xpacket end="w"?>'
    assert cleaned_xmp(xmp) == (xmp, [])
    assert cleaned_xmp(b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + xmp) == (b"", ["XMP"])
    assert cleaned_xmp(xmp.replace(b"</rdf:RDF>", b"")) == (b"", ["XMP"])
    assert cleaned_xmp(xmp.replace(b"</a:b>", "\ue000</a:b>".encode()))[1] == [
        "encoded data in its XMP"
    ]


def test_xmp_of_many_elements_is_cut_like_any_other() -> None:
    assert cleaned_xmp(_xmp("><G:a>" * 12000)(b"")) == (b"", ["XMP"])
    left, _ = cleaned_xmp(_xmp(">" + "<G:a>" * 12000 + "</G:a>" * 12000)(b""))
    assert left == _xmp(">")(b"")


GOOGLE, HDR = "http://ns.google.com/photos/1.0/", "http://ns.adobe.com/hdr-gain-map/1.0/"


@pytest.mark.parametrize(
    ("announced", "name"),
    [
        (f' xmlns:hdrgm="{HDR}" hdrgm:Version="1.0">', "gain map (HDR)"),
        (f' xmlns:h="{HDR}"><h:GainMapMax><rdf:Seq/></h:GainMapMax>', "gain map (HDR)"),
        (
            f' xmlns:C="{GOOGLE}container/" xmlns:I="{GOOGLE}container/item/"><C:Directory>'
            '<rdf:Seq><rdf:li rdf:parseType="Resource"><C:Item I:Semantic="GainMap"/></rdf:li>'
            "</rdf:Seq></C:Directory>",
            "pictures or a video behind the photo",
        ),
        (
            f'><Directory xmlns="{GOOGLE}container/"><Item>1</Item></Directory>',
            "pictures or a video behind the photo",
        ),
        (f' xmlns:GC="{GOOGLE}camera/" GC:MotionPhoto="1">', "video of a motion photo"),
        (
            f' xmlns:GC="{GOOGLE}camera/"><GC:MicroVideo>1</GC:MicroVideo>',
            "video of a motion photo",
        ),
        (' xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="ABC">', "extended XMP"),
    ],
)
def test_xmp_announces_nothing_that_is_not_there(announced: str, name: str) -> None:
    kept = '<a:caption a:by="me">kept</a:caption>'
    left, names = cleaned_xmp(_xmp(announced + kept)(b""))
    assert names == [name]
    declared = "".join(re.findall(r' xmlns:\w+="[^"]+"', announced))
    assert left == _xmp(f"{declared}>{kept}")(b"")


def test_a_picture_that_python_gets_has_none_in_its_info(tmp_path: Path) -> None:
    """Pillow writes much of `info` without being asked."""
    data = np.random.default_rng(0).bytes(300)
    segments = [(0xE1, exif_data(behind=data)), (0xED, b"Photoshop 3.0\x008BIM\4\x0c\0\0" + data)]
    segments += [(0xFE, data), (0xE2, b"ICC_PROFILE\0\1\1" + data)]
    (tmp_path / "a.jpg").write_bytes(jpeg_with(*segments, (0xE1, XMP_START + UNKNOWN(data))))
    with Image.open(tmp_path / "a.jpg") as picture:
        result = with_hole(picture, photo_in(picture).colours, np.ones((64, 48), bool))
    assert result.getexif()[271] == picture.getexif()[271]
    assert b"rdf:Description" in result.info["xmp"]
    for part in (repr(data[50:90])[2:-1], base64.b64encode(data).decode()[:60]):
        assert part not in repr(result.info)
