"""Boxes and scratches."""

import numpy as np
from support.holes import Golden, missing

GOLDEN: Golden = [
    (
        {"boxes": {"count": 3, "side": 12}},
        "94a28a278cdf3e62d6cad73edb31ec97fbb2f4bfc3d63fd12e986cb8d8c37e91",
    ),
    (
        {"boxes": {"side": 12, "hole_fraction": [0.1, 0.2]}},
        "beded902e052c41f34ed19d7117b1ef037d7c1c244f2177ae8d315d692e7c7be",
    ),
    ("scratches", "e1d675204ec5ed7212b49f87a0a87f5a2e2c23b5a7a90b65e83e72817e1d70e0"),
    (
        {"scratches": {"width": 3, "hole_fraction": [0.1, 0.2]}},
        "08b82e7d6c533ac7b7e8b970610e833e1aca4ba72f1d5f9a05f3a4850ae9860c",
    ),
]


def test_boxes_are_squares_inside_the_image() -> None:
    rows, columns = np.nonzero(missing({"boxes": {"count": 1, "side": 7}}, 40, 30))
    assert len(rows) == 49
    assert np.ptp(rows) == np.ptp(columns) == 6
