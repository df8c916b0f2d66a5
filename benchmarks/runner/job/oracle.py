"""Notes how far a fit is from the truth while it runs. The fit never sees what is noted here."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

EVERY = 10  # iterations


class Oracle:
    """The hole PSNR of raw and averaged output, of every tenth iteration.

    truth: (C, H, W) uint8; known: (H, W), True = known. Everything stays on the device until it is
    asked for, so that a GPU is never waited for. Errors are sums over 8-bit pictures, whole numbers
    and so exactly those that are scored later.
    """

    def __init__(self, truth: NDArray[np.uint8], known: NDArray[np.bool_], device: str):
        hole = np.flatnonzero(~known)
        self.hole = torch.from_numpy(hole).to(device)
        self.truth = torch.from_numpy(truth.reshape(len(truth), -1)[:, hole]).to(device).int()
        self.iterations: list[int] = []
        self.squared_errors: list[Tensor] = []

    def __call__(self, iteration: int, raw: Tensor, averaged: Tensor) -> None:
        if iteration % EVERY == 0:
            self.iterations.append(iteration)
            self.squared_errors += [self._squared_error(raw), self._squared_error(averaged)]

    def _squared_error(self, output: Tensor) -> Tensor:
        inside = output.flatten(1).index_select(1, self.hole).float()
        shown = inside.clamp(0, 1).mul(255).round().int()
        return (shown - self.truth).square().sum(dtype=torch.int64)

    def psnr_hole(self) -> dict[int, tuple[float, float]]:
        """By iteration: decibels of raw and averaged output; waits for the device."""
        if not self.iterations:
            return {}
        errors = torch.stack(self.squared_errors).cpu().double() / (255**2 * self.truth.numel())
        decibels = (-10 * errors.log10()).reshape(-1, 2).tolist()
        return {n: (raw, avg) for n, (raw, avg) in zip(self.iterations, decibels, strict=True)}
