"""Which pixels of a network's input the known pixels can reach, by the network's structure alone.

A learned input is trained by the gradient of the known output pixels. Where none of their receptive
fields reaches it stays as it was drawn, and T. Lemsky suspects that the coloured ellipses in his
holes come from there.

The network runs once with every operation replaced by one that passes on reach and nothing else,
and the question is asked backwards from the known output pixels: weights, signs and maxima do not
matter, nothing cancels and nothing underflows. Norms are passed through, because their statistics
couple all pixels. An operation that is not listed here is refused by its name.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode, resolve_name

from dip.errors import InputError


def coverage(
    network: nn.Module,
    mask: Tensor,
    *,
    input_channels: int = 3,
    input_size: tuple[int, int] | None = None,
) -> Tensor:
    """The pixels of the input that a known output pixel's receptive field reaches.

    network: maps (1, input_channels, *input_size) to (1, any, H, W); it is left as it is. mask:
    (1, H, W), 1 = known. input_size: the mask's if there is none. Returns (1, *input_size) bool on
    the CPU, True = reached, in any channel.

    Raises InputError if the network does something whose reach is not known here, or gives another
    size than the mask's.
    """
    size = input_size or (mask.shape[-2], mask.shape[-1])
    start = torch.zeros((1, input_channels, *size), requires_grad=True)
    frozen = {
        name: tensor.detach().to("cpu", copy=True)
        for name, tensor in (*network.named_parameters(), *network.named_buffers())
    }
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad(), _ReachOnly():
            output = functional_call(network, frozen, (start.clone(),))
    except InputError:
        raise
    except Exception as error:  # whatever anybody's network may do when its values are missing
        raise InputError(f"coverage: {type(error).__name__} in the network: {error}") from error
    if output.shape[-2:] != mask.shape[-2:]:
        raise InputError(
            f"coverage: the network gives {tuple(output.shape)} for a mask of {tuple(mask.shape)}"
        )
    if not output.requires_grad:
        return torch.zeros((1, *size), dtype=torch.bool)
    known = mask.to("cpu", output.dtype).expand(output.shape)
    (gradient,) = torch.autograd.grad(output, start, known)
    return (gradient[0] > 0).any(dim=0, keepdim=True)


# By the name of the torch function, without the underscore of one that works in place.

# Each value of the result comes from the value in its own place; norms belong here, see above.
IN_PLACE = (
    *("relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu"),
    *("mish", "softplus", "softsign", "hardswish", "hardsigmoid", "hardtanh", "tanhshrink"),
    *("softshrink", "hardshrink", "logsigmoid", "sigmoid", "tanh", "sin", "cos", "exp", "log"),
    *("abs", "neg", "sqrt", "square", "pow", "clamp"),
    *("batch_norm", "instance_norm", "group_norm", "layer_norm", "normalize"),
    *("dropout", "dropout1d", "dropout2d", "alpha_dropout", "feature_alpha_dropout"),
)
# Two tensors' values in the same place, or one with a number.
TOGETHER = ("add", "sub", "mul", "div", "radd", "rsub", "rmul", "rtruediv", "truediv")
TOGETHER_IN_PLACE = ("iadd", "isub", "imul", "itruediv")
# Sums with weights that are not negative: what they reach is what their gradient says.
SUMS = (
    *("avg_pool1d", "avg_pool2d", "adaptive_avg_pool2d", "interpolate", "upsample", "mean", "sum"),
)
# Values that move and stay what they are, and questions that are not about values.
MOVES = (
    *("cat", "concat", "concatenate", "stack", "pad", "getitem", "narrow", "chunk", "split"),
    *("unbind", "reshape", "view", "view_as", "flatten", "unflatten", "permute", "transpose"),
    *("movedim", "unsqueeze", "squeeze", "expand", "expand_as", "repeat", "roll", "flip"),
    *("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "contiguous", "clone", "detach"),
    *("to", "type_as", "float", "double", "size", "dim", "numel", "len", "get", "is_contiguous"),
    *("is_floating_point", "is_complex", "zeros_like", "ones_like", "new_zeros", "new_ones"),
    *("get_device", "stride", "requires_grad"),
)


class _ReachOnly(TorchFunctionMode):
    """Replaces what torch is asked to do with something that passes on reach alone."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        arguments: tuple[Any, ...] = (),
        keywords: Mapping[str, Any] | None = None,
    ) -> Any:
        keywords = keywords or {}
        given = (*arguments, *keywords.values())
        if not _follows(given):
            return function(*arguments, **keywords)  # nothing that comes from the input
        path = resolve_name(function) or getattr(function, "__qualname__", repr(function))
        name = path.rpartition(".")[2].strip("_")
        if name in IN_PLACE:
            return next(filter(_follows, given))
        if name in MOVES:
            return function(*arguments, **keywords)
        if name in TOGETHER or name in TOGETHER_IN_PLACE:
            works_in_place = name in TOGETHER_IN_PLACE or (path.endswith("_") and "__" not in path)
            return _together(given, works_in_place)
        if name in SUMS and keywords.get("mode") not in ("bicubic", "trilinear"):
            return _Reach.apply(function(*arguments, **keywords))
        if name.startswith("conv") or name == "linear":
            return _Reach.apply(_weighted(function, *arguments, **keywords))
        if name == "max_pool2d":
            return _Reach.apply(_pooled(*arguments, **keywords))
        if name == "adaptive_max_pool2d":
            return _Reach.apply(F.adaptive_avg_pool2d(*arguments[:2]))
        raise InputError(f"coverage: the network calls {path}, whose reach is not known")


def _follows(value: Any) -> bool:
    """Whether it comes from the input: a tensor, or a list with one."""
    if isinstance(value, list | tuple):
        return any(map(_follows, value))
    return isinstance(value, Tensor) and value.requires_grad


def _together(given: tuple[Any, ...], works_in_place: bool) -> Tensor:
    first, *others = (each for each in given if isinstance(each, Tensor))
    if works_in_place:
        for other in others:
            first.add_(other)
        return first
    result = first
    for other in others:
        result = result + other
    return result


def _weighted(
    function: Callable[..., Any],
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,  # noqa: ARG001 - the same for every pixel
    *arguments: Any,
    **keywords: Any,
) -> Any:
    """A convolution or a linear layer in which all weights are one."""
    return function(input, torch.ones_like(weight), None, *arguments, **keywords)


def _pooled(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor:
    """Any pixel under a window may be the largest there."""
    if return_indices or dilation not in (1, (1, 1), [1, 1]):
        raise InputError("coverage: the network calls max_pool2d with indices or dilation")
    return F.avg_pool2d(input, kernel_size, stride or None, padding, ceil_mode)


class _Reach(torch.autograd.Function):
    """Passes on no value, and backwards whether there is a gradient, as one or zero."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return torch.zeros_like(x)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return (gradient > 0).to(gradient.dtype)
