"""Layers of our own compute what torch's do, and take the place of exactly those."""

import pytest
import torch
from torch import nn

from dip.engine.kernels import BilinearDoubling, Pointwise, keep_output_layer_in_float32, quicken


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (4, 1), (2, 2), (5, 7)])
def test_bilinear_doubling_has_the_gradient_of_torchs(size: tuple[int, int]) -> None:
    x = torch.rand((2, 3, *size), dtype=torch.float64, requires_grad=True)
    weights = torch.rand((2, 3, 2 * size[0], 2 * size[1]), dtype=torch.float64)
    results = []
    for layer in (BilinearDoubling(), nn.Upsample(scale_factor=2, mode="bilinear")):
        output = layer(x)
        results.append((output, *torch.autograd.grad((output * weights).sum(), x)))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-14)


@pytest.mark.parametrize("has_bias", [True, False])
def test_a_pointwise_layer_is_the_convolution(has_bias: bool) -> None:
    convolution = nn.Conv2d(5, 3, 1, bias=has_bias).double()
    x = torch.rand(2, 5, 4, 6, dtype=torch.float64, requires_grad=True)
    of = [x, *convolution.parameters()]
    results = []
    for layer in (Pointwise(convolution), convolution):
        output = layer(x)
        results.append((output, *torch.autograd.grad(output.square().sum(), of)))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_only_layers_that_are_meant_are_replaced() -> None:
    class Other(nn.Conv2d):
        """What somebody else made of it."""

    kept: list[nn.Module] = [
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Upsample(scale_factor=3, mode="bilinear"),
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
        nn.Upsample(size=(8, 8), mode="bilinear"),
        nn.Conv2d(4, 4, 1, stride=2),
        nn.Conv2d(4, 4, 1, padding=1),
        nn.Conv2d(4, 4, 1, groups=2),
        nn.Conv2d(4, 4, 3),
        Other(4, 4, 1),
    ]
    network = nn.Sequential(*kept, nn.Conv2d(4, 4, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
    before = list(network.parameters())
    quicken(network)
    assert [*network][:-2] == kept
    assert [type(layer) for layer in network][-2:] == [Pointwise, BilinearDoubling]
    assert all(a is b for a, b in zip(before, network.parameters(), strict=True))


def test_the_last_layer_is_the_one_kept() -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1), nn.Sigmoid())
    keep_output_layer_in_float32(network)
    dtypes: list[torch.dtype] = []
    for layer in network:
        layer.register_forward_hook(lambda _, __, y: dtypes.append(y.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        network(torch.rand(1, 3, 4, 4))
    assert dtypes == [torch.bfloat16, torch.float32, torch.float32]
