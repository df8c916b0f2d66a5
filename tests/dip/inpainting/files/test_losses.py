"""What a format cannot hold is named before the fit; `--strict` refuses it."""

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin
from support.photo_command import Inpaint, M
from support.photo_files import (
    ENDINGS,
    SRGB,
    encoded,
    exif_data,
    filled_again,
    jpeg_with,
    png_with,
    smooth,
    webp_with,
)

from dip.inpainting.files.blocks import blocks_in
from dip.inpainting.files.losses import losses
from dip.inpainting.files.photo import open_picture

COMMENTS = [(b"tEXt", b"Comment\0one"), (b"tEXt", b"Comment\0two")]
COLOURS = [
    (b"cICP", bytes([12, 13, 0, 1])),
    (b"mDCV", bytes(range(24))),
    (b"cLLI", bytes(range(8))),
    (b"gAMA", struct.pack(">I", 45455)),
    (b"sBIT", b"\5\6\5"),
]
OTHERS = [
    (b"pHYs", struct.pack(">IIB", 2, 1, 0)),
    (b"tIME", struct.pack(">H5B", 2024, 2, 3, 4, 5, 6)),
    (b"zTXt", b"Long\0\0" + zlib.compress(b"a long text " * 99)),
    (b"iTXt", b"Titel\0\1\0de\0Titel\0" + zlib.compress("Wässer".encode())),
    (b"prVw", b"a short chunk that is safe to copy"),
    (b"bKGD", struct.pack(">3H", 1, 2, 3)),
]
MPF = b"MPF\0" + bytes(80)
HDR = (
    b"http://ns.adobe.com/xap/1.0/\0<a xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/'"
    b" hdrgm:Version='1.0'/>"
)


def _lost(folder: Path, name: str, content: bytes, out: str | None = None) -> list[str]:
    (folder / name).write_bytes(content)
    path = folder / f"out{out or Path(name).suffix}"
    return losses(open_picture(folder / name), path)


def test_chunks_of_a_png_go_along_in_their_order(tmp_path: Path) -> None:
    chunks = [*COLOURS, *COMMENTS, *OTHERS]
    (tmp_path / "a.png").write_bytes(png_with(*chunks))
    assert losses(open_picture(tmp_path / "a.png"), tmp_path / "b.png") == []
    filled_again(tmp_path / "a.png", tmp_path / "b.png")
    written = blocks_in((tmp_path / "b.png").read_bytes(), "PNG")
    between = [
        (kind.encode(), data) for kind, data in written if kind[:2] not in ("IH", "ID", "IE")
    ]
    assert between == chunks
    assert cv2.imread(str(tmp_path / "b.png")) is not None  # libpng reads it, too


@pytest.mark.parametrize("out", [".jpg", ".webp", ".tif"])
def test_what_another_format_has_no_place_for_is_named(tmp_path: Path, out: str) -> None:
    png = png_with(*COMMENTS, COLOURS[0], OTHERS[0], png=encoded("PNG", icc_profile=SRGB))
    lost = _lost(tmp_path, "a.png", png, out)
    assert sorted(lost) == ["chunk cICP", "pixel aspect", "text 'Comment'"]
    jpeg = encoded("JPEG", dpi=(300, 300), comment=b"by me", exif=exif_data())
    expected = {".jpg": [], ".webp": ["comment", "resolution"], ".tif": ["comment"]}
    assert sorted(_lost(tmp_path, "a.jpg", jpeg, out)) == expected[out]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (jpeg_with((0xFE, b"one"), (0xFE, b"two")), ["comment"]),
        (jpeg_with((0xFE, b"one")), []),
        (jpeg_with((0xED, b"Photoshop 3.0\x008BIM")), ["Photoshop's resources and IPTC"]),
        (jpeg_with((0xEC, b"Ducky\0\1")), ["APP12 (Ducky)"]),
        (
            jpeg_with((0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40))),
            ["extended XMP"],
        ),
        (
            jpeg_with((0xE2, MPF), behind=encoded("JPEG")),
            ["pictures behind the photo (previews, depth or a gain map)"],
        ),
        (jpeg_with((0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4))), ["gain map (HDR)"]),
        (
            jpeg_with((0xE1, HDR), behind=b"\0\0\0\x18ftypmp42" + bytes(50)),
            ["gain map (HDR)", "video of a motion photo"],
        ),
        (jpeg_with(behind=b"SEFT of a phone"), ["15 bytes behind the photo"]),
        (jpeg_with(behind=bytes(500)), []),
        (jpeg_with((0xE1, exif_data())), []),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else ", ".join(value) or "nothing",
)
def test_what_a_jpeg_loses_is_named(tmp_path: Path, content: bytes, names: list[str]) -> None:
    assert _lost(tmp_path, "a.jpg", content) == names


def test_fields_that_may_be_pictures_are_named(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[271] = "Maker"
    exif.get_ifd(34665)[37500] = np.random.default_rng(0).bytes(400)
    for name in ("PNG", "JPEG", "WEBP"):
        content = encoded(name, exif=exif)
        assert _lost(tmp_path, f"a{ENDINGS[name]}", content) == ["maker note"]
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (37724, 34377, 65000):
        tags.tagtype[tag] = 7
        tags[tag] = np.random.default_rng(tag).bytes(400)
    lost = _lost(tmp_path, "b.tif", encoded("TIFF", tiffinfo=tags))
    assert sorted(lost) == ["Photoshop's layers", "Photoshop's resources", "tag 65000"]
    assert _lost(tmp_path, "a.webp", webp_with((b"PREV", b"abc"))) == ["chunk PREV"]


def test_depth_and_formats_that_nobody_lists_are_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "deep.png"), np.full((8, 8, 3), 12345, np.uint16))
    lost = losses(open_picture(tmp_path / "deep.png"), tmp_path / "out.png")
    assert lost == ["8 of the 16 bits of its colours"]
    smooth().save(tmp_path / "a.jp2")
    lost = losses(open_picture(tmp_path / "a.jp2"), tmp_path / "out.png")
    assert lost[1:] == ["what JPEG2000 files hold beside pixels, profile, EXIF and XMP"]
    smooth().save(tmp_path / "a.bmp")
    assert "what" not in " ".join(losses(open_picture(tmp_path / "a.bmp"), tmp_path / "out.png"))


@pytest.mark.usefixtures("one_thread")
def test_the_command_says_it_or_refuses_it(inpaint: Inpaint, folder: Path) -> None:
    words: tuple[Any, ...] = ("noted.png", M, "-o", "out.jpg", "--iterations", 2)
    size = Image.open("photo.png")
    size.save("noted.png")
    (folder / "noted.png").write_bytes(png_with(*COMMENTS, png=(folder / "noted.png").read_bytes()))
    done = inpaint(*words)
    assert done.returncode == 0
    assert "note: not kept in out.jpg: text 'Comment'\n" in done.stderr
    Path("out.jpg").unlink()
    done = inpaint(*words, "--strict")
    assert done.returncode == 2
    assert done.stderr == (
        "error: out.jpg: would lose text 'Comment'; leave out --strict to continue\n"
    )
    assert not Path("out.jpg").exists()
    assert inpaint("noted.png", M, "-o", "out.png", "--iterations", 2, "--strict").returncode == 0
