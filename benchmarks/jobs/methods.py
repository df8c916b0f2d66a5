"""The methods of a suite: each line under `methods`, and what it expands to."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any
from unicodedata import normalize

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from datasets import DatasetError
from datasets.folder import is_one_line
from dip.errors import InputError, unknown
from dip.fills import FILLS, Fill
from dip.options import Method, Options, OutputOptions, PositiveInt, parse_output
from dip.options.canonical import canonical
from dip.presets import KINDS, load_preset, preset_names, with_settings


def _one_line(label: str) -> str:
    if not label.strip() or not is_one_line(label):
        raise ValueError(f"a label is text on one line, not {label!r}")
    return normalize("NFC", label)


ALL = "all"  # the fills that take under a second at 128 pixels


@dataclass(frozen=True)
class Published:
    """The pictures that a method's authors have published of the images of a set.

    name: the method's name in the manifest of the set.
    """

    name: str


AnyMethod = Method | Fill | Published


def canonical_method(method: AnyMethod) -> dict[str, Any]:
    """The method as keys of runs contain it, JSON-compatible."""
    if isinstance(method, Method):
        return canonical(method)
    return method.canonical if isinstance(method, Fill) else {"published": method.name}


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


def _known_fills(given: Any) -> Any:
    """Check a name or a list of names in one: of a union, pydantic tells what each part says."""
    if given is None or given == ALL:
        return given
    names = given if isinstance(given, list) else [given]
    if not names:
        raise ValueError(f"an empty list; name fills, or {ALL}")
    for name in names:
        if name == ALL:
            raise ValueError(f"'{ALL}' is no part of a list; give it a line of its own")
        if name not in [*FILLS]:  # a list: what YAML has here need not be hashable
            raise ValueError(unknown("fill", name, (*FILLS, ALL)))
        if names.count(name) > 1:
            raise ValueError(f"'{name}' is named twice")
    return given


class MethodEntry(Options):
    """One line under `methods`: fills, a preset, or published pictures.

    Attributes:
        fill: the name of a fill, a list of names, or `all`: those that are not slow.
        preset: the preset that a network is fitted by.
        published: the method whose published pictures are scored, as the image set names it.
        label: how tables name the method.
        iterations: its last one, where that is not the suite's.
        images: the suite's images that it runs on, where that is not all; it is then not ranked.
        reproduces: the method of published figures that the report puts beside this one's, where
            the image set has some and the hole is its own.
        output: the one that stands for this method; its fits have it besides the suite's.
        set: settings of the preset or options of the fill, by name.
        sweep: the same with a list of values each; every combination is a method.
    """

    fill: Annotated[str | list[str] | None, BeforeValidator(_known_fills)] = None
    preset: Annotated[str, one_of("preset", preset_names())] | None = None
    published: str | None = None
    label: Annotated[str, AfterValidator(_one_line)] | None = None
    iterations: PositiveInt | None = None
    images: list[str] | None = Field(None, min_length=1)
    reproduces: str | None = None
    output: Annotated[OutputOptions | None, parsed(parse_output)] = None
    set: dict[str, Any] = Field({})
    sweep: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field({})

    @model_validator(mode="after")
    def _one_of_three(self) -> "MethodEntry":
        kinds = [self.fill, self.preset, self.published]
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("a method is a fill, a preset or published; name one of them")
        if self.preset is not None:
            return self
        what = "a fill" if self.fill is not None else "a published picture"
        if self.reproduces:
            raise ValueError(f"{what} reproduces nothing; leave out the key 'reproduces'")
        if self.output is not None:
            raise ValueError(f"{what} has one output; leave out the key 'output'")
        if self.iterations is not None:
            raise ValueError(f"{what} has no iterations; leave them out")
        if (self.set or self.sweep) and self.published is not None:
            raise ValueError("a published picture has nothing to set or sweep")
        if (self.set or self.sweep) and len(self.fills) != 1:
            raise ValueError("set and sweep are of one preset or one fill; name one in each line")
        if self.label is not None and (self.fill == ALL or len(self.fills) > 1):
            raise ValueError("several fills have their own names; leave the label out")
        return self

    @property
    def fills(self) -> list[str]:
        """The names of its fills."""
        if self.fill == ALL:
            return [name for name, fill in FILLS.items() if not fill.slow]
        return [self.fill] if isinstance(self.fill, str) else [*(self.fill or ())]

    def expand(self) -> Iterator[tuple[str, AnyMethod]]:
        """Each label with its method; raises InputError for a setting that does not fit."""
        if self.published is not None:
            yield self.label or self.published, Published(self.published)
            return
        for name in self.fills if self.preset is None else [self.preset]:
            for values in product(*self.sweep.values()):
                swept = dict(zip(self.sweep, values, strict=True))
                settings = ",".join(f"{_last(path)}={_short(v)}" for path, v in swept.items())
                label = (self.label or name) + (f"[{settings}]" if settings else "")
                yield label, self._with(name, {**self.set, **swept})

    def _with(self, name: str, settings: dict[str, Any]) -> Method | Fill:
        """The fill or preset of that name with these settings."""
        if self.preset is None:
            return FILLS[name].with_settings(settings)
        return with_settings(load_preset(name).method, settings)

    def culprit(self) -> str:
        """Which of the keys does not fit the fill or preset: `set` or `sweep`."""
        try:
            self._with(self.preset or self.fills[0], self.set)
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
