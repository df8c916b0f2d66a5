"""`dip inpaint --compare`: the sheet of what fills, and the network, make of a hole."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.photo_command import NARROW, OUT, Inpaint, M, P, known_pixels, pixels

from dip.inpainting.classical import COMPARED
from dip.inpainting.crop import neighbourhoods
from dip.inpainting.display.sheet import TILE, views, wrapped


def test_a_sheet_shows_the_hole_and_what_each_fill_makes_of_it(dip_inpaint: Inpaint) -> None:
    sheet = ("--compare", "sheet.png")
    done = dip_inpaint(
        P, M, *OUT, "--fill", "fsr", "--fill", "nearest", *sheet, "--set", "quality=best"
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[2].startswith("out.png: filled with fsr (quality=best); ")
    assert lines[3] == f"for sheet.png: filling with {', '.join([*COMPARED, 'nearest'])}"
    picture = Image.open("sheet.png")
    assert picture.mode == "RGB"
    tiles = _tiles(picture, (50 * 8, 40 * 8), count=len(COMPARED) + 3)
    assert len({tile.tobytes() for tile in tiles}) == len(tiles)
    hole = np.kron(~known_pixels(), np.ones((8, 8), bool))
    marked, *filled = (np.array(tile) for tile in tiles)
    assert (marked[hole] == (255, 0, 255)).all()
    for tile in filled:
        np.testing.assert_array_equal(tile[~hole], marked[~hole])
    written = np.kron(pixels("out.png"), np.ones((8, 8, 1), np.uint8))
    np.testing.assert_array_equal(filled[-1], written)


@pytest.mark.usefixtures("one_thread")
def test_a_sheet_shows_the_network_beside_fills(dip_inpaint: Inpaint) -> None:
    """And the picture is what it is without a sheet."""
    how = ("--iterations", 3, *NARROW)
    assert dip_inpaint(P, M, "-o", "alone.png", *how).returncode == 0
    done = dip_inpaint(P, M, *OUT, *how, "--compare", "sheet.webp")
    assert done.returncode == 0, done.stderr
    assert Path("out.png").read_bytes() == Path("alone.png").read_bytes()
    assert done.stdout.splitlines()[1] == f"for sheet.webp: filling with {', '.join(COMPARED)}"
    tiles = _tiles(Image.open("sheet.webp"), (400, 320), count=len(COMPARED) + 2)
    assert len({tile.tobytes() for tile in tiles}) == len(tiles)


@pytest.mark.usefixtures("one_thread")
def test_an_interrupted_fit_has_a_sheet_that_resume_replaces(
    interrupted: Inpaint, inpaint: Inpaint
) -> None:
    done = interrupted(P, M, *OUT, "--compare", "sheet.png")
    assert done.returncode == 130
    first = Path("sheet.png").read_bytes()
    (reached,) = re.findall(r"iteration \d+ of (\d+)", done.stdout)
    last = int(reached) + 100
    done = inpaint(P, M, *OUT, "--iterations", last, "--resume", "--compare", "sheet.png")
    assert done.returncode == 0, done.stderr
    assert Path("sheet.png").read_bytes() != first


def _tiles(sheet: Image.Image, size: tuple[int, int], count: int) -> list[Image.Image]:
    """The pictures of a sheet, four in a row, 16 pixels apart; rows are as high as they share."""
    width, height = size
    rows = -(-count // 4)
    assert sheet.width == 4 * (width + 16) + 16
    row, rest = divmod(sheet.height - 16, rows)
    assert rest == 0
    assert row > height + 20
    corners = [(16 + n % 4 * (width + 16), 16 + n // 4 * row) for n in range(count)]
    return [sheet.crop((x, y, x + width, y + height)) for x, y in corners]


def test_holes_far_apart_are_shown_one_by_one(dip_inpaint: Inpaint) -> None:
    hole = np.zeros((1000, 1200), bool)
    for x, y, side in ((10, 10, 8), (600, 20, 40), (1100, 900, 20), (20, 900, 30)):
        hole[y : y + side, x : x + side] = True
    around = neighbourhoods(hole, None, 10**9)
    assert len(around) == 4
    assert views(around) == [each.around for each in around[1:]]  # all but the smallest
    assert views(around[:1]) == [around[0].around]
    photo = Image.new("L", (1200, 1000), 99)
    photo.save("wide.png")
    boxes = ("--box", "10,10,8,8", "--box", "1100,900,20,20")
    done = dip_inpaint("wide.png", *boxes, *OUT, "--fill", "mean", "--compare", "sheet.jpg")
    assert done.returncode == 0, done.stderr
    assert Image.open("sheet.jpg").height > 2 * 2 * (TILE // 2)  # two rows for each


def test_texts_are_wrapped_between_words() -> None:
    text = "A membrane through the known pixels: each missing pixel is the mean of its neighbours."
    *lines, last = wrapped(f"{text}\n0.3 s", 220)
    assert len(lines) > 1
    assert " ".join(lines) == text
    assert last == "0.3 s"
