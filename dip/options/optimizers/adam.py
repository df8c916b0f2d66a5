"""Adam."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from dip.options.base import Number
from dip.options.optimizers.base import OptimizerOptions, Stage

if TYPE_CHECKING:
    from torch import Tensor

EPSILON = 1e-8  # added to the denominator: Kingma and Ba, algorithm 1, and torch's default
Beta = Annotated[Number, Field(ge=0, lt=1)]


class AdamOptions(OptimizerOptions):
    """Adam. Source: Kingma and Ba, ICLR 2015."""

    name: Literal["adam"] = "adam"
    betas: tuple[Beta, Beta] = Field((0.9, 0.999), description="decay of the two moments")
    weight_decay: Number = Field(0.0, ge=0, description="times the weight, added to the gradient")

    def stages(
        self, parameters: list[Tensor], learning_rate: float, *, fused: bool | None, recorded: bool
    ) -> list[Stage]:
        adam = Adam(parameters, self.betas, self.weight_decay, fused=fused, recorded=recorded)
        return [(adam, learning_rate, None)]


class Adam:
    """Adam or AdamW. It skips parameters without a gradient.

    Args:
        parameters: all trained parameters.
        betas: decay of the two moments.
        weight_decay: weight decay per step.
        decoupled: apply weight decay to the weights (AdamW) instead of the gradients (Adam).
        fused: update all tensors in one kernel; None lets torch choose.
        recorded: count steps on the device, because they are recorded as a CUDA graph.
    """

    def __init__(
        self,
        parameters: list[Tensor],
        betas: tuple[float, float],
        weight_decay: float,
        *,
        decoupled: bool = False,
        fused: bool | None,
        recorded: bool,
    ):
        from torch.optim.adam import adam

        self.parameters, self.fused, self.recorded = parameters, fused, recorded
        self.update = partial(
            adam,
            fused=fused,
            capturable=recorded,
            decoupled_weight_decay=decoupled,
            amsgrad=False,
            beta1=betas[0],
            beta2=betas[1],
            weight_decay=weight_decay,
            eps=EPSILON,
            maximize=False,
        )
        # By parameter index: number of steps, running means of gradient and squared gradient.
        self.moments: dict[int, list[Tensor]] = {}

    def step(self, learning_rate: float, _: Tensor) -> None:
        trained = [n for n, parameter in enumerate(self.parameters) if parameter.grad is not None]
        for n in trained:
            if n not in self.moments:
                self.moments[n] = self._initial_moments(self.parameters[n])
        self.update(
            [self.parameters[n] for n in trained],
            [gradient for n in trained if (gradient := self.parameters[n].grad) is not None],
            [self.moments[n][1] for n in trained],
            [self.moments[n][2] for n in trained],
            [],
            [self.moments[n][0] for n in trained],
            lr=learning_rate,
        )

    def _initial_moments(self, parameter: Tensor) -> list[Tensor]:
        import torch

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
