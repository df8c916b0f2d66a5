"""What is asked of a fit or a fill for a photo, checked before torch is imported."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from dip.errors import InputError, unknown
from dip.fills import FILLS, Fill
from dip.options import Method, RuleOptions, parse_rule
from dip.presets import load_preset, with_settings
from dip.system.yaml import read_yaml

PRESET = "photo"
STOP = "held-out"
HELD_OUT = 0.02  # of the known pixels, for the rule of that name where the method has none
PATIENCE = 500  # iterations without a better error of them
MOST = 10**9  # iterations or pixels: as good as without a bound
# What the longer side of a neighbourhood is fitted at, by the kind of device.
MAX_SIDES = {"cpu": 384, "cuda": 512}


# Options that a classical fill does not have.
ONLY_FOR_NETWORKS = (
    *("preset", "iterations", "stop", "max_side", "device", "look"),
    *("preview", "animation", "save_every", "resume"),
)


@dataclass(frozen=True)
class Request:
    """How a network fills holes. rule: what ends a fit before `iterations`; None for nothing.

    context, max_side: None for what suits hole and device. device: a torch device, or `auto`.
    """

    method: Method
    iterations: int
    seed: int
    rule: RuleOptions | None
    context: int | None
    max_side: int | None
    device: str


@dataclass(frozen=True)
class FillRequest:
    """How a classical fill fills holes. context: None for what suits the hole."""

    fill: Fill
    seed: int
    context: int | None


def make_request(
    preset: str,
    settings: Mapping[str, Any] | None,
    *,
    iterations: int | None,
    seed: int,
    stop: str,
    context: int | None,
    max_side: int | None,
    device: str,
) -> Request:
    """As `dip.inpaint` takes them; raises InputError that names what is wrong."""
    loaded = load_preset(preset)
    method = with_settings(loaded.method, settings or {})
    rule = parse_stop(stop)
    if rule is not None and rule.needs_held_out and not method.held_out:
        method = with_settings(method, {"held_out": HELD_OUT})
    _check_whole("iterations", iterations, 1)
    _check_whole("context", context, 1)
    _check_whole("max_side", max_side, 16)
    _check_seed(seed)
    if not isinstance(device, str) or not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,4})?", device):
        raise InputError(f"`device` {device}: use auto, cpu, cuda or cuda:N")
    bound = loaded.iterations if iterations is None else iterations
    return Request(method, bound, seed, rule, context, max_side, device)


def make_fill_request(
    name: str, settings: Mapping[str, Any] | None, *, seed: int, context: int | None
) -> FillRequest:
    """As `dip.inpaint` takes them; raises InputError that names what is wrong."""
    if name not in FILLS:
        raise InputError(unknown("fill", name, FILLS))
    _check_whole("context", context, 1)
    _check_seed(seed)
    return FillRequest(FILLS[name].with_settings(settings or {}), seed, context)


def check_for_fill(given: Iterable[str]) -> None:
    """Raises InputError if options were given that only networks have."""
    if refused := {*given} & {*ONLY_FOR_NETWORKS}:
        names = " and ".join(f"`{name}`" for name in ONLY_FOR_NETWORKS if name in refused)
        raise InputError(f"{names}: only for networks, and `fill` uses none; leave out either")


def _check_whole(name: str, value: object, least: int) -> None:
    if value is None:
        return
    if not (_is_whole(value) and value >= least):
        raise InputError(f"`{name}`: a whole number, at least {least}, not {value!r}")
    if value > MOST:
        raise InputError(f"`{name}`: a whole number, at most 10^9")


def _check_seed(seed: object) -> None:
    if not (_is_whole(seed) and 0 <= seed < 2**63):
        raise InputError(f"`seed`: a whole number from 0 to 2^63 - 1, not {seed!r}")


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def parse_stop(text: str) -> RuleOptions | None:
    """A stopping rule as it is labelled, `es-wmv` or `es-wmv[window=50,patience=none]`, or `none`.

    A rule of held-out pixels has the patience `PATIENCE` unless its settings name another.
    """
    if text == "none":
        return None
    match = re.fullmatch(r"([\w-]+)(?:\[(.*)\])?", text) if isinstance(text, str) else None
    if not match:
        raise InputError(f"`stop` {text}: a rule's name, as es-wmv or es-wmv[window=50], or none")
    name, inside = match.groups()
    settings: dict[str, Any] = {}
    for pair in filter(None, (inside or "").split(",")):
        key, is_pair, value = pair.partition("=")
        if not is_pair:
            raise InputError(f"`stop` {text}: '{pair}' is no setting; write {name}[{pair}=...]")
        settings[key.strip()] = parse_value(value)
    rule = parse_rule({name: settings})
    if rule.needs_held_out and "patience" not in settings:
        rule = parse_rule({name: {**settings, "patience": PATIENCE}})
    return rule


def parse_setting(text: str) -> tuple[str, Any]:
    """`key=value` of a method, as `learning_rate=0.01`; raises InputError."""
    key, is_pair, value = text.partition("=")
    if not is_pair or not key.strip():
        raise InputError(f"`set` {text}: a setting is key=value, as learning_rate=0.01")
    return key.strip(), parse_value(value)


def parse_value(text: str) -> Any:
    """A value as YAML has it: numbers, true, lists in brackets."""
    try:
        value = read_yaml(text)
    except InputError as error:
        raise InputError(
            f"'{text}' is no value ({error}); a list is [1, 2], text is as it is"
        ) from None
    return None if value == "none" else value
