"""Holes laid out piece by piece: boxes, free-form strokes, scratches."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as counting
from math import pi, sqrt
from typing import ClassVar, Literal

import numpy as np
from numpy.random import RandomState
from pydantic import Field

from datasets.errors import DatasetError
from datasets.images import Known
from datasets.masks.base import Piece, Pieces, PositiveInt

Point = tuple[int, int]  # row, column
PUBLISHED_SIDE = 256  # pixels; the sizes below are those for images of 256x256


class Boxes(Pieces):
    """Squares at random places inside the image; they may overlap."""

    kind: ClassVar[str] = "boxes"
    order: ClassVar[float] = 2

    count: PositiveInt | None = Field(
        None, description="number of squares; required without hole_fraction"
    )
    side: PositiveInt = Field(description="side of a square in pixels")

    def pieces(self, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        boxes = self.endless_pieces(height, width, random)
        return (box for _, box in zip(range(self.count or 0), boxes, strict=False))

    def endless_pieces(self, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        side = self.side
        if side > min(height, width):
            raise DatasetError(
                f"boxes.side: {side} pixels do not fit into an image of {width}x{height}"
            )
        order = np.arange(side * side).reshape(side, side)
        while True:
            top = random.randint(height - side + 1)
            left = random.randint(width - side + 1)
            yield slice(top, top + side), slice(left, left + side), order


@dataclass(frozen=True)
class Brush:
    """Published sizes, in pixels: least and one more than the largest."""

    strokes: tuple[int, int]
    segments: tuple[int, int]
    width: tuple[int, int]
    length: tuple[int, int] | None = None  # None: by the image's diagonal
    largest_share: float = 1.0  # of missing pixels; a mask that hides more is drawn anew


# LaMa (Suvorov et al., WACV 2022), configs/data_gen/random_{thin,medium,thick}_256.yaml with
# make_random_irregular_mask, where each range is widened so; of medium and thick the strokes
# only, where 23 % of its masks are boxes; its max_tamper_area. DeepFill v2 (Yu et al., ICCV
# 2019), appendix and brush_stroke_mask.
BRUSHES = {
    "thin": Brush((4, 52), segments=(1, 6), width=(5, 15), length=(10, 50), largest_share=0.5),
    "medium": Brush((4, 7), segments=(1, 6), width=(5, 55), length=(10, 110), largest_share=0.5),
    "thick": Brush((1, 7), segments=(1, 6), width=(5, 105), length=(10, 210), largest_share=0.5),
    "deepfill": Brush((1, 4), segments=(4, 12), width=(12, 40)),
}
TRIES = 100


class Strokes(Pieces):
    """Free-form strokes of a brush, as training sets of inpainting networks have them.

    thin, medium and thick are those of LaMa, deepfill those of DeepFill v2, with their published
    sizes for 256x256 pixels scaled to the image's shorter side; hole_fraction sets their number
    instead. Deviations: sizes are rounded after scaling; the ends of a line are rounder than those
    that OpenCV draws for LaMa, its area within a tenth of theirs; for DeepFill a sum of twelve
    uniform numbers stands for the normal one.
    """

    kind: ClassVar[str] = "strokes"
    order: ClassVar[float] = 3
    amount: ClassVar[str] = ""

    brush: Literal["thin", "medium", "thick", "deepfill"] = Field(
        "medium", description="whose strokes"
    )

    def known(self, height: int, width: int, random: RandomState) -> Known:
        for _ in range(TRIES):
            known = super().known(height, width, random)
            share = 1 - known.mean()
            if self.hole_fraction is not None or (
                share < 1 and share <= BRUSHES[self.brush].largest_share
            ):
                return known
        raise DatasetError(f"strokes: an image of {width}x{height} pixels is too small for them")

    def pieces(self, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        for stroke in range(random.randint(*BRUSHES[self.brush].strokes)):
            yield from self._stroke(stroke, height, width, random)

    def endless_pieces(self, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        for stroke in counting():
            yield from self._stroke(stroke, height, width, random)

    def _stroke(self, stroke: int, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        brush = BRUSHES[self.brush]
        scale = min(height, width) / PUBLISHED_SIDE
        start = (random.randint(height), random.randint(width))
        segments = random.randint(*brush.segments)
        if brush.length is None:
            yield from self._deepfill(start, segments, height, width, scale, random)
            return
        for _ in range(segments):
            # 0, 1, 2 or 3 radians, and a bit; every second stroke turns the other way.
            angle = (0.01 + random.randint(4)) * (-1 if stroke % 2 == 0 else 1)
            length = random.randint(*brush.length) * scale
            thickness = max(1, round(_as_opencv_draws(random.randint(*brush.width)) * scale))
            end = _ahead(start, length, (angle, "rows"), height, width)
            yield _segment(start, end, thickness, height, width)
            start = end

    def _deepfill(
        self,
        start: Point,
        segments: int,
        height: int,
        width: int,
        scale: float,
        random: RandomState,
    ) -> Iterator[Piece]:
        """One thickness; angles swing to and fro around 2/5 pi, by at most 2/15 pi."""
        least = 2 / 5 * pi - random.random_sample() * 2 / 15 * pi
        largest = 2 / 5 * pi + random.random_sample() * 2 / 15 * pi
        thickness = max(1, round(random.randint(*BRUSHES["deepfill"].width) * scale))
        average = sqrt(height**2 + width**2) / 8
        for segment in range(segments):
            angle = least + random.random_sample() * (largest - least)
            normal = float(np.cumsum(random.random_sample(12))[-1]) - 6
            length = min(max(average + average // 2 * normal, 0.0), 2 * average)
            angle = -angle if segment % 2 == 0 else angle
            end = _ahead(start, length, (angle, "columns"), height, width)
            yield _segment(start, end, thickness, height, width)
            start = end


class Scratches(Pieces):
    """Long thin lines that waver, as on an old print."""

    kind: ClassVar[str] = "scratches"
    order: ClassVar[float] = 6

    count: PositiveInt = Field(8, description="number of scratches")
    width: PositiveInt | None = Field(
        None, description="in pixels; without it a hundredth of the shorter side"
    )

    def pieces(self, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        for _ in range(self.count):
            yield from self._scratch(height, width, random)

    def endless_pieces(self, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        while True:
            yield from self._scratch(height, width, random)

    def _scratch(self, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        side = min(height, width)
        thickness = self.width or max(1, round(side / 100))
        start = (random.randint(height), random.randint(width))
        angle = 2 * pi * random.random_sample()
        for _ in range(random.randint(6, 24)):
            end = _ahead(start, side / 12, (angle, "rows"), height, width)
            yield _segment(start, end, thickness, height, width)
            if end[0] in (0, height - 1) or end[1] in (0, width - 1):
                return
            start = end
            angle += (random.random_sample() - 0.5) * pi / 4


def _as_opencv_draws(width: int) -> int:
    """How wide a line becomes there that is to be so wide; LaMa draws with it."""
    return width + 1 + width % 2


def _ahead(
    start: Point, length: float, direction: tuple[float, str], height: int, width: int
) -> Point:
    """The pixel at that distance inside the image; direction: radians, from which axis on."""
    cosine, sine = _cosine_and_sine(direction[0])
    down, right = (cosine, sine) if direction[1] == "rows" else (sine, cosine)
    row, column = int(start[0] + length * down), int(start[1] + length * right)
    return min(max(row, 0), height - 1), min(max(column, 0), width - 1)


def _cosine_and_sine(angle: float) -> tuple[float, float]:
    """By their series: those of the system's library may differ in the last bit."""
    sums, term = [0.0, 0.0, 0.0, 0.0], 1.0
    for power in range(1, 48):  # enough for two whole turns
        sums[(power - 1) % 4] += term
        term = term * angle / power
    return sums[0] - sums[2], sums[1] - sums[3]


def _segment(start: Point, end: Point, thickness: int, height: int, width: int) -> Piece:
    """The pixels within half the thickness of a line, in order along it; in whole numbers."""
    reach = thickness // 2 + 1
    top, bottom = max(min(start[0], end[0]) - reach, 0), min(max(start[0], end[0]) + reach, height)
    left, right = max(min(start[1], end[1]) - reach, 0), min(max(start[1], end[1]) + reach, width)
    rows, columns = np.ogrid[top : bottom + 1, left : right + 1]
    rows, columns = rows[: height - top].astype(np.int64), columns[:, : width - left]
    along = (end[0] - start[0], end[1] - start[1])
    length = along[0] ** 2 + along[1] ** 2
    y, x = rows - start[0], columns.astype(np.int64) - start[1]
    progress = y * along[0] + x * along[1]  # 0 at the start, `length` at the end
    past = np.maximum(progress - length, 0)
    across = y * along[1] - x * along[0]
    # Squared distances; beside the line times `length`, so that nothing is divided.
    at_start = (progress <= 0) & (4 * (y * y + x * x) <= thickness**2)
    y_end, x_end = rows - end[0], columns - end[1]
    at_end = (past > 0) & (4 * (y_end * y_end + x_end * x_end) <= thickness**2)
    beside = (progress > 0) & (past == 0) & (4 * across * across <= thickness**2 * length)
    order = np.where(at_start | at_end | beside, progress - progress.min(), -1)
    return slice(top, top + order.shape[0]), slice(left, left + order.shape[1]), order
