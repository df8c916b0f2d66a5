"""Backtracking: return to the last good weights when the fit to the known pixels drops."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dip.options import Backtracking


class Rewind:
    """The weights of the last look, to go back to when the fit is suddenly worse.

    state: lists all tensors that go back, as they are at present; what the optimizer remembers does
    not, as in the source.

    Ulyanov et al., `restoration.ipynb`: it looks every so many iterations, and once it went back at
    each one until the fit is good again. Deviations: an iteration that goes back takes no step,
    where the source takes that of the gradient of the weights it has just thrown away; it counts
    as an iteration, where the source counts on when the fit is good again; and a loss that is not
    finite is looked at whenever it comes.
    """

    def __init__(self, state: Callable[[], list[Tensor]], options: Backtracking):
        self.state = state
        self.drop_db = options.drop_db
        self.every = options.every
        self.last_db = -math.inf
        self.saved: list[Tensor] = []
        self.has_fallen = False

    def due(self, iteration: int, loss: Tensor) -> bool:
        """Whether this iteration, from 1, is one that looks."""
        at_its_time = (iteration - 1) % self.every == 0
        return at_its_time or self.has_fallen or not bool(torch.isfinite(loss))

    @torch.no_grad()
    def went_back(self, fit_db: float) -> bool:
        """Look: go back if the fit has fallen by more than `drop_db`, else keep the weights.

        fit_db: what `Loss.fit_db` says of the output of these weights; nan counts as fallen.
        """
        self.has_fallen = bool(self.saved) and not fit_db >= self.last_db - self.drop_db
        if self.has_fallen:
            for tensor, saved in zip(self.state(), self.saved, strict=True):
                tensor.copy_(saved)
        elif math.isfinite(fit_db):
            self.last_db = fit_db
            self.saved = [tensor.detach().clone() for tensor in self.state()]
        return self.has_fallen

    def state_dict(self) -> dict[str, Any]:
        """What the last look found; its tensors are this object's own."""
        return {"saved": self.saved, "last_db": self.last_db, "has_fallen": self.has_fallen}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pairs = zip(state["saved"], self.state(), strict=bool(state["saved"]))
        self.saved = [saved.to(tensor.device) for saved, tensor in pairs]
        self.last_db, self.has_fallen = state["last_db"], state["has_fallen"]
