"""A photo's file before and after its hole is filled: all but the hole comes back as it was."""

import os
import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image, ImageOps
from support.photo_files import BYTES, ENDINGS, SECOND, filled_again, shown, smooth, tiff_file

from dip.errors import InputError
from dip.inpainting.files import photo as photos
from dip.inpainting.files.photo import open_picture, orientation_of, photo_in, with_hole
from dip.inpainting.files.samples import loses_depth
from dip.inpainting.files.save import FORMATS, MODES, check_format, save, write

LOSSLESS = [(ENDINGS[name], mode) for name in ("PNG", "TIFF", "WEBP") for mode in MODES[name]]


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
    filled = shown(again)
    assert np.array_equal(filled[~hole], pixels[~hole])
    key = picture.info.get("transparency")
    if key is not None and mode != "P":
        _check_transparent_colour(key, *(np.atleast_3d(a)[hole] for a in (pixels, filled, wanted)))
    elif mode == "1":
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


def _check_transparent_colour(key: Any, before: Any, after: Any, wanted: Any) -> None:
    """Pixels of that one colour are transparent: as many as before are, and the same."""
    scale = 255 if after.dtype == bool else 1
    was, now = ((values * scale == key).all(axis=1) for values in (before, after))
    assert np.array_equal(was, now)
    if scale == 1:
        assert np.abs(after[~was].astype(int) - wanted[~was]).max(initial=0) <= 1


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 2)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_is_that_of_pillow_and_a_view(orientation: int, shape: tuple[int, ...]) -> None:
    stored = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    picture = Image.fromarray(stored)
    picture.getexif()[274] = orientation
    view = photos.turned(stored, orientation_of(picture))
    assert np.array_equal(view, shown(picture))
    view[0] = 99
    assert (stored == 99).sum() == view[0].size


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
        before, after = filled_again(tmp_path / "a.png", tmp_path / f"b{out}")
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


@pytest.mark.parametrize(
    ("name", "mode", "message"),
    [
        ("a.gif", "RGB", "a.gif: the output is one of .png, .jpg, .jpeg, .webp, .tif, .tiff"),
        ("a.JPG", "RGBA", "a.JPG: JPEG does not hold a photo of mode RGBA; PNG or WEBP or TIFF"),
        (
            "a.webp",
            "L",
            "a.webp: WEBP does not hold a photo of mode L (grey); PNG or JPEG or TIFF",
        ),
        ("a.png", "F", "a.png: PNG does not hold a photo of mode F (32-bit floats); TIFF does"),
        ("a.tif", "LAB", "a.tif: TIFF does not hold a photo of mode LAB; convert it to RGB before"),
    ],
)
def test_a_format_that_cannot_hold_the_photo_is_refused(name: str, mode: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        check_format(Path(name), Image.new(mode, (8, 8)))


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("a.jpg", (65_501, 1), "a.jpg: a JPEG has 65500 pixels a side at most; use .png"),
        ("a.webp", (1, 16_384), "a.webp: a WEBP has 16383 pixels a side at most; use .png"),
    ],
)
def test_a_side_that_is_too_long_is_refused(
    tmp_path: Path, name: str, size: tuple[int, int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check_format(tmp_path / name, Image.new("RGB", size))
    most = Image.new("RGB", tuple(side - (side > 1) for side in size))
    check_format(tmp_path / name, most)
    save(most, most, tmp_path / name)
    check_format(tmp_path / "a.png", Image.new("RGB", size))


@pytest.mark.parametrize("depth", [2, 4])
def test_a_transparent_level_of_few_bits_is_that_of_eight(tmp_path: Path, depth: int) -> None:
    """Pillow scales the pixels up, and writes them so."""
    scale = 255 // (2**depth - 1)
    levels = np.arange(64, dtype=np.uint8).reshape(8, 8) % 2**depth * scale
    Image.fromarray(levels).save(tmp_path / "a.png", bits=depth, transparency=2)
    before, after = filled_again(tmp_path / "a.png", tmp_path / "b.png")
    assert before.info["transparency"] == after.info["transparency"] == 2 * scale
    for picture in (before, after):
        assert np.array_equal(photo_in(picture).visible, levels != 2 * scale)


def _cut_off(path: Path) -> None:
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(path.read_bytes()[:-900])


def _two(path: Path) -> None:
    smooth().save(path, save_all=True, append_images=[smooth(seed=1)])


PAGE_WITHOUT_SIZE = tiff_file(1, second=SECOND, main={})
XMP_THAT_IS_TEXT = tiff_file(1, main={274: None, 700: "text"})


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a.png", lambda _: None, "a.png: there is no such file"),
        ("a.png", lambda path: path.mkdir(), "a.png: is a folder, not a picture"),
        ("a.png", os.mkfifo, "a.png: is not a regular file"),
        ("a.png", lambda path: path.write_text("x"), "a.png: not a picture that can be read"),
        *((f"a{each}", _cut_off, "cannot be read|not a picture") for each in ENDINGS.values()),
        *((f"a{x}", _two, "has 2 frames or pages") for x in (".gif", ".webp", ".tif", ".png")),
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


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("mode", ["L", "I;16", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_tiff_is_read_as_it_is_shown(
    tmp_path: Path, orientation: int, mode: str, compression: str
) -> None:
    stored = _drawn(mode, (3, 5), np.random.default_rng(0))
    stored.save(tmp_path / "a.tif", tiffinfo={274: orientation}, compression=compression)
    colours = photo_in(open_picture(tmp_path / "a.tif")).colours
    expected = np.atleast_3d(photos.turned(np.array(stored), orientation))
    assert np.array_equal(colours, expected[..., : colours.shape[2]])


def test_a_preview_beside_the_photo_is_no_second_page(tmp_path: Path) -> None:
    smooth().save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[smooth()])
    _, after = filled_again(tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert (after.format, after.size) == ("JPEG", (64, 48))


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_sixteen_bits_in_colour_are_noticed(tmp_path: Path, ending: str) -> None:
    deep = np.full((8, 8, 3), 12345, np.uint16)
    for name, pixels in (("grey", deep[..., 0]), ("usual", deep.astype(np.uint8)), ("deep", deep)):
        assert cv2.imwrite(str(tmp_path / f"{name}{ending}"), pixels)
        assert loses_depth(open_picture(tmp_path / f"{name}{ending}")) == (name == "deep")


@pytest.mark.parametrize(
    ("name", "picture", "xmp"),
    [
        ("a.png", Image.new("F", (8, 8)), b""),
        ("a.jpg", smooth(), b"x" * 70_000),  # a segment holds 64 KiB
        ("a.webp", Image.new("RGB", (16384, 1)), b""),
        ("a.png", Image.effect_noise((400, 400), 99), b""),  # as on a disk that is full
        ("gone/a.png", smooth(), b""),
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
    smooth().save(tmp_path / "a.webp")
    picture = open_picture(tmp_path / "a.webp")
    (tmp_path / "a.webp").unlink()
    save(smooth(), picture, tmp_path / "b.webp")
    assert open_picture(tmp_path / "b.webp").size == picture.size
