"""Pictures as people have them: each is read right, or refused in one line."""

import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from datasets import DatasetError, Image, load_images
from datasets.images import fit_mask, read_image, read_mask


def _noise(*shape: int) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)


def test_size_takes_the_centre_square(tmp_path: Path) -> None:
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, 30:70] = (10, 200, 30)  # exactly the centre square
    Pillow.fromarray(pixels).save(tmp_path / "wide.png")
    (image,) = load_images(tmp_path, size=20)
    assert image.pixels.shape == (3, 20, 20)
    assert np.array_equal(image.pixels[:, 10, 10], (10, 200, 30))
    assert (image.pixels == image.pixels[:, :1, :1]).all()


@settings(deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    share=st.floats(0, 1),
    seed=st.integers(0, 9),
)
def test_a_crop_is_the_centre_and_its_mask_too(
    height: int, width: int, share: float, seed: int
) -> None:
    """At full resolution: a slice of the picture, and the same slice of a mask of the whole."""
    pixels = np.random.RandomState(seed).randint(0, 256, (height, width)).astype(np.uint8)
    side = max(1, round(share * min(height, width)))
    top, left = (height - side) // 2, (width - side) // 2
    with TemporaryDirectory() as folder:
        Pillow.fromarray(pixels).save(path := Path(folder, "a.png"))
        image = read_image(path, "a", crop=side)
        square = read_image(path, "a", crop=min(height, width))
        sized = read_image(path, "a", size=min(height, width))
    assert np.array_equal(image.pixels[0], pixels[top : top + side, left : left + side])
    assert np.array_equal(fit_mask(pixels > 99, image, "mask"), image.pixels[0] > 99)
    assert np.array_equal(square.pixels, sized.pixels)  # at its own size nothing is resized


def test_an_image_too_small_for_a_crop_is_named_with_the_largest(tmp_path: Path) -> None:
    Pillow.new("L", (100, 40)).save(tmp_path / "wide.png")
    with pytest.raises(DatasetError, match=r"100x40 pixels, smaller than crop 41; use crop: 40 or"):
        load_images(tmp_path, crop=41)
    assert load_images(tmp_path, crop=40)[0].pixels.shape == (1, 40, 40)


def test_a_photo_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    pixels = np.zeros((24, 48, 3), np.uint8)
    pixels[:, :24] = 255  # white on the left
    exif = Pillow.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: the left becomes the top
    Pillow.fromarray(pixels).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    image = read_image(tmp_path / "turned.jpg", "x")
    assert (image.width, image.height) == (24, 48)
    assert image.pixels[:, :20].min() > 200
    assert image.pixels[:, 28:].max() < 50


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "PA"])
def test_modes_of_png_keep_their_pixels(tmp_path: Path, mode: str) -> None:
    """Grey stays grey, palettes become colour, and an alpha channel without effect is dropped."""
    grey = Pillow.fromarray(np.tile(np.array([0, 255], np.uint8), (6, 4)))
    path = tmp_path / ("picture.tif" if mode == "PA" else "picture.png")
    picture = grey.convert("RGB").quantize(2) if mode == "P" else grey.convert(mode)
    picture.save(path)
    image = read_image(path, "x")
    assert len(image.pixels) == (1 if mode in ("1", "L", "LA") else 3)
    assert np.array_equal(image.pixels, np.broadcast_to(np.asarray(grey), image.pixels.shape))


def test_sixteen_bits_are_rounded_to_eight(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16)
    Pillow.fromarray(levels * 257).save(tmp_path / "deep.png")
    image = read_image(tmp_path / "deep.png", "x")
    assert np.array_equal(image.pixels[0], levels)
    Pillow.fromarray(np.full((8, 8), 257 * 100 + 129, np.uint16)).save(tmp_path / "deep.tif")
    assert (read_image(tmp_path / "deep.tif", "x").pixels == 101).all()


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_sixteen_bits_in_colour_are_refused(tmp_path: Path, name: str) -> None:
    """Pillow would cut the lower ones off."""
    deep = np.full((8, 8, 3), 257 * 100 + 129, np.uint16)
    assert cv2.imwrite(str(tmp_path / name), deep)
    with pytest.raises(DatasetError, match="has more channels than grey, of 16 bits"):
        read_image(tmp_path / name, "x")


@pytest.mark.parametrize("ending", ["png", "tif", "bmp", "webp"])
@pytest.mark.parametrize("width", [16, 161, 1600])
def test_eight_bits_of_any_width_are_not_taken_for_sixteen(
    tmp_path: Path, ending: str, width: int
) -> None:
    pixels = _noise(4, width, 3)
    lossless = {"lossless": True} if ending == "webp" else {}
    Pillow.fromarray(pixels).save(tmp_path / f"a.{ending}", **lossless)
    assert np.array_equal(
        read_image(tmp_path / f"a.{ending}", "x").pixels, pixels.transpose(2, 0, 1)
    )


def test_a_damaged_camera_block_is_one_line(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    exif[0x9003] = "2026:11:22 00:00:00"
    Pillow.fromarray(_noise(24, 48, 3)).save(tmp_path / "a.jpg", exif=exif)
    whole = bytearray((tmp_path / "a.jpg").read_bytes())
    block = whole.index(b"Exif")
    random = np.random.RandomState(0)
    for _ in range(100):
        damaged = whole.copy()
        for place in random.randint(block + 6, block + 60, 3):
            damaged[place] = random.randint(256)
        (tmp_path / "a.jpg").write_bytes(damaged)
        try:
            read_image(tmp_path / "a.jpg", "x")
        except DatasetError as error:
            assert "a.jpg: not an image, cut off or damaged" in str(error)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    for name in ("print.jpg", "print.tif"):
        Pillow.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / name)  # printed red
        red = read_image(tmp_path / name, "x").pixels[:, 8, 8]
        assert red[0] > 250
        assert red[1:].max() < 5


def test_pages_are_not_dropped_without_a_word(tmp_path: Path) -> None:
    pages = [Pillow.fromarray(_noise(8, 8, 3)), Pillow.new("RGB", (8, 8))]
    for name in ("a.tif", "a.webp", "a.png"):
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
        parts = "pages" if name == "a.tif" else "frames"
        with pytest.raises(DatasetError, match=f"has 2 {parts}; save the one that is meant"):
            read_image(tmp_path / name, "x")
    pages[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=pages[1:])
    assert read_image(tmp_path / "a.jpg", "x").pixels.shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (np.zeros((8, 8, 3), np.float32), "floating-point values of 32 bits"),
        (np.zeros((8, 8), np.float64), "floating-point values of 64 bits"),
        (np.zeros((8, 8), np.int16), "signed whole numbers of 16 bits"),
    ],
    ids=["colour", "double", "signed"],
)
def test_a_tiff_of_other_values_is_called_what_it_is(
    tmp_path: Path, values: np.ndarray, named: str
) -> None:
    """Also where Pillow does not know it, or takes it for something else."""
    assert cv2.imwrite(str(tmp_path / "a.tif"), values)
    with pytest.raises(DatasetError, match=f"a.tif: has {named}; convert it to 8 bits first"):
        read_image(tmp_path / "a.tif", "x")


def test_an_opaque_alpha_that_is_multiplied_in_is_dropped(tmp_path: Path) -> None:
    grey = _noise(8, 8)
    picture = Pillow.merge("LA", [Pillow.fromarray(grey), Pillow.new("L", (8, 8), 255)])
    picture.save(tmp_path / "a.tif")
    not_in, in_it = (struct.pack("<HHIH", 338, 3, 1, kind) for kind in (2, 1))  # ExtraSamples
    written = (tmp_path / "a.tif").read_bytes()
    assert not_in in written
    (tmp_path / "a.tif").write_bytes(written.replace(not_in, in_it))
    with Pillow.open(tmp_path / "a.tif") as file:
        assert file.mode == "La"
    assert np.array_equal(read_image(tmp_path / "a.tif", "x").pixels[0], grey)


def test_a_square_is_resized_with_lanczos(tmp_path: Path) -> None:
    picture = Pillow.fromarray(_noise(60, 60, 3))
    picture.save(tmp_path / "a.png")
    expected = np.asarray(picture.resize((24, 24), Pillow.Resampling.LANCZOS))
    image = read_image(tmp_path / "a.png", "x", size=24)
    assert np.array_equal(image.pixels.transpose(1, 2, 0), expected)


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (1, 1)])
def test_one_pixel_wide_is_an_image(tmp_path: Path, shape: tuple[int, int]) -> None:
    pixels = _noise(*shape, 3)
    Pillow.fromarray(pixels).save(tmp_path / "thin.png")
    image = read_image(tmp_path / "thin.png", "x")
    assert np.array_equal(image.pixels.transpose(1, 2, 0), pixels)


def test_forty_megapixels_are_read(tmp_path: Path) -> None:
    Pillow.new("L", (8000, 5000), 7).save(tmp_path / "large.png", compress_level=1)
    assert read_image(tmp_path / "large.png", "x").pixels.shape == (1, 5000, 8000)
    assert read_image(tmp_path / "large.png", "x", size=64).pixels.shape == (1, 64, 64)


def _bomb(path: Path) -> None:
    Pillow.new("1", (20000, 20000)).save(path, compress_level=9)


@pytest.mark.parametrize(
    ("name", "make", "match"),
    [
        ("a.png", lambda path: path.write_text("no picture"), "a.png: not an image"),
        ("a.png", lambda path: path.write_bytes(b""), "a.png: not an image"),
        ("a.png", lambda path: path.mkdir(), "holds no image"),
        ("a.png", _bomb, "a.png: too many pixels; make the image smaller first"),
        (
            "a.png",
            lambda path: Pillow.new("RGBA", (8, 8), (1, 2, 3, 4)).save(path),
            "has transparent pixels; flatten the image first",
        ),
        (
            "a.png",
            lambda path: Pillow.new("P", (8, 8)).save(path, transparency=0),
            "has transparent pixels",
        ),
        (
            "a.tif",
            lambda path: Pillow.fromarray(np.zeros((8, 8), np.float32)).save(path),
            "a.tif: has floating-point values of 32 bits; convert it to 8 bits first",
        ),
        (
            "a.tif",
            lambda path: Pillow.fromarray(np.zeros((8, 8), np.int32)).save(path),
            "a.tif: has signed whole numbers of 32 bits; convert it to 8 bits first",
        ),
    ],
    ids=["text", "empty", "folder", "bomb", "alpha", "palette-alpha", "float", "integer"],
)
def test_what_cannot_be_right_is_one_line(
    tmp_path: Path, name: str, make: object, match: str
) -> None:
    assert callable(make)
    make(tmp_path / name)
    with pytest.raises(DatasetError, match=match) as caught:
        load_images(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp", "bmp"])
@pytest.mark.parametrize("share", [0.3, 0.95])
def test_a_picture_that_is_cut_off_is_refused(tmp_path: Path, ending: str, share: float) -> None:
    path = tmp_path / f"a.{ending}"
    Pillow.fromarray(_noise(64, 64, 3)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DatasetError, match="not an image, cut off or damaged"):
        load_images(tmp_path)


def test_a_mask_is_its_first_channel_at_one_half(tmp_path: Path) -> None:
    levels = np.array([[0, 127, 128, 255]], np.uint8)
    colour = np.stack([levels, 255 - levels, levels * 0], axis=-1)
    for name, pixels in (("grey.png", levels), ("colour.png", colour)):
        Pillow.fromarray(pixels).save(tmp_path / name)
        assert read_mask(tmp_path / name).tolist() == [[False, False, True, True]]
        assert read_mask(tmp_path / name, "white").tolist() == [[True, True, False, False]]


def test_a_mask_is_cropped_as_its_image(tmp_path: Path) -> None:
    """Where the picture is white the mask is too: they go through the same crop."""
    pixels = np.zeros((60, 100), np.uint8)
    pixels[10:35, 40:70] = 255
    Pillow.fromarray(pixels).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", "a", size=30)
    known = fit_mask(pixels > 0, image, "mask")
    assert known.shape == (30, 30)
    clear = (image.pixels[0] < 20) | (image.pixels[0] > 235)  # not the blurred rim
    assert clear.mean() > 0.8
    assert np.array_equal(known[clear], image.pixels[0][clear] > 127)


def test_a_mask_of_another_size_is_refused_with_both() -> None:
    image = Image("a", np.zeros((3, 30, 40), np.uint8), native=(60, 80))
    with pytest.raises(DatasetError, match="the mask has 41x30 pixels, 'a' 40x30 or 80x60"):
        fit_mask(np.ones((30, 41), bool), image, "mask.png")
