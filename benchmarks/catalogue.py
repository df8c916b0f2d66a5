"""Everything that a suite can name, described from the code itself."""

from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from benchmarks.fills import FILLS
from benchmarks.metrics import METRICS
from benchmarks.suite import load_suite, suite_names
from datasets import MASKS, load_manifest, manifest_names
from dip.options import (
    RULES,
    Backtracking,
    InputOptions,
    Method,
    NetworkOptions,
    OptimizerOptions,
    StepSchedule,
)
from dip.preset import load_preset, preset_names


def lines() -> Iterator[str]:
    """The catalogue, one entry or option a line."""
    yield "Suites"
    for name in suite_names():
        suite = load_suite(name)
        yield f"  {name}: {suite.title} ({suite.expect})"
    yield "Image sets"
    for name in manifest_names():
        manifest = load_manifest(name)
        yield f"  {name}: {manifest.title}: {', '.join(manifest.images)}"
    yield "Networks (architecture.name)"
    for model in get_args(NetworkOptions):
        yield from _options(model)
    yield "Inputs (input.name)"
    for model in get_args(InputOptions):
        yield from _options(model)
    yield "Optimisers (optimizer.name)"
    for model in get_args(OptimizerOptions):
        yield from _options(model)
    yield "Other settings of a method"
    yield from _fields(Method, leave_out=("architecture", "input"))
    yield f"  schedule, where there is one: {_sentence(StepSchedule)}"
    yield from _fields(StepSchedule)
    yield f"  backtracking, where there is one: {_sentence(Backtracking)}"
    yield from _fields(Backtracking)
    yield "Presets"
    for name in preset_names():
        preset = load_preset(name)
        yield f"  {name}: {preset.title}; {preset.iterations} iterations; {preset.expect}"
        yield f"      from {preset.source}"
        for deviation in preset.deviations:
            yield f"      deviation: {deviation}"
    yield "Holes"
    for kind, mask in MASKS.items():
        yield f"  {kind}: {_sentence(mask)}"
        yield from _fields(mask)
    yield "Stopping rules"
    for rule in RULES.values():
        yield from _options(rule)
    yield "Fills"
    for name, fill in FILLS.items():
        yield f"  {name}: {_first_line(fill.fill.__doc__)} From {fill.source}"
    yield "Metrics"
    for name, metric in METRICS.items():
        yield f"  {name}: {metric.better} is better; from {metric.minimum_side} pixels a side"


def _options(model: type[BaseModel]) -> Iterator[str]:
    yield f"  {model.model_fields['name'].default}: {_sentence(model)}"
    yield from _fields(model, leave_out=("name",))


def _fields(model: type[BaseModel], leave_out: tuple[str, ...] = ()) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name not in leave_out:
            what = f"{field.description}{_choices(field)}"
            yield f"      {field.alias or name} = {_default(field)}: {what}"


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


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]
