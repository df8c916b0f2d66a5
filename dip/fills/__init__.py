"""Classical fills, which need no network: what a user would try first, and DIP has to beat.

A fill is a module of this folder with a function and `FILL`, which describes it:

    def restore(masked, mask, seed): ...
        masked: (C, H, W) float64 in [0, 1], zero in the hole
        mask: (1, H, W), 1 = known, 0 = hole
        seed: for fills that draw at random; none of these does
        returns: (C, H, W) float64, the known pixels as they were

    FILL = Fill("name", restore, summary=..., source=...)

Most need SciPy, scikit-image or OpenCV (the extra `fills`). The function imports them, not the
module, so that fills are listed without these packages.
"""

from importlib import import_module
from pkgutil import iter_modules

from dip.fills.fill import Fill

__all__ = ["FILLS", "Fill"]


def _find() -> list[Fill]:
    modules = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
    return [module.FILL for module in modules if hasattr(module, "FILL")]


FILLS = {fill.name: fill for fill in sorted(_find(), key=lambda fill: (fill.order, fill.name))}
