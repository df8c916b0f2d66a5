"""A photo's file before and after its hole is filled: all but the hole comes back as it was."""

import resource
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from dip.errors import InputError
from dip.inpainting import photo as photos
from dip.inpainting.metadata import without_thumbnail
from dip.inpainting.photo import open_picture, orientation_of, photo_in, with_hole
from dip.inpainting.saving import FORMATS, MODES, check_format, save, write

ENDINGS = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif"}
LOSSLESS = [(ENDINGS[name], mode) for name in ("PNG", "TIFF", "WEBP") for mode in MODES[name]]
BYTES = {"L": 1, "P": 1, "LA": 2, "I;16": 2, "I;16B": 2, "RGB": 3, "YCbCr": 3, "RGBA": 4}
BYTES |= {"CMYK": 4, "I": 4}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">a caption</x:xmpmeta>'
THUMBNAIL = b"\xff\xd8what was in the hole\xff\xd9"
EXPOSURE, PLACE, COMPATIBLE, SECOND, BEHIND = 1000, 1200, 1300, 1400, 1500  # where EXIF data has it
CAMERA = ("Camera & Co", "2024:05:06 07:08:09", b"a note", 1 / 250, "N", (48, 8, 12.34))


def _directory(order: str, at: int, fields: dict[int, Any], following: int = 0) -> bytes:
    """A directory that stands at `at` (TIFF 6.0, section 2); a list is of fractions."""
    entries, values = struct.pack(order + "H", len(fields)), b""
    for tag, value in sorted(fields.items()):
        if isinstance(value, str):
            kind, count, data = 2, len(value) + 1, value.encode() + b"\0"
        elif isinstance(value, bytes):
            kind, count, data = 7, len(value), value
        elif isinstance(value, list):
            kind, count, data = 5, len(value) // 2, struct.pack(f"{order}{len(value)}I", *value)
        else:
            kind, count, data = 4, 1, struct.pack(order + "I", value)
        entries += struct.pack(order + "HHI", tag, kind, count)
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
        else:
            entries += struct.pack(order + "I", at + 6 + 12 * len(fields) + len(values))
            values += data
    return entries + struct.pack(order + "I", following) + values


def _exif(order: str = "<", behind: bytes = THUMBNAIL, second: int = SECOND, **more: Any) -> bytes:
    """EXIF data with a thumbnail (EXIF 2.3, section 4.5) as cameras write it.

    second: where the thumbnail's directory is said to be; main, thumbnail: fields of directories.
    """
    main = {271: CAMERA[0], 274: 6, 34665: EXPOSURE, 34853: PLACE, **more.get("main", {})}
    data = bytearray(BEHIND) + behind
    data[:8] = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8)
    for at, fields, following in (
        (8, {tag: value for tag, value in main.items() if value is not None}, second),
        (EXPOSURE, {33434: [1, 250], 36867: CAMERA[1], 37500: CAMERA[2], 40965: COMPATIBLE}, 0),
        (PLACE, {1: "N", 2: [48, 1, 8, 1, 1234, 100]}, 0),
        (COMPATIBLE, {1: "R98"}, 0),
        (SECOND, more.get("thumbnail", {259: 6, 513: BEHIND, 514: len(behind)}), 0),
    ):
        part = _directory(order, at, fields, following)
        data[at : at + len(part)] = part
    return b"Exif\0\0" + bytes(data)


def _tiff(compression: int, *, second: int = 0, main: dict[int, Any]) -> bytes:
    """A file that says the same of its camera, which Pillow would not write compressed."""
    strip = bytes(range(48)) * 192
    strip = zlib.compress(strip) if compression == 8 else strip
    storage = {256: 64, 257: 48, 258: 8, 259: compression, 262: 2, 273: BEHIND, 277: 3, 278: 48}
    return _exif(behind=strip, second=second, main={**storage, 279: len(strip), **main})[6:]


def _camera(picture: Image.Image) -> tuple[Any, ...]:
    exif = picture.getexif()
    exposure, place = exif.get_ifd(34665), exif.get_ifd(34853)
    said = [exposure.get(tag) for tag in (36867, 37500, 33434)]
    return exif.get(271), *said, place.get(1), place.get(2)


def _smooth(mode: str = "RGB", height: int = 48, width: int = 64, seed: int = 0) -> Image.Image:
    """Colours that change over 32 pixels, far from black and white."""
    random, bands = np.random.default_rng(seed), []
    for _ in range(BYTES[mode]):
        coarse = random.integers(60, 190, (height // 32 + 2, width // 32 + 2), np.uint8)
        bands.append(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    return Image.merge(mode, bands)


def _shown(picture: Image.Image) -> NDArray[Any]:
    return np.array(ImageOps.exif_transpose(picture))


def _filled(source: Path, out: Path) -> tuple[Any, Any]:
    """The picture of a file, and what is read again of it with a hole in its upper left corner."""
    picture = open_picture(source)
    colours = photo_in(picture).colours.copy()
    hole = np.zeros(colours.shape[:2], bool)
    hole[2:7, 3:9] = True
    colours[hole] = 255 - colours[hole]
    save(with_hole(picture, colours, hole), picture, out)
    return picture, open_picture(out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("photos")


def _drawn(mode: str, size: tuple[int, int], random: np.random.Generator) -> Image.Image:
    stored = {"1": "L", "F": "I"}.get(mode, mode)
    pixels = random.integers(0, 256, (*size, BYTES[stored]), np.uint8)
    if mode in ("LA", "RGBA"):
        pixels[..., -1] *= random.random(size) < 0.5  # fully transparent, with colours below
    entries = int(random.choice([2, 3, 16, 255]))
    pixels = pixels % entries if mode == "P" else pixels
    picture = Image.frombytes(stored, size[::-1], pixels.tobytes()).convert(mode)
    if mode == "P":
        picture.putpalette(random.bytes(3 * entries))
    return picture


def _write_drawn(path: Path, mode: str, size: tuple[int, int], data: st.DataObject) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    options: dict[str, Any] = {"exif": Image.Exif(), "lossless": True, "exact": True}
    options["exif"][274] = data.draw(st.integers(1, 8))
    if path.suffix == ".tif" and mode not in ("I;16B", "YCbCr"):  # read as others if compressed
        options["compression"] = data.draw(st.sampled_from(["raw", "tiff_lzw", "packbits"]))
    if path.suffix == ".png" and data.draw(st.booleans()):
        entries = data.draw(st.sampled_from([1, random.bytes(2), b"\0\xff\0"]))
        keys = {"1": 1, "L": 77, "I;16": 777, "RGB": (1, 2, 3), "P": entries}
        options |= {"transparency": keys[mode]} if mode in keys else {}
    _drawn(mode, size, random).save(path, **options)


@pytest.mark.parametrize(("ending", "mode"), LOSSLESS)
@given(data=st.data(), size=st.tuples(st.integers(1, 12), st.integers(1, 12)))
@settings(deadline=None, max_examples=20)
def test_only_the_hole_changes(
    folder: Path, ending: str, mode: str, data: st.DataObject, size: tuple[int, int]
) -> None:
    """What is where is held to Pillow's own turning, palettes to its `apply_transparency`."""
    _write_drawn(folder / f"a{ending}", mode, size, data)
    picture = open_picture(folder / f"a{ending}")
    upright = ImageOps.exif_transpose(picture)
    pixels = np.array(upright)
    hole = data.draw(arrays(bool, pixels.shape[:2]))
    hole[:, -1] |= data.draw(st.booleans())  # the whole edge
    colours = photo_in(picture).colours
    wanted: NDArray[Any] = (
        np.random.default_rng(0).permutation(colours.ravel()).reshape(colours.shape)
    )
    save(with_hole(picture, wanted, hole), picture, folder / f"b{ending}")

    again = open_picture(folder / f"b{ending}")
    assert again.mode == picture.mode == mode
    assert again.size == picture.size
    assert orientation_of(again) == orientation_of(picture)
    assert again.info.get("transparency") == picture.info.get("transparency")
    filled = _shown(again)
    assert np.array_equal(filled[~hole], pixels[~hole])
    if mode == "1":
        assert np.array_equal(filled[hole], wanted[hole][:, 0] > 127)
    elif mode == "P":
        upright.apply_transparency()
        palette = np.array(upright.getpalette("RGBA"), int).reshape(-1, 4)
        for before, after, colour in zip(pixels[hole], filled[hole], wanted[hole], strict=True):
            apart = ((palette[:, :3] - colour) ** 2).sum(axis=1)
            assert palette[after, 3] == palette[before, 3]
            assert apart[after] == apart[palette[:, 3] == palette[before, 3]].min()
    else:
        count = wanted.shape[2]
        values, alpha = np.atleast_3d(filled)[hole], np.atleast_3d(pixels)[hole][:, count:]
        assert np.array_equal(values, np.concatenate([wanted[hole], alpha], axis=1))


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 2)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_is_that_of_pillow_and_a_view(orientation: int, shape: tuple[int, ...]) -> None:
    stored = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    picture = Image.fromarray(stored)
    picture.getexif()[274] = orientation
    shown = photos.turned(stored, orientation_of(picture))
    assert np.array_equal(shown, _shown(picture))
    shown[0] = 99
    assert (stored == 99).sum() == shown[0].size


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
@pytest.mark.filterwarnings("error")  # the user would read them
def test_colours_below_full_transparency_mean_nothing(tmp_path: Path, mode: str) -> None:
    key = b"\0\1" if mode == "P" else None
    drawn = _drawn(mode, (20, 20), np.random.default_rng(1))
    drawn.save(tmp_path / "a.png", transparency=key)
    visible = photo_in(open_picture(tmp_path / "a.png")).visible
    alpha = np.array(Image.open(tmp_path / "a.png").convert("RGBA"))[..., 3]
    assert 0 < visible.sum() < 400
    assert np.array_equal(visible, alpha > 0)


@pytest.mark.parametrize("key", [(1, 2, 3), 77, b"\0\x80\xff"], ids=["RGB", "L", "P"])
@pytest.mark.parametrize("out", ENDINGS.values())
def test_transparency_is_kept_or_the_format_refused(tmp_path: Path, key: Any, out: str) -> None:
    picture = Image.new("RGB", (20, 20), (1, 2, 3))
    picture = Image.new("L", (20, 20), 77) if key == 77 else picture
    picture = picture.quantize(3) if isinstance(key, bytes) else picture
    picture.save(tmp_path / "a.png", transparency=key)
    try:
        check_format(tmp_path / f"b{out}", open_picture(tmp_path / "a.png"))
        before, after = _filled(tmp_path / "a.png", tmp_path / f"b{out}")
    except InputError:
        return
    was, now = (np.array(each.convert("RGBA"))[10:, :, 3] for each in (before, after))
    assert np.array_equal(was, now)


@pytest.mark.parametrize("transparency", [None, 255])
def test_palettes_may_be_shorter_than_the_indices(transparency: int | None) -> None:
    """As in GIF files, whose transparent entry often has no colour."""
    stored = np.arange(64, dtype=np.uint8).reshape(8, 8) % 6
    picture = Image.fromarray(stored)
    picture.putpalette(bytes(range(18 if transparency else 12)))
    picture.info |= {"transparency": transparency} if transparency else {}
    hole = np.arange(8)[:, None] < [3] * 8
    filled = with_hole(picture, photo_in(picture).colours, hole)
    assert np.array_equal(np.array(filled)[~hole], stored[~hole])


@pytest.mark.parametrize("out", ENDINGS.values())
@pytest.mark.parametrize("source", [".png", ".jpg", ".webp", "raw.tif", "deflated.tif"])
def test_metadata_goes_along(tmp_path: Path, source: str, out: str) -> None:
    if source.endswith(".tif"):
        main = {274: 6, 282: [300, 1], 283: [300, 1], 296: 2, 700: XMP, 34675: SRGB}
        content = _tiff(8 if source == "deflated.tif" else 1, main=main)
        (tmp_path / f"a{source}").write_bytes(content)
    else:
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options: dict[str, Any] = {"exif": _exif(), "icc_profile": SRGB, "dpi": (300, 300)}
        options |= {"xmp": XMP, "pnginfo": info, "quality": 95, "lossless": True}
        _smooth().save(tmp_path / f"a{source}", **options)
    before, after = _filled(tmp_path / f"a{source}", tmp_path / f"b{out}")
    assert _camera(after) == _camera(before) == CAMERA
    assert after.info["icc_profile"] == SRGB
    assert after.info["xmp"] == XMP
    if ".webp" not in (source, out):  # which has no place for it
        assert after.info["dpi"] == pytest.approx((300, 300), abs=0.01)  # PNG's are per metre
    if not source.endswith(".tif") and out != ".tif":  # which come turned from Pillow
        assert orientation_of(after) == 6
    apart = np.abs(_shown(before).astype(int) - _shown(after))[16:, 16:]
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
    picture = _smooth().convert("1" if compression == "group4" else "RGB")
    picture.save(tmp_path / "a.tif", tiffinfo=tags, compression=compression)
    before, after = _filled(tmp_path / "a.tif", tmp_path / "b.tif")
    lossless = "tiff_adobe_deflate" if compression == "jpeg" else compression
    assert after.info["compression"] == lossless
    assert {tag: after.tag_v2.get(tag) for tag in tags} == {t: before.tag_v2[t] for t in tags}
    assert np.array_equal(np.array(after)[10:], np.array(before)[10:])


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        (".tif", {"tiffinfo": {274: 6, 700: XMP.replace(b">a", b' tiff:Orientation="6">a')}}),
        (".jpg", {"exif": _exif(main={256: 4000, 257: 3000})}),  # left when a photo was reduced
    ],
    ids=["turned by its XMP, too", "another size in its EXIF data"],
)
def test_a_tiff_is_shown_as_the_photo_was(tmp_path: Path, ending: str, options: Any) -> None:
    _smooth().save(tmp_path / f"a{ending}", **options)
    before, after = _filled(tmp_path / f"a{ending}", tmp_path / "b.tif")
    assert np.array_equal(_shown(before)[10:], _shown(after)[10:])


def test_chunks_of_a_png_are_kept(tmp_path: Path) -> None:
    """Texts, and what its numbers mean: with another gamma the known pixels look different."""
    info = PngInfo()
    info.add_text("Author", "Müller")
    info.add_text("Comment", "long " * 99, zip=True)
    info.add_itxt("Title", "水面", "ja", "題")
    info.add(b"gAMA", struct.pack(">I", 45455))
    info.add(b"cHRM", struct.pack(">8I", *range(30000, 38000, 1000)))
    info.add(b"sRGB", b"\0")
    _smooth().save(tmp_path / "a.png", pnginfo=info)
    before, after = _filled(tmp_path / "a.png", tmp_path / "b.png")
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
        _smooth(mode, 96, 128, seed).save(tmp_path / "a.jpg", comment="a comment", **options)
        before, after = _filled(tmp_path / "a.jpg", tmp_path / "b.jpg")
        assert (after.quantization, after.layer) == (before.quantization, before.layer)
        assert after.info.get("progressive") == before.info.get("progressive")
        assert after.info["comment"] == b"a comment"
        apart = np.abs(np.array(before).astype(int) - np.array(after))
        assert max(apart[32:].max(), apart[:, 32:].max()) <= levels


@pytest.mark.parametrize("factors", [0x121111, 0x411111], ids=["4:4:0", "4:1:1"])
def test_subsampling_that_pillow_cannot_write_is_not_made_coarser(
    tmp_path: Path, factors: int
) -> None:
    options = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factors]
    assert cv2.imwrite(str(tmp_path / "a.jpg"), np.array(_smooth()), options)
    before, after = _filled(tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert all(now <= then for now, then in zip(after.layer[0], before.layer[0], strict=True))


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_data_loses_its_thumbnail_and_nothing_else(order: str) -> None:
    emptied = _exif(order, bytes(len(THUMBNAIL)), second=0)
    assert without_thumbnail(_exif(order)) == emptied
    assert without_thumbnail(_exif(order)[6:]) == emptied[6:]
    assert without_thumbnail(emptied) == emptied


UNCOMPRESSED = {259: 1, 273: BEHIND, 279: len(THUMBNAIL)}
PHOTOSHOP = b"8BIM\x04\x0c\0\0" + struct.pack(">I", len(THUMBNAIL)) + THUMBNAIL


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        *((ending, {"exif": _exif(order)}) for ending in ENDINGS.values() for order in "<>"),
        (".jpg", {"exif": b"Exif\0\0" + _exif()}),
        (".jpg", {"exif": _exif(thumbnail=UNCOMPRESSED)}),
        (".png", {"pnginfo": _exif()}),
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
    _smooth().save(tmp_path / f"a{ending}", **options)
    before, after = _filled(tmp_path / f"a{ending}", tmp_path / f"b{ending}")
    assert after.getexif().get(271) == before.getexif().get(271)
    written = (tmp_path / f"b{ending}").read_bytes()
    assert THUMBNAIL not in written
    assert THUMBNAIL.hex().encode() not in written


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    exif = bytearray(_exif(draw(st.sampled_from("<>"))))
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
    assert len(without_thumbnail(exif)) == len(exif)
    assert len(without_thumbnail(exif[6:])) == len(exif) - 6
    _smooth(height=16, width=16).save(folder / "odd.png", exif=exif)
    before, after = _filled(folder / "odd.png", folder / f"odd-filled{out}")
    assert after.size == before.size


@pytest.mark.parametrize(
    ("name", "mode", "message"),
    [
        ("a.gif", "RGB", "a.gif: the output is one of .png, .jpg, .jpeg, .webp, .tif, .tiff"),
        ("a.JPG", "RGBA", "a.JPG: JPEG does not hold a photo of mode RGBA; PNG or WEBP or TIFF"),
        ("a.webp", "L", "a.webp: WEBP does not hold a photo of mode L; PNG or JPEG or TIFF does"),
        ("a.png", "F", "a.png: PNG does not hold a photo of mode F; TIFF does"),
        ("a.tif", "LAB", "a.tif: TIFF does not hold a photo of mode LAB; convert it to RGB before"),
    ],
)
def test_a_format_that_cannot_hold_the_photo_is_refused(name: str, mode: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_format(Path(name), Image.new(mode, (8, 8)))


def _cut_off(path: Path) -> None:
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(path.read_bytes()[:-900])


def _two(path: Path) -> None:
    _smooth().save(path, save_all=True, append_images=[_smooth(seed=1)])


PAGE_WITHOUT_SIZE = _tiff(1, second=SECOND, main={})
XMP_THAT_IS_TEXT = _tiff(1, main={274: None, 700: "text"})


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a.png", lambda _: None, "a.png: there is no such file"),
        ("a.png", lambda path: path.mkdir(), "a.png: is a folder, not a picture"),
        ("a.png", lambda path: path.write_text("x"), "a.png: not a picture that can be read"),
        *((f"a{each}", _cut_off, "cannot be read|not a picture") for each in ENDINGS.values()),
        *((f"a{each}", _two, "has 2 frames or pages") for each in (".gif", ".webp", ".tif")),
        ("a.tif", lambda path: path.write_bytes(PAGE_WITHOUT_SIZE), "a.tif: "),
        ("a.tif", lambda path: path.write_bytes(XMP_THAT_IS_TEXT), "a.tif: "),
    ],
)
def test_what_is_no_photo_is_one_line(
    tmp_path: Path, name: str, make: Callable[[Path], object], message: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(InputError, match=message) as caught:
        open_picture(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_a_preview_beside_the_photo_is_no_second_page(tmp_path: Path) -> None:
    _smooth().save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[_smooth()])
    _, after = _filled(tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert (after.format, after.size) == ("JPEG", (64, 48))


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_sixteen_bits_in_colour_are_noticed(tmp_path: Path, ending: str) -> None:
    deep = np.full((8, 8, 3), 12345, np.uint16)
    for name, pixels in (("grey", deep[..., 0]), ("usual", deep.astype(np.uint8)), ("deep", deep)):
        assert cv2.imwrite(str(tmp_path / f"{name}{ending}"), pixels)
        assert photos.loses_depth(tmp_path / f"{name}{ending}") == (name == "deep")


@pytest.mark.parametrize(
    ("name", "picture", "xmp"),
    [
        ("a.png", Image.new("F", (8, 8)), b""),
        ("a.jpg", _smooth(), b"x" * 70_000),  # a segment holds 64 KiB
        ("a.webp", Image.new("RGB", (16384, 1)), b""),
        ("a.png", Image.effect_noise((400, 400), 99), b""),  # as on a disk that is full
        ("gone/a.png", _smooth(), b""),
    ],
)
def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, name: str, picture: Image.Image, xmp: bytes
) -> None:
    path = tmp_path / name
    if path.parent == tmp_path:
        path.write_bytes(b"the one before")
    before = list(tmp_path.rglob("*"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, limits[1]))
    try:
        with pytest.raises(InputError, match=f"{name}: cannot be written"):
            write(picture, path, FORMATS[path.suffix], {"xmp": xmp})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.rglob("*")) == before
    assert [each.read_bytes() for each in before] == [b"the one before"] * len(before)


def test_the_file_that_was_read_may_be_gone(tmp_path: Path) -> None:
    """A fit takes long enough for a photo to be moved meanwhile."""
    _smooth().save(tmp_path / "a.webp")
    picture = open_picture(tmp_path / "a.webp")
    (tmp_path / "a.webp").unlink()
    save(_smooth(), picture, tmp_path / "b.webp")
    assert open_picture(tmp_path / "b.webp").size == picture.size
