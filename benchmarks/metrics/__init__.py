"""The metrics, by name. A new one is a module of this folder and a line in `METRICS`."""

from benchmarks.metrics import lpips, lpips_weights, psnr, ssim
from benchmarks.metrics.metric import Metric

METRICS: dict[str, Metric] = {
    "psnr": Metric(psnr.score, version="1", minimum_side=1, better="higher"),
    "ssim": Metric(ssim.score, version="wang-1", minimum_side=11, better="higher"),
    "lpips": Metric(
        lpips.score,
        version="0.1-alex-1",
        minimum_side=31,
        better="lower",
        missing=lpips_weights.missing,
    ),
}
