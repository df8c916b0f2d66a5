"""Boxes and scratches."""

import numpy as np
from support.holes import missing


def test_boxes_are_squares_inside_the_image() -> None:
    rows, columns = np.nonzero(missing({"boxes": {"count": 1, "side": 7}}, 40, 30))
    assert len(rows) == 49
    assert np.ptp(rows) == np.ptp(columns) == 6
