"""Networks: sizes of the sources, any image size, gradients everywhere."""

from typing import get_args

import pytest
import torch

from dip import build_network, load_preset
from dip.networks import NETWORKS
from dip.options import NetworkOptions, SkipOptions, UNetOptions

SMALL: list[NetworkOptions] = [
    UNetOptions(channels=(4, 6, 8), decoder_kernel=5),
    UNetOptions(channels=(4,)),
    SkipOptions(channels=(4, 6, 8), skip_channels=(2, 0, 3)),
    SkipOptions(channels=(4, 6), skip_channels=(0, 0), upsampling="bilinear", padding="zero"),
]


@pytest.mark.parametrize(
    ("preset", "input_channels", "parameters"),
    [("lemsky-unet", 3, 3_923_491), ("dip-random50", 32, 2_217_831)],
)
def test_parameter_counts_are_those_of_the_sources(
    preset: str, input_channels: int, parameters: int
) -> None:
    network = build_network(load_preset(preset).method.architecture, input_channels, 3)
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("options", SMALL, ids=repr)
@pytest.mark.parametrize("size", [(64, 64), (75, 101), (33, 40)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_grey_and_colour_and_a_gradient_for_every_parameter(
    options: NetworkOptions, size: tuple[int, int], channels: int
) -> None:
    torch.manual_seed(0)
    network = build_network(options, 2, channels)
    x = torch.rand(1, 2, *size, requires_grad=True)
    output = network(x)
    assert output.shape == (1, channels, *size)
    output.square().mean().backward()
    assert x.grad is not None
    assert x.grad.abs().max() > 0
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
    # A bias in front of BatchNorm has a gradient of zero; every weight moves.
    weights = [p for p in network.parameters() if p.ndim == 4 and p.grad is not None]
    assert all(weight.grad.abs().max() > 0 for weight in weights if weight.grad is not None)


@pytest.mark.parametrize(
    "options",
    [
        UNetOptions(channels=(4, 4, 4)),
        SkipOptions(channels=(4, 4, 4), skip_channels=(4, 4, 4)),
        SkipOptions(channels=(4, 4), skip_channels=(0, 0), padding="zero"),
        SkipOptions(channels=(4, 4), skip_channels=(4, 4), encoder_kernel=7),
        SkipOptions(channels=(4, 4), skip_channels=(4, 4), decoder_kernel=5),
        SkipOptions(channels=(4, 4), skip_channels=(4, 4), decoder_kernel=9),
    ],
    ids=repr,
)
def test_minimum_side_is_enough_and_for_reflection_one_less_is_not(options: NetworkOptions) -> None:
    side = options.minimum_side
    network = build_network(options, 2, 1).train()
    assert network(torch.rand(1, 2, side, side)).shape == (1, 1, side, side)
    with pytest.raises((RuntimeError, ValueError)):
        network(torch.rand(1, 2, side - 1, side - 1))


def test_every_network_has_options_and_the_other_way_round() -> None:
    assert set(NETWORKS) == {
        model.model_fields["name"].default for model in get_args(NetworkOptions)
    }


def test_a_unet_sees_no_more_than_its_receptive_field() -> None:
    """Kernels act where they should: one level of 3x3 encoder convolutions and a 2x2 head."""
    torch.manual_seed(0)
    network = build_network(UNetOptions(channels=(4,)), 1, 1).eval()
    x = torch.rand(1, 1, 20, 20, requires_grad=True)
    network(x)[0, 0, 10, 10].backward()
    assert x.grad is not None
    touched = x.grad[0, 0].nonzero()
    # Two 3x3 convolutions reach 2 pixels to each side, the 2x2 head one more right and down.
    assert touched.min(dim=0).values.tolist() == [8, 8]
    assert touched.max(dim=0).values.tolist() == [13, 13]


# Mean, standard deviation and two pixels of the output, computed once with the sources' own code:
# T. Lemsky's `unet.py` and the paper's `models/skip.py`, float64, weights and input as below.
FROM_THE_SOURCES: list[tuple[NetworkOptions, int, list[float]]] = [
    (UNetOptions(), 3, [-0.8813117922, 1.7890258534, -0.6207845676, -0.5207889638]),
    (
        SkipOptions(upsampling="bilinear", padding="reflection"),
        32,
        [0.4750275432, 0.3735122653, 0.1906501612, 0.217630746],
    ),
    (
        SkipOptions(skip_channels=(0,) * 5, upsampling="nearest", padding="reflection"),
        32,
        [0.4728505099, 0.3734136516, 0.1621552075, 0.2554525618],
    ),
    (
        SkipOptions(upsampling="nearest", padding="zero"),
        32,
        [0.4730772492, 0.3727702321, 0.1458645337, 0.2743328176],
    ),
]


@pytest.mark.parametrize(("options", "input_channels", "expected"), FROM_THE_SOURCES)
def test_networks_compute_what_their_sources_compute(
    options: NetworkOptions, input_channels: int, expected: list[float]
) -> None:
    network = build_network(options, input_channels, 3).double().train()
    with torch.no_grad():
        for weights in network.parameters():
            count = weights.numel()
            values = torch.cos(torch.arange(count, dtype=torch.float64) * 0.7 + count)
            values *= (2 / max(1, weights[0].numel())) ** 0.5
            weights.copy_(values.reshape(weights.shape))
    count = input_channels * 64 * 96
    x = (torch.arange(count, dtype=torch.float64) * 0.37).sin().reshape(1, -1, 64, 96)
    output = network(x)
    found = [output.mean(), output.std(), output[0, 0, 10, 20], output[0, -1, 63, 95]]
    # The figures are rounded to ten decimals; the order of summation differs between machines.
    assert [value.item() for value in found] == pytest.approx(expected, abs=1e-8)
