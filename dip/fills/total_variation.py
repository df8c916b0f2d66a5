"""Least total variation: edges stay sharp and are as short as can be; channels together.

The primal-dual iteration of Chambolle and Pock (2011, algorithm 1) on the model of Chan and Shen
(2002, without noise), from the harmonic fill on; ended after 1000 iterations at the latest, when
large holes may still be some levels off the least.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.fills.fill import Fill, Report
from dip.fills.harmonic import membrane, memory
from dip.fills.hole import bounding_box

STEP = 0.05  # of the primal iteration; converges fastest of 0.05, 0.15, 0.35, 1 and 3
ITERATIONS = 1000
TOLERANCE = 2e-6  # mean step of the missing pixels; 1000 such move a pixel by half an 8-bit level


def restore(
    masked: NDArray[np.float64], mask: NDArray[Any], seed: int, report: Report
) -> NDArray[np.float64]:
    """See `dip.fills`."""
    hole = mask[0] == 0
    whole = membrane(masked.transpose(1, 2, 0), hole)
    part = bounding_box(hole, margin=1)
    filled, inside = whole[part].copy(), hole[part]
    ahead = filled.copy()
    down, right = np.zeros_like(filled), np.zeros_like(filled)  # the dual variable
    # Of the harmonic fill any multiple of the gradient stands still, so the first step is endless.
    dual_step = 1e9
    for done in range(ITERATIONS):
        down[:-1] += dual_step * np.diff(ahead, axis=0)
        right[:, :-1] += dual_step * np.diff(ahead, axis=1)
        length = np.sqrt((down * down + right * right).sum(axis=2, keepdims=True))
        np.maximum(length, 1, out=length)
        down /= length
        right /= length
        dual_step = 1 / (8 * STEP)  # their product is 1 / 8, the gradient's squared norm
        divergence = down + right
        divergence[1:] -= down[:-1]
        divergence[:, 1:] -= right[:, :-1]
        step = STEP * divergence[inside]
        ahead[inside] = filled[inside] + 2 * step
        filled[inside] += step
        if np.abs(step).mean() < TOLERANCE:
            break
        report((done + 1) / ITERATIONS)
    report(1.0)
    whole[hole] = filled[inside]
    return whole.transpose(2, 0, 1)


FILL = Fill(
    "total-variation",
    restore,
    summary=("Least total variation over all channels together: edges stay sharp and short."),
    source="Chan, Shen, Mathematical Models for Local Nontexture Inpaintings, 2002, without"
    " noise; Chambolle, Pock, A First-Order Primal-Dual Algorithm, 2011",
    packages=("scipy.sparse.linalg",),
    quick_pixels=2**10,
    has_progress=True,
    memory=memory,  # of the fill that it starts from
    order=7,
)
