"""Holes without random numbers."""

import numpy as np
import pytest
from support.holes import missing

from datasets import DatasetError


def test_the_centre_has_its_share_on_thin_images_too() -> None:
    """The tolerance is half a row, because a rectangle's length is rounded to whole rows."""
    for height, width in ((1, 100), (3, 100), (100, 1), (5, 400), (200, 33), (64, 96)):
        for entry in ("centre", {"centre": {"missing": 0.6}}):
            hole = missing(entry, height, width)
            wanted = 0.25 if entry == "centre" else 0.6
            assert abs(hole.mean() - wanted) <= 0.5 / max(height, width)
            assert missing(entry, width, height).mean() == hole.mean()


def test_regular_holes_match_their_settings() -> None:
    half = missing({"half": {"where": "top"}}, 40, 30)
    assert half[:20].all()
    assert not half[20:].any()
    lines = missing({"lines": {"every": 3, "direction": "columns"}}, 40, 30)
    assert np.flatnonzero(lines.all(axis=0)).tolist() == list(range(2, 30, 3))
    assert lines.mean() == 1 / 3
    board = missing({"checkerboard": {"side": 5}}, 40, 30)
    assert not board[:5, :5].any()
    assert board[:5, 5:10].all()
    assert board[5:10, :5].all()
    centre = missing({"centre": {"missing": 0.25}}, 40, 60)
    assert centre[10:30, 15:45].all()
    assert centre.sum() == 20 * 30


def test_a_rectangle_that_does_not_exist_is_refused() -> None:
    """571 pixels, a prime number, would need a rectangle longer than the image."""
    share = 571 / (31 * 37)
    with pytest.raises(DatasetError, match="no rectangle inside 37x31 pixels has that share"):
        missing({"centre": {"hole_fraction": [share - 1e-6, share + 1e-6]}}, 31, 37)
