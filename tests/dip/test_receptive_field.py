"""Coverage is what a brute force finds: change one pixel of the input, look at the known ones."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

import dip
from dip.options import (
    ConvDecoderOptions,
    DeepDecoderOptions,
    NetworkOptions,
    PaperUNetOptions,
    PIPOptions,
    ResNetOptions,
    SirenOptions,
    Size,
    SkipOptions,
    UNetOptions,
)

CHANNELS = 2
HUGE = 1e100  # against which nothing that a pixel is added to is lost, in float64
# A batch of another size may be rounded another way: 2e-16 of the value was measured over `SMALL`,
# and 4e-3 as the least change of a pixel that is reached.
ROUNDING = 1e-9


def _brute_force(network: nn.Module, mask: Tensor, input_size: Size, rows: list[int]) -> Tensor:
    """Which pixels of these rows change a known output pixel: (rows, W) bool.

    The network itself, with weights that cannot cancel and each pixel in turn made huge, so that it
    is the largest in every window. Norms and the squashing at the end are taken out.
    """
    network = _without_norms(network).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.abs() + 0.1)
        start = torch.full((1, CHANNELS, *input_size), 0.5, dtype=torch.float64)
        known = mask[0] > 0
        before = network(start)[0][:, known]
        changes = []
        for row in rows:
            for columns in torch.arange(input_size[1]).split(64):
                x = start.repeat(len(columns), 1, 1, 1)
                x[range(len(columns)), :, row, columns] = HUGE
                after = network(x)[:, :, known]
                changed = (after - before).abs() > ROUNDING * before.abs()
                changes.append(changed.flatten(1).any(dim=1))
    return torch.cat(changes).reshape(len(rows), input_size[1])


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


def _assert_as_brute_force(options: NetworkOptions, mask: Tensor) -> Tensor:
    size = (mask.shape[1], mask.shape[2])
    input_size = options.input_size(size)
    network = dip.build_network(options, CHANNELS, 3, size)
    found = dip.coverage(network, mask, input_channels=CHANNELS, input_size=input_size)
    expected = _brute_force(network, mask, input_size, list(range(input_size[0])))
    assert torch.equal(found[0], expected)
    return found


SMALL: list[NetworkOptions] = [
    UNetOptions(channels=(2,)),
    UNetOptions(channels=(2, 2), decoder_kernel=3),
    UNetOptions(channels=(2, 2), decoder_kernel=5),
    UNetOptions(channels=(2, 2, 2), encoder_kernel=1, decoder_kernel=1),
    SkipOptions(channels=(2, 2), skip_channels=(0, 0)),
    SkipOptions(channels=(2, 2), skip_channels=(2, 0), upsampling="bilinear", padding="zero"),
    SkipOptions(channels=(2, 2), skip_channels=(1, 1), downsampling="average", encoder_kernel=5),
    SkipOptions(channels=(2, 2), skip_channels=(0, 1), downsampling="max", pointwise=False),
    PIPOptions(channels=(2, 2), skip_channels=(0, 0)),
    ResNetOptions(blocks=1, channels=2),
    PaperUNetOptions(channels=(2, 2)),
    PaperUNetOptions(channels=(2, 2), upsampling="bilinear", padding="reflection", norm="batch"),
    DeepDecoderOptions(channels=(2, 2)),
    ConvDecoderOptions(channels=2, layers=3, input_side=9),
    SirenOptions(channels=2, layers=1),
]


@pytest.mark.parametrize("options", SMALL, ids=repr)
def test_coverage_is_what_a_brute_force_finds(options: NetworkOptions) -> None:
    reached = _assert_as_brute_force(options, _box((25, 28), 2, 3, 20, 22))
    assert reached.any()


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
    network = dip.build_network(options, CHANNELS, 1, STRIP)
    found = dip.coverage(network, mask, input_channels=CHANNELS)
    assert torch.equal(found[0, [16]], _brute_force(network, mask, STRIP, [16]))
    assert (~found & (mask == 0)).any() == is_larger
    assert not (~found & (mask == 1)).any()


@pytest.mark.parametrize("kernel", [3, 5])
def test_the_number_of_channels_makes_no_difference(kernel: int) -> None:
    mask = _box(STRIP, 0, 20, 33, 600)
    narrow = UNetOptions(channels=(1,) * 6, decoder_kernel=kernel)
    seeds = UNetOptions(decoder_kernel=kernel)
    first, second = (
        dip.coverage(dip.build_network(options, 3, 3, STRIP), mask) for options in (narrow, seeds)
    )
    assert torch.equal(first, second)


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
    """A ReLU whose gradient is that of its values."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        context.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (x,) = context.saved_tensors
        return gradient * (x > 0)


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


def _gated(convolution: nn.Module, x: Tensor) -> Tensor:
    return convolution(x) * torch.sigmoid(x.mean(dim=(2, 3), keepdim=True))


def _added_in_place(convolution: nn.Module, x: Tensor) -> Tensor:
    y = convolution(x)
    y += x
    y *= 2
    return y.sub_(x)


def _subtracted_from_itself(_: nn.Module, x: Tensor) -> Tensor:
    return x - x


def _dilated(convolution: nn.Module, x: Tensor) -> Tensor:
    return F.conv2d(input=x, weight=convolution.weight, bias=None, padding=2, dilation=2)


def _added_to_a_constant(convolution: nn.Module, x: Tensor) -> Tensor:
    total = torch.zeros(x.shape)
    total.add_(convolution(x))
    return total


def _added_to_a_sum(convolution: nn.Module, x: Tensor) -> Tensor:
    total = torch.zeros_like(x)
    kept = _rolled(x)
    total += kept
    total += convolution(x)
    return kept


def _broadcast_by_a_constant(_: nn.Module, x: Tensor) -> Tensor:
    row = x[:, :, :1] + torch.linspace(0, 1, 16)[:, None]
    return F.pad(row, (0, 0, 1, 0))[:, :, :16]


def _shifted(_: nn.Module, x: Tensor) -> Tensor:
    kernel = torch.zeros(3, 3, 3, 3)
    kernel[range(3), range(3), 0, 1] = 1
    return F.conv2d(x, kernel, padding=1)


def _summed_with_softmax(convolution: nn.Module, x: Tensor) -> Tensor:
    return convolution(x).softmax(dim=1)


def _rolled(x: Tensor) -> Tensor:
    return x.roll(4, dims=2)


def _normed_and_added_to(convolution: nn.Module, x: Tensor) -> Tensor:
    y = F.batch_norm(x, None, None, training=True)
    y += convolution(x)
    return y


def _untouched_by_what_is_added_to_its_relu(_: nn.Module, x: Tensor) -> Tensor:
    y = F.relu(x)
    y += _rolled(x)
    return x


def _touched_by_what_is_added_to_its_relu(_: nn.Module, x: Tensor) -> Tensor:
    y = x * 1
    z = F.relu(y, inplace=True)
    z += _rolled(x)
    return y


@pytest.mark.parametrize(
    ("function", "reached"),
    [
        (_normed_and_added_to, 16 * 16 - 6 * 6),
        (_added_to_a_constant, 16 * 16 - 6 * 6),
        (_added_to_a_sum, 16 * 16 - 8 * 8),
        (_broadcast_by_a_constant, 16),  # of the first row only
        (_shifted, 16 * 16 - 8 * 8 - 16),  # the last row is read by nobody
        (_summed_with_softmax, 16 * 16 - 6 * 6),
        (lambda _, x: torch.where(torch.ones(16, 16) > 0, x, _rolled(x)), 16 * 16 - 4 * 8),
        (lambda _, x: torch.maximum(x, _rolled(x)), 16 * 16 - 4 * 8),
        (lambda _, x: x.softmax(dim=3), 16 * 16),  # every row has a known pixel
        (_untouched_by_what_is_added_to_its_relu, 16 * 16 - 8 * 8),
        (_touched_by_what_is_added_to_its_relu, 16 * 16 - 4 * 8),
        (lambda _, x: x.abs() ** _rolled(x), 16 * 16 - 4 * 8),
        (lambda _, x: torch.clamp(x, max=_rolled(x)), 16 * 16 - 4 * 8),
        (lambda convolution, x: {"out": convolution(x)}, 16 * 16 - 6 * 6),
        (lambda _, x: x[..., ::2, ::2], 60),  # resized to the mask's size
        (_gated, 16 * 16),  # a global mean is structure, and reaches everything
        (_added_in_place, 16 * 16 - 6 * 6),
        (_subtracted_from_itself, 16 * 16 - 8 * 8),  # by structure it depends on itself
        (_dilated, 16 * 16 - 4 * 4),
        (lambda _, x: torch.zeros_like(x), 0),
        (lambda convolution, x: convolution(x).detach(), 0),
    ],
)
def test_anybodys_network(function: Callable[[nn.Module, Tensor], Tensor], reached: int) -> None:
    assert dip.coverage(_Custom(function), _box((16, 16), 4, 4, 8, 8)).sum() == reached


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda _, x: x.cumsum(dim=2), "calls torch.Tensor.cumsum, whose reach is not known"),
        (lambda _, x: x if x.max() > 0 else -x, "calls torch.Tensor.max, whose reach"),
        (lambda _, x: F.max_pool2d(x, 3, 1, 2, dilation=2), "max_pool2d with indices or dilation"),
        (lambda _, x: F.interpolate(x, scale_factor=2, mode="bicubic"), "interpolate, whose reach"),
        (lambda _, x: F.interpolate(x, None, 2, "bicubic"), "interpolate, whose reach"),
        (lambda _, x: (x, x), "the network gives tuple"),
        (lambda _, x: _HandMade.apply(x), "has a gradient of its own, _HandMadeBackward"),
        (lambda _, x: _compiled(x), "RuntimeError in the network: .* in the TorchScript"),
        (lambda _, x: x.data, "calls torch.Tensor.data.__get__, whose reach is not known"),
        (lambda _, x: torch.add(x, x, out=torch.zeros(1)), "calls torch.add with out="),
        (
            lambda convolution, x: F.conv2d(x, convolution.weight, x.mean(dim=(0, 2, 3))),
            "computes the weights of a layer from its input",
        ),
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
