"""Presets: named methods with their source, kept as YAML in `dip/presets/`."""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from dip.errors import InputError, explain, unknown
from dip.options import Method, Options, PositiveInt
from dip.system.yaml import read_yaml

FOLDER = Path(__file__).parent


class Preset(Options):
    """A method with the name it goes by, where it comes from and what to expect of it."""

    name: str
    title: str
    source: str = Field(description="paper or code that the settings are taken from")
    deviations: tuple[str, ...] = Field((), description="where this differs from the source")
    expect: str = Field(description="cost, and score once measured")
    iterations: PositiveInt = Field(description="how long the source trains")
    method: Method


def preset_names() -> list[str]:
    """The names of all presets."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def load_preset(name: str) -> Preset:
    """The preset of that name; raises InputError with the nearest name if there is none."""
    if name not in preset_names():
        raise InputError(unknown("preset", name, preset_names()))
    path = FOLDER / f"{name}.yaml"
    try:
        content = read_yaml(path.read_text(encoding="utf-8"))
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None
    return Preset(name=name, **content)


# What chooses a kind: whatever was set of another kind does not hold for it.
KINDS = ("architecture.name", "architecture.import", "input.name", "optimizer.name")


def with_settings(method: Method, settings: Mapping[str, Any]) -> Method:
    """`method` with dotted settings changed: `{"architecture.channels": [16, 32]}`.

    Raises InputError that names the setting if it does not exist or its value does not fit.
    """
    for path in settings:
        if not isinstance(path, str):
            raise InputError(f"a setting is named by text, as 'learning_rate', not by {path!r}")
    if {"architecture.name", "architecture.import"} <= set(settings):
        raise InputError("architecture: a network has either a name or an import, not both")
    values = method.model_dump(by_alias=True)
    # The whole before its parts, and of these a kind first: it starts from its own defaults.
    for path in sorted(settings, key=lambda path: (path.count("."), path not in KINDS)):
        *parents, last = path.split(".")
        target = values
        for parent in parents:
            if parent not in target:
                raise InputError(unknown("setting", parent, target))
            if target[parent] is None:
                target[parent] = {}
            target = target[parent]
            if not isinstance(target, dict):
                raise InputError(f"'{parent}' has no settings inside; '{path}' names one")
        if path in KINDS and target.get(last) != settings[path]:
            target.clear()
        target[last] = deepcopy(settings[path])  # its parts may be changed in what follows
    try:
        return Method.model_validate(values)
    except ValidationError as error:
        raise InputError(explain(error, Method)) from None
