"""The fit: one loop, from which every checkpoint of the trajectory is read.

Deep Image Prior (Ulyanov et al., CVPR 2018): minimise the squared error between the network's
output and the image over the known pixels. Iteration n is the n-th forward pass; its checkpoint
holds the output of that pass, before the step that follows from it, as the authors' code does.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from dip.errors import InputError
from dip.networks import build_network
from dip.options import Method
from dip.randomness import generator, seeded_globally
from dip.stopwatch import Stopwatch

AVERAGE_DECAY = 0.99  # Ulyanov et al., denoising code: exp_weight

Precision = Literal["float32", "float64"]


@dataclass(frozen=True)
class Checkpoint:
    """The state of the restoration at one iteration.

    raw: the network's output; averaged: the exponential average of all outputs so far, which
    starts at the first. Both (C, H, W) float32 on the CPU, not clamped.
    loss: of this iteration. seconds: spent in iterations so far, without what the caller does.
    """

    iteration: int
    raw: Tensor
    averaged: Tensor
    loss: float
    seconds: float


@dataclass(frozen=True)
class Step:
    """One iteration as it is over: its loss and the milliseconds it took on the device."""

    iteration: int
    loss: float
    milliseconds: float


class Diverged(ArithmeticError):
    """The loss is no longer a finite number; `iteration` says since when."""

    def __init__(self, iteration: int):
        super().__init__(f"the loss is not finite at iteration {iteration}")
        self.iteration = iteration


def fit(
    image: Tensor,
    mask: Tensor,
    method: Method,
    *,
    checkpoints: Iterable[int],
    seed: int = 0,
    device: torch.device | str = "cpu",
    precision: Precision = "float32",
    on_step: Callable[[Step], None] = lambda _: None,
) -> Iterator[Checkpoint]:
    """Fit a fresh network to the known pixels and yield its restoration at each checkpoint.

    image: (C, H, W) in [0, 1], C is 1 or 3; its values inside the hole have no influence.
    mask: (1, H, W), 1 = known, 0 = hole. checkpoints: iterations, each at least 1; the last one
    ends the fit. on_step is called after each iteration.

    Weights, input and input noise depend on `seed` alone. Raises InputError for shapes and values
    that do not fit, Diverged when the loss stops being finite.
    """
    wanted = _checked(image, mask, method, checkpoints)
    dtype = getattr(torch, precision)
    known = mask.to(device, dtype)[None]
    target = image.to(device, dtype)[None] * known

    with seeded_globally(seed, "weights"):
        network = build_network(method.architecture, method.input.channels, image.shape[0])
    network = network.to(device, dtype).train()
    network_input = _draw_input(method, image.shape[-2:], seed).to(device, dtype)
    parameters: list[Tensor] = list(network.parameters())
    if method.input.name == "learned":
        parameters.append(network_input.requires_grad_())
    optimizer = torch.optim.Adam(parameters, lr=method.learning_rate, betas=method.betas)
    noise = generator(seed, "input noise", device)

    stopwatch = Stopwatch(device)
    averaged = None
    for iteration in range(1, max(wanted) + 1):
        stopwatch.start()
        x = network_input
        if method.input_noise:
            fresh = torch.randn(x.shape, generator=noise, device=device, dtype=dtype)
            x = x + method.input_noise * fresh
        output = network(x)
        loss = F.mse_loss(output * known, target.expand_as(output))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        raw = output.detach()[0]
        averaged = raw.clone() if averaged is None else averaged.lerp_(raw, 1 - AVERAGE_DECAY)
        loss_value = loss.item()
        on_step(Step(iteration, loss_value, stopwatch.stop()))
        if not torch.isfinite(loss):
            raise Diverged(iteration)
        if iteration in wanted:
            # Copies: the caller may keep them while the average moves on.
            yield Checkpoint(
                iteration,
                raw.to("cpu", torch.float32, copy=True),
                averaged.to("cpu", torch.float32, copy=True),
                loss_value,
                stopwatch.seconds,
            )


def _draw_input(method: Method, size: torch.Size, seed: int) -> Tensor:
    """(B, C, H, W) uniform in [0, scale), drawn on the CPU: one seed is one input everywhere."""
    shape = (method.batch, method.input.channels, *size)
    return torch.rand(shape, generator=generator(seed, "input")) * method.input.scale


def _checked(
    image: Tensor, mask: Tensor, method: Method, checkpoints: Iterable[int]
) -> frozenset[int]:
    """The checkpoints as a set, once everything fits together."""
    wanted = frozenset(checkpoints)
    if not wanted or min(wanted) < 1:
        raise InputError(f"checkpoints are iterations from 1 on, not {sorted(wanted)}")
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise InputError(f"an image is (1 or 3, H, W), not {tuple(image.shape)}")
    if tuple(mask.shape) != (1, *image.shape[1:]):
        raise InputError(
            f"a mask is (1, H, W) of the image's size {tuple(image.shape[1:])},"
            f" not {tuple(mask.shape)}"
        )
    if not torch.logical_or(mask == 0, mask == 1).all():
        raise InputError("a mask holds only 1 (known) and 0 (hole)")
    if not mask.any():
        raise InputError("the mask has no known pixel: nothing to fit to")
    if not (torch.isfinite(image).all() and image.min() >= 0 and image.max() <= 1):
        raise InputError("an image has values in [0, 1]")
    if min(image.shape[1:]) < method.architecture.minimum_side:
        raise InputError(
            f"{image.shape[2]}x{image.shape[1]} pixels are too few for this network: it needs"
            f" {method.architecture.minimum_side} on each side; fewer levels need fewer"
        )
    return wanted
