"""Sides of a comparison with scores that are drawn, not fitted."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.regression.scores import COLUMNS, Side

IMAGES, MASKS = ("astronaut", "coffee"), ("boxes", "strokes")
FILL = "harmonic"


def side(
    label: str = "here",
    *,
    seeds: range = range(6),
    draw: int = 0,
    networks: dict[str, float] | None = None,
    deviation: float = 0.2,
    shift: float = 0.0,
    fill_shift: float = 0.0,
    specification: dict[str, Any] | None = None,
) -> Side:
    """Networks by the mean of their hole PSNR in dB; SSIM and LPIPS go with it.

    deviation: between seeds, of a network's mean over cells; shift: dB, of all networks.
    """
    random = np.random.default_rng(draw)
    rows = []
    for method, mean in (networks or {"skip": 18.0, "unet": 15.0, "siren": 17.0}).items():
        of_seed = {seed: random.normal(0, deviation) for seed in seeds}
        for output, image, mask, seed in product(("raw", "averaged"), IMAGES, MASKS, seeds):
            of_cell = len(image) / 5 + len(mask) / 10 + (0.3 if output == "averaged" else 0)
            psnr = mean + shift + of_cell + of_seed[seed] + random.normal(0, deviation / 4)
            rows.append((method, output, image, mask, seed, 200, "done", *_scores(psnr)))
    for image, mask in product(IMAGES, MASKS):
        rows.append((FILL, "raw", image, mask, 0, 0, "done", *_scores(16 + fill_shift)))
    about = {"environments": [], "revisions": ["0123456789ab"]}
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Side(label, table, specification or {}, about)


def _scores(psnr: float) -> tuple[float, float, float]:
    return psnr, psnr / 40, 1 - psnr / 25


def baseline(**options: Any) -> Side:
    """Of many seeds."""
    return side("baseline", **{"seeds": range(24), "draw": 1, **options})
