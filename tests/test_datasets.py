"""Images and holes."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from datasets import MASKS, DatasetError, Image, load_images, load_manifest, make_mask
from datasets.masks import Bernoulli, Boxes


def _image(height: int, width: int, name: str = "x") -> Image:
    return Image(name, np.zeros((3, height, width), np.uint8))


def test_every_image_of_the_manifest_is_what_it_says() -> None:
    manifest = load_manifest("scikit-image")
    images = load_images("scikit-image")
    assert [image.name for image in images] == list(manifest.images)
    for image in images:
        entry = manifest.images[image.name]
        assert (image.height, image.width) == (entry.height, entry.width)
        assert entry.licence
        assert entry.citation


def test_size_takes_the_centre_square(tmp_path: Path) -> None:
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, 30:70] = (10, 200, 30)  # exactly the centre square
    Pillow.fromarray(pixels).save(tmp_path / "wide.png")
    (image,) = load_images(tmp_path, size=20)
    assert image.pixels.shape == (3, 20, 20)
    assert np.array_equal(image.pixels[:, 10, 10], (10, 200, 30))
    assert (image.pixels == image.pixels[:, :1, :1]).all()


def test_grey_stays_grey_and_palettes_become_colour(tmp_path: Path) -> None:
    Pillow.fromarray(np.full((5, 7), 90, np.uint8)).save(tmp_path / "grey.png")
    Pillow.new("RGB", (7, 5), (1, 2, 3)).quantize().save(tmp_path / "palette.png")
    grey, palette = load_images(tmp_path)
    assert grey.pixels.shape == (1, 5, 7)
    assert palette.pixels.shape == (3, 5, 7)
    assert palette.pixels[:, 0, 0].tolist() == [1, 2, 3]


def test_a_photo_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    Pillow.new("RGB", (40, 20)).save(tmp_path / "turned.jpg", exif=exif)
    (image,) = load_images(tmp_path)
    assert (image.width, image.height) == (20, 40)


def test_bad_images_are_named(tmp_path: Path) -> None:
    def refused(match: str, size: int | None = None) -> None:
        with pytest.raises(DatasetError, match=match):
            load_images(tmp_path, size=size)

    with pytest.raises(DatasetError, match="there is no such folder"):
        load_images(tmp_path / "none")
    refused("holds no image")
    (tmp_path / "a.png").write_text("not a picture")
    refused("a.png: not an image")
    Pillow.fromarray(np.random.RandomState(0).randint(0, 255, (64, 64, 3)).astype(np.uint8)).save(
        tmp_path / "a.png"
    )
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    refused("a.png: not an image, or cut off")
    (tmp_path / "a.png").write_bytes(whole)
    refused("64x64 pixels, smaller than size 65; use size: 64 or less", size=65)
    (tmp_path / "a.jpg").write_bytes(whole)
    refused("'a.png' and 'a.jpg' would both be named|'a.jpg' and 'a.png' would both be named")
    (tmp_path / "a.jpg").unlink()
    Pillow.new("RGBA", (8, 8), (1, 2, 3, 4)).save(tmp_path / "a.png")
    refused("transparent")
    Pillow.fromarray(np.zeros((8, 8), np.uint16)).save(tmp_path / "a.png")
    refused("more than 8 bits")


def test_unknown_names_have_a_nearest_one() -> None:
    with pytest.raises(DatasetError, match="unknown image 'astronout'. Did you mean 'astronaut'"):
        load_images("scikit-image", ["astronout"])
    with pytest.raises(DatasetError, match="unknown dataset 'scikit-imag'. Did you mean"):
        load_images("scikit-imag")


@given(
    height=st.integers(32, 200),
    width=st.integers(32, 300),
    seed=st.integers(0, 2**32),
    missing=st.floats(0.1, 0.9),
    side=st.integers(1, 20),
    count=st.integers(1, 9),
)
@settings(deadline=None, max_examples=50)
def test_a_mask_is_binary_with_known_and_missing_pixels(
    height: int, width: int, seed: int, missing: float, side: int, count: int
) -> None:
    image = _image(height, width)
    for mask in (
        Bernoulli(missing=missing, seed=seed),
        Boxes(count=count, side=side, seed=seed),
    ):
        known = make_mask(mask, image)
        assert known.shape == (1, height, width)
        assert known.dtype == np.uint8
        assert set(np.unique(known)) == {0, 1}
        assert np.array_equal(known, make_mask(mask, image))


def test_bernoulli_misses_the_share_asked_for() -> None:
    known = make_mask(Bernoulli(missing=0.3), _image(300, 300))
    # Five standard deviations of a binomial over 90000 pixels.
    assert abs((1 - known.mean()) - 0.3) < 5 * (0.3 * 0.7 / 90000) ** 0.5


def test_boxes_are_squares_inside_the_image() -> None:
    known = make_mask(Boxes(count=1, side=7), _image(40, 30))
    rows, columns = np.nonzero(known[0] == 0)
    assert len(rows) == 49
    assert np.ptp(rows) == np.ptp(columns) == 6


def test_a_hole_depends_on_image_settings_and_seed_only() -> None:
    base = make_mask(Bernoulli(), _image(40, 40))
    assert not np.array_equal(base, make_mask(Bernoulli(seed=1), _image(40, 40)))
    assert not np.array_equal(base, make_mask(Bernoulli(), _image(40, 40, name="y")))
    np.random.seed(3)
    assert np.array_equal(base, make_mask(Bernoulli(), _image(40, 40)))


@pytest.mark.parametrize(
    ("mask", "sha256"),
    [
        (
            Bernoulli(missing=0.5),
            "1159f1a39572b07cf8cae4c02d6272c29372c8ba12fec8c7cace9e907894773c",
        ),
        (
            Boxes(count=3, side=12),
            "94a28a278cdf3e62d6cad73edb31ec97fbb2f4bfc3d63fd12e986cb8d8c37e91",
        ),
    ],
    ids=["bernoulli", "boxes"],
)
def test_holes_are_the_same_on_every_machine(mask: Bernoulli | Boxes, sha256: str) -> None:
    known = make_mask(mask, _image(64, 96, name="astronaut"))
    assert hashlib.sha256(known.tobytes()).hexdigest() == sha256


def test_holes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"boxes.side: 33 pixels do not fit .* 40x32"):
        make_mask(Boxes(count=1, side=33), _image(32, 40))
    with pytest.raises(DatasetError, match="no known pixel in 'x'"):
        make_mask(Boxes(count=1, side=32), _image(32, 32))
    with pytest.raises(DatasetError, match="no hole in 'x'"):
        make_mask(Bernoulli(missing=1e-9), _image(32, 32))


def test_labels_name_what_was_given() -> None:
    assert Bernoulli(missing=0.5).label == "bernoulli[missing=0.5]"
    assert Boxes(count=3, side=12).label == "boxes[count=3,side=12]"
    assert Boxes(side=12, count=3, seed=2).label == "boxes[count=3,side=12,seed=2]"
    assert Bernoulli().label == "bernoulli"
    assert Bernoulli(seed=1234567).label == "bernoulli[seed=1234567]"
    assert set(MASKS) == {"bernoulli", "boxes"}
