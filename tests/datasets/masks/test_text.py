"""Text over the image."""

import numpy as np
from support.holes import missing

from datasets.masks.font import FONT
from datasets.masks.text import WORDS


def test_text_can_be_read() -> None:
    """Each letter has its own shape, and each of its dots is missing in the mask."""
    assert set(WORDS) <= set(FONT)
    assert set(FONT) == set("abcdefghijklmnopqrstuvwxyz ")
    assert len({ink.tobytes() for ink in FONT.values()}) == len(FONT)
    for dot in (1, 2):
        hole = missing({"text": {"dot": dot}}, 200, 400)
        letter = np.kron(FONT["w"], np.ones((dot, dot), bool))
        windows = np.lib.stride_tricks.sliding_window_view(hole, letter.shape)
        assert (windows == letter).all(axis=(2, 3)).any()
