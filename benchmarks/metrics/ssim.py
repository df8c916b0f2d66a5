"""SSIM as Wang et al. (2004): 11x11 Gaussian window, sigma 1.5, population covariance.

As in scikit-image, the means of `full` and `composited` leave out a border of 5 pixels, where the
window does not fit. `hole` is the mean over all hole pixels of the composited image's SSIM map. It
is what tables show: in small images a large share of the hole is in the border, and known pixels,
which are exact, make up most of the composited mean.
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics.metric import Known, Metric, Pixels, Regions, composite


def score(restored: Pixels, truth: Pixels, known: Known) -> Regions:
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


METRIC = Metric(
    *("ssim", score),
    version="wang-1",
    minimum_side=11,
    better="higher",
    region="hole",
    order=2,
)
