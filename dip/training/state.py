"""The state of a fit between two iterations: everything that the rest of it depends on.

A fit that goes on from it gives what it would have given without a break, on a CPU to the last bit.
It holds tensors, numbers and text in dictionaries, lists and tuples only, so that `torch.save`
writes it and `torch.load(..., weights_only=True)` reads it.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from dip.errors import InputError
from dip.networks.imported import ImportedNetwork
from dip.options import Method
from dip.options.canonical import method_text
from dip.options.outputs import ALWAYS, FIRST_VERSION

State = dict[str, Any]


class StateError(InputError):
    """A state is not of this fit, or of another version of this program."""


class Remembers(Protocol):
    """A part of a fit that is changed by its iterations."""

    def state_dict(self) -> Any: ...
    def load_state_dict(self, state: Any) -> Any: ...


class Tensors:
    """Weights, a learned input and buffers.

    listed: lists them as they are at present, because a network may put a new tensor in the place
    of a buffer. What it keeps in attributes that are no buffers cannot be known.
    """

    def __init__(self, listed: Callable[[], list[Tensor]]):
        self.listed = listed

    def state_dict(self) -> list[Tensor]:
        return [tensor.detach() for tensor in self.listed()]

    @torch.no_grad()
    def load_state_dict(self, state: list[Tensor]) -> None:
        for tensor, saved in zip(self.listed(), state, strict=True):
            if tensor.shape != saved.shape:
                raise ValueError("tensors of other shapes")
            tensor.copy_(saved)


class Stream:
    """A generator of random numbers."""

    def __init__(self, generator: torch.Generator):
        self.generator = generator

    def state_dict(self) -> Tensor:
        return self.generator.get_state()

    def load_state_dict(self, state: Tensor) -> None:
        self.generator.set_state(state)


class OwnDraws:
    """What anybody's network draws from generators while it runs."""

    def __init__(self, network: ImportedNetwork):
        self.network = network

    def state_dict(self) -> list[Tensor]:
        return self.network.generator_states

    def load_state_dict(self, state: list[Tensor]) -> None:
        self.network.generator_states = state


def fit_sha256(
    target: Tensor,
    mask: Tensor,
    method: Method,
    seed: int,
    engine: tuple[str, str],
    shapes: list[list[int]],
) -> str:
    """Names a fit: a state of one is no state of another.

    target: the image with zeros in the hole; engine: name and precision; shapes: shapes of all
    tensors that iterations change.
    """
    described = [method_text(method), seed, engine, shapes]
    digest = hashlib.sha256(repr(described).encode())
    for tensor in (target, mask):
        digest.update(tensor.detach().to("cpu", torch.float32).contiguous().numpy().tobytes())
    return digest.hexdigest()


def check_state(
    state: object, name: str, parts: Mapping[str, Remembers], output_versions: Mapping[str, int]
) -> None:
    """Check that a state belongs to a fit and is complete.

    Args:
        state: the state to check.
        name: the fit's name, as `fit_sha256` returns it.
        parts: the parts of the fit.
        output_versions: the versions of its outputs, by label.

    Raises:
        StateError: the state belongs to another fit, or another version of this program wrote it.
    """
    if not isinstance(state, dict) or state.get("of") != name:
        raise StateError("the state is of another fit: of another image, mask, method or seed")
    first = {output.label: FIRST_VERSION for output in ALWAYS}
    saved_versions = state.get("output_versions", first)
    for output, version in output_versions.items():
        if (was := saved_versions.get(output, version)) != version:
            raise StateError(
                f"the state has version {was} of '{output}'; this program computes version"
                f" {version}"
            )
    missing = {"iteration", "seconds", "last", "parts"} - state.keys()
    missing = missing or parts.keys() - state["parts"].keys()
    if missing:
        raise StateError(f"the state lacks {', '.join(sorted(missing))}")


def load_parts(parts: Mapping[str, Remembers], state: State) -> None:
    """Load a state into the parts of a fit. The state is not changed.

    Args:
        parts: the parts by name.
        state: a state that `check_state` has accepted.

    Raises:
        StateError: another version of this program wrote a part; earlier parts are loaded by then.
    """
    for name, part in parts.items():
        try:
            part.load_state_dict(state["parts"][name])
        except (LookupError, TypeError, ValueError, RuntimeError) as error:
            raise StateError(f"the state of {name} is of another version ({error})") from None
