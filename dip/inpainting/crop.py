"""What is fitted for a hole: itself and what surrounds it, at a size that a network can work at.

Fitting a whole photo of many megapixels would take days, and what is far from a hole says little
about it. Holes that lie far apart have neighbourhoods of their own.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dip.errors import InputError
from dip.fills.hole import Rectangle, bounding_box
from dip.inpainting.blend import corrected
from dip.inpainting.files.photo import Colours, Mask

LEAST_CONTEXT = 32  # pixels on each side
NARROWEST_GAP = 16  # pixels between holes that may be fitted apart
DEEPEST_CUT = 16  # how often a hole's box is cut in two at most
WORTH_IT = 0.5  # share of the joint area that fitting apart may cost
OUTLIERS = 0.01  # share of the known pixels beyond each end of the range that a network draws in
LEAST_CONTRAST = 4 / 255  # of that range


@dataclass(frozen=True)
class Neighbourhood:
    """A part of a photo, with those pixels of the hole that are filled from it.

    hole: rows and columns of the hole's bounding box; around: those of what is fitted; height and
    width: what that is resized to.
    """

    hole: Rectangle
    around: Rectangle
    height: int
    width: int


def neighbourhoods(hole: Mask, context: int | None, max_side: int) -> list[Neighbourhood]:
    """One for each group of holes, from the top down.

    hole: (H, W), True in it. context: pixels on each side of a hole's box that are fitted with it;
    without one half of the box's longer side, and 32 at least. max_side: what the longer side is
    resized to where it is longer.
    """
    found = []
    for rows, columns in _apart(hole, _box(hole, 0, 0), context, 0):
        around = _around((rows, columns), hole.shape, context)
        height, width = (each.stop - each.start for each in around)
        scale = min(1.0, max_side / max(height, width))
        small = max(1, round(height * scale)), max(1, round(width * scale))
        found.append(Neighbourhood((rows, columns), around, *small))
    return sorted(found, key=lambda each: (each.hole[0].start, each.hole[1].start))


def _box(hole: Mask, top: int, left: int) -> Rectangle:
    """The bounding box of a hole in a part of the photo that begins there."""
    rows, columns = bounding_box(hole)
    return (
        slice(top + rows.start, top + rows.stop),
        slice(left + columns.start, left + columns.stop),
    )


def _around(box: Rectangle, shape: tuple[int, ...], context: int | None) -> Rectangle:
    longer = max(each.stop - each.start for each in box)
    margin = max(LEAST_CONTEXT, longer // 2) if context is None else context
    rows, columns = (
        slice(max(0, each.start - margin), min(side, each.stop + margin))
        for each, side in zip(box, shape, strict=True)
    )
    return rows, columns


def _area(box: Rectangle) -> int:
    return (box[0].stop - box[0].start) * (box[1].stop - box[1].start)


def _apart(hole: Mask, box: Rectangle, context: int | None, depth: int) -> list[Rectangle]:
    """The box, or boxes of its parts, where to fit these costs half of it or less."""
    cut = _cut(hole, box) if depth < DEEPEST_CUT else None
    if cut is None:
        return [box]
    parts = [each for part in cut for each in _apart(hole, part, context, depth + 1)]
    cost = sum(_area(_around(each, hole.shape, context)) for each in parts)
    joint = _area(_around(box, hole.shape, context))
    return parts if cost <= WORTH_IT * joint else [box]


def _cut(hole: Mask, box: Rectangle) -> tuple[Rectangle, Rectangle] | None:
    """The boxes on both sides of the widest band without a hole, across or down."""
    inside = hole[box]
    top, left = box[0].start, box[1].start
    bands = []
    for axis in (0, 1):
        filled = np.flatnonzero(inside.any(axis=1 - axis))
        gaps = np.diff(filled) - 1
        if len(gaps) and gaps.max() >= NARROWEST_GAP:
            bands.append((int(gaps.max()), axis, int(filled[gaps.argmax()]) + 1))
    if not bands:
        return None
    _, axis, middle = max(bands)
    if axis == 0:
        return _box(inside[:middle], top, left), _box(inside[middle:], top + middle, left)
    return _box(inside[:, :middle], top, left), _box(inside[:, middle:], top, left + middle)


def check_known(colours: Colours, hole: Mask) -> None:
    """Raises InputError if a known colour is no number."""
    if np.issubdtype(colours.dtype, np.floating) and not np.isfinite(colours[~hole]).all():
        raise InputError("some of the image's known values are no numbers (nan or infinite)")


def black_and_white(colours: Colours, known: Mask) -> tuple[float, float]:
    """The photo's own numbers that become 0 and 1.

    colours: (H, W, C) of a part of it; known: (H, W).
    """
    if np.issubdtype(colours.dtype, np.unsignedinteger):
        return 0.0, float(np.iinfo(colours.dtype).max)
    seen = colours[known] if known.any() else np.zeros(1)  # numbers without a white of their own
    return float(seen.min()), float(seen.max())


class Patch:
    """The colours of a neighbourhood, between the photo and the network.

    values: (H, W, C) float32 in [0, 1]; known: (H, W), what may be fitted; own: (H, W), the hole
    that is filled from here.
    """

    def __init__(self, place: Neighbourhood, colours: Colours, hole: Mask, visible: Mask):
        """All of the whole photo."""
        self.place = place
        self.dtype = colours.dtype
        part = colours[place.around]
        self.known = ~hole[place.around] & visible[place.around]
        self.own = np.zeros_like(self.known)
        rows, columns = (
            slice(inner.start - outer.start, inner.stop - outer.start)
            for inner, outer in zip(place.hole, place.around, strict=True)
        )
        self.own[rows, columns] = hole[place.hole]
        self.low, self.high = black_and_white(part, self.known)
        span = self.high - self.low or 1.0
        # Values in the hole have no influence; they may be nan.
        known = np.where(hole[place.around][..., None], self.low, part.astype(np.float64))
        exact = (known - self.low) / span
        self.values: NDArray[np.float32] = exact.clip(0, 1).astype(np.float32)

    @cached_property
    def _range(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of each channel, the darkest of nearly all known pixels and their contrast: (C,) each.

        A network draws in this range. Where nothing in sight says what the rest of [0, 1] is for,
        as in a smooth part of a photo, it would draw blobs of any colour.
        """
        known = self.values[self.known]
        if not len(known):
            known = np.array([[0.0], [1.0]], np.float32).repeat(self.values.shape[2], axis=1)
        darkest, brightest = np.quantile(known, [OUTLIERS, 1 - OUTLIERS], axis=0)
        darkest, brightest = darkest.astype(np.float32), brightest.astype(np.float32)
        return darkest, np.maximum(brightest - darkest, LEAST_CONTRAST)

    @cached_property
    def small(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The image (C, h, w) and the mask (1, h, w), 1 = known, at the working size.

        A pixel is known where all that it stands for is; where the hole is so finely scattered that
        fewer than half of those are left that are known to one half, these count, as the mean of
        what is known of them.
        """
        size = (self.place.width, self.place.height)
        share = _shrunk(self.known.astype(np.float32), size)
        known, half = share > 1 - 1e-3, share >= 0.5
        if 2 * known.sum() < half.sum() or not known.any():
            known = half if half.any() else share > 0
        planes = [
            _shrunk(plane, size) / np.maximum(share, 1e-6)
            for plane in np.moveaxis(self.values * self.known[..., None], 2, 0)
        ]
        darkest, contrast = self._range
        stretched = (np.stack(planes, axis=2) - darkest) / contrast
        image = np.where(known, np.moveaxis(stretched, 2, 0).clip(0, 1), 0)
        return image.astype(np.float32), known[None].astype(np.float32)

    def blank(self) -> NDArray[np.float32]:
        """An output (C, h, w) with nothing in it: a hole is then filled smoothly from its edge."""
        shape = (self.values.shape[2], self.place.height, self.place.width)
        return np.zeros(shape, np.float32)

    def drawn(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        """The values (h, w, C) that a network's output (C, h, w) stands for."""
        darkest, contrast = self._range
        return np.moveaxis(output.clip(0, 1), 0, 2) * contrast + darkest

    def glance(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        """The values (h, w, C) at the working size with the hole as an output (C, h, w) draws it.

        To look at: the seam is as it comes.
        """
        image, mask = self.small
        return np.where(mask[0, ..., None] == 1, self.drawn(image), self.drawn(output))

    def filled(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        """The values (H, W, C) with this hole filled from a network's output (C, h, w).

        What the network drew is corrected inside the hole, so that there is no seam.
        """
        height, width = self.own.shape
        planes = [
            np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC))
            for plane in np.moveaxis(self.drawn(output), 2, 0).copy()
        ]
        drawn = np.stack(planes, axis=2)
        return corrected(drawn, self.values, self.known, self.own)

    def colours(self, values: NDArray[np.float32]) -> Colours:
        """Values in the photo's own numbers."""
        span = self.high - self.low or 1.0
        exact = values.astype(np.float64) * span + self.low
        if np.issubdtype(self.dtype, np.integer):
            exact = exact.round()
        return exact.astype(self.dtype)


def _shrunk(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Each new pixel is the mean of the area that it stands for."""
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX))
