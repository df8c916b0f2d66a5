"""Optimisers: the steps that the weights take, and the schedule of the learning rate."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from dip.options import (
    AdamLBFGSOptions,
    AdamOptions,
    AdamWOptions,
    Method,
    SGDOptions,
)


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
