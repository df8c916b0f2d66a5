"""Shields a fit from torch's modes and defaults that the calling program may have set.

Notebooks, services and evaluation loops call a fit within `torch.no_grad`, `inference_mode` or
autocast, or with another default dtype or device. A fit computes the same in all of them, and
leaves them as they are. Thread counts and deterministic algorithms remain the caller's choice.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import RLock
from typing import Any

import torch

DRAWN_IN = torch.float32  # what weights and inputs are drawn in, whatever the fit's precision
_ONE_AT_A_TIME = RLock()  # the default dtype and the global generator belong to the whole process


@contextmanager
def usual_modes(device: torch.device) -> Iterator[None]:
    """Record gradients, in ordinary tensors and without the caller's autocast."""
    with ExitStack() as modes:
        if torch.is_inference_mode_enabled():
            modes.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            modes.enter_context(torch.enable_grad())
        if torch.is_autocast_enabled(device.type):
            modes.enter_context(torch.autocast(device.type, enabled=False))
        yield


@contextmanager
def exact_products() -> Iterator[None]:
    """Compute float32 products on a CPU in full precision, even if the caller allows less."""
    onednn: Any = torch.backends.mkldnn  # torch's type hints lack these settings
    parts = [onednn.conv, onednn.matmul]
    lowered = [(part, part.fp32_precision) for part in parts]
    lowered = [pair for pair in lowered if pair[1] not in ("none", "ieee")]
    general = onednn.fp32_precision
    for part, _ in lowered:
        part.fp32_precision = "ieee"
    try:
        yield
    finally:
        for part, precision in lowered:  # "none" follows the general setting
            part.fp32_precision = "none" if precision == general else precision


@contextmanager
def usual_defaults() -> Iterator[None]:
    """Make tensors of `DRAWN_IN` on the CPU unless told otherwise; one thread at a time."""
    with _ONE_AT_A_TIME, torch.device("cpu"):
        dtype = torch.get_default_dtype()
        torch.set_default_dtype(DRAWN_IN)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
