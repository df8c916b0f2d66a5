"""The optimizer steps of a fit, and the schedule of the learning rate."""

from typing import Any

import torch
from torch import Tensor

from dip.options import Method


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
        self.stages = method.optimizer.stages(
            parameters, method.learning_rate, fused=fused or None, recorded=recorded
        )

    @property
    def is_the_same_each_time(self) -> bool:
        """Whether a step does not depend on the iteration it is of."""
        return self.schedule is None and len(self.stages) == 1

    @torch.no_grad()
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
        optimizer.step(learning_rate, loss)
        return learning_rate

    def state_dict(self) -> list[Any]:
        """What each stage's optimizer remembers; its tensors are the optimizer's own."""
        return [optimizer.state_dict() for optimizer, _, _ in self.stages]

    def load_state_dict(self, state: list[Any]) -> None:
        for (optimizer, _, _), remembered in zip(self.stages, state, strict=True):
            optimizer.load_state_dict(remembered)
