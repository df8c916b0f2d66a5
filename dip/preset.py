"""Presets: named methods with their source, kept as YAML in `dip/presets/`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, PositiveInt, ValidationError

from dip.errors import InputError, explain, unknown
from dip.options import Method, Options

FOLDER = Path(__file__).parent / "presets"


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
    content = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return Preset(name=name, **content)


def with_settings(method: Method, settings: Mapping[str, Any]) -> Method:
    """`method` with dotted settings changed: `{"architecture.channels": [16, 32]}`.

    Raises InputError that names the setting if it does not exist or its value does not fit.
    """
    values = method.model_dump()
    for path, value in settings.items():
        *parents, last = path.split(".")
        target = values
        for depth, parent in enumerate(parents):
            inner = target.get(parent)
            if not isinstance(inner, dict):
                raise InputError(f"'{'.'.join(parents[: depth + 1])}' has no settings inside")
            target = inner
        target[last] = value
    try:
        return Method.model_validate(values)
    except ValidationError as error:
        raise InputError(explain(error, Method)) from None
