"""The optimizer steps of a fit, the schedule of the learning rate, and noise on the weights.

Some sources add noise before or after each step.
"""

from typing import Any

import torch
from torch import Tensor, nn

from dip.options import Method
from dip.training.seeding import generator


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
