"""How the weights move: steps of an optimiser, a schedule, noise on weights, and backtracking."""

import copy
import math
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from dip.options import (
    AdamLBFGSOptions,
    AdamOptions,
    AdamWOptions,
    Backtracking,
    Method,
    SGDOptions,
)
from dip.randomness import generator


class Descent:
    """Takes the steps of one fit.

    parameters: all that are trained. fused: all tensors of a step in one kernel, where there is
    one. recorded: steps are recorded as a CUDA graph, for which Adam counts them on the device.
    """

    def __init__(
        self,
        method: Method,
        parameters: list[Tensor],
        *,
        fused: bool = False,
        recorded: bool = False,
    ):
        self.schedule = method.schedule
        self.stages = _stages(method, parameters, fused or None, recorded)

    @property
    def is_the_same_each_time(self) -> bool:
        """Whether a step does not depend on the iteration it is of."""
        return self.schedule is None and len(self.stages) == 1

    def step(self, iteration: int, loss: Tensor) -> float:
        """One step from the gradients of `loss`, those of iteration `iteration` (from 1).

        Returns the learning rate it was taken at.
        """
        optimizer, learning_rate = next(
            (optimizer, learning_rate)
            for optimizer, learning_rate, last in self.stages
            if last is None or iteration <= last
        )
        if self.schedule is not None:
            learning_rate *= self.schedule.factor ** ((iteration - 1) // self.schedule.every)
            optimizer.param_groups[0]["lr"] = learning_rate
        # L-BFGS asks for the loss; whether as a number or a tensor is the same to it.
        optimizer.step(cast("Callable[[], float]", lambda: loss))
        return learning_rate

    def state_dict(self) -> list[Any]:
        """What each stage's optimiser remembers; its tensors are the optimiser's own."""
        return [optimizer.state_dict() for optimizer, _, _ in self.stages]

    def load_state_dict(self, state: list[Any]) -> None:
        for (optimizer, _, _), remembered in zip(self.stages, state, strict=True):
            optimizer.load_state_dict(copy.deepcopy(remembered))  # it takes tensors as they are


# An optimiser, its learning rate, and the last iteration it is used at; None: the last there is.
Stage = tuple[torch.optim.Optimizer, float, int | None]


def _stages(
    method: Method, parameters: list[Tensor], fused: bool | None, recorded: bool
) -> list[Stage]:
    rate = method.learning_rate
    adam = partial(torch.optim.Adam, parameters, fused=fused, capturable=recorded)
    match method.optimizer:
        case AdamOptions(betas=betas, weight_decay=decay):
            return [(adam(rate, betas, weight_decay=decay), rate, None)]
        case AdamWOptions(betas=betas, weight_decay=decay):
            adamw = partial(torch.optim.AdamW, parameters, fused=fused, capturable=recorded)
            return [(adamw(rate, betas, weight_decay=decay), rate, None)]
        case SGDOptions(momentum=momentum):
            return [(torch.optim.SGD(parameters, rate, momentum, fused=fused), rate, None)]
        case AdamLBFGSOptions() as options:
            first = options.adam_learning_rate
            # One update a call. Without a line search, and with its history kept between calls,
            # that is the source's one long call. It stops at no tolerance, as there.
            lbfgs = torch.optim.LBFGS(
                parameters,
                rate,
                max_iter=1,
                tolerance_grad=-1,
                tolerance_change=-1,
                history_size=options.history,
            )
            return [
                (adam(first), first, options.adam_iterations),
                (lbfgs, rate, None),
            ]


class WeightNoise:
    """Noise on the weights of convolutions, drawn from a generator of its own.

    As in the sources these are the parameters of four dimensions; those that are not trained stay.
    """

    def __init__(self, network: nn.Module, seed: int, purpose: str, device: torch.device | str):
        trained = (each for each in network.parameters() if each.requires_grad)
        self.weights = [each for each in trained if each.ndim == 4]
        self.generator = generator(seed, purpose, device)

    @torch.no_grad()
    def add(self, sigma: float) -> None:
        """Noise of that standard deviation."""
        for weights in self.weights:
            weights.add_(self._draw(weights), alpha=sigma)

    @torch.no_grad()
    def add_share(self, share: float) -> None:
        """Noise of that share of each layer's own standard deviation.

        Ulyanov et al., `inpainting.ipynb`: `param_noise`, a share of 1/50, which there is added to
        a local name and never reaches the network.
        """
        for weights in self.weights:
            deviation = weights.std(correction=min(1, weights.numel() - 1))
            weights.add_(self._draw(weights).mul_(deviation), alpha=share)

    def _draw(self, weights: Tensor) -> Tensor:
        shape, dtype, device = weights.shape, weights.dtype, weights.device
        return torch.randn(shape, generator=self.generator, device=device, dtype=dtype)


class Rewind:
    """The weights of the last look, to go back to when the fit is suddenly worse.

    state: lists all tensors that go back, as they are at present; what the optimiser remembers does
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
