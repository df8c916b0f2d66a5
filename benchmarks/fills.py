"""Fills that need no network: what a user would try first, and what a network has to beat.

A fill maps image (H, W, C) float64 in [0, 1] with zeros in the hole, and hole (H, W) bool, to the
filled image (H, W, C).
"""

from collections.abc import Callable, Iterator
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


def nearest(image: Array, hole: Hole) -> Array:
    """The nearest known pixel, by Euclidean distance."""
    from scipy.ndimage import distance_transform_edt

    rows, columns = distance_transform_edt(hole, return_distances=False, return_indices=True)
    return image[rows, columns]


def harmonic(image: Array, hole: Hole) -> Array:
    """The membrane through the known pixels: each missing pixel is the mean of its neighbours."""
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import splu

    unknowns = int(hole.sum())
    number = np.full(hole.shape, -1)
    number[hole] = np.arange(unknowns)
    neighbours = np.zeros(unknowns)
    constant = np.zeros((unknowns, image.shape[2]))
    rows, columns = [np.arange(unknowns)], [np.arange(unknowns)]
    for here, there in _neighbours():
        of_hole = hole[here]
        mine = number[here][of_hole]
        other, value = number[there][of_hole], image[there][of_hole]
        neighbours[mine] += 1
        constant[mine[other < 0]] += value[other < 0]
        rows.append(mine[other >= 0])
        columns.append(other[other >= 0])
    entries = np.concatenate([neighbours, -np.ones(sum(map(len, rows[1:])))])
    places = np.concatenate(rows), np.concatenate(columns)
    laplacian = coo_array((entries, places), shape=(unknowns, unknowns)).tocsc()
    filled = image.copy()
    filled[hole] = splu(laplacian).solve(constant)
    return filled


def _neighbours() -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """For each of four directions the pixels that have a neighbour there, and that neighbour."""
    first, second, whole = slice(None, -1), slice(1, None), slice(None)
    for here, there in ((first, second), (second, first)):
        yield (here, whole), (there, whole)
        yield (whole, here), (whole, there)


def biharmonic(image: Array, hole: Hole) -> Array:
    """The surface of least bending through the known pixels around the hole."""
    from skimage.restoration import inpaint_biharmonic

    return np.asarray(inpaint_biharmonic(image, hole, channel_axis=-1), dtype=np.float64)


def telea(image: Array, hole: Hole) -> Array:
    """From the rim inwards, the weighted mean of what pixels within three continue to."""
    import cv2

    return _opencv(image, hole, cv2.INPAINT_TELEA)


def navier_stokes(image: Array, hole: Hole) -> Array:
    """From the rim inwards along the lines of equal brightness, as a fluid would flow."""
    import cv2

    return _opencv(image, hole, cv2.INPAINT_NS)


OPENCV_RADIUS = 3  # pixels; that of OpenCV's own example


def _opencv(image: Array, hole: Hole, method: int) -> Array:
    """OpenCV works on 8-bit images."""
    import cv2

    pixels = np.round(image * 255).astype(np.uint8)
    found = cv2.inpaint(pixels, hole.astype(np.uint8), OPENCV_RADIUS, method)
    filled = image.copy()
    filled[hole] = found.reshape(image.shape)[hole] / 255
    return filled


TV_STEP = 0.05  # of the primal iteration; converges fastest of 0.05, 0.15, 0.35, 1 and 3
TV_ITERATIONS = 1000
TV_TOLERANCE = (
    2e-6  # mean step of the missing pixels; 1000 such move a pixel by half an 8-bit level
)


def total_variation(image: Array, hole: Hole) -> Array:
    """Least total variation: edges stay sharp and are as short as can be; channels together.

    The primal-dual iteration of Chambolle and Pock (algorithm 1), from the harmonic fill on; ended
    after 1000 iterations at the latest, when large holes may still be some levels off the least.
    """
    whole = harmonic(image, hole)
    filled, inside = _around(whole, hole)
    ahead = filled.copy()
    down, right = np.zeros_like(filled), np.zeros_like(filled)  # the dual variable
    # Of the harmonic fill any multiple of the gradient stands still, so the first step is endless.
    dual_step = 1e9
    for _ in range(TV_ITERATIONS):
        down[:-1] += dual_step * np.diff(ahead, axis=0)
        right[:, :-1] += dual_step * np.diff(ahead, axis=1)
        length = np.sqrt((down * down + right * right).sum(axis=2, keepdims=True))
        np.maximum(length, 1, out=length)
        down /= length
        right /= length
        dual_step = 1 / (8 * TV_STEP)  # their product is 1 / 8, the gradient's squared norm
        divergence = down + right
        divergence[1:] -= down[:-1]
        divergence[:, 1:] -= right[:, :-1]
        step = TV_STEP * divergence[inside]
        ahead[inside] = filled[inside] + 2 * step
        filled[inside] += step
        if np.abs(step).mean() < TV_TOLERANCE:
            break
    whole[hole] = filled[inside]
    return whole


def _around(image: Array, hole: Hole) -> tuple[Array, Hole]:
    """The part of both that the hole takes up, with the pixels next to it."""
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    part = (
        slice(max(rows[0] - 1, 0), rows[-1] + 2),
        slice(max(columns[0] - 1, 0), columns[-1] + 2),
    )
    return image[part].copy(), hole[part]


FILLS: dict[str, Fill] = {
    "mean": Fill(mean, source="this project"),
    "nearest": Fill(nearest, source="scipy.ndimage.distance_transform_edt"),
    "harmonic": Fill(harmonic, source="Laplace's equation, five-point stencil"),
    "biharmonic": Fill(
        biharmonic,
        source="Damelin and Hoang, On Surface Completion and Image Inpainting by Biharmonic"
        " Functions, 2018; skimage.restoration.inpaint_biharmonic",
    ),
    "telea": Fill(
        telea,
        source="Telea, An Image Inpainting Technique Based on the Fast Marching Method, 2004;"
        " cv2.inpaint",
    ),
    "navier-stokes": Fill(
        navier_stokes,
        source="Bertalmio, Bertozzi, Sapiro, Navier-Stokes, Fluid Dynamics, and Image and Video"
        " Inpainting, CVPR 2001; cv2.inpaint",
    ),
    "total-variation": Fill(
        total_variation,
        source="Chan, Shen, Mathematical Models for Local Nontexture Inpaintings, 2002, without"
        " noise; Chambolle, Pock, A First-Order Primal-Dual Algorithm, 2011",
    ),
}
