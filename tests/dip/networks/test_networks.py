"""Networks: sizes of the sources, any image size, gradients everywhere."""

from typing import get_args

import pytest
import torch

import dip
from dip import build_network, load_preset
from dip.networks import NETWORKS
from dip.networks.lanczos import Lanczos
from dip.options import (
    ConvDecoderOptions,
    DeepDecoderOptions,
    ImportedOptions,
    Method,
    NetworkOptions,
    NoiseInputOptions,
    PaperUNetOptions,
    PIPOptions,
    ResNetOptions,
    SirenOptions,
    SkipOptions,
    UNetOptions,
)

SMALL: list[NetworkOptions] = [
    UNetOptions(channels=(4, 6, 8), decoder_kernel=5),
    UNetOptions(channels=(4,)),
    SkipOptions(channels=(4, 6, 8), skip_channels=(2, 0, 3)),
    SkipOptions(channels=(4, 6), skip_channels=(0, 0), upsampling="bilinear", padding="zero"),
    SkipOptions(channels=(4, 6), skip_channels=(2, 2), downsampling="average", pointwise=False),
    SkipOptions(channels=(4, 6), skip_channels=(2, 2), downsampling="max", encoder_kernel=5),
    SkipOptions(channels=(4, 6), skip_channels=(2, 2), downsampling="lanczos2"),
    SkipOptions(channels=(4, 6), skip_channels=(2, 2), downsampling="lanczos3", padding="zero"),
    ResNetOptions(blocks=2, channels=4),
    PaperUNetOptions(channels=(4, 6, 6)),
    PaperUNetOptions(channels=(4, 6), upsampling="bilinear", norm="batch", padding="reflection"),
    PaperUNetOptions(channels=(4, 6, 8), upsampling="nearest"),
    DeepDecoderOptions(channels=(8, 8, 8)),
    ConvDecoderOptions(layers=3, channels=8),
    PIPOptions(channels=(6, 6), skip_channels=(2, 0)),
    SirenOptions(channels=8, layers=2),
    ImportedOptions.model_validate(
        {
            "import": "torch.nn:Conv2d",
            "options": {"in_channels": 2, "out_channels": 3, "kernel_size": 5},
        }
    ),
]


@pytest.mark.parametrize(
    ("options", "input_channels", "parameters"),
    [
        (load_preset("lemsky-unet").method.architecture, 3, 3_923_491),
        (load_preset("dip-random50").method.architecture, 32, 2_217_831),
        (load_preset("dip-sparse98").method.architecture, 32, 1_027_379),
        (load_preset("dip-text").method.architecture, 32, 3_002_627),
        (load_preset("dip-vase").method.architecture, 2, 2_157_955),
        (load_preset("dip-library").method.architecture, 1, 2_996_467),
        (load_preset("dip-library-resnet").method.architecture, 1, 158_979),
        (load_preset("dip-library-unet").method.architecture, 1, 1_616_315),
        (load_preset("pip").method.architecture, 32, 329_575),
        (DeepDecoderOptions(), 128, 100_224),
        (ConvDecoderOptions(), 256, 4_134_915),
        (SirenOptions(), 2, 198_915),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_parameter_counts_are_those_of_the_sources(
    options: NetworkOptions, input_channels: int, parameters: int
) -> None:
    network = build_network(options, input_channels, 3, (64, 64))
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("options", SMALL, ids=repr)
@pytest.mark.parametrize(("size", "channels"), [((64, 64), 1), ((75, 101), 3), ((33, 40), 3)])
def test_any_size_grey_and_colour_and_a_gradient_for_every_parameter(
    options: NetworkOptions, size: tuple[int, int], channels: int
) -> None:
    torch.manual_seed(0)
    if isinstance(options, ImportedOptions):
        options = _with_classes(options, channels)
    network = build_network(options, 2, channels, size)
    x = torch.rand(1, 2, *options.input_size(size), requires_grad=True)
    output = network(x)
    assert output.shape == (1, channels, *size)
    output.square().mean().backward()
    assert x.grad is not None
    assert x.grad.abs().max() > 0
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
    # A bias in front of a norm has a gradient of zero; every weight moves.
    weights = [p for p in network.parameters() if p.ndim == 4 and p.grad is not None]
    assert all(weight.grad.abs().max() > 0 for weight in weights if weight.grad is not None)


@pytest.mark.parametrize("options", SMALL, ids=repr)
@pytest.mark.parametrize(("size", "channels"), [((64, 64), 3), ((75, 101), 1)])
def test_two_iterations_lower_the_loss(
    options: NetworkOptions, size: tuple[int, int], channels: int
) -> None:
    """The third pass is the first to see what two steps have done."""
    if isinstance(options, ImportedOptions):
        options = _with_classes(options, channels)
    y, x = torch.meshgrid(
        torch.linspace(0, 3, size[0]), torch.linspace(0, 5, size[1]), indexing="ij"
    )
    image = ((x.sin() + y.cos()) / 4 + 0.5).expand(channels, *size)
    mask = (torch.rand(1, *size, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    method = Method(
        architecture=options, input=NoiseInputOptions(channels=2, scale=1), learning_rate=1e-3
    )
    losses = [c.loss for c in dip.fit(image, mask, method, checkpoints=[1, 3])]
    assert losses[1] < losses[0]


def _with_classes(options: ImportedOptions, classes: int) -> ImportedOptions:
    keywords = {**options.options, "out_channels": classes}
    return options.model_copy(update={"options": keywords})


@pytest.mark.parametrize(
    "options",
    [
        UNetOptions(channels=(4, 4, 4)),
        SkipOptions(channels=(4, 4, 4), skip_channels=(4, 4, 4)),
        SkipOptions(channels=(4, 4), skip_channels=(0, 0), padding="zero"),
        SkipOptions(channels=(4, 4), skip_channels=(4, 4), encoder_kernel=7),
        SkipOptions(channels=(4, 4), skip_channels=(4, 4), decoder_kernel=5),
        SkipOptions(channels=(4, 4), skip_channels=(4, 4), decoder_kernel=9),
        PaperUNetOptions(channels=(4, 4, 4)),
        PIPOptions(channels=(4, 4), skip_channels=(4, 4)),
        ResNetOptions(blocks=1, channels=4),
    ],
    ids=repr,
)
def test_minimum_side_is_enough_and_for_reflection_one_less_is_not(options: NetworkOptions) -> None:
    side = options.minimum_side
    network = build_network(options, 2, 1, (side, side)).train()
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
    network = build_network(UNetOptions(channels=(4,)), 1, 1, (20, 20)).eval()
    x = torch.rand(1, 1, 20, 20, requires_grad=True)
    network(x)[0, 0, 10, 10].backward()
    assert x.grad is not None
    touched = x.grad[0, 0].nonzero()
    # Two 3x3 convolutions reach 2 pixels to each side, the 2x2 head one more right and down.
    assert touched.min(dim=0).values.tolist() == [8, 8]
    assert touched.max(dim=0).values.tolist() == [13, 13]


@pytest.mark.parametrize(
    "options",
    [
        DeepDecoderOptions(channels=(4, 4, 4)),
        ConvDecoderOptions(channels=4),
        SirenOptions(channels=4),
    ],
    ids=repr,
)
def test_what_needs_no_size_takes_the_smallest(options: NetworkOptions) -> None:
    size = (options.minimum_side, options.minimum_side + 1)
    network = build_network(options, 2, 1, size).train()
    assert network(torch.rand(1, 2, *options.input_size(size))).shape == (1, 1, *size)


# Mean, standard deviation and two pixels of the output, computed once with the sources' own code:
# T. Lemsky's `unet.py`, the paper's `models/`, `decodernw`, `conv_model` with a sigmoid, `FCBlock`,
# and for PIP `skip` with 1x1 kernels; float64, weights and input as below.
FROM_THE_SOURCES: list[tuple[NetworkOptions, tuple[int, int, int], list[float]]] = [
    (UNetOptions(), (3, 64, 96), [-0.8813117922, 1.7890258534, -0.6207845676, -0.5207889638]),
    (
        SkipOptions(upsampling="bilinear", padding="reflection"),
        (32, 64, 96),
        [0.4750275432, 0.3735122653, 0.1906501612, 0.217630746],
    ),
    (
        SkipOptions(skip_channels=(0,) * 5, upsampling="nearest", padding="reflection"),
        (32, 64, 96),
        [0.4728505099, 0.3734136516, 0.1621552075, 0.2554525618],
    ),
    (
        SkipOptions(upsampling="nearest", padding="zero"),
        (32, 64, 96),
        [0.4730772492, 0.3727702321, 0.1458645337, 0.2743328176],
    ),
    (
        SkipOptions(
            channels=(16, 32, 64, 128, 128),
            skip_channels=(0,) * 5,
            upsampling="bilinear",
            downsampling="average",
        ),
        (32, 64, 96),
        [0.493477337, 0.2716699706, 0.6702686157, 0.1400117036],
    ),
    (
        SkipOptions(
            channels=(16, 32, 64, 128, 128, 128),
            skip_channels=(0,) * 6,
            encoder_kernel=5,
            pointwise=False,
        ),
        (1, 192, 256),
        [0.4923275393, 0.2561922566, 0.5354851357, 0.1467057935],
    ),
    (
        SkipOptions(channels=(8, 8), skip_channels=(2, 2), downsampling="max", padding="zero"),
        (3, 64, 96),
        [0.1381987392, 0.1155108288, 0.0797995177, 0.2890014209],
    ),
    (
        SkipOptions(channels=(8, 8), skip_channels=(2, 2), downsampling="lanczos2"),
        (3, 64, 96),
        [0.1378092584, 0.1143244766, 0.0514142278, 0.2924279645],
    ),
    (
        SkipOptions(channels=(8, 8), skip_channels=(2, 0), downsampling="lanczos3"),
        (3, 64, 96),
        [0.1379899272, 0.1140149954, 0.0506078534, 0.2902120301],
    ),
    (PIPOptions(), (32, 64, 96), [0.4777508551, 0.3737273876, 0.1238149755, 0.2734833042]),
    (ResNetOptions(), (1, 64, 96), [0.2902103809, 0.1517880831, 0.1978999667, 0.081329589]),
    (PaperUNetOptions(), (1, 64, 96), [0.2104495904, 0.1459823492, 0.0028028335, 0.3312427637]),
    (
        PaperUNetOptions(
            channels=(4, 8, 16, 32, 64), upsampling="bilinear", norm="batch", padding="reflection"
        ),
        (3, 64, 96),
        [0.4634779432, 0.3793838381, 0.9723466339, 0.9999999999],
    ),
    (
        DeepDecoderOptions(channels=(24, 32, 32)),
        (16, 8, 12),
        [0.5056136867, 0.3112230196, 0.9781458006, 0.3695576399],
    ),
    (
        ConvDecoderOptions(channels=16, input_side=5),
        (16, 5, 5),
        [0.5825819162, 0.3413074232, 0.7682354027, 0.0977252272],
    ),
    (
        SirenOptions(channels=32),
        (2, 64, 96),
        [-0.0058147622, 0.434275536, -0.1432921856, 0.5612678612],
    ),
]


@pytest.mark.parametrize(
    ("options", "input_shape", "expected"),
    FROM_THE_SOURCES,
    ids=lambda value: getattr(value, "name", None),
)
def test_networks_compute_what_their_sources_compute(
    options: NetworkOptions, input_shape: tuple[int, int, int], expected: list[float]
) -> None:
    channels, height, width = input_shape
    size = (192, 256) if height == 192 else (64, 96)
    network = build_network(options, channels, 3, size).double().train()
    with torch.no_grad():
        for weights in network.parameters():
            count = weights.numel()
            values = torch.cos(torch.arange(count, dtype=torch.float64) * 0.7 + count)
            values *= (2 / max(1, weights[0].numel())) ** 0.5
            weights.copy_(values.reshape(weights.shape))
    count = channels * height * width
    x = (torch.arange(count, dtype=torch.float64) * 0.37).sin().reshape(1, *input_shape)
    output = network(x)
    found = [output.mean(), output.std(), output[0, 0, 10, 20], output[0, -1, -1, -1]]
    # The figures are rounded to ten decimals; the order of summation differs between machines.
    assert [value.item() for value in found] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("support", "expected"),
    [
        (2, [0.0100571865, 0.0737197363, -0.00153661, 0.0587876183]),
        (3, [0.0088280432, 0.083323987, -0.0023389088, 0.0451099246]),
    ],
)
def test_the_lanczos_filter_starts_as_its_source_starts(
    support: int, expected: list[float]
) -> None:
    """Figures as above, from the paper's `models/downsampler.py`."""
    x = (torch.arange(16 * 24, dtype=torch.float64) * 0.37).sin().reshape(1, 1, 16, 24)
    output = Lanczos(3, support).double()(x.repeat(1, 3, 1, 1))
    found = [output.mean(), output.std(), output[0, 0, 2, 3], output[0, -1, -1, -1]]
    assert [value.item() for value in found] == pytest.approx(expected, abs=1e-8)
