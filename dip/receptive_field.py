"""Which pixels of a network's input the known pixels can reach, by the network's structure alone.

A learned input is trained by the gradient of the known output pixels. Where none of their receptive
fields reaches it stays as it was drawn, and T. Lemsky suspects that the coloured ellipses in his
holes come from there.

The network runs once with every operation replaced by one that passes on reach and nothing else,
and the question is asked backwards from the known output pixels: weights, signs and maxima do not
matter, nothing cancels and nothing underflows. Norms are passed through: what their statistics
couple, which may be all pixels, does not count. A parameter may have any value; other tensors have
those that they have. An operation that is not listed here is refused by its name.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._python_dispatch import TorchDispatchMode

from dip.errors import InputError
from dip.networks.imported import resized, tensor_in


def coverage(
    network: nn.Module,
    mask: Tensor,
    *,
    input_channels: int = 3,
    input_size: tuple[int, int] | None = None,
) -> Tensor:
    """The pixels of the input that a known output pixel's receptive field reaches.

    network: maps (1, input_channels, *input_size) to (1, any, H, W), or to what
    `ImportedNetwork` makes that of; it is left as it is. mask: (1, H, W), 1 = known. input_size:
    the mask's if there is none. Returns (1, *input_size) bool on the CPU, True = reached, in any
    channel.

    Raises InputError if the network does something whose reach is not known here.
    """
    image_size = (mask.shape[-2], mask.shape[-1])
    size = input_size or image_size
    start = torch.zeros((1, input_channels, *size), requires_grad=True)
    try:
        copied = deepcopy(network).cpu().float().requires_grad_(requires_grad=False)
        reach_only = _ReachOnly()
        with torch.random.fork_rng(devices=[]), torch.enable_grad(), reach_only, reach_only.gate:
            output = resized(tensor_in(copied(start.clone())), image_size)
        if not output.requires_grad:
            return torch.zeros((1, *size), dtype=torch.bool)
        _check_graph(output)
        known = mask.to("cpu", output.dtype).expand(output.shape)
        (gradient,) = torch.autograd.grad(output, start, known)
    except InputError:
        raise
    except Exception as error:  # whatever anybody's network may do when its values are missing
        first, *_ = str(error).splitlines() or [""]
        raise InputError(f"coverage: {type(error).__name__} in the network: {first}") from error
    return (gradient[0] > 0).any(dim=0, keepdim=True)


# By the name of the torch function or property, without the underscores.

# Each value of the result comes from the value in its own place; norms belong here, see above.
ELEMENTWISE = (
    *("relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu"),
    *("mish", "softplus", "softsign", "hardswish", "hardsigmoid", "hardtanh", "tanhshrink"),
    *("softshrink", "hardshrink", "logsigmoid", "sigmoid", "tanh", "sin", "cos", "exp", "log"),
    *("abs", "neg", "sqrt", "square"),
    *("batch_norm", "instance_norm", "group_norm", "layer_norm"),
    *("dropout", "dropout1d", "dropout2d", "alpha_dropout", "feature_alpha_dropout"),
)
# Several tensors' values in the same place, broadcast against each other.
TOGETHER_IN_PLACE = ("iadd", "isub", "imul", "itruediv")
TOGETHER = (
    *("add", "sub", "mul", "div", "subtract", "multiply", "divide", "truediv", "radd", "rsub"),
    *("rmul", "rtruediv", "rpow", "pow", "clamp", "maximum", "minimum", "where", "addcmul"),
    *TOGETHER_IN_PLACE,
)
# Sums with weights that are not negative: what they reach is what their gradient says.
SUMS = ("avg_pool2d", "adaptive_avg_pool2d", "interpolate", "mean", "sum")
# Values that move and stay what they are, and questions that are not about values.
MOVES = (
    *("cat", "concat", "concatenate", "stack", "pad", "getitem", "narrow", "chunk", "split"),
    *("unbind", "reshape", "view", "view_as", "flatten", "unflatten", "permute", "transpose"),
    *("select", "tile", "repeat_interleave", "rand_like", "randn_like", "movedim", "repeat"),
    *("unsqueeze", "squeeze", "expand", "expand_as", "roll", "flip"),
    *("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "contiguous", "clone", "detach"),
    *("to", "type_as", "float", "double", "zeros_like", "ones_like", "new_zeros", "new_ones"),
    *("size", "dim", "numel", "len", "stride", "shape", "ndim", "dtype", "device", "layout"),
    *("is_cuda", "get_device", "is_contiguous", "requires_grad", "is_floating_point"),
    "is_complex",
)


class _ReachOnly(TorchFunctionMode):
    """Replaces what torch is asked to do with something that passes on reach alone."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = _Gate()

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        arguments: tuple[Any, ...] = (),
        keywords: Mapping[str, Any] | None = None,
    ) -> Any:
        with self.gate.opened():
            return _reach_of(function, arguments, keywords or {})


class _Gate(TorchDispatchMode):
    """Refuses what is computed without being asked for above, as compiled code does."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open = False

    @contextmanager
    def opened(self) -> Iterator[None]:
        before, self.is_open = self.is_open, True
        try:
            yield
        finally:
            self.is_open = before

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        arguments: tuple[Any, ...] = (),
        keywords: Mapping[str, Any] | None = None,
    ) -> Any:
        if not self.is_open:
            raise InputError(f"coverage: the network computes {function} where it is not seen")
        return function(*arguments, **(keywords or {}))


def _reach_of(
    function: Callable[..., Any], arguments: tuple[Any, ...], keywords: Mapping[str, Any]
) -> Any:
    given = (*arguments, *keywords.values())
    following = [each for each in given if _follows(each)]
    if not following:
        return function(*arguments, **keywords)  # nothing that comes from the input
    path = resolve_name(function) or getattr(function, "__qualname__", repr(function))
    *_, owner, name = path.split(".")
    is_in_place = (name.endswith("_") and not name.startswith("__")) or _is_in_place(
        function, arguments, keywords
    )
    name = owner if name == "__get__" else name.strip("_")
    if keywords.get("out") is not None:
        raise InputError(f"coverage: the network calls {path} with out=")
    if name in ELEMENTWISE:
        return following[0] if is_in_place else following[0].clone()
    if name in TOGETHER:
        return _together(given, is_in_place or name in TOGETHER_IN_PLACE)
    if name in MOVES:
        return function(*arguments, **keywords)
    if name in SUMS and "bicubic" not in given:
        return _Reach.apply(function(*arguments, **keywords))
    if name.startswith("conv") or name == "linear":
        return _Reach.apply(_weighted(function, *arguments, **keywords))
    if name in ("softmax", "log_softmax"):
        return _Reach.apply(_softmax(*arguments, **keywords))
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


def _is_in_place(
    function: Callable[..., Any], arguments: tuple[Any, ...], keywords: Mapping[str, Any]
) -> bool:
    """Whether a function with a switch for it is asked to work in place."""
    try:
        bound = signature(function).bind(*arguments, **keywords)
    except (TypeError, ValueError):  # torch's own functions have no signature, and no such switch
        return False
    return bool(bound.arguments.get("inplace", False))


def _together(given: tuple[Any, ...], works_in_place: bool) -> Tensor:
    """What comes from all of them, in a tensor of its own or in the first one."""
    # What does not come from the input has a shape only.
    parts = [
        each if each.requires_grad else torch.zeros(each.shape)
        for each in given
        if isinstance(each, Tensor)
    ]
    if works_in_place:
        for other in parts[1:]:
            given[0].add_(other)
        return given[0]
    return sum(parts[1:], start=parts[0].clone())


def _softmax(input: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
    """Each value of the result comes from all along that dimension."""
    return input.mean(dim, keepdim=True).expand_as(input)


def _weighted(
    function: Callable[..., Any],
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *arguments: Any,
    **keywords: Any,
) -> Any:
    """A convolution or a linear layer in which all weights are one, but for fixed zeros."""
    if _follows((weight, bias)):
        raise InputError("coverage: the network computes the weights of a layer from its input")
    may_be_any = isinstance(weight, nn.Parameter)
    ones = torch.ones_like(weight) if may_be_any else (weight != 0).to(weight.dtype)
    return function(input, ones, None, *arguments, **keywords)


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


def _check_graph(output: Tensor) -> None:
    """Refuse a backward pass that somebody wrote by hand."""
    waiting, seen = [output.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, BackwardCFunction) and node.name() != "_ReachBackward":
            raise InputError(f"coverage: the network has a gradient of its own, {node.name()}")
        waiting += [before for before, _ in node.next_functions]


class _Reach(torch.autograd.Function):
    """Passes on no value, and backwards whether there is a gradient, as one or zero."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return torch.zeros_like(x)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return (gradient > 0).to(gradient.dtype)
