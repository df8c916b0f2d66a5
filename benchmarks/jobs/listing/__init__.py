"""Everything that a suite can name, described from the code itself: `dip-bench list`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from benchmarks.jobs.suite import load_suite, suite_names
from benchmarks.metrics import METRICS
from datasets import MASKS, load_manifest, manifest_names
from dip.errors import InputError, unknown
from dip.fills import FILLS, Fill
from dip.options import (
    INPUTS,
    NETWORKS,
    OPTIMIZERS,
    OUTPUTS,
    RULES,
    Backtracking,
    Method,
    StepSchedule,
)
from dip.presets import load_preset, preset_names


@dataclass(frozen=True)
class Entry:
    """Something that a suite can name. options: lines on what can be set, or what it contains."""

    name: str
    summary: str
    options: tuple[str, ...] = ()


def lines(
    kind: str | None = None, name: str | None = None, *, everything: bool = False
) -> Iterator[str]:
    """The names of all kinds; one kind, an entry a line; or one entry with its options.

    everything: with all options, of one kind or of all kinds. Raises InputError for an unknown
    name.
    """
    if kind is not None and kind not in KINDS:
        raise InputError(unknown("kind", kind, KINDS))
    if everything and name is None:
        for title, _, entries in KINDS.values() if kind is None else [KINDS[kind]]:
            yield title
            for entry in entries():
                yield f"  {entry.name}: {entry.summary}"
                yield from (f"      {option}" for option in entry.options)
    elif kind is None:
        for each, (_, _, entries) in KINDS.items():
            yield f"{each}: {', '.join(entry.name for entry in entries())}"
        yield "`dip-bench list KIND` says what each is, `list KIND NAME` what can be set"
    else:
        title, singular, entries = KINDS[kind]
        found = {entry.name: entry for entry in entries()}
        if name is None:
            yield title
            for entry in found.values():
                yield f"  {entry.name}: {_first_sentence(entry.summary)}"
        elif name not in found:
            raise InputError(unknown(singular, name, found))
        else:
            yield f"{name}: {found[name].summary}"
            yield from (f"  {option}" for option in found[name].options)


def _suites() -> Iterator[Entry]:
    for name in suite_names():
        suite = load_suite(name)
        yield Entry(name, suite.title, (suite.expect,))


def _image_sets() -> Iterator[Entry]:
    for name in manifest_names():
        manifest = load_manifest(name)
        yield Entry(name, manifest.title, (f"images: {', '.join(manifest.images)}",))


def _presets() -> Iterator[Entry]:
    for name in preset_names():
        preset = load_preset(name)
        yield Entry(
            name,
            f"{preset.title}; {preset.iterations} iterations",
            (
                preset.expect,
                f"from {preset.source}",
                *(f"deviation: {each}" for each in preset.deviations),
            ),
        )


def _settings() -> Iterator[Entry]:
    parts: dict[str, type[BaseModel]] = {"schedule": StepSchedule, "backtracking": Backtracking}
    for name, field in Method.model_fields.items():
        if name in parts:
            yield Entry(name, f"{_sentence(parts[name])} (default: none)", _fields(parts[name]))
        elif name not in ("architecture", "input"):
            default = "required" if field.is_required() else f"default: {_default(field)}"
            yield Entry(name, f"{field.description}{_choices(field)} ({default})")


def _fill(fill: Fill) -> Entry:
    cost = [f"cost: {fill.cost}"] if fill.cost else []
    named = ["not part of `fill: all`"] if fill.slow else []
    summary = f"{fill.summary} From {fill.source}"
    return Entry(fill.name, summary, (*_fields(type(fill.options)), *cost, *named))


def _of(models: Iterable[type[BaseModel]]) -> Callable[[], Iterator[Entry]]:
    """Entries of options that have their name as a field."""

    def entries() -> Iterator[Entry]:
        for model in models:
            name = model.model_fields["name"].default
            yield Entry(name, _sentence(model), _fields(model))

    return entries


# By kind: its title, what one of it is called, and what makes its entries.
KINDS: dict[str, tuple[str, str, Callable[[], Iterator[Entry]]]] = {
    "suites": ("Suites", "suite", _suites),
    "images": ("Image sets", "image set", _image_sets),
    "networks": ("Networks (architecture.name)", "network", _of(NETWORKS.values())),
    "inputs": ("Inputs (input.name)", "input", _of(INPUTS.values())),
    "optimizers": ("Optimizers (optimizer.name)", "optimizer", _of(OPTIMIZERS.values())),
    "settings": ("Other settings of a method", "setting", _settings),
    "presets": ("Presets", "preset", _presets),
    "holes": (
        "Holes",
        "hole",
        lambda: (Entry(name, _sentence(each), _fields(each)) for name, each in MASKS.items()),
    ),
    "rules": ("Stopping rules", "rule", _of(RULES.values())),
    "outputs": ("Outputs of a fit", "output", _of(OUTPUTS.values())),
    "fills": (
        "Fills",
        "fill",
        lambda: (_fill(fill) for fill in FILLS.values()),
    ),
    "metrics": (
        "Metrics",
        "metric",
        lambda: (
            Entry(name, f"{metric.better} is better; from {metric.minimum_side} pixels a side")
            for name, metric in METRICS.items()
        ),
    ),
}


def _fields(model: type[BaseModel]) -> tuple[str, ...]:
    """A line on each option but the name."""
    return tuple(
        f"{field.alias or name} = {_default(field)}: {field.description}{_choices(field)}"
        for name, field in model.model_fields.items()
        if name != "name"
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(required)"
    if isinstance(field.default, tuple):
        return str(list(field.default))
    if isinstance(field.default, BaseModel):
        return str(field.default.model_dump()["name"])
    return str(field.default)


def _choices(field: FieldInfo) -> str:
    choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    return f" ({' or '.join(choices)})" if choices else ""


def _sentence(model: type[BaseModel]) -> str:
    """The docstring on one line."""
    return " ".join((model.__doc__ or "").split())


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".")
