"""Coverage is what a brute force finds: change one pixel of the input, look at the known ones."""

import warnings
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.networks import INPUT_CHANNELS, SMALL
from torch import Tensor, nn
from torch.nn import functional as F

import dip
from dip.options import NetworkOptions, Size
from dip.options.networks.unet import UNetOptions

HUGE = 1e100  # against which nothing that a pixel is added to is lost, in float64
# A batch of another size may be rounded another way: 2e-16 of the value was measured over `SMALL`,
# and 0.04 as the least change of a pixel that is reached.
ROUNDING = 1e-9


def _brute_force(
    network: nn.Module, mask: Tensor, input_size: Size, pixels: list[tuple[int, int]]
) -> list[bool]:
    """Which of these pixels of the input change a known output pixel.

    The network itself, with weights that cannot cancel and each pixel in turn made huge, so that it
    is the largest in every window. Norms and the squashing at the end are taken out.
    """
    network = _without_norms(network).double().eval()
    changed: list[bool] = []
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.abs() + 0.1)
        start = torch.full((1, INPUT_CHANNELS, *input_size), 0.5, dtype=torch.float64)
        known = mask[0] > 0
        before = network(start)[0][:, known]
        for some in (pixels[i : i + 64] for i in range(0, len(pixels), 64)):
            rows, columns = map(list, zip(*some, strict=True))
            x = start.repeat(len(some), 1, 1, 1)
            x[range(len(some)), :, rows, columns] = HUGE
            change = (network(x)[:, :, known] - before).abs() > ROUNDING * before.abs()
            changed += change.flatten(1).any(dim=1).tolist()
    return changed


def _without_norms(network: nn.Module) -> nn.Module:
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d | nn.InstanceNorm2d | nn.Sigmoid):
                setattr(module, name, nn.Identity())
    return network


def _box(size: Size, top: int, left: int, height: int, width: int) -> Tensor:
    mask = torch.ones(1, *size)
    mask[:, top : top + height, left : left + width] = 0
    return mask


def _assert_as_brute_force(
    options: NetworkOptions, mask: Tensor, pixels: list[tuple[int, int]] | None = None
) -> Tensor:
    """At these pixels of the input, or at all. Returns the coverage."""
    size = (mask.shape[1], mask.shape[2])
    input_size = options.input_size(size)
    network = dip.build_network(options, INPUT_CHANNELS, 3, size)
    reached = dip.coverage(network, mask, input_channels=INPUT_CHANNELS, input_size=input_size)
    pixels = pixels or list(product(range(input_size[0]), range(input_size[1])))
    expected = _brute_force(network, mask, input_size, pixels)
    assert [bool(reached[0, row, column]) for row, column in pixels] == expected
    return reached


@pytest.mark.parametrize("options", SMALL, ids=repr)
def test_coverage_is_what_a_brute_force_finds(options: NetworkOptions) -> None:
    reached = _assert_as_brute_force(options, _box((25, 28), 2, 3, 20, 22))
    assert reached.any()


@pytest.mark.parametrize("name", dip.preset_names())
def test_coverage_of_every_preset(name: str) -> None:
    """Of its network with two channels, at pixels here and there; one pixel is known."""
    options: Any = dip.load_preset(name).method.architecture
    few = {
        name: min(2, value) if isinstance(value, int) else tuple(min(2, entry) for entry in value)
        for name, value in options
        if name.endswith("channels")
    }
    options = options.model_copy(update=few)
    size = (max(24, options.minimum_side), max(200, options.minimum_side))
    mask = torch.zeros(1, *size)
    mask[:, size[0] // 2, 30] = 1
    height, width = options.input_size(size)
    pixels = list(product(range(height // 2 % 11, height, 11), range(2, width, 7)))
    _assert_as_brute_force(options, mask, pixels)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3),
    st.sampled_from([1, 3, 5]),
    st.sampled_from([1, 3, 5, 7]),
    st.integers(10, 19),
    st.integers(10, 19),
    st.integers(0, 2**31),
    st.floats(0.02, 0.3),
)
def test_any_unet_and_any_mask(
    levels: int, encoder: int, decoder: int, height: int, width: int, seed: int, share: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    mask = (torch.rand((1, height, width), generator=generator) < share).float()
    options = UNetOptions(channels=(2,) * levels, encoder_kernel=encoder, decoder_kernel=decoder)
    _assert_as_brute_force(options, mask)


# A strip, because the field of a known pixel in six levels is wide: about 444 pixels with 3x3
# kernels on the way up and 572 with 5x5, so that a hole of 480 is larger than the one and smaller
# than the other. It goes from top to bottom, and one row of it is forced.
STRIP = (33, 640)


@pytest.mark.parametrize(
    ("kernel", "width", "is_larger"),
    [(3, 120, False), (3, 480, True), (5, 480, False), (5, 600, True)],
)
def test_the_seeds_unet_with_holes_larger_and_smaller_than_its_field(
    kernel: int, width: int, is_larger: bool
) -> None:
    """Its six levels; how many channels they have makes no difference, as the next test says."""
    mask = _box(STRIP, 0, 20, 33, width)
    options = UNetOptions(channels=(1,) * 6, decoder_kernel=kernel)
    reached = dip.coverage(
        dip.build_network(options, INPUT_CHANNELS, 1, STRIP), mask, input_channels=INPUT_CHANNELS
    )
    row = reached[0, 16]
    borders = (row[1:] != row[:-1]).nonzero().flatten().tolist()
    near = {x + step for x in borders for step in (-1, 0, 1, 2)}
    _assert_as_brute_force(options, mask, [(16, x) for x in sorted({*near, *range(0, 640, 20)})])
    assert (~reached & (mask == 0)).any() == is_larger
    assert not (~reached & (mask == 1)).any()


def test_the_number_of_channels_makes_no_difference() -> None:
    mask = _box(STRIP, 0, 20, 33, 600)
    narrow, seeds = (
        dip.coverage(dip.build_network(options, 3, 3, STRIP), mask)
        for options in (UNetOptions(channels=(1,) * 6), UNetOptions())
    )
    assert torch.equal(narrow, seeds)


@pytest.mark.parametrize(
    ("channels", "kernel", "share"),
    [
        ((4, 4), 3, 0.128),
        ((4, 4), 5, 0.046),
        ((4, 4), 9, 0.0),
        ((4, 4, 4, 4, 4, 4), 3, 0.0),
        ((4, 4, 4, 4, 4, 4), 5, 0.0),
    ],
)
def test_what_the_suites_say_of_hole_pixels_out_of_reach(
    channels: tuple[int, ...], kernel: int, share: float
) -> None:
    """A centred hole of 28 pixels in 48."""
    network = dip.build_network(
        UNetOptions(channels=channels, decoder_kernel=kernel), 3, 3, (48, 48)
    )
    reached = dip.coverage(network, _box((48, 48), 10, 10, 28, 28))
    assert (~reached).sum().item() / 28**2 == pytest.approx(share, abs=0.001)


def test_the_network_is_left_as_it_is() -> None:
    network = dip.build_network(UNetOptions(channels=(4, 4)), 3, 3, (16, 16)).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.manual_seed(1)
    random = torch.random.get_rng_state()
    dip.coverage(network, _box((16, 16), 4, 4, 8, 8))
    assert not network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(random, torch.random.get_rng_state())


class _HandMade(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return x.clamp(min=0)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return gradient


def _compiled(x: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it is on its way out, and still met
        return torch.jit.script(nn.ReLU())(x)


class _Custom(nn.Module):
    """A module around a function, with a convolution at hand."""

    def __init__(self, function: Callable[[nn.Module, Tensor], Tensor]):
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 3, padding=1)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.convolution, x)


def _point() -> Tensor:
    """A kernel that gives the pixel itself; less a mean, its weights sum to zero."""
    return F.pad(torch.ones(3, 1, 1, 1), (1, 1, 1, 1))


def _rolled(x: Tensor) -> Tensor:
    return x.roll(4, dims=2)


def _added_in_place(convolution: nn.Module, x: Tensor) -> Tensor:
    total = torch.zeros(x.shape)
    total.add_(convolution(x))
    y = F.batch_norm(x, None, None, training=True)
    y += total
    y *= 2
    return y.sub_(x)


def _relu_in_place(x: Tensor, inplace: bool) -> Tensor:
    """x is touched by what is added to its ReLU if that works in place."""
    y = x * 1
    z = F.relu(y, inplace=inplace)
    z += _rolled(x)
    return y


def _shifted(x: Tensor) -> Tensor:
    kernel = torch.zeros(3, 3, 3, 3)
    kernel[range(3), range(3), 0, 1] = 1
    return F.conv2d(x, kernel, padding=1)


ALL, AROUND = 16 * 16, 16 * 16 - 6 * 6  # with a hole of 8x8; 3x3 kernels look a pixel into it
ROLLED = 16 * 16 - 4 * 8
KNOWN = 16 * 16 - 8 * 8
HALVES = torch.ones(16, 1) * torch.tensor([0.5, -0.5]).repeat(8)  # of which each pair cancels


@pytest.mark.parametrize(
    ("function", "reached"),
    [
        (lambda convolution, x: {"out": convolution(x)}, AROUND),
        (lambda convolution, x: F.relu(F.instance_norm(convolution(x))), AROUND),
        (lambda convolution, x: convolution(x) * torch.sigmoid(x.mean((2, 3), True)), ALL),
        (lambda convolution, x: convolution(x).clamp(0, 1).softmax(dim=1), AROUND),
        (lambda _, x: x.softmax(dim=3), ALL),  # every row has a known pixel
        (lambda _, x: (1 - torch.sigmoid(x)) * _rolled(x), ROLLED),
        (lambda _, x: x.abs() ** _rolled(x), ROLLED),
        (lambda _, x: torch.sigmoid(1000 * x) * torch.exp(-1000 * F.relu6(x)), KNOWN),
        (lambda _, x: x - x, KNOWN),  # by structure it depends on itself
        (lambda _, x: x + -1 * x, KNOWN),
        (lambda _, x: torch.where(torch.ones(16, 16) > 0, x, _rolled(x)), KNOWN),
        (lambda _, x: x @ HALVES, ALL),
        (lambda _, x: F.max_pool2d(x, 3, 1, padding=1), AROUND),
        (lambda _, x: F.adaptive_max_pool2d(x, 1), ALL),
        (lambda _, x: x[..., ::2, ::2], 60),  # resized to the mask's size
        (lambda convolution, x: F.conv2d(x, weight=convolution.weight, padding=1), AROUND),
        (lambda convolution, x: F.conv2d(x, convolution.weight, None, 1, 2, 2), ALL - 4 * 4),
        (lambda _, x: _shifted(x), KNOWN - 16),  # the last row is read by nobody
        (lambda _, x: F.conv2d(x, torch.ones(3, 1, 3, 3) / 9 - _point(), None, 1, 1, 1, 3), AROUND),
        (_added_in_place, AROUND),
        (lambda _, x: _relu_in_place(x, False), KNOWN),
        (lambda _, x: _relu_in_place(x, True), ROLLED),
        (lambda _, x: torch.zeros_like(x), 0),
        (lambda convolution, x: convolution(x).detach(), 0),
    ],
)
def test_anybodys_network(function: Callable[[nn.Module, Tensor], Tensor], reached: int) -> None:
    assert dip.coverage(_Custom(function), _box((16, 16), 4, 4, 8, 8)).sum() == reached


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda _, x: x if x.mean() > 0 else -x, "calls gt, whose reach is not known"),
        (lambda _, x: x if x.mean() else -x, "calls bool, whose reach is not known"),
        (lambda _, x: x * x.mean().item(), "calls item, whose reach is not known"),
        (lambda _, x: x - x.max(), "calls MaxBackward1, whose reach is not known"),
        (lambda _, x: x.sort(dim=2)[0], "calls sort, whose reach"),
        (lambda _, x: torch.maximum(x, _rolled(x)), "calls MaximumBackward0, whose reach"),
        (lambda _, x: torch.clamp(x, max=_rolled(x)), "calls ClampBackward"),
        (
            lambda _, x: F.max_pool2d(x, 3, 1, 1, return_indices=True)[0],
            "calls max_pool2d_with_ind",
        ),
        (lambda _, x: F.max_pool2d(x, 3, 1, 2, dilation=2), "max_pool2d with dilation"),
        (lambda _, x: F.interpolate(x, None, 2, "bicubic"), "calls UpsampleBicubic2DBackward0"),
        (lambda _, x: F.normalize(x, dim=2), "calls ClampMinBackward0, whose reach"),
        (lambda _, x: (x, x), "the network gives tuple"),
        (lambda _, x: _HandMade.apply(x), "calls _HandMadeBackward, whose reach"),
        (lambda _, x: _compiled(x), "calls ReluBackward0, whose reach"),
        (lambda _, x: torch.add(x, x, out=torch.zeros(1)), "RuntimeError in the network: add"),
        (lambda _, x: x[7], "IndexError in the network"),
    ],
)
def test_what_cannot_be_followed_is_refused(
    function: Callable[[nn.Module, Tensor], Tensor], message: str
) -> None:
    with pytest.raises(dip.InputError, match=message):
        dip.coverage(_Custom(function), _box((16, 16), 4, 4, 8, 8))


def test_hooks_that_set_weights_leave_the_network_alone() -> None:
    network = nn.Sequential(nn.utils.spectral_norm(nn.Conv2d(3, 3, 3, padding=1)))
    weight = network[0].weight
    assert dip.coverage(network, _box((16, 16), 4, 4, 8, 8)).sum() == 16 * 16 - 6 * 6
    assert network[0].weight is weight


def test_a_network_left_in_float64_is_followed_too() -> None:
    network = dip.build_network(UNetOptions(channels=(2, 2)), 3, 3, (16, 16))
    mask = _box((16, 16), 4, 4, 8, 8)
    single = dip.coverage(network, mask)
    assert torch.equal(dip.coverage(network.double(), mask), single)
    assert all(parameter.dtype == torch.float64 for parameter in network.parameters())
