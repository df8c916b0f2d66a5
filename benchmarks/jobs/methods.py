"""The methods of a suite: each line under `methods`, and what it expands to."""

from collections.abc import Callable, Collection, Iterator
from itertools import product
from typing import Annotated, Any
from unicodedata import normalize

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from datasets import DatasetError
from datasets.folder import is_one_line
from dip.errors import InputError, unknown
from dip.fills import FILLS
from dip.options import Method, Options, OutputOptions, PositiveInt, parse_output
from dip.presets import KINDS, load_preset, preset_names, with_settings


def _one_line(label: str) -> str:
    if not label.strip() or not is_one_line(label):
        raise ValueError(f"a label is text on one line, not {label!r}")
    return normalize("NFC", label)


ALL = "all"


def one_of(kind: str, names: Collection[str]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(unknown(kind, name, names))
        return name

    return AfterValidator(check)


def parsed(parse: Callable[[Any], Any]) -> BeforeValidator:
    def read(entry: Any) -> Any:
        try:
            return parse(entry)
        except (InputError, DatasetError) as error:
            raise ValueError(str(error)) from None

    return BeforeValidator(read)


class MethodEntry(Options):
    """One line under `methods`: a fill, all fills, or a preset with settings changed or swept.

    Attributes:
        iterations: its last one, where that is not the suite's.
        images: the suite's images that it runs on, where that is not all; it is then not ranked.
        reproduces: the method of published figures that the report puts beside this one's, where
            the image set has some and the hole is its own.
        output: the one that stands for this method; its fits have it besides the suite's.
    """

    fill: Annotated[str, one_of("fill", (*FILLS, ALL))] | None = None
    preset: Annotated[str, one_of("preset", preset_names())] | None = None
    label: Annotated[str, AfterValidator(_one_line)] | None = None
    iterations: PositiveInt | None = None
    images: list[str] | None = Field(None, min_length=1)
    reproduces: str | None = None
    output: Annotated[OutputOptions | None, parsed(parse_output)] = None
    set: dict[str, Any] = Field({})
    sweep: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field({})

    @model_validator(mode="after")
    def _one_of_two(self) -> "MethodEntry":
        if (self.fill is None) == (self.preset is None):
            raise ValueError("a method is either a fill or a preset; name one of them")
        if self.fill is not None and (self.set or self.sweep or self.reproduces):
            raise ValueError("a fill has nothing to set, sweep or reproduce")
        if self.fill is not None and self.output is not None:
            raise ValueError("a fill has one output; leave out the key 'output'")
        if self.fill is not None and self.iterations is not None:
            raise ValueError("a fill has no iterations; leave them out")
        if self.fill == ALL and self.label is not None:
            raise ValueError("all fills have their own names; leave the label out")
        return self

    def expand(self) -> Iterator[tuple[str, Method | str]]:
        """Each label with its method, or with the name of its fill."""
        if self.fill is not None:
            for name in FILLS if self.fill == ALL else [self.fill]:
                yield self.label or name, name
            return
        assert self.preset is not None
        base = load_preset(self.preset).method
        for values in product(*self.sweep.values()):
            swept = dict(zip(self.sweep, values, strict=True))
            settings = ",".join(f"{_last(path)}={_short(v)}" for path, v in swept.items())
            label = (self.label or self.preset) + (f"[{settings}]" if settings else "")
            yield label, with_settings(base, {**self.set, **swept})


def culprit(entry: MethodEntry) -> str:
    """Which of an entry's keys does not fit its preset."""
    assert entry.preset is not None
    try:
        with_settings(load_preset(entry.preset).method, entry.set)
    except InputError:
        return "set"
    return "sweep"


def _last(path: str) -> str:
    """A swept setting as it stands in a label: `channels`, `input.channels`, `optimizer`."""
    if path in KINDS:
        return path.partition(".")[0]
    return path.removeprefix("architecture.")


def _short(value: Any) -> str:
    """A swept value as it stands in a label: `0.01`, `16-32-64`, and `32x5` for five times 32."""
    if isinstance(value, dict):
        return f"({' '.join(f'{key}={_short(each)}' for key, each in value.items())})"
    if value is None:
        return "none"
    if not isinstance(value, list | tuple):
        return str(value)
    if len(value) > 1 and all(each == value[0] for each in value):
        return f"{value[0]}x{len(value)}"
    return "-".join(map(str, value))
