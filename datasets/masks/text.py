"""Text over the image, as in the example of the Deep Image Prior paper."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.random import RandomState
from pydantic import Field

from datasets.errors import DatasetError
from datasets.masks.base import Piece, Pieces, PositiveInt
from datasets.masks.font import FONT

WORDS = "what a network draws in a hole of its own accord is the prior of the image "
LETTER, LINE = 6, 11  # dots from letter to letter, and from line to line


class Text(Pieces):
    """Lines of small letters over the whole image."""

    kind: ClassVar[str] = "text"
    order: ClassVar[float] = 5
    amount: ClassVar[str] = "spacing"

    spacing: PositiveInt = Field(
        2, description="1 = a line of text below the other, 2 = every second one is left out"
    )
    dot: PositiveInt | None = Field(
        None, description="pixels to a dot of the 5x9 letters; without it the shorter side / 256"
    )

    def pieces(self, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        dot = self._dot(height, width)
        pitch = LINE * dot * self.spacing
        for top in range(random.randint(min(pitch, height - 9 * dot + 1)), height, pitch):
            yield from self._line(top, height, width, random)

    def endless_pieces(self, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        pitch = LINE * self._dot(height, width)
        while True:  # line by line in any order; when all are full, over them
            tops = np.arange(-random.randint(pitch), height, pitch)
            for top in random.permutation(tops):
                yield from self._line(int(top), height, width, random)

    def _dot(self, height: int, width: int) -> int:
        dot = self.dot or max(1, min(height, width) // 256)
        if 9 * dot > height:
            raise DatasetError(
                f"text.dot: letters of {9 * dot} pixels are higher than the image, {height}"
            )
        return dot

    def _line(self, top: int, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        """From some letter of the text on, across the image."""
        dot = self._dot(height, width)
        letter = random.randint(len(WORDS))
        for left in range(-random.randint(LETTER * dot), width, LETTER * dot):
            ink = np.kron(FONT[WORDS[letter % len(WORDS)]], np.ones((dot, dot), dtype=np.bool_))
            ink = ink[max(-top, 0) : height - top, max(-left, 0) : width - left]
            rows = slice(max(top, 0), max(top, 0) + ink.shape[0])
            columns = slice(max(left, 0), max(left, 0) + ink.shape[1])
            yield rows, columns, np.where(ink, 0, -1)
            letter += 1
