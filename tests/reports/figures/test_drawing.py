"""What figures are drawn with: lines told apart, long names, close-ups, and sizes of pictures."""

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from reports.figures import animation, sheets
from reports.figures.style import STYLE, broken, line_of


def test_lines_beside_each_other_differ_without_colour_too() -> None:
    with plt.style.context(STYLE):
        lines = [line_of(index) for index in range(28)]
    assert all(one["linestyle"] != other["linestyle"] for one, other in pairwise(lines))
    assert len({(line["color"], str(line["linestyle"])) for line in lines}) == 28


@given(
    st.tuples(st.integers(1, 24), st.integers(1, 24)).flatmap(
        lambda shape: st.lists(
            st.booleans(), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]
        ).map(lambda values: np.array(values).reshape(shape))
    )
)
def test_a_close_up_shows_most_of_the_hole(known: np.ndarray[Any, Any]) -> None:
    top, left, side = sheets.close_up(known)
    height, width = known.shape
    assert side == max(1, round(sheets.CLOSE_UP * min(height, width)))
    places = {
        (row, column): int((~known[row : row + side, column : column + side]).sum())
        for row in range(height - side + 1)
        for column in range(width - side + 1)
    }
    assert places[top, left] == max(places.values())


def test_large_pictures_are_shown_no_larger_than_print_can() -> None:
    """Reduced by means over blocks, and frame and close-up are of the same place."""
    pixels = np.zeros((3, 700, 1100), dtype=np.uint8)
    pixels[:, 300:600, 600:900] = 200
    cell = sheets._cell("large", pixels, (300, 600, 300))
    assert cell.pixels.shape == (3, 233, 366)
    assert cell.frame == (100, 200, 100)
    assert (cell.pixels[:, 100:200, 200:300] == 200).all()
    assert cell.close is not None
    assert (cell.close == 200).all()
    large = [("a", pixels, "one"), ("b", pixels, "two")]
    assert animation._frame(large).shape[1] < 2 * animation.LARGEST + 100


def test_frames_of_early_training_stand_as_long_as_later_ones() -> None:
    shown = animation._durations([10, 100, 1000, 1001])
    assert shown[0] == shown[1]
    assert shown[-1] == animation.LAST
    assert min(shown) >= animation.SHORTEST


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), st.integers(4, 30))
def test_a_long_name_is_broken_and_loses_nothing(name: str, letters: int) -> None:
    name = f"{name}[a={name},b={name}]"
    lines = broken(name, letters).split("\n")
    assert "".join(lines) == name
    assert max(map(len, lines)) <= letters
