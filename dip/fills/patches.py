"""Square patches of an image, and the search for the most similar ones.

A patch is named by the place of its first pixel, counted row by row over the places where a whole
patch fits into the image. Search is exact where that is cheap; else it is PatchMatch (Barnes et
al., PatchMatch: A Randomized Correspondence Algorithm for Structural Image Editing, 2009), with all
patches in step rather than one after the other, which NumPy can do fast.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.random import Generator
from numpy.typing import NDArray

Values = NDArray[np.float32]
Indices = NDArray[np.intp]

# So many pairs of patches are all compared; with more, PatchMatch is faster. On twelve development
# images of 128x128 pixels, comparing all takes eight times as long and gains less than 0.1 dB.
EXACT_PAIRS = 4_000_000
CHUNK = 4096  # patches compared at a time, so that they stay in the cache
COMPLETE_SHARE = 0.05  # of the patches, that are known entirely; fewer do not suffice as sources


@dataclass(frozen=True)
class Grid:
    """The patches of an image with a hole.

    Attributes:
        side: of a patch, in pixels.
        known: (H, W), False in the hole.
        columns: patches side by side.
        targets: the patches that have a pixel in the hole.
        sources: by patch, whether targets may be made of it.
        complete: whether all sources are known entirely.
    """

    side: int
    known: NDArray[np.bool_]
    columns: int
    targets: Indices
    sources: NDArray[np.bool_]
    complete: bool


@dataclass(frozen=True)
class Matches:
    """By patch: the most similar source (-1: none), and the mean squared difference to it."""

    source: Indices
    distance: NDArray[np.float64]


def grid_of(known: NDArray[np.bool_], side: int) -> Grid:
    """The patches of an image of which (H, W) is known.

    Sources are the patches that are known entirely. If hardly any are, sources are those with at
    least as many known pixels as patches have on average.
    """
    count = windows(known, side).sum(axis=1)
    sources = count == side * side
    complete = bool(sources.mean() >= COMPLETE_SHARE)
    if not complete:
        sources = count >= max(count.mean(), 1)
    targets = np.flatnonzero(count < side * side)
    return Grid(side, known, known.shape[1] - side + 1, targets, sources, complete)


def windows(image: NDArray[Any], side: int) -> NDArray[Any]:
    """The patches (count, values) of an image (H, W) or (H, W, C)."""
    patches = sliding_window_view(image, (side, side), axis=(0, 1))
    return patches.reshape(patches.shape[0] * patches.shape[1], -1)


def search(
    image: NDArray[np.float64],
    weights: NDArray[Any],
    grid: Grid,
    targets: Indices,
    start: Matches | None,
    sweeps: int,
    random: Generator,
) -> Matches:
    """The most similar source of each target, which is never the target itself.

    Args:
        image: (H, W, C) in [0, 255].
        weights: (H, W), small whole numbers: how much pixels of the target count.
        grid: the patches.
        targets: the patches that are searched for.
        start: of PatchMatch; None for random ones.
        sweeps: of PatchMatch.
        random: draws PatchMatch's trials.
    """
    # Sums of squares of such whole numbers are exact in float32, in whatever order a machine adds
    # them. So machines find the same matches. Above 2^24 they may not be, but patches so different
    # (by more than 130 levels) do not match.
    values = (np.round(image.clip(0, 255)) - 128).astype(np.float32)
    patches = windows(values, grid.side)
    weights = np.broadcast_to(weights.astype(np.float32)[..., None], image.shape)
    weight = windows(weights, grid.side)[targets]
    if targets.size * int(grid.sources.sum()) <= EXACT_PAIRS:
        source, total = _exact(patches, weight, targets, np.flatnonzero(grid.sources))
    else:
        source, total = _patchmatch(patches, weight, targets, grid, start, sweeps, random)
    matches = Matches(np.full(len(patches), -1), np.full(len(patches), np.inf))
    matches.source[targets] = source
    matches.distance[targets] = total / np.maximum(weight.sum(axis=1, dtype=np.float64), 1)
    return matches


def _exact(
    patches: Values, weight: Values, targets: Indices, sources: Indices
) -> tuple[Indices, NDArray[np.float64]]:
    """By matrix products: w (t - s)^2 = w t^2 - 2 w t s + w s^2."""
    best, distance = np.empty(len(targets), np.intp), np.empty(len(targets))
    candidates = patches[sources]
    squares = candidates**2
    step = 1 + 1_000_000 // len(sources)
    for first in range(0, len(targets), step):
        part = slice(first, first + step)
        own, w = patches[targets[part]], weight[part]
        distances = w @ squares.T - 2 * ((w * own) @ candidates.T)
        distances += (w * own**2).sum(axis=1, keepdims=True)
        distances[targets[part, None] == sources] = np.inf
        best[part] = sources[distances.argmin(axis=1)]
        distance[part] = distances.min(axis=1)
    return best, distance


def _patchmatch(
    patches: Values,
    weight: Values,
    targets: Indices,
    grid: Grid,
    start: Matches | None,
    sweeps: int,
    random: Generator,
) -> tuple[Indices, NDArray[np.float64]]:
    """Try what the neighbours match, moved by a pixel, and random places ever closer to the best.

    All targets try the same at once, from the best of all before. The paper goes target by target.
    """
    columns, rows = grid.columns, len(patches) // grid.columns
    row, column = np.divmod(targets, columns)
    best = np.full(len(patches), -1) if start is None else start.source.copy()
    sources = np.flatnonzero(grid.sources)
    without = targets[best[targets] < 0]
    best[without] = random.choice(sources, len(without))

    def distances(which: Indices, candidates: Indices) -> NDArray[np.float64]:
        total = np.empty(len(which))
        for first in range(0, len(which), CHUNK):
            part = slice(first, first + CHUNK)
            difference = patches[candidates[part]]
            difference -= patches[targets[which[part]]]
            difference *= difference
            total[part] = np.einsum("ij,ij->i", difference, weight[which[part]])
        return total

    distance = distances(np.arange(len(targets)), best[targets])
    distance[best[targets] == targets] = np.inf

    def attempt(rows_tried: Indices, columns_tried: Indices, valid: NDArray[np.bool_]) -> None:
        valid = valid & (rows_tried >= 0) & (rows_tried < rows)
        valid &= (columns_tried >= 0) & (columns_tried < columns)
        candidates = np.where(valid, rows_tried * columns + columns_tried, 0)
        valid &= grid.sources[candidates] & (candidates != best[targets]) & (candidates != targets)
        which = np.flatnonzero(valid)
        tried = distances(which, candidates[which])
        better = tried < distance[which]
        which, tried = which[better], tried[better]
        distance[which] = tried
        best[targets[which]] = candidates[which]

    for _ in range(sweeps):
        for down, right in ((-1, 0), (0, -1), (1, 0), (0, 1)):
            beside_row, beside_column = row + down, column + right
            inside = (beside_row >= 0) & (beside_row < rows)
            inside &= (beside_column >= 0) & (beside_column < columns)
            match = best[np.where(inside, beside_row * columns + beside_column, 0)]
            match_row, match_column = np.divmod(match, columns)
            attempt(match_row - down, match_column - right, inside & (match >= 0))
        radius = max(rows, columns)
        while radius >= 1:
            match_row, match_column = np.divmod(best[targets], columns)
            shift = np.round(random.uniform(-radius, radius, (2, len(targets)))).astype(np.intp)
            attempt(match_row + shift[0], match_column + shift[1], np.ones(len(targets), bool))
            radius //= 2  # as in the paper
    return best[targets], distance
