"""The seam between a photo and what was drawn into its hole, taken away inside the hole.

What was drawn is changed by a membrane: a function whose values at the hole's edge are what the
known pixels differ by there, and which is harmonic inside (Perez et al., Poisson Image Editing,
SIGGRAPH 2003, section 2, equation 8). Known pixels stay as they are.

Laplace's equation is solved here from coarse to fine and not by the direct solver of the harmonic
fill: for a hole of 1000x1000 pixels that takes 2.4 GiB instead of 0.2 GiB, and three times as long.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.fills.hole import bounding_box

SWEEPS = 64  # at each scale
# The best for a square of 32 pixels (Young): what is smoother, a coarser scale has solved.
RELAXATION = np.float32(2 / (1 + np.sin(np.pi / 32)))

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]


def corrected(drawn: Plane, values: Plane, known: Mask, hole: Mask) -> Plane:
    """`values` with the hole filled by what was drawn, without a seam.

    drawn, values: (H, W, C) in [0, 1]; known, hole: (H, W), apart from each other; pixels that are
    neither have no influence.
    """
    part = bounding_box(hole, margin=1)
    inside, edge = hole[part], _beside(hole)[part] & known[part]
    result = values.copy()
    for channel in range(values.shape[2]):
        here = (*part, channel)
        apart = np.where(edge, values[here] - drawn[here], np.float32(0))
        membrane = _membrane(apart, edge, inside)
        result[here] = np.where(inside, (drawn[here] + membrane).clip(0, 1), values[here])
    return result


def _beside(hole: Mask) -> Mask:
    """The pixels that share a side with one of the hole."""
    padded = np.pad(hole, 1)
    return padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]


def _membrane(values: Plane, fixed: Mask, free: Mask) -> Plane:
    """Harmonic in `free`, as given where `fixed`; nothing flows through other pixels.

    Solved from coarse to fine, each scale starting from the one above it.
    """
    if max(values.shape) > 2:
        coarse = _membrane(*_halved(values, fixed, free))
        start = coarse.repeat(2, axis=0).repeat(2, axis=1)[: values.shape[0], : values.shape[1]]
        values = np.where(free, start, values)
    takes_part = np.pad((fixed | free).astype(np.float32), 1)
    neighbours = _around(takes_part)
    counts = np.maximum(neighbours, 1)
    moves = free & (neighbours > 0)
    odd = np.indices(free.shape).sum(axis=0) % 2 == 1
    padded = np.pad(np.where(fixed | free, values, np.float32(0)), 1)
    inner = padded[1:-1, 1:-1]
    colours = [moves & odd, moves & ~odd]  # of a chessboard, one after the other
    for sweep in range(2 * SWEEPS):
        step = RELAXATION * (_around(padded) / counts - inner)
        np.add(inner, step, out=inner, where=colours[sweep % 2])
    return inner.copy()


def _around(padded: Plane) -> Plane:
    """The sum of each inner pixel's four neighbours."""
    return padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]


def _halved(values: Plane, fixed: Mask, free: Mask) -> tuple[Plane, Mask, Mask]:
    """At half the size: fixed where any of four pixels is, with their mean."""
    height, width = values.shape
    padding = ((0, height % 2), (0, width % 2))
    blocks = ((height + 1) // 2, 2, (width + 1) // 2, 2)

    def summed(plane: NDArray[Any]) -> Plane:
        return np.pad(plane.astype(np.float32), padding).reshape(blocks).sum(axis=(1, 3))

    count = summed(fixed)
    mean = summed(np.where(fixed, values, 0)) / np.maximum(count, 1)
    return mean.astype(np.float32), count > 0, (summed(free) > 0) & (count == 0)
