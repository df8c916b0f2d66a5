"""Exemplar-based: holes are made of patches that stand elsewhere in the image, for large holes.

Newson, Almansa, Gousseau, Pérez, Non-Local Patch-Based Image Inpainting, IPOL 2017, after Wexler,
Shechtman, Irani, Space-Time Completion of Video, PAMI 2007. From the coarsest scale to the finest,
two steps alternate: each patch that has a pixel in the hole finds the most similar patch outside
it; each pixel of the hole becomes a mean of what the patches over it would have there. At last
pixels come from the best of these patches alone, so that texture stays sharp.

If hardly any patch is known entirely, as with half of the pixels missing at random, patches of the
estimate with at least the average number of known pixels serve as sources, and there is one scale.
Pixels are still means of known pixels, in the last step too. On the development crops the harmonic
fill is a little better at such holes: by 0.5 dB with half of the pixels missing, 1 dB with 95 %.
"""

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from dip.fills.fill import Fill, Report
from dip.fills.harmonic import membrane
from dip.fills.harmonic import memory as memory_of_membrane
from dip.fills.patches import Grid, Matches, grid_of, search, windows
from dip.options.base import Count, KernelSize, Options

# Two gradients beside the colours, times the square root of the paper's factor 50: without them,
# coarse scales fill textured holes with what is smooth.
TEXTURE = 50**0.5
# A known pixel of a patch counts as much as so many of the estimate; not in the paper. On twelve
# development images, boxes of half the side: 13.2 dB with 1, 13.6 with 2, 13.7 with 4.
KNOWN_WEIGHT = 4
ITERATIONS = 10  # at most, by scale, as in the paper
FINEST_ITERATIONS = 2  # at the finest scale, which takes longest; 4 made no better pictures
CHANGE = 0.1  # of the hole's pixels, in 8-bit levels; less ends a scale, as in the paper
QUANTILE = 0.75  # of the distances, whose value is the width of the weights; as in the paper
VOTES = 4096  # pixels that are computed at a time, for the sake of memory


class ExemplarOptions(Options):
    """Exemplar-based inpainting."""

    patch: KernelSize = Field(7, description="side of a patch, at most that of the image; odd")
    sweeps: Count = Field(4, description="of PatchMatch over all patches, in each iteration")


def restore(
    masked: NDArray[np.float64],
    mask: NDArray[Any],
    seed: int,
    options: ExemplarOptions,
    report: Report,
) -> NDArray[np.float64]:
    """See `dip.fills`."""
    random = np.random.default_rng(seed)
    side = min(options.patch, (min(mask.shape[1:]) - 1) // 2 * 2 + 1)
    channels = masked.shape[0]
    scales = _pyramid(masked.transpose(1, 2, 0) * 255, mask[0] != 0, side)
    work = [known.size * ITERATIONS for _, known in scales]
    work[-1] = scales[-1][1].size * FINEST_ITERATIONS
    for scale, (features, known) in enumerate(scales):
        image = membrane(features, ~known)
        if scale == 0:
            grid = grid_of(known, side)
            image, matches = _peel(image, grid, options.sweeps, random)
        else:
            coarse, grid = grid, grid_of(known, side)
            matches = _finer(matches, coarse, grid, random)
            image = _vote(image, grid, matches)
        iterations = work[scale] // known.size
        weights = np.where(known, KNOWN_WEIGHT, 1)
        for iteration in range(iterations):
            matches = search(image, weights, grid, grid.targets, matches, options.sweeps, random)
            before, image = image, _vote(image, grid, matches)
            done = sum(work[:scale]) + work[scale] * (iteration + 1) / iterations
            report(0.99 * done / sum(work))  # the rest is the last step
            if np.abs(image - before)[~known, :channels].mean() < CHANGE:
                break
    image = _vote(image, grid, matches, only_best=grid.complete)
    filled = masked.copy()
    filled[:, ~known] = image[~known, :channels].T.clip(0, 255) / 255
    report(1.0)
    return filled


def _pyramid(
    image: NDArray[np.float64], known: NDArray[np.bool_], side: int
) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """The image with its texture (H, W, C + 2), and what is known of it; coarsest first.

    At the coarsest scale the hole is one to two patches wide, as in the paper; or wider, where
    otherwise hardly any patch would be known entirely.
    """
    from scipy.ndimage import distance_transform_edt

    reach = distance_transform_edt(~known).max()
    halvings = max(0, int(np.log2(max(1, 2 * reach / side))))
    while min(known.shape) >> halvings <= side and halvings:
        halvings -= 1
    if not grid_of(known, side).complete:
        halvings = 0  # what is averaged from scattered pixels misleads: 18 dB, 15 with two scales
    # Narrow holes need no texture, and do better without it.
    if halvings:
        image = np.concatenate([image, _texture(image, known, 2 ** (halvings + 1) + 1)], axis=2)
    scales = [(image, known)]
    for _ in range(halvings):
        coarser = _halved(*scales[0])
        # Small patches may leave no hole at a coarser scale.
        if coarser[1].all() or not grid_of(coarser[1], side).complete:
            break
        scales.insert(0, coarser)
    return scales


def _texture(
    image: NDArray[np.float64], known: NDArray[np.bool_], width: int
) -> NDArray[np.float64]:
    """The mean absolute difference (H, W, 2) to the pixels below and to the right, over a square.

    Only of known pixels; 0 in the hole and where there are none.
    """
    from scipy.ndimage import uniform_filter

    grey, textures = image.mean(axis=2), []
    for axis in (0, 1):
        last = np.take(grey, [-1], axis)
        both = known & np.roll(known, -1, axis)
        both[(-1,) if axis == 0 else (slice(None), -1)] = False  # beyond them there is nothing
        steps = np.abs(np.diff(grey, axis=axis, append=last)) * both
        total, count = (
            uniform_filter(np.float64(values), width, mode="constant") for values in (steps, both)
        )
        enough = known & (count > 0.5 / width**2)  # 0, but for rounding, where there are none
        textures.append(TEXTURE * np.divide(total, count, out=np.zeros_like(total), where=enough))
    return np.stack(textures, axis=2)


def _halved(
    image: NDArray[np.float64], known: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Means over the known pixels of 2x2 blocks, and which blocks have some."""
    rows, columns = ((length + 1) // 2 for length in known.shape)
    even = [(0, length % 2) for length in known.shape]

    def sums(values: NDArray[Any]) -> NDArray[np.float64]:
        blocks = np.pad(values, [*even, (0, 0)]).reshape(rows, 2, columns, 2, -1)
        return blocks.sum(axis=(1, 3), dtype=np.float64)

    count = sums(known[..., None])
    return sums(image * known[..., None]) / np.maximum(count, 1), count[..., 0] > 0


def _peel(
    image: NDArray[np.float64], grid: Grid, sweeps: int, random: Generator
) -> tuple[NDArray[np.float64], Matches]:
    """Fill the hole ring by ring. Patches are compared where they are known or filled already."""
    from scipy.ndimage import binary_dilation

    done = grid.known
    matches = None
    while not done.all():
        grown = binary_dilation(done, np.ones((3, 3), bool))
        ring = grown & ~done
        targets = np.flatnonzero(windows(ring, grid.side).any(axis=1))
        now = search(image, done, grid, targets, matches, sweeps, random)
        image = np.where(ring[..., None], _vote(image, grid, now), image)
        matched = now.source >= 0
        if matches is None:
            matches = now
        matches = Matches(
            np.where(matched, now.source, matches.source),
            np.where(matched, now.distance, matches.distance),
        )
        done = grown
    assert matches is not None  # a hole has a pixel
    return image, matches


def _finer(matches: Matches, coarse: Grid, grid: Grid, random: Generator) -> Matches:
    """The matches at the next finer scale: the same ways, twice as long; without distances."""
    half = grid.side // 2  # centres of patches are at the same place in both scales

    def centres(patches: NDArray[np.intp], of: Grid) -> NDArray[np.intp]:
        return np.stack(np.divmod(patches, of.columns)) + half

    last = np.array(coarse.known.shape)[:, None] - 1 - half
    fine = centres(grid.targets, grid)
    place = np.clip(fine // 2, half, last) - half
    source_there = matches.source[place[0] * coarse.columns + place[1]]
    row, column = centres(source_there, coarse) * 2 + fine % 2 - half
    rows = grid.known.shape[0] - grid.side + 1
    valid = (source_there >= 0) & (row < rows) & (column < grid.columns)
    source = np.where(valid, row * grid.columns + column, 0)
    valid &= grid.sources[source] & (source != grid.targets)
    others = random.choice(np.flatnonzero(grid.sources), len(source))
    finer = np.full(len(grid.sources), -1)
    finer[grid.targets] = np.where(valid, source, others)
    return Matches(finer, np.where(finer >= 0, 0.0, np.inf))


def _vote(
    image: NDArray[np.float64], grid: Grid, matches: Matches, only_best: bool = False
) -> NDArray[np.float64]:
    """Each pixel of the hole from what the matches of the patches over it have in its place.

    Only known pixels vote. A pixel without votes stays as it is.
    """
    side, rows = grid.side, grid.known.shape[0] - grid.side + 1
    down, right = np.divmod(np.arange(side * side), side)
    filled = image.copy()
    places = np.argwhere(~grid.known)
    for first in range(0, len(places), VOTES):
        pixel_row, pixel_column = places[first : first + VOTES].T[..., None]
        row, column = pixel_row - down, pixel_column - right
        valid = (row >= 0) & (row < rows) & (column >= 0) & (column < grid.columns)
        patch = np.where(valid, row * grid.columns + column, 0)
        source = np.maximum(matches.source[patch], 0)
        row, column = source // grid.columns + down, source % grid.columns + right
        valid &= np.isfinite(matches.distance[patch]) & grid.known[row, column]
        distance = np.where(valid, matches.distance[patch], np.inf)
        some = valid.any(axis=1)
        distance, votes = distance[some], image[row, column][some]
        least = distance.min(axis=1, keepdims=True)
        if only_best:
            weights = distance == least
        else:
            count = np.isfinite(distance).sum(axis=1, keepdims=True)
            at = np.ceil(QUANTILE * count).astype(np.intp) - 1
            width = np.take_along_axis(np.sort(distance, axis=1), at, axis=1)
            # Less than a level between patches is no difference.
            weights = np.exp((least - distance) / (2 * np.maximum(width, 1)))
        weights = weights / weights.sum(axis=1, keepdims=True)
        filled[pixel_row[some, 0], pixel_column[some, 0]] = np.einsum("ij,ijk->ik", weights, votes)
    return filled


def _memory(hole: NDArray[np.bool_], channels: int, options: ExemplarOptions) -> float:
    """Estimate the bytes: all patches in float32, and of targets weights and a copy.

    Or those of the harmonic start, if they are more.
    """
    from scipy.ndimage import maximum_filter

    targets = int(maximum_filter(hole, options.patch).sum())
    patches = 4 * options.patch**2 * (channels + 2) * (hole.size + 2 * targets)
    return max(patches, memory_of_membrane(hole, channels, options))


FILL = Fill(
    "exemplar",
    restore,
    summary="Patches from elsewhere in the image, coarse to fine: for large holes in texture.",
    source="Newson, Almansa, Gousseau, Pérez, Non-Local Patch-Based Image Inpainting, IPOL 2017;"
    " Wexler, Shechtman, Irani, Space-Time Completion of Video, 2007; Barnes et al., PatchMatch,"
    " 2009",
    options=ExemplarOptions(),
    packages=("scipy.ndimage", "scipy.sparse.linalg"),
    slow=True,
    has_progress=True,
    cost="about 1 s at 128x128 pixels, 15 s at 512x512, more for scattered pixels",
    memory=_memory,
    order=9,
)
