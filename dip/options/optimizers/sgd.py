"""Gradient descent with momentum."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dip.options.base import Number
from dip.options.optimizers.base import OptimizerOptions, Stage

if TYPE_CHECKING:
    from torch import Tensor


class SGDOptions(OptimizerOptions):
    """Gradient descent with momentum. Source: Sutskever et al., ICML 2013."""

    name: Literal["sgd"] = "sgd"
    momentum: Number = Field(0.9, ge=0, lt=1, description="share of the last step to keep")

    def stages(
        self,
        parameters: list[Tensor],
        learning_rate: float,
        *,
        fused: bool | None,
        recorded: bool,  # noqa: ARG002 - it does not count steps
    ) -> list[Stage]:
        return [(SGD(parameters, self.momentum, fused=fused), learning_rate, None)]


class SGD:
    """Gradient descent with momentum. It skips parameters without a gradient."""

    def __init__(self, parameters: list[Tensor], momentum: float, *, fused: bool | None):
        from torch.optim.sgd import sgd

        self.parameters = parameters
        self.update = partial(
            sgd,
            fused=fused,
            weight_decay=0,
            momentum=momentum,
            dampening=0,
            nesterov=False,
            maximize=False,
        )
        self.velocities: list[Tensor | None] = [None] * len(parameters)

    def step(self, learning_rate: float, _: Tensor) -> None:
        trained = [n for n, parameter in enumerate(self.parameters) if parameter.grad is not None]
        velocities = [self.velocities[n] for n in trained]
        self.update(
            [self.parameters[n] for n in trained],
            [gradient for n in trained if (gradient := self.parameters[n].grad) is not None],
            velocities,
            lr=learning_rate,
        )
        for n, velocity in zip(trained, velocities, strict=True):
            self.velocities[n] = velocity

    def state_dict(self) -> list[Tensor | None]:
        return self.velocities

    def load_state_dict(self, state: list[Tensor | None]) -> None:
        self.velocities = [
            None if saved is None else parameter.detach().clone().copy_(saved)
            for parameter, saved in zip(self.parameters, state, strict=True)
        ]
