"""Anybody's network: an nn.Module that was not written for this project.

With a learned input of three channels any network that maps an image to a map of classes inpaints,
one class for each channel of the image.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dip.errors import InputError
from dip.options import Size
from dip.options.imports import code_of_others, network_class
from dip.options.networks.imported import ImportedOptions


def build(options: ImportedOptions, _: int, output_channels: int, size: Size) -> nn.Module:
    """See `dip.networks.build_network`."""
    return ImportedNetwork(build_imported(options), output_channels, size)


class ImportedNetwork(nn.Module):
    """(B, input_channels, H, W) to (B, output_channels, H, W), whatever `module` makes of it.

    Of a dictionary `out` is taken, as torchvision's segmentation networks name it, or the only
    entry there is. A map of another size is resized bilinearly. Raises InputError if there is no
    tensor of as many channels as the image has.

    What the module draws from torch's global generators while it runs, as dropout does, comes from
    a stream of its own, which starts from the global generator when this is made.
    """

    def __init__(self, module: nn.Module, output_channels: int, size: Size):
        super().__init__()
        self.module = module
        self.output_channels = output_channels
        self.size = size
        self.seed = int(torch.randint(2**63 - 1, ()).item())
        self.generator_states: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        output = tensor_in(self._run(x))
        if output.ndim != 4 or output.shape[:2] != (len(x), self.output_channels):
            raise InputError(
                f"{type(self.module).__name__} gives {_shape(output)} for an image of"
                f" {self.output_channels} channels; it needs as many classes as the image channels"
            )
        return resized(output, self.size)

    def _run(self, x: Tensor) -> Any:
        generators = [torch.default_generator]
        if x.is_cuda:
            generators.append(torch.cuda.default_generators[x.get_device()])
        outside = [generator.get_state() for generator in generators]
        for index, generator in enumerate(generators):
            if self.generator_states:
                generator.set_state(self.generator_states[index])
            else:
                generator.manual_seed(self.seed)
        try:
            return self.module(x)
        finally:
            self.generator_states = [generator.get_state() for generator in generators]
            for generator, state in zip(generators, outside, strict=True):
                generator.set_state(state)


def build_imported(options: ImportedOptions) -> nn.Module:
    """A new network of the class that is named; raises InputError if there is none to be had."""
    network = network_class(options.import_)
    with code_of_others(f"{options.import_}: calling it with {options.options}"):
        return network(**options.options)


def resized(output: Tensor, size: Size) -> Tensor:
    """A (B, C, H, W) map in that size."""
    if output.shape[-2:] == size:
        return output
    return F.interpolate(output, size=size, mode="bilinear")


def tensor_in(output: Any) -> Tensor:
    """The map in what a network gives; raises InputError if there is none."""
    if isinstance(output, Mapping):
        found = list(output.values())
        output = output["out"] if "out" in output else found[0] if len(found) == 1 else output
    if not isinstance(output, Tensor):
        keys = f" with keys {', '.join(map(str, output))}" if isinstance(output, Mapping) else ""
        raise InputError(
            f"the network gives {type(output).__name__}{keys}; it needs to give a tensor, or a"
            " dictionary with one as 'out'"
        )
    return output


def _shape(output: Tensor) -> str:
    return "x".join(map(str, output.shape))
