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
    amount: ClassVar[str] = "missing"

    missing: Share = Field(0.25, description="share of the pixels that is missing")
    hole_fraction: HoleFraction | None = Field(None, description=HOLE_FRACTION)

    def draw(self, image: Image) -> Known:
        height, width = image.height, image.width
        rectangles = [
            (rows, columns)
            for rows in range(1, height + 1)
            for columns in (rows * width // height, rows * width // height + 1)
            if 1 <= columns <= width and rows * columns < height * width
        ]
        missing = self.missing * height * width
        if self.hole_fraction is not None:
            least, most = missing_pixels(self, self.hole_fraction, height, width)
            rectangles = [each for each in rectangles if least <= each[0] * each[1] <= most]
            missing = (least + most) / 2
        if not rectangles:
            raise DatasetError(
                f"{self.label}: no centred rectangle of {width}x{height} pixels has that share;"
                " make the range wider"
            )
        rows, columns = min(rectangles, key=lambda each: abs(each[0] * each[1] - missing))
        top, left = (height - rows) // 2, (width - columns) // 2
        known = np.ones((height, width), dtype=np.bool_)
        known[top : top + rows, left : left + columns] = False
        return known


class Half(Mask):
    """One half of the image."""

    kind: ClassVar[str] = "half"

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

    every: Annotated[int, Field(strict=True, ge=2)] = Field(
        2, description="2: every second line is missing, 3: every third"
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

    side: PositiveInt = Field(8, description="side of a square in pixels")

    def draw(self, image: Image) -> Known:
        rows, columns = np.indices((image.height, image.width)) // self.side
        return (rows + columns) % 2 == 0
