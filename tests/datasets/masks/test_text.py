"""Text over the image."""

import numpy as np
from support.holes import Golden, missing

from datasets.masks.font import FONT
from datasets.masks.text import WORDS

GOLDEN: Golden = [
    ("text", "50f7d946ad29414a07104001c8b3bdef36ca03fb2f96bc24ff98ce1911a3bfc0"),
    (
        {"text": {"dot": 2, "spacing": 1}},
        "70e5fb4966e715557d3e65d0ddb42f7e0e8b5cd228cbe90ecb6ae3f92a3b5b36",
    ),
    (
        {"text": {"hole_fraction": [0.05, 0.1]}},
        "203f2ac0a3cbd866d6db7402a3248592b4b7abfe7dd25963e31cdb5edd743dd1",
    ),
]


def test_text_can_be_read() -> None:
    """Each letter of the words has a shape of its own, and stands in the hole dot by dot."""
    assert set(WORDS) <= set(FONT)
    assert set(FONT) == set("abcdefghijklmnopqrstuvwxyz ")
    assert len({ink.tobytes() for ink in FONT.values()}) == len(FONT)
    for dot in (1, 2):
        hole = missing({"text": {"dot": dot}}, 200, 400)
        letter = np.kron(FONT["w"], np.ones((dot, dot), bool))
        windows = np.lib.stride_tricks.sliding_window_view(hole, letter.shape)
        assert (windows == letter).all(axis=(2, 3)).any()
