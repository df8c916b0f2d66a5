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
from dip.options import Method, RuleOptions, parse_rule
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


class RuleValue(nn.Module):
    """Computes a rule's value of an output, and holds the rule's memory as buffers.

    Args:
        options: options of the rule.
        image: (C, H, W), values in [0, 1].
        held: (1, H, W), 1 = held out. Image and held-out pixels are not part of a saved state.
    """

    def __init__(self, options: RuleOptions, image: Tensor, held: Tensor):
        super().__init__()
        self.options = options
        for name, tensor in options.memory(tuple(image.shape)).items():
            self.register_buffer(name, tensor)
        if options.needs_held_out:
            self.register_buffer("image", image.float(), persistent=False)
            self.register_buffer("held", held, persistent=False)

    def forward(self, output: Tensor) -> Tensor:
        """The value, a scalar. output: (C, H, W), clamped to [0, 1]."""
        return self.options.value(output, dict(self.named_buffers()))


class StoppingRule(nn.Module):
    """Receives the outputs of a fit one by one and keeps the first with the least value.

    Args:
        options: options of the rule.
        image: (C, H, W), values in [0, 1].
        held: (1, H, W), 1 = held out.

    Deviation: Wang et al. do not clamp; the outputs of their networks lie in [0, 1] already.
    """

    least: Tensor
    chosen: Tensor
    waited: Tensor
    stopped_at: Tensor
    output: Tensor

    def __init__(self, options: RuleOptions, image: Tensor, held: Tensor):
        super().__init__()
        self.value_of = RuleValue(options, image, held)
        self.patience = options.patience
        self.register_buffer("least", torch.tensor(torch.inf, dtype=torch.float64))
        for name in ("chosen", "waited", "stopped_at"):  # iterations; 0 = none yet
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))
        self.register_buffer("output", torch.zeros(image.shape))

    @property
    def part_name(self) -> str:
        """What a saved state calls the rule: its label, with a version that has been counted up."""
        options = self.value_of.options
        version = f", version {options.version}" if options.version > 1 else ""
        return f"rule {options.label}{version}"

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
    if isinstance(entries, str) or not isinstance(entries, Iterable):
        raise InputError(f"rules are a list, e.g. ['es-wmv'], not {entries!r}")
    options = [parse_rule(entry) for entry in entries]
    need_held_out = [rule.name for rule in options if rule.needs_held_out]
    if method.held_out and "held-out" not in need_held_out:
        options.append(parse_rule("held-out"))
    if need_held_out and not method.held_out:
        raise InputError(
            f"the rule {need_held_out[0]} needs held-out pixels: set the method's held_out"
        )
    labels = [rule.label for rule in options]
    if len({*labels}) < len(labels):
        raise InputError("two rules of one name")
    return {rule.label: StoppingRule(rule, image, held) for rule in options}
