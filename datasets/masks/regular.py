"""Holes that are nowhere random: a rectangle in the middle, one half, every n-th line, squares."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from datasets.errors import DatasetError
from datasets.images import Image, Known
from datasets.masks.base import (
    HOLE_FRACTION,
    HoleFraction,
    Mask,
    PositiveInt,
    Share,
    missing_pixels,
)


class Centre(Mask):
    """A rectangle in the middle, of the image's proportions (context encoders: a quarter of it)."""

    kind: ClassVar[str] = "centre"
    order: ClassVar[float] = 7
    amount: ClassVar[str] = "missing"

    missing: Share = Field(0.25, description="share of the pixels that is missing")
    hole_fraction: HoleFraction | None = Field(None, description=HOLE_FRACTION)

    def draw(self, image: Image) -> Known:
        height, width = image.height, image.width
        pixels, least, most = round(self.missing * height * width), 1, height * width - 1
        if self.hole_fraction is not None:
            least, most = missing_pixels(self, self.hole_fraction, height, width)
            pixels = (least + most) // 2
        shorter, longer = sorted((height, width))
        rectangles = []
        for breadth in range(1, shorter + 1):  # of about that many pixels, the best proportioned
            fewest, largest = -(-least // breadth), min(most // breadth, longer)
            if fewest <= largest:
                length = min(max(round(pixels / breadth), fewest), largest)
                disproportion = abs(length * shorter - breadth * longer)
                rectangles.append((disproportion, abs(breadth * length - pixels), breadth, length))
        if not rectangles:
            raise DatasetError(
                f"{self.label}: no rectangle inside {width}x{height} pixels has that share; make"
                " the range wider"
            )
        _, _, breadth, length = min(rectangles)
        rows, columns = (breadth, length) if height <= width else (length, breadth)
        top, left = (height - rows) // 2, (width - columns) // 2
        known = np.ones((height, width), dtype=np.bool_)
        known[top : top + rows, left : left + columns] = False
        return known


class Half(Mask):
    """One half of the image."""

    kind: ClassVar[str] = "half"
    order: ClassVar[float] = 8

    where: Literal["left", "right", "top", "bottom"] = Field(
        "right", description="the half that is missing"
    )

    def draw(self, image: Image) -> Known:
        known = np.ones((image.height, image.width), dtype=np.bool_)
        lines = known if self.where in ("top", "bottom") else known.T
        middle = len(lines) // 2
        lines[slice(None, middle) if self.where in ("left", "top") else slice(middle, None)] = False
        return known


class Lines(Mask):
    """Every n-th row or column."""

    kind: ClassVar[str] = "lines"
    order: ClassVar[float] = 9

    every: Annotated[int, Field(strict=True, ge=2)] = Field(
        2, description="2 = every second line is missing, 3 = every third"
    )
    direction: Literal["rows", "columns"] = Field("rows", description="which lines")

    def draw(self, image: Image) -> Known:
        known = np.ones((image.height, image.width), dtype=np.bool_)
        lines = known if self.direction == "rows" else known.T
        lines[self.every - 1 :: self.every] = False
        return known


class Checkerboard(Mask):
    """Squares, known and missing in turn, as on a chess board."""

    kind: ClassVar[str] = "checkerboard"
    order: ClassVar[float] = 10

    side: PositiveInt = Field(8, description="side of a square in pixels")

    def draw(self, image: Image) -> Known:
        rows, columns = np.indices((image.height, image.width)) // self.side
        return (rows + columns) % 2 == 0
