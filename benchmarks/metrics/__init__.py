"""Metrics. Each module computes one metric and describes it in `METRIC`.

Functions import scikit-image and torch; modules do not. So metrics can be listed without them.
"""

from benchmarks.metrics.metric import Metric
from dip.system.registry import constants_of

METRICS = constants_of(__name__, "METRIC", Metric)
