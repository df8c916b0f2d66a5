"""PSNR with data range 1."""

import numpy as np

from benchmarks.metrics.metric import Known, Metric, Pixels, Regions


def score(restored: Pixels, truth: Pixels, known: Known) -> Regions:
    """Decibels; infinite where the region is exactly right."""
    squared = ((restored.astype(np.float64) - truth) / 255) ** 2
    hole = squared[:, ~known]
    return Regions(
        full=_decibels(squared.mean()),
        hole=_decibels(hole.mean()),
        composited=_decibels(hole.sum() / squared.size),
    )


def _decibels(mean_squared_error: float) -> float:
    return float("inf") if mean_squared_error == 0 else float(-10 * np.log10(mean_squared_error))


METRIC = Metric(
    "psnr",
    score,
    version="1",
    minimum_side=1,
    better="higher",
    region="hole",
    decimals=2,
    unit="dB",
    order=1,
)
