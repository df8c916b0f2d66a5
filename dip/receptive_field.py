"""Which pixels of a network's input the known pixels can reach, by the network's structure alone.

A learned input is trained by the gradient of the known output pixels. Where none of their receptive
fields reaches it stays as it was drawn, and T. Lemsky suspects that the coloured ellipses in his
holes come from there.

So a copy of the network runs once, and the gradient of the known output pixels says what they
reach. What could hide a pixel from it is replaced: weights are positive, activations and norms
pass their input on, the largest value of a window becomes the mean. (What the statistics of a norm
couple, which may be all pixels, does not count.) On the way back each gradient becomes 0 or 1, so
that nothing cancels, overflows or underflows. What else depends on values is refused.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

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

    Args:
        network: maps (1, input_channels, *input_size) to (1, any, H, W), or to what
            `ImportedNetwork` makes that of; it is left as it is.
        mask: (1, H, W), 1 = known.
        input_channels: of the network's input.
        input_size: the mask's if there is none.

    Returns:
        (1, *input_size) bool on the CPU, True = reached, in any channel.

    Raises:
        InputError: if the network does something whose reach is not known here.
    """
    image_size = (mask.shape[-2], mask.shape[-1])
    size = input_size or image_size
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.default_generator.manual_seed(0)
            copied = deepcopy(network).cpu().float().requires_grad_(requires_grad=False)
            for parameter in copied.parameters():
                parameter.uniform_(1, 2)
            start = torch.rand((1, input_channels, *size)).add_(1).requires_grad_()
            with _ReachOnly():
                output = resized(tensor_in(copied(start.clone())), image_size)
        if not output.requires_grad:
            return torch.zeros((1, *size), dtype=torch.bool)
        _prepare_backward(output)
        known = mask.to("cpu", output.dtype).expand(output.shape)
        (gradient,) = torch.autograd.grad(output, start, known)
    except InputError:
        raise
    except Exception as error:  # whatever anybody's network may do when its values are random
        first, *_ = str(error).splitlines() or [""]
        raise InputError(f"coverage: {type(error).__name__} in the network: {first}") from error
    return (gradient[0] > 0).any(dim=0, keepdim=True)


# Names of torch functions, without underscores. These functions are replaced by the identity.
PASSED_ON = (
    *("relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu"),
    *("mish", "softplus", "softsign", "hardswish", "hardsigmoid", "hardtanh", "tanhshrink"),
    *("softshrink", "hardshrink", "threshold", "logsigmoid", "sigmoid", "tanh", "clamp", "clip"),
    *("exp", "log", "sqrt", "batch_norm", "instance_norm", "group_norm", "layer_norm", "rms_norm"),
    *("dropout", "dropout1d", "dropout2d", "alpha_dropout", "feature_alpha_dropout"),
)
# These are sums of products, like convolutions.
PRODUCTS = ("linear", "matmul", "rmatmul", "mm", "bmm", "addmm", "baddbmm", "einsum")
# Python can branch on the result of these.
BRANCHING = (
    *("__bool__", "__int__", "__float__", "item", "tolist", "is_nonzero", "equal", "allclose"),
)
# Names of nodes in the autograd graph. STEP matches torch's own nodes. MISLEADING matches nodes
# whose gradient depends on values, or in which contributions can cancel.
STEP = re.compile(r"\w+Backward\d+|torch::autograd::(AccumulateGrad|CopySlices|CopyBackwards)")
MISLEADING = re.compile("(?i)max|min|median|clamp|relu|threshold|hard|shrink|norm|dropout|bicubic")


class _ReachOnly(TorchFunctionMode):
    """Replaces or refuses functions that would hide reached pixels from the gradient."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        arguments: tuple[Any, ...] = (),
        keywords: Mapping[str, Any] | None = None,
    ) -> Any:
        keywords = dict(keywords or {})
        following = [each for each in (*arguments, *keywords.values()) if _follows(each)]
        if not following:
            return function(*arguments, **keywords)  # nothing that comes from the input
        name = function.__name__.strip("_")
        if name in PASSED_ON and len(following) == 1:
            in_place = keywords.get("inplace") or function.__name__.endswith("_")
            return following[0] if in_place else following[0].clone()
        if name in ("softmax", "log_softmax"):
            return _mean_along(*arguments, **keywords)
        if name == "max_pool2d":
            return _mean_pool(*arguments, **keywords)
        if name == "adaptive_max_pool2d":
            return F.adaptive_avg_pool2d(*arguments[:2])
        if name.startswith("conv") or name in PRODUCTS:
            positive = {key: _positive(value) for key, value in keywords.items()}
            result = function(*map(_positive, arguments), **positive)
            # New values in (1, 2): they do not grow from layer to layer, and hardly ever cancel.
            return result - result.detach() + 1 + torch.rand_like(result)
        result = function(*arguments, **keywords)
        results = result if isinstance(result, tuple) else (result,)
        if function.__name__ in BRANCHING or any(map(_is_choice, results)):
            raise InputError(f"coverage: the network calls {name}, whose reach is not known")
        return result


def _follows(value: Any) -> bool:
    """Whether it comes from the input: a tensor, or a list with one."""
    if isinstance(value, list | tuple):
        return any(map(_follows, value))
    return isinstance(value, Tensor) and value.requires_grad


def _is_choice(result: Any) -> bool:
    """Whether it is a comparison or indices, which have no gradient."""
    return isinstance(result, Tensor) and not result.is_floating_point()


def _positive(value: Any) -> Any:
    """Fixed weights without their signs, so that what they sum does not cancel."""
    return value.abs() if isinstance(value, Tensor) and not value.requires_grad else value


def _mean_along(input: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
    """For a softmax: each value of the result comes from all along that dimension."""
    return input.mean(dim, keepdim=True).expand_as(input)


def _mean_pool(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    **_: Any,
) -> Tensor:
    """For a maximum: any pixel under a window may be the largest there."""
    if dilation not in (1, (1, 1), [1, 1]):
        raise InputError("coverage: the network calls max_pool2d with dilation")
    return F.avg_pool2d(input, kernel_size, stride or None, padding, ceil_mode)


def _prepare_backward(output: Tensor) -> None:
    """Make each step of the backward pass return 0 or 1; refuse misleading steps.

    Hand-written and compiled backward passes are refused as well.
    """
    waiting, seen = [output.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if not STEP.fullmatch(node.name()) or MISLEADING.search(node.name()):
            raise InputError(f"coverage: the network calls {node.name()}, whose reach is not known")
        node.register_hook(_as_reach)
        waiting += [before for before, _ in node.next_functions]


def _as_reach(gradients: tuple[Any, ...], _: Any) -> tuple[Any, ...]:
    return tuple(None if each is None else (each != 0).to(each.dtype) for each in gradients)
