"""All networks: the sizes of their sources, any image size, gradients everywhere.

Facts about each network are in `tests/support/networks`.
"""

from importlib.util import find_spec

import pytest
import torch
from support.networks import FACTS, INPUT_CHANNELS, SMALL, Output, without_facts

import dip
from dip import build_network
from dip.options import NETWORKS, Method, NetworkOptions
from dip.options.inputs.noise import NoiseInputOptions
from dip.options.networks.imported import ImportedOptions
from dip.options.networks.skip import SkipOptions


def test_every_network_has_its_module_and_facts() -> None:
    modules = {options.__module__.rpartition(".")[2] for options in NETWORKS.values()}
    assert [name for name in modules if find_spec(f"dip.networks.{name}") is None] == []
    assert without_facts() == []


def test_options_derived_from_a_networks_options_build_the_same_network() -> None:
    class Narrow(SkipOptions):
        channels: tuple[int, ...] = (4, 4)
        skip_channels: tuple[int, ...] = (0, 0)

    network = build_network(Narrow(), 3, 3, (32, 32))
    assert type(network) is type(build_network(SkipOptions(), 3, 3, (32, 32)))


def test_options_without_a_network_name_the_file_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SkipOptions, "__module__", "dip.options.networks.nowhere")
    with pytest.raises(RuntimeError, match="needs a function `build` in dip/networks/nowhere.py"):
        build_network(SkipOptions(), 3, 3, (32, 32))


@pytest.mark.parametrize(
    ("options", "input_channels", "parameters"),
    [case for facts in FACTS for case in facts.parameters],
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
    options = _with_classes(options, channels)
    network = build_network(options, INPUT_CHANNELS, channels, size)
    x = torch.rand(1, INPUT_CHANNELS, *options.input_size(size), requires_grad=True)
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
    y, x = torch.meshgrid(
        torch.linspace(0, 3, size[0]), torch.linspace(0, 5, size[1]), indexing="ij"
    )
    image = ((x.sin() + y.cos()) / 4 + 0.5).expand(channels, *size)
    mask = (torch.rand(1, *size, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    method = Method(
        architecture=_with_classes(options, channels),
        input=NoiseInputOptions(channels=INPUT_CHANNELS, scale=1),
        learning_rate=1e-3,
    )
    losses = [c.loss for c in dip.fit(image, mask, method, checkpoints=[1, 3])]
    assert losses[1] < losses[0]


def _with_classes(options: NetworkOptions, classes: int) -> NetworkOptions:
    """An imported network has to be told how many channels the image has."""
    if not isinstance(options, ImportedOptions):
        return options
    keywords = {**options.options, "out_channels": classes}
    return options.model_copy(update={"options": keywords})


@pytest.mark.parametrize("options", [own for own in SMALL if own.name != "import"], ids=repr)
def test_minimum_side_is_enough_and_one_less_is_not(options: NetworkOptions) -> None:
    side = options.minimum_side

    def draw(size: tuple[int, int]) -> torch.Tensor:
        network = build_network(options, INPUT_CHANNELS, 3, size).train()
        return network(torch.rand(1, INPUT_CHANNELS, *options.input_size(size)))

    for size in ((side, side), (side, side + 1)):
        assert draw(size).shape == (1, 3, *size)
    if side > 1:
        with pytest.raises((RuntimeError, ValueError)):
            draw((side - 1, side - 1))


@pytest.mark.parametrize(
    "source",
    [output for facts in FACTS for output in facts.outputs],
    ids=lambda output: output.options.name,
)
def test_networks_compute_what_their_sources_compute(source: Output) -> None:
    """Weights and input are those that `Output` describes."""
    channels, height, width = source.input_shape
    network = build_network(source.options, channels, 3, source.size).double().train()
    with torch.no_grad():
        for weights in network.parameters():
            count = weights.numel()
            values = torch.cos(torch.arange(count, dtype=torch.float64) * 0.7 + count)
            values *= (2 / max(1, weights[0].numel())) ** 0.5
            weights.copy_(values.reshape(weights.shape))
    count = channels * height * width
    x = (torch.arange(count, dtype=torch.float64) * 0.37).sin().reshape(1, *source.input_shape)
    output = network(x)
    figures = [output.mean(), output.std(), output[0, 0, 10, 20], output[0, -1, -1, -1]]
    # The figures are rounded to ten decimals; the order of summation differs between machines.
    assert [value.item() for value in figures] == pytest.approx(source.figures, abs=1e-8)
