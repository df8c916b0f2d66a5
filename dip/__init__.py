"""Deep Image Prior: fit an untrained network to one image with a hole, and let it draw the rest.

    import dip
    for checkpoint in dip.fit(image, mask, "quick", checkpoints=[100, 200]):
        checkpoint.raw, checkpoint.averaged        # (C, H, W) float32

    fit = dip.Fit(image, mask, "quick")            # the same, iteration by iteration
    for step in fit:
        if step.loss < 1e-3:
            break
    fit.checkpoint().picture                       # a PIL picture

    restored = dip.inpaint(photo, mask)            # a PIL picture, or an array

Names are looked up when first used, because importing torch takes seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dip.errors import FailedFitError, InputError
    from dip.inpainting import inpaint
    from dip.networks import build_network
    from dip.options import Method
    from dip.presets import Preset, load_preset, preset_names, with_settings
    from dip.receptive_field import coverage
    from dip.trainer import Fit, fit
    from dip.training.divergence import Diverged
    from dip.training.state import State
    from dip.training.steps import Checkpoint, Step
    from dip.training.stopping import Stop

_HOME = {
    "InputError": "errors",
    "build_network": "networks",
    "inpaint": "inpainting",
    "Method": "options",
    "Preset": "presets",
    "load_preset": "presets",
    "preset_names": "presets",
    "with_settings": "presets",
    "Checkpoint": "training.steps",
    "Diverged": "training.divergence",
    "State": "training.state",
    "Step": "training.steps",
    "Stop": "training.stopping",
    "coverage": "receptive_field",
    "FailedFitError": "errors",
    "Fit": "trainer",
    "fit": "trainer",
}
__all__ = [
    "Checkpoint",
    "Diverged",
    "FailedFitError",
    "Fit",
    "InputError",
    "Method",
    "Preset",
    "State",
    "Step",
    "Stop",
    "build_network",
    "coverage",
    "fit",
    "inpaint",
    "load_preset",
    "preset_names",
    "with_settings",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'dip' has no attribute '{name}'")
    return getattr(import_module(f"dip.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
