"""The outputs of a fit: what a checkpoint shows of the trajectory so far.

Averages follow the outputs one by one, as stopping rules do: they never touch the fit, and what
they remember lies in buffers on the fit's device, so that it is saved and loaded as a module's
state, and nothing waits for the device.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from dip.errors import InputError
from dip.options import OutputOptions, parse_output
from dip.options.outputs import ALWAYS
from dip.options.outputs.base import AverageOptions
from dip.training.iteration import Iteration


class Average(nn.Module):
    """Receives the outputs of a fit that count and averages those that its options take.

    Args:
        options: options of the average.
        shape: (C, H, W) of an output.
    """

    count: Tensor
    value: Tensor

    def __init__(self, options: AverageOptions, shape: tuple[int, ...]):
        super().__init__()
        self.options = options
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("value", torch.zeros(shape))

    @torch.no_grad()
    def forward(self, iteration: int, output: Tensor) -> None:
        """output: (C, H, W), the network's at that iteration."""
        if self.options.takes(iteration):
            self.count += 1
            self.value.lerp_(output, self.options.weight(self.count).to(output.dtype))

    def answer(self) -> Tensor | None:
        """The average; None before there is one. It waits for the device."""
        return self.value if self.count.item() else None


class Outputs:
    """The outputs of one fit, by their labels: raw and averaged, then those asked for.

    Args:
        entries: as `parse_output` takes them.
        shape: (C, H, W) of an output.
        device, dtype: of the outputs.

    Raises:
        InputError: an entry is no output.
    """

    def __init__(
        self,
        entries: Iterable[Any],
        shape: tuple[int, ...],
        device: torch.device,
        dtype: torch.dtype,
    ):
        if isinstance(entries, str) or not isinstance(entries, Iterable):
            raise InputError(f"outputs are a list, e.g. ['clean'], not {entries!r}")
        listed: list[OutputOptions] = [*ALWAYS, *map(parse_output, entries)]
        self.options = {options.label: options for options in listed}
        self.averages = {
            label: Average(options, shape).to(device, dtype)
            for label, options in self.options.items()
            if isinstance(options, AverageOptions)
        }

    @property
    def versions(self) -> dict[str, int]:
        """The version of each output, by its label."""
        return {label: options.version for label, options in self.options.items()}

    @property
    def averaged(self) -> Tensor:
        """(C, H, W), the fit's own."""
        return self.averages["averaged"].value

    def follow(self, iteration: int, output: Tensor) -> None:
        """Average an output that counts, (C, H, W)."""
        for average in self.averages.values():
            average(iteration, output)

    def at_checkpoint(self, one: Iteration) -> dict[str, Tensor]:
        """The outputs that there are after an iteration: copies on the CPU, (C, H, W) float32."""
        raw, _ = one.last
        found: dict[str, Tensor | None] = {"raw": raw}
        for label in self.options:
            if label == "clean":
                clean = one.clean_output()
                # No loss has been seen of these weights, which the step may have ruined.
                found[label] = clean if clean.isfinite().all() else None
            elif label in self.averages:
                found[label] = self.averages[label].answer()
        return {
            label: output.to("cpu", torch.float32, copy=True)
            for label, output in found.items()
            if output is not None
        }
