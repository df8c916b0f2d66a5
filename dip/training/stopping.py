"""Stopping rules: which output of a fit to keep when nobody knows the truth.

Each rule gives every output a value, and chooses the one of the least value, until its patience is
out. A rule reads the outputs and never touches the fit. All it remembers lies in buffers on the
fit's device, so that it is saved and loaded as a module's state, and nothing waits for the device.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dip.errors import InputError
from dip.options import (
    ExponentialVarianceOptions,
    HeldOutOptions,
    Method,
    RuleOptions,
    WindowedVarianceOptions,
    parse_rule,
)
from dip.training.seeding import generator


@dataclass(frozen=True)
class Stop:
    """What a rule answers if the fit ends here.

    iteration: the one it chose; stopped_at: the one at which its patience was out, if it was;
    output: (C, H, W) float32 on the CPU, the network's output at the chosen one, not clamped.
    """

    iteration: int
    stopped_at: int | None
    output: Tensor


class StoppingRule(nn.Module):
    """Follows a fit, one output after the other.

    value_of: a module from an output, clamped to [0, 1] as it is seen, to a scalar, infinite where
    it has none yet; the first least one is chosen.

    Deviation: Wang et al. do not clamp; the outputs of their networks lie in [0, 1] already.
    """

    least: Tensor
    chosen: Tensor
    waited: Tensor
    stopped_at: Tensor
    output: Tensor

    def __init__(self, value_of: nn.Module, patience: int | None, shape: Iterable[int]):
        super().__init__()
        self.value_of = value_of
        self.patience = patience
        self.register_buffer("least", torch.tensor(torch.inf, dtype=torch.float64))
        for name in ("chosen", "waited", "stopped_at"):  # iterations; 0 = none yet
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))
        self.register_buffer("output", torch.zeros(tuple(shape)))

    @torch.no_grad()
    def forward(self, iteration: int, output: Tensor) -> None:
        """output: (C, H, W), the network's at that iteration."""
        output = output.float()
        value = self.value_of(output.clamp(0, 1))
        goes_on = self.stopped_at == 0
        better = goes_on & (value < self.least)
        self.least.copy_(torch.where(better, value, self.least))
        self.chosen.masked_fill_(better, iteration)
        self.output.copy_(torch.where(better, output, self.output))
        # Before there is a value there is nothing to be impatient about.
        self.waited.add_(goes_on & value.isfinite()).masked_fill_(better, 0)
        if self.patience is not None:
            self.stopped_at.masked_fill_(goes_on & (self.waited >= self.patience), iteration)

    def answer(self) -> Stop | None:
        """None before anything can be chosen; waits for the device."""
        if not (chosen := int(self.chosen.item())):
            return None
        output = self.output.to("cpu", copy=True)
        return Stop(chosen, int(self.stopped_at.item()) or None, output)


def answers(rules: Mapping[str, StoppingRule]) -> dict[str, Stop]:
    """What each rule that could choose says; waits for the device."""
    found = ((label, rule.answer()) for label, rule in rules.items())
    return {label: stop for label, stop in found if stop is not None}


class WindowedVariance(nn.Module):
    """Variance of the last outputs around their mean, mean over pixels (Wang et al., ES-WMV).

    Deviation: outputs are kept rounded to 8 bits, as pictures are, which takes a quarter of the
    memory and lets sums follow the window exactly.
    """

    window: Tensor
    total: Tensor
    squares: Tensor
    seen: Tensor

    def __init__(self, options: WindowedVarianceOptions, shape: tuple[int, ...]):
        super().__init__()
        size = options.window
        self.register_buffer("window", torch.zeros((size, *shape), dtype=torch.uint8))
        self.register_buffer("total", torch.zeros(shape, dtype=torch.int32))
        self.register_buffer("squares", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, output: Tensor) -> Tensor:
        size = len(self.window)
        place = (self.seen % size)[None]
        newest = (output * 255).round().to(torch.uint8)
        oldest = self.window.index_select(0, place)[0]
        self.total += newest.int() - oldest.int()
        self.window.index_copy_(0, place, newest[None])
        self.squares.index_copy_(0, place, newest.int().square().sum(dtype=torch.int64)[None])
        self.seen += 1
        # size^2 times the sum of squared distances: whole numbers, so that nothing drifts.
        spread = size * self.squares.sum() - self.total.long().square().sum()
        variance = spread.double() / (size**2 * 255**2 * newest.numel())
        return torch.where(self.seen >= size, variance, torch.inf)


class ExponentialVariance(nn.Module):
    """Exponential moving variance around the exponential moving mean (Wang et al., ES-EMV).

    As in its code the mean starts at the first output and the variance at zero.
    """

    mean: Tensor
    variance: Tensor
    seen: Tensor

    def __init__(self, options: ExponentialVarianceOptions, shape: tuple[int, ...]):
        super().__init__()
        self.alpha = options.alpha
        self.warm_up = options.warm_up
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("variance", torch.zeros((), dtype=torch.float64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, output: Tensor) -> Tensor:
        change = torch.where(self.seen == 0, 0, output - self.mean)
        self.mean.copy_(torch.where(self.seen == 0, output, self.mean + self.alpha * change))
        squared = change.square().mean(dtype=torch.float64)
        self.variance.add_(self.alpha * squared).mul_(1 - self.alpha)
        self.seen += 1
        return torch.where(self.seen > self.warm_up, self.variance, torch.inf)


class HeldOutError(nn.Module):
    """Mean squared error over the held-out pixels.

    image: (C, H, W); held: (1, H, W), 1 = held out. Neither is part of what a rule remembers: they
    are given to the fit, and drawn again.
    """

    image: Tensor
    held: Tensor

    def __init__(self, image: Tensor, held: Tensor):
        super().__init__()
        self.register_buffer("image", image, persistent=False)
        self.register_buffer("held", held, persistent=False)

    def forward(self, output: Tensor) -> Tensor:
        squared = (output - self.image).square() * self.held
        return squared.sum(dtype=torch.float64) / (self.held.sum() * len(self.image))


def hold_out(mask: Tensor, method: Method, seed: int) -> Tensor:
    """The known pixels that are kept from the loss: (1, H, W) float32 on the CPU, 1 = held out.

    Raises InputError if `method.held_out` takes none or all.
    """
    known = mask.flatten().nonzero()[:, 0].cpu()
    count = method.held_out_pixels(len(known))
    order = torch.randperm(len(known), generator=generator(seed, "held-out pixels"))
    held = torch.zeros(mask.numel())
    held[known[order[:count]]] = 1
    return held.reshape(mask.shape)


def make_rules(
    entries: Iterable[Any], method: Method, image: Tensor, held: Tensor
) -> dict[str, StoppingRule]:
    """The rules by their labels: those asked for, and `held-out` where pixels are.

    entries: as `parse_rule` takes them. Raises InputError for what is no rule, for two of one name,
    and for `held-out` where no pixels are.
    """
    options = [parse_rule(entry) for entry in entries]
    is_held_out = [isinstance(each, HeldOutOptions) for each in options]
    if method.held_out and not any(is_held_out):
        options.append(HeldOutOptions())
    if any(is_held_out) and not method.held_out:
        raise InputError("the rule held-out needs pixels that are: set held_out of the method")
    labels = [each.label for each in options]
    if len({*labels}) < len(labels):
        raise InputError("two rules of one name")
    return {each.label: _make_rule(each, image, held) for each in options}


def _make_rule(options: RuleOptions, image: Tensor, held: Tensor) -> StoppingRule:
    shape = tuple(image.shape)
    value_of: nn.Module
    match options:
        case WindowedVarianceOptions():
            value_of = WindowedVariance(options, shape)
        case ExponentialVarianceOptions():
            value_of = ExponentialVariance(options, shape)
        case HeldOutOptions():
            value_of = HeldOutError(image.float(), held)
    return StoppingRule(value_of, options.patience, shape)
