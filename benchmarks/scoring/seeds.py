"""What the seed of a fit does: to all images alike, and to each of them.

With a list of seeds, a seed gives every image of one size the same first weights and the same
noise. What that does is common to all images: no interval over images holds it, and more images do
not average it out. An analysis of variance parts it from what the seed does to an image alone:
image x seed, both drawn at random, over holes (Montgomery, Design and Analysis of Experiments, ch.
13).

With seeds drawn for each image nothing is common to images, and only the spread within an image is
left: `statistics.between_seeds`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SeedEffects:
    """Of one method fitted with the same seeds to all images; standard deviations of a single fit.

    Attributes:
        main: what a seed does to all images alike; 0 where the data show less than none.
        by_image: what it does to an image beyond that: seed x image, with one hole. With several
            holes it is the part that these have in common; 0 where the data show less than none.
        rest: what it does to a hole of an image beyond that: seed x image x hole, with seed x hole;
            NaN with one hole, where it is part of `by_image`.
        f: of the main effect against seed x image; NaN where that has no spread.
        p: its p value; likewise.
        images: number of images that have all seeds and holes.
        holes: number of holes.
        seeds: number of seeds.
    """

    main: float
    by_image: float
    rest: float
    f: float
    p: float
    images: int
    holes: int
    seeds: int


def seed_effects(scores: "pd.Series[float]") -> SeedEffects:
    """Part the variance between seeds of one method.

    Args:
        scores: one of each fit; the levels of its index are `image`, `mask` and `seed`. Images that
            lack a score, or have one that is not finite, are left out.

    Returns:
        The effects; all of them are NaN for fewer than two images or two seeds.
    """
    cells = scores.unstack("seed").unstack("mask").to_numpy(np.float64)
    whole = cells[np.isfinite(cells).all(axis=1)]
    seeds, holes = (scores.index.unique(level).size for level in ("seed", "mask"))
    y = whole.reshape(len(whole), seeds, holes)
    images = len(y)
    nan = float("nan")
    if images < 2 or seeds < 2:
        return SeedEffects(nan, nan, nan, nan, nan, images, holes, seeds)
    y = y - y.mean(axis=1, keepdims=True)  # without images, holes and their interaction
    freedom = (seeds - 1, (images - 1) * (seeds - 1))
    by_seed, by_both = y.mean(axis=(0, 2)), y.mean(axis=2)
    main = images * holes * (by_seed**2).sum() / freedom[0]
    both = holes * ((by_both - by_seed) ** 2).sum() / freedom[1]
    rest, inner = nan, 0.0
    if holes > 1:
        inner = ((y - by_both[:, :, None]) ** 2).sum() / (images * (seeds - 1) * (holes - 1))
        rest = float(inner) ** 0.5
    f = float(main / both) if both else nan
    return SeedEffects(
        main=float(max(main - both, 0) / (images * holes)) ** 0.5,
        by_image=float(max(both - inner, 0) / holes) ** 0.5,
        rest=rest,
        f=f,
        p=float(special.fdtrc(*freedom, f)),
        images=images,
        holes=holes,
        seeds=seeds,
    )
