"""Fills that need no network: what a user would try first, and what a network has to beat.

A fill maps image (H, W, C) float64 in [0, 1] with zeros in the hole, and hole (H, W) bool, to the
filled image (H, W, C).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Hole = NDArray[np.bool_]


@dataclass(frozen=True)
class Fill:
    """A fill with its source; `version` counts up when its numbers change."""

    fill: Callable[[Array, Hole], Array]
    source: str
    version: int = 1


def mean(image: Array, hole: Hole) -> Array:
    """Each channel's mean over the known pixels."""
    filled = image.copy()
    filled[hole] = image[~hole].mean(axis=0)
    return filled


def biharmonic(image: Array, hole: Hole) -> Array:
    """The surface of least bending through the known pixels around the hole."""
    from skimage.restoration import inpaint_biharmonic

    return np.asarray(inpaint_biharmonic(image, hole, channel_axis=-1), dtype=np.float64)


FILLS: dict[str, Fill] = {
    "mean": Fill(mean, source="this project"),
    "biharmonic": Fill(
        biharmonic,
        source="Damelin and Hoang, On Surface Completion and Image Inpainting by Biharmonic"
        " Functions, 2018; skimage.restoration.inpaint_biharmonic",
    ),
}
