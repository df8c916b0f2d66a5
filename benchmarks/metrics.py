"""PSNR, SSIM and LPIPS of a restoration in three regions that are never mixed.

full: the method's output as it is, over the whole image. hole: hole pixels only. composited: the
known pixels put back, over the whole image. Scores are computed on 8-bit images, because that is
what a reader can open and score again.

PSNR: data range 1. SSIM as Wang et al. (2004): 11x11 Gaussian window, sigma 1.5, population
covariance; as scikit-image, the mean leaves out a border of 5 pixels. LPIPS v0.1 with AlexNet
(Zhang et al., CVPR 2018) on inputs in [-1, 1]. ssim_hole and lpips_hole are the means over hole
pixels of the composited image's SSIM map and of its spatial LPIPS map.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import weights

Pixels = NDArray[np.uint8]  # (C, H, W)
Known = NDArray[np.bool_]  # (H, W)


class Regions(NamedTuple):
    """One metric's scores."""

    full: float
    hole: float
    composited: float


@dataclass(frozen=True)
class Metric:
    """A metric with what it needs; `version` changes when its numbers do."""

    score: Callable[[Pixels, Pixels, Known], Regions]
    version: str
    minimum_side: int
    better: str  # "higher" or "lower"
    missing: Callable[[], str | None] = lambda: None  # what else it needs and lacks

    def unavailable(self, height: int, width: int) -> str | None:
        """Why an image of this size cannot be scored, or None if it can."""
        if min(height, width) < self.minimum_side:
            return f"needs {self.minimum_side} pixels on each side, not {width}x{height}"
        return self.missing()


def composite(restored: Pixels, truth: Pixels, known: Known) -> Pixels:
    """The restoration inside the hole, the truth everywhere else."""
    return np.where(known, truth, restored)


def psnr(restored: Pixels, truth: Pixels, known: Known) -> Regions:
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


def ssim(restored: Pixels, truth: Pixels, known: Known) -> Regions:
    """At most 1."""
    composited, map_ = _ssim(composite(restored, truth, known), truth)
    return Regions(
        full=_ssim(restored, truth)[0],
        hole=float(map_.mean(axis=0)[~known].mean()),
        composited=composited,
    )


def _ssim(restored: Pixels, truth: Pixels) -> tuple[float, NDArray[np.float64]]:
    """The mean and the map (C, H, W)."""
    from skimage.metrics import structural_similarity

    value, map_ = structural_similarity(
        restored / 255,
        truth / 255,
        data_range=1,
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return float(value), map_


def lpips(restored: Pixels, truth: Pixels, known: Known) -> Regions:
    """At least 0; lower is better. Grey is repeated to three channels."""
    from benchmarks.perception import distance

    full, _ = distance(restored, truth)
    composited, map_ = distance(composite(restored, truth, known), truth)
    return Regions(
        full=full, hole=float(map_[~known].mean(dtype=np.float64)), composited=composited
    )


METRICS: dict[str, Metric] = {
    "psnr": Metric(psnr, version="1", minimum_side=1, better="higher"),
    "ssim": Metric(ssim, version="wang-1", minimum_side=11, better="higher"),
    "lpips": Metric(
        lpips, version="0.1-alex-1", minimum_side=31, better="lower", missing=weights.missing
    ),
}
