"""Layers that compute what torch's own compute, in less time on a CPU with channels-last maps.

A profile of the skip network (channels-last, one thread) says which: torch's backward pass of
bilinear doubling walks over single pixels, and its 1x1 convolutions of small batches on one thread
copy the map into columns first.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def quicken(network: nn.Module) -> None:
    """Give the network the faster layers, with the parameters of those they replace."""
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if (faster := _faster(layer)) is not None:
                setattr(parent, name, faster)


def keep_output_layer_in_float32(network: nn.Module) -> None:
    """Take the last layer with weights, in the order they were made, out of autocast."""
    kinds = (nn.Conv2d, nn.Linear, Pointwise)
    layers = [each for each in network.modules() if isinstance(each, kinds)]
    if layers:
        layer, inner = layers[-1], layers[-1].forward

        def forward(x: Tensor) -> Tensor:
            with torch.autocast(x.device.type, enabled=False):
                return inner(x.float())

        layer.forward = forward  # type: ignore[method-assign]  # of this one layer, not its class


def _faster(layer: nn.Module) -> nn.Module | None:
    # Exactly these classes: what inherits from them may do something else.
    if type(layer) is nn.Upsample and layer.mode == "bilinear":
        is_doubling = layer.scale_factor in (2, (2, 2)) and not layer.align_corners
        return BilinearDoubling() if is_doubling and layer.size is None else None
    if type(layer) is nn.Conv2d:
        plain = (layer.kernel_size, layer.stride, layer.padding, layer.groups)
        return Pointwise(layer) if plain == ((1, 1), (1, 1), (0, 0), 1) else None
    return None


class Pointwise(nn.Module):
    """A 1x1 convolution as what it is, a matrix product over all pixels.

    convolution: gives its weight and bias. A map that is not channels-last is copied.
    """

    def __init__(self, convolution: nn.Conv2d):
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias

    def forward(self, x: Tensor) -> Tensor:
        pixels = F.linear(x.permute(0, 2, 3, 1), self.weight[:, :, 0, 0], self.bias)
        return pixels.permute(0, 3, 1, 2)


class BilinearDoubling(nn.Module):
    """`nn.Upsample(scale_factor=2, mode="bilinear")`."""

    def forward(self, x: Tensor) -> Tensor:
        return _BilinearDoubling.apply(x)


class _BilinearDoubling(torch.autograd.Function):
    """Torch's forward pass, and a backward pass of additions of whole maps.

    Along each axis output 2k is 3/4 of input k and 1/4 of input k - 1, output 2k + 1 is 3/4 of
    input k and 1/4 of input k + 1, where the first and the last input go on beyond the border.
    """

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear")

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        return _halved(_halved(gradient, 2), 3)


def _halved(gradient: Tensor, axis: int) -> Tensor:
    """The gradient of the inputs along one axis, from that of the outputs."""
    size = gradient.shape[axis] // 2
    even, odd = gradient.unflatten(axis, (size, 2)).unbind(axis + 1)
    result = (even + odd).mul_(0.75)
    for part, shift in ((even, 1), (odd, -1)):
        # The outer outputs have one neighbour only, which takes their whole weight.
        border = 0 if shift > 0 else size - 1
        result.select(axis, border).add_(part.select(axis, border), alpha=0.25)
        here, there = max(0, -shift), max(0, shift)
        result.narrow(axis, here, size - 1).add_(part.narrow(axis, there, size - 1), alpha=0.25)
    return result
