"""Metrics. Each module computes one metric and describes it by `METRIC`.

What it is computed with is imported by its function, not by the module, so that metrics are listed
without scikit-image and torch.
"""

from benchmarks.metrics.metric import Metric
from dip.system.registry import constants_of

METRICS = constants_of(__name__, "METRIC", Metric)
