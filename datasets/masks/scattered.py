"""Holes from random numbers at each pixel: single pixels, and blobs."""

from typing import ClassVar

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from pydantic import Field

from datasets.images import Known
from datasets.masks.base import (
    HOLE_FRACTION,
    Drawn,
    HoleFraction,
    Share,
    first_missing,
    missing_pixels,
)


class Bernoulli(Drawn):
    """Each pixel is missing by itself, all channels together."""

    kind: ClassVar[str] = "bernoulli"
    order: ClassVar[float] = 1
    amount: ClassVar[str] = "missing"

    missing: Share = Field(0.5, description="probability that a pixel is missing")
    hole_fraction: HoleFraction | None = Field(None, description=HOLE_FRACTION)

    def known(self, height: int, width: int, random: RandomState) -> Known:
        if self.hole_fraction is None:
            return random.random_sample((height, width)) >= self.missing
        least, most = missing_pixels(self, self.hole_fraction, height, width)
        missing = random.randint(least, most + 1)
        return first_missing(random.random_sample((height, width)), missing)


class Blobs(Drawn):
    """Round patches: where smoothed noise is lowest."""

    kind: ClassVar[str] = "blobs"
    order: ClassVar[float] = 4
    amount: ClassVar[str] = "missing"

    missing: Share = Field(0.25, description="share of the pixels that is missing")
    scale: Share = Field(0.1, description="how wide the noise is smoothed, of the shorter side")
    hole_fraction: HoleFraction | None = Field(None, description=HOLE_FRACTION)

    def known(self, height: int, width: int, random: RandomState) -> Known:
        pixels = height * width
        missing = min(max(1, round(self.missing * pixels)), pixels - 1)
        if self.hole_fraction is not None:
            least, most = missing_pixels(self, self.hole_fraction, height, width)
            missing = random.randint(least, most + 1)
        noise = random.randint(0, 2**24, (height, width)).astype(np.int64)
        radius = max(1, int(self.scale * min(height, width)))
        for _ in range(3):  # three means over a square are close to a Gaussian
            noise = _mean(_mean(noise, radius).T, radius).T
        return first_missing(noise, missing)


def _mean(values: NDArray[np.int64], radius: int) -> NDArray[np.int64]:
    """Over the 2 * radius + 1 rows around each, edges repeated; in whole numbers."""
    padded = np.pad(values, ((radius + 1, radius), (0, 0)), mode="edge")
    sums = np.cumsum(padded, axis=0)
    return (sums[2 * radius + 1 :] - sums[: -2 * radius - 1]) // (2 * radius + 1)
