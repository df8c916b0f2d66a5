"""Folders as people have them: which files are images, by what names, and what is skipped."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from datasets import DatasetError, load_images, make_mask, parse_mask
from datasets.folder import skipped_files

COMPOSED, DECOMPOSED = "\u00e9", "e\u0301"  # an é


def _picture(path: Path, level: int = 0) -> None:
    Pillow.new("L", (8, 8), level).save(path)


def _names(folder: Path) -> list[str]:
    return [image.name for image in load_images(folder)]


def test_what_systems_leave_beside_images_is_no_image(tmp_path: Path) -> None:
    for name in ("a.png", ".hidden.png", "B.PNG", "c.JPG"):
        _picture(tmp_path / name)
    (tmp_path / "._a.png").write_bytes(b"\0\5\26\7Mac OS X")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r"):
        (tmp_path / name).write_bytes(b"\0")
    (tmp_path / "more.png").mkdir()
    assert _names(tmp_path) == ["B", "a", "c"]
    assert skipped_files(tmp_path) == ""


def test_files_in_other_formats_are_counted_and_named(tmp_path: Path) -> None:
    for name in ("a.heic", "b.AVIF"):
        (tmp_path / name).write_bytes(b"\0")
    with pytest.raises(DatasetError, match=r"holds no image; .* \(2 files are skipped, .*a.heic"):
        load_images(tmp_path)
    _picture(tmp_path / "c.png")
    assert skipped_files(tmp_path) == (
        "2 files are skipped, in formats that are not read: a.heic, b.AVIF"
    )
    for number in range(4):
        (tmp_path / f"d{number}.gif").write_bytes(b"\0")
    assert skipped_files(tmp_path).endswith("a.heic, b.AVIF, d0.gif, d1.gif, d2.gif ...")


@pytest.mark.parametrize(
    "name", ["at 9.41.00\u202fAM", "v\u00a013.05", "\U0001f468\u200d\U0001f469", "a b", "ﬁ", "-"]
)
def test_what_people_write_is_a_name(tmp_path: Path, name: str) -> None:
    _picture(tmp_path / f"{name}.png")
    assert _names(tmp_path) == [name]
    assert load_images(tmp_path, [name])[0].name == name


@pytest.mark.parametrize("raw", [b"caf\xe9.png", b"two\nlines.png", "a\u2028b.png".encode()])
def test_names_that_nobody_can_print_are_refused(tmp_path: Path, raw: bytes) -> None:
    _picture(tmp_path / os.fsdecode(raw))
    with pytest.raises(DatasetError, match="rename the file") as caught:
        load_images(tmp_path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("in_folder", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize("asked", [COMPOSED, DECOMPOSED])
def test_a_name_means_its_file_composed_or_not(tmp_path: Path, in_folder: str, asked: str) -> None:
    """Of an image, and of the picture with its hole."""
    masks = tmp_path / "masks"
    masks.mkdir()
    _picture(tmp_path / f"{in_folder}.png")
    (image,) = load_images(tmp_path, [asked])
    assert image.name == COMPOSED
    hole = np.full((8, 8), 255, np.uint8)
    hole[2:4] = 0
    Pillow.fromarray(hole).save(masks / f"{asked}.PNG")
    mask = parse_mask({"file": {"path": str(masks)}})
    assert np.array_equal(make_mask(mask, image)[0] * 255, hole)


def test_folders_without_images_or_with_two_of_a_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such folder"):
        load_images(tmp_path / "none")
    with pytest.raises(DatasetError, match="holds no image; known endings"):
        load_images(tmp_path)
    for name in ("a.png", "a.jpg"):
        Pillow.new("L", (64, 64)).save(tmp_path / name)
    with pytest.raises(DatasetError, match="'a.jpg' and 'a.png' would both be named 'a'; rename"):
        load_images(tmp_path)
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(DatasetError, match="64x64 pixels, smaller than size 65; use size: 64"):
        load_images(tmp_path, size=65)


def test_two_forms_of_one_name_are_told_apart_in_the_message(tmp_path: Path) -> None:
    for name in (COMPOSED, DECOMPOSED):
        _picture(tmp_path / f"{name}.png")
    with pytest.raises(DatasetError, match="would both be named 'é'; rename one") as caught:
        load_images(tmp_path)
    assert "'e\\u0301.png' and '\\xe9.png'" in str(caught.value)
