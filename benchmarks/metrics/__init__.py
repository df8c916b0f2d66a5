"""The metrics, by name. A metric is a module of this folder with `METRIC`, which describes it.

What it is computed with is imported by its function, not by the module, so that metrics are listed
without scikit-image and torch.
"""

from importlib import import_module
from pkgutil import iter_modules

from benchmarks.metrics.metric import Metric


def _find() -> list[Metric]:
    modules = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
    return [module.METRIC for module in modules if hasattr(module, "METRIC")]


METRICS = {
    metric.name: metric
    for metric in sorted(_find(), key=lambda metric: (metric.order, metric.name))
}
