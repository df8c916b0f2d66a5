"""Losses. Each module defines one error that a fit can minimise.

A module defines `VERSION`, which increases when the error changes, and one function:

    error(output, target) -> a scalar

    output: (B, C, H, W), zero in the hole
    target: (B, C, H, W), zero in the hole

The function imports torch if it needs to, because options do without torch.
"""

from typing import TYPE_CHECKING, Literal

from dip.system.registry import modules_of

LOSSES = {name.replace("_", "-"): module for name, module in modules_of(__name__).items()}

for _module in LOSSES.values():
    if not (hasattr(_module, "VERSION") and hasattr(_module, "error")):
        raise RuntimeError(f"{_module.__file__}: a loss must define `VERSION` and `error`")

if TYPE_CHECKING:
    LossName = str
else:
    LossName = Literal[tuple(LOSSES)]
