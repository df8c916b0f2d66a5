"""Optimizers: the steps that the weights take, and the schedule of the learning rate.

Adam, AdamW and SGD are torch's own functions. The classes around them in `torch.optim` compute the
same, but making one imports torch's compiler, which takes longer than torch itself. L-BFGS has no
such function, so a fit with it still imports the compiler.
"""

import copy
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from dip.options import (
    AdamLBFGSOptions,
    AdamOptions,
    AdamWOptions,
    Method,
    SGDOptions,
)

EPSILON = 1e-8  # added to Adam's denominator: Kingma and Ba, algorithm 1, and torch's default


class Optimizer(Protocol):
    """Updates parameters from their gradients."""

    def step(self, learning_rate: float, loss: Tensor) -> None: ...
    def state_dict(self) -> Any: ...
    def load_state_dict(self, state: Any) -> None: ...


class Adam:
    """Adam, or AdamW if the options are AdamW's. It skips parameters without a gradient.

    Args:
        parameters: all that are trained.
        options: betas and weight decay.
        fused: update all tensors in one kernel; None leaves the choice to torch.
        recorded: count steps on the device, as a CUDA graph needs.
    """

    def __init__(
        self,
        parameters: list[Tensor],
        options: AdamOptions | AdamWOptions,
        *,
        fused: bool | None,
        recorded: bool,
    ):
        self.parameters, self.options = parameters, options
        self.fused, self.recorded = fused, recorded
        # By the parameter's index: steps taken, and the running means of gradient and its square.
        self.moments: dict[int, list[Tensor]] = {}

    @torch.no_grad()
    def step(self, learning_rate: float, _: Tensor) -> None:
        trained = [n for n, each in enumerate(self.parameters) if each.grad is not None]
        for n in trained:
            if n not in self.moments:
                self.moments[n] = self._initial_moments(self.parameters[n])
        adam(
            [self.parameters[n] for n in trained],
            [gradient for n in trained if (gradient := self.parameters[n].grad) is not None],
            [self.moments[n][1] for n in trained],
            [self.moments[n][2] for n in trained],
            [],
            [self.moments[n][0] for n in trained],
            fused=self.fused,
            capturable=self.recorded,
            decoupled_weight_decay=isinstance(self.options, AdamWOptions),
            amsgrad=False,
            beta1=self.options.betas[0],
            beta2=self.options.betas[1],
            lr=learning_rate,
            weight_decay=self.options.weight_decay,
            eps=EPSILON,
            maximize=False,
        )

    def _initial_moments(self, parameter: Tensor) -> list[Tensor]:
        device = parameter.device if self.fused or self.recorded else "cpu"
        steps = torch.zeros((), dtype=torch.float32, device=device)
        return [steps, torch.zeros_like(parameter), torch.zeros_like(parameter)]

    def state_dict(self) -> dict[int, list[Tensor]]:
        return self.moments

    def load_state_dict(self, state: dict[int, list[Tensor]]) -> None:
        self.moments = {}
        for n, saved in state.items():
            self.moments[n] = self._initial_moments(self.parameters[n])
            for tensor, value in zip(self.moments[n], saved, strict=True):
                tensor.copy_(value)


class SGD:
    """Gradient descent with momentum. It skips parameters without a gradient."""

    def __init__(self, parameters: list[Tensor], momentum: float, *, fused: bool | None):
        self.parameters, self.momentum, self.fused = parameters, momentum, fused
        self.velocities: list[Tensor | None] = [None] * len(parameters)

    @torch.no_grad()
    def step(self, learning_rate: float, _: Tensor) -> None:
        trained = [n for n, each in enumerate(self.parameters) if each.grad is not None]
        velocities = [self.velocities[n] for n in trained]
        sgd(
            [self.parameters[n] for n in trained],
            [gradient for n in trained if (gradient := self.parameters[n].grad) is not None],
            velocities,
            fused=self.fused,
            weight_decay=0,
            momentum=self.momentum,
            lr=learning_rate,
            dampening=0,
            nesterov=False,
            maximize=False,
        )
        for n, velocity in zip(trained, velocities, strict=True):
            self.velocities[n] = velocity

    def state_dict(self) -> list[Tensor | None]:
        return self.velocities

    def load_state_dict(self, state: list[Tensor | None]) -> None:
        self.velocities = [
            None if saved is None else torch.empty_like(parameter).copy_(saved)
            for parameter, saved in zip(self.parameters, state, strict=True)
        ]


class LBFGS:
    """L-BFGS without a line search, one update a step."""

    def __init__(self, parameters: list[Tensor], history: int):
        # One update a call: with its history kept between calls, that is the source's one long
        # call. It stops at no tolerance, as there.
        self.optimizer = torch.optim.LBFGS(
            parameters, max_iter=1, tolerance_grad=-1, tolerance_change=-1, history_size=history
        )

    def step(self, learning_rate: float, loss: Tensor) -> None:
        self.optimizer.param_groups[0]["lr"] = learning_rate
        self.optimizer.step(lambda: loss)  # it takes a tensor as a number

    def state_dict(self) -> Any:
        return self.optimizer.state_dict()

    def load_state_dict(self, state: Any) -> None:
        self.optimizer.load_state_dict(copy.deepcopy(state))  # it takes tensors as they are


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
        optimizer.step(learning_rate, loss)
        return learning_rate

    def state_dict(self) -> list[Any]:
        """What each stage's optimizer remembers; its tensors are the optimizer's own."""
        return [optimizer.state_dict() for optimizer, _, _ in self.stages]

    def load_state_dict(self, state: list[Any]) -> None:
        for (optimizer, _, _), remembered in zip(self.stages, state, strict=True):
            optimizer.load_state_dict(remembered)


# An optimizer, its learning rate, and the last iteration it is used at; None: the last there is.
Stage = tuple[Optimizer, float, int | None]


def _stages(
    method: Method, parameters: list[Tensor], fused: bool | None, recorded: bool
) -> list[Stage]:
    rate = method.learning_rate
    match method.optimizer:
        case AdamOptions() | AdamWOptions() as options:
            return [(Adam(parameters, options, fused=fused, recorded=recorded), rate, None)]
        case SGDOptions(momentum=momentum):
            return [(SGD(parameters, momentum, fused=fused), rate, None)]
        case AdamLBFGSOptions() as options:
            adam = Adam(parameters, AdamOptions(), fused=fused, recorded=recorded)
            return [
                (adam, options.adam_learning_rate, options.adam_iterations),
                (LBFGS(parameters, options.history), rate, None),
            ]
