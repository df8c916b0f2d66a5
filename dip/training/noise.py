"""Noise on the weights, as some sources add it before or after each step."""

import torch
from torch import Tensor, nn

from dip.training.seeding import generator


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
