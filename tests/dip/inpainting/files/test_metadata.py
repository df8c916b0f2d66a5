"""What a photo says of itself beside its pixels goes along, but for pictures of the hole."""

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo
from support.photo_files import (
    BEHIND,
    CAMERA,
    ENDINGS,
    EXPOSURE,
    PLACE,
    SECOND,
    SRGB,
    THUMBNAIL,
    XMP,
    camera,
    encoded,
    exif_data,
    filled_again,
    shown,
    smooth,
    tiff_file,
)

from dip.inpainting.files.exif import cleaned_exif
from dip.inpainting.files.photo import orientation_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd")


@pytest.mark.parametrize("out", ENDINGS.values())
@pytest.mark.parametrize("source", [".png", ".jpg", ".webp", "raw.tif", "deflated.tif"])
def test_metadata_goes_along(tmp_path: Path, source: str, out: str) -> None:
    if source.endswith(".tif"):
        main = {274: 6, 282: [300, 1], 283: [300, 1], 296: 2, 700: XMP, 34675: SRGB}
        content = tiff_file(8 if source == "deflated.tif" else 1, main=main)
        (tmp_path / f"a{source}").write_bytes(content)
    else:
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options: dict[str, Any] = {"exif": exif_data(), "icc_profile": SRGB, "dpi": (300, 300)}
        options |= {"xmp": XMP, "pnginfo": info, "quality": 95, "lossless": True}
        smooth().save(tmp_path / f"a{source}", **options)
    before, after = filled_again(tmp_path / f"a{source}", tmp_path / f"b{out}")
    assert camera(after) == camera(before) == CAMERA
    assert after.info["icc_profile"] == SRGB
    assert after.info["xmp"] == XMP
    if ".webp" not in (source, out):  # which has no place for it
        assert after.info["dpi"] == pytest.approx((300, 300), abs=0.01)  # PNG's are per metre
    if not source.endswith(".tif") and out != ".tif":  # which come turned from Pillow
        assert orientation_of(after) == 6
    apart = np.abs(shown(before).astype(int) - shown(after))[16:, 16:]
    is_lossy = out == ".jpg" or (source, out) == (".jpg", ".webp")
    assert apart.max() <= (9 if is_lossy else 0)  # 6 were measured, at quality 95


@pytest.mark.parametrize(
    "compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "zstd", "group4", "jpeg"]
)
def test_tags_and_lossless_compression_are_kept(tmp_path: Path, compression: str) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype |= {33723: 7, 50001: 12}
    texts = {270: "a photo", 305: "software", 315: "Müller".encode(), 33432: "(c) me"}
    others = {282: 118.5, 283: 118.5, 296: 3, 33723: b"\x1c\x02x\0\1c", 50001: (1.5, 2.5)}
    for tag, value in {**texts, **others}.items():
        tags[tag] = value
    picture = smooth().convert("1" if compression == "group4" else "RGB")
    picture.save(tmp_path / "a.tif", tiffinfo=tags, compression=compression)
    before, after = filled_again(tmp_path / "a.tif", tmp_path / "b.tif")
    lossless = "tiff_adobe_deflate" if compression == "jpeg" else compression
    assert after.info["compression"] == lossless
    assert {tag: after.tag_v2.get(tag) for tag in tags} == {t: before.tag_v2[t] for t in tags}
    assert np.array_equal(np.array(after)[10:], np.array(before)[10:])


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        (".tif", {"tiffinfo": {274: 6, 700: XMP.replace(b">a", b' tiff:Orientation="6">a')}}),
        (".jpg", {"exif": exif_data(main={256: 4000, 257: 3000})}),  # left when a photo was reduced
    ],
    ids=["turned by its XMP, too", "another size in its EXIF data"],
)
def test_a_tiff_is_shown_as_the_photo_was(tmp_path: Path, ending: str, options: Any) -> None:
    smooth().save(tmp_path / f"a{ending}", **options)
    before, after = filled_again(tmp_path / f"a{ending}", tmp_path / "b.tif")
    assert np.array_equal(shown(before)[10:], shown(after)[10:])


def test_chunks_of_a_png_are_kept(tmp_path: Path) -> None:
    """Texts, and what its numbers mean: with another gamma the known pixels look different."""
    info = PngInfo()
    info.add_text("Author", "Müller")
    info.add_text("Comment", "long " * 99, zip=True)
    info.add_itxt("Title", "水面", "ja", "題")
    info.add(b"gAMA", struct.pack(">I", 45455))
    info.add(b"cHRM", struct.pack(">8I", *range(30000, 38000, 1000)))
    info.add(b"sRGB", b"\0")
    smooth().save(tmp_path / "a.png", pnginfo=info)
    before, after = filled_again(tmp_path / "a.png", tmp_path / "b.png")
    assert after.text == before.text
    title = after.text["Title"]
    assert (title, title.lang, title.tkey) == ("水面", "ja", "題")
    assert after.info == before.info


@pytest.mark.parametrize(
    ("mode", "options", "levels"),
    [
        *(("RGB", {"quality": 75, "subsampling": each}, 2 * (each == 2)) for each in (0, 1, 2)),
        *(("RGB", {"quality": 95, "subsampling": each}, 4) for each in (0, 1, 2)),
        ("RGB", {"quality": 75, "subsampling": 0, "keep_rgb": True}, 0),
        *((mode, {"quality": 75}, 0) for mode in ("L", "CMYK")),
        *((mode, {"quality": 95, "progressive": True}, 1) for mode in ("L", "CMYK")),
    ],
    ids=str,
)
def test_a_jpeg_is_encoded_as_it_was(
    tmp_path: Path, mode: str, options: dict[str, Any], levels: int
) -> None:
    """Blocks away from the hole come out as they were, if no colour is clipped.

    levels: the most that twelve pictures showed. Rounding to whole levels moves a coefficient by
    less than half a step, unless steps are as small as at quality 95. Where colours change from
    pixel to pixel, to subsample them once more moves them further.
    """
    for seed in range(3):
        smooth(mode, 96, 128, seed).save(tmp_path / "a.jpg", comment="a comment", **options)
        before, after = filled_again(tmp_path / "a.jpg", tmp_path / "b.jpg")
        assert (after.quantization, after.layer) == (before.quantization, before.layer)
        assert after.info.get("progressive") == before.info.get("progressive")
        assert after.info["comment"] == b"a comment"
        apart = np.abs(np.array(before).astype(int) - np.array(after))
        assert max(apart[32:].max(), apart[:, 32:].max()) <= levels


def _numbered(jpeg: bytes, numbers: dict[int, int]) -> bytes:
    """A JPEG of baseline whose tables have other numbers (ITU-T T.81, B.2.2 and B.2.4.1)."""
    data, at = bytearray(jpeg), 2
    while data[at + 1] != 0xDA:
        size = data[at + 2] << 8 | data[at + 3]
        if data[at + 1] == 0xDB:
            for table in range(at + 4, at + 2 + size, 65):
                data[table] = numbers[data[table]]
        if data[at + 1] == 0xC0:
            for channel in range(data[at + 9]):
                number = at + 12 + 3 * channel
                data[number] = numbers[data[number]]
        at += 2 + size
    return bytes(data)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("numbers", [(1, 0), (2, 3), (3, 1), (0, 2)])
def test_the_numbers_of_a_jpeg_s_tables_do_not_matter(
    tmp_path: Path, mode: str, numbers: tuple[int, int]
) -> None:
    smooth(mode).save(tmp_path / "a.jpg", quality=60)
    jpeg = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(_numbered(jpeg, dict(enumerate(numbers))))
    filled_again(tmp_path / "a.jpg", tmp_path / "a2.jpg")
    filled_again(tmp_path / "b.jpg", tmp_path / "b2.jpg")
    assert (tmp_path / "a2.jpg").read_bytes() == (tmp_path / "b2.jpg").read_bytes()


def test_tables_that_one_channel_alone_has_stay_with_it(tmp_path: Path) -> None:
    """Two tables for three channels: the last two, or the outer ones, share one."""
    for shared in ([0, 0, 1], [0, 1, 0]):
        data = encoded("JPEG", quality=60, subsampling=0)
        at = data.index(b"\xff\xc0") + 12
        for channel, number in enumerate(shared):
            data = data[: at + 3 * channel] + bytes([number]) + data[at + 3 * channel + 1 :]
        (tmp_path / "a.jpg").write_bytes(data)
        before, after = filled_again(tmp_path / "a.jpg", tmp_path / "b.jpg")
        tables = [[each.quantization[q] for *_, q in each.layer] for each in (before, after)]
        assert tables[0] == tables[1]


def test_a_jpeg_of_rgb_stays_one_however_it_says_so(tmp_path: Path) -> None:
    smooth().save(tmp_path / "a.jpg", keep_rgb=True, subsampling=0, quality=75)
    jpeg = (tmp_path / "a.jpg").read_bytes()
    for name, number in zip(b"RGB", range(1, 4), strict=True):
        jpeg = jpeg.replace(bytes([name, 0x11]), bytes([number, 0x11]))  # of the frame
        jpeg = jpeg.replace(bytes([name, 0, number]), bytes([number, 0, number]))
    at = jpeg.index(b"\xff\xdb")
    adobe = b"\xff\xee\0\x0eAdobe\0d\0\0\0\0\0"
    scan = jpeg.index(b"\xff\xda")
    header = jpeg[scan : scan + 14].translate(bytes.maketrans(b"RGB", b"\1\2\3"))
    (tmp_path / "b.jpg").write_bytes(jpeg[:at] + adobe + jpeg[at:scan] + header + jpeg[scan + 14 :])
    before, after = filled_again(tmp_path / "b.jpg", tmp_path / "c.jpg")
    assert np.abs(np.array(before).astype(int) - np.array(smooth())).max() < 12
    assert np.array_equal(np.array(before)[16:], np.array(after)[16:])


@pytest.mark.parametrize("factors", [0x121111, 0x411111], ids=["4:4:0", "4:1:1"])
def test_subsampling_that_pillow_cannot_write_is_not_made_coarser(
    tmp_path: Path, factors: int
) -> None:
    options = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factors]
    assert cv2.imwrite(str(tmp_path / "a.jpg"), np.array(smooth()), options)
    before, after = filled_again(tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert all(now <= then for now, then in zip(after.layer[0], before.layer[0], strict=True))


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_data_lose_their_thumbnail_and_nothing_else(order: str) -> None:
    cleaned = cleaned_exif(exif_data(order))
    assert THUMBNAIL not in cleaned
    assert cleaned_exif(exif_data(order)[6:]) == cleaned_exif(cleaned) == cleaned
    before, after = Image.Exif(), Image.Exif()
    before.load(exif_data(order))
    after.load(cleaned)
    for directory in (34665, 34853, 40965):
        assert {**after.get_ifd(directory), 40965: 0} == {**before.get_ifd(directory), 40965: 0}
    assert (after[271], after[274], after.get_ifd(1)) == (before[271], before[274], {})


UNCOMPRESSED = {259: 1, 273: BEHIND, 279: len(THUMBNAIL)}
PHOTOSHOP = b"8BIM\x04\x0c\0\0" + struct.pack(">I", len(THUMBNAIL)) + THUMBNAIL


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        *((ending, {"exif": exif_data(order)}) for ending in ENDINGS.values() for order in "<>"),
        (".jpg", {"exif": b"Exif\0\0" + exif_data()}),
        (".jpg", {"exif": exif_data(thumbnail=UNCOMPRESSED)}),
        (".png", {"pnginfo": exif_data()}),
        (".tif", {"tiffinfo": {34377: PHOTOSHOP}}),
    ],
    ids=[f"{ending}{order}" for ending in ENDINGS.values() for order in "<>"]
    + ["prefix twice", "uncompressed", "as ImageMagick writes it", "Photoshop's"],
)
def test_no_thumbnail_shows_what_was_in_the_hole(
    tmp_path: Path, ending: str, options: dict[str, Any]
) -> None:
    if "pnginfo" in options:
        info, data = PngInfo(), options["pnginfo"]
        info.add_text("Raw profile type exif", f"\nexif\n{len(data):8}\n{data.hex()}\n")
        options = {"pnginfo": info}
    smooth().save(tmp_path / f"a{ending}", **options)
    before, after = filled_again(tmp_path / f"a{ending}", tmp_path / f"b{ending}")
    assert after.getexif().get(271) == before.getexif().get(271)
    written = (tmp_path / f"b{ending}").read_bytes()
    assert THUMBNAIL not in written
    assert THUMBNAIL.hex().encode() not in written


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    exif = bytearray(exif_data(draw(st.sampled_from("<>"))))
    for _ in range(draw(st.integers(0, 3))):
        directory = draw(st.sampled_from([0, EXPOSURE, PLACE, SECOND]))
        exif[6 + directory + draw(st.integers(0, 60))] = draw(st.integers(0, 255))
    return bytes(exif[: draw(st.integers(6, len(exif)))])


@pytest.mark.parametrize("out", ENDINGS.values())
@given(exif=st.one_of(st.binary(max_size=60).map(lambda data: b"Exif\0\0" + data), _damaged()))
@example(exif=b"Exif\0\0no directory")
@settings(deadline=None, max_examples=40)
@pytest.mark.filterwarnings("ignore")
def test_malformed_exif_data_is_no_error(folder: Path, out: str, exif: bytes) -> None:
    assert cleaned_exif(cleaned_exif(exif)) == cleaned_exif(exif)
    smooth(height=16, width=16).save(folder / "odd.png", exif=exif)
    before, after = filled_again(folder / "odd.png", folder / f"odd-filled{out}")
    assert after.size == before.size
