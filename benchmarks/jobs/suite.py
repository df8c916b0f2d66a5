"""A suite: the YAML that names images, holes, methods, iteration counts and seeds.

Reading one checks everything that can be checked without fitting, and imports neither torch nor
any other slow package.
"""

from collections.abc import Callable, Collection, Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, Any
from unicodedata import normalize

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from benchmarks.metrics import METRICS
from benchmarks.system.files import to_json
from datasets import DatasetError, Mask, parse_mask
from datasets.folder import is_one_line
from dip.errors import InputError, explain, unknown
from dip.fills import FILLS
from dip.options import (
    EngineName,
    Method,
    Options,
    PositiveInt,
    Precision,
    RuleOptions,
    Seed,
    parse_rule,
)
from dip.options.canonical import canonical
from dip.presets import KINDS, load_preset, preset_names, with_settings
from dip.system.yaml import read_yaml

FOLDER = Path(__file__).parents[1] / "suites"


class Folder(Options):
    """A dataset that is a folder of images; a relative path starts at the suite's own folder."""

    folder: Path


def _one_line(label: str) -> str:
    if not label.strip() or not is_one_line(label):
        raise ValueError(f"a label is text on one line, not {label!r}")
    return normalize("NFC", label)


ALL = "all"


def _one_of(kind: str, names: Collection[str]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(unknown(kind, name, names))
        return name

    return AfterValidator(check)


def _parsed(parse: Callable[[Any], Any]) -> BeforeValidator:
    def read(entry: Any) -> Any:
        try:
            return parse(entry)
        except (InputError, DatasetError) as error:
            raise ValueError(str(error)) from None

    return BeforeValidator(read)


def _parse_dataset(entry: Any) -> Any:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, dict) and list(entry) == ["folder"] and isinstance(entry["folder"], str):
        return Folder(folder=Path(entry["folder"]))
    raise ValueError(f"a dataset is a name, as 'scikit-image', or 'folder: path', not {entry!r}")


class MethodEntry(Options):
    """One line under `methods`: a fill, all fills, or a preset with settings changed or swept.

    reproduces: the method of published figures that the report puts beside this one's, where the
    image set has some and the hole is its own.
    """

    fill: Annotated[str, _one_of("fill", (*FILLS, ALL))] | None = None
    preset: Annotated[str, _one_of("preset", preset_names())] | None = None
    label: Annotated[str, AfterValidator(_one_line)] | None = None
    reproduces: str | None = None
    set: dict[str, Any] = Field({})
    sweep: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field({})

    @model_validator(mode="after")
    def _one_of_two(self) -> "MethodEntry":
        if (self.fill is None) == (self.preset is None):
            raise ValueError("a method is either a fill or a preset; name one of them")
        if self.fill is not None and (self.set or self.sweep or self.reproduces):
            raise ValueError("a fill has nothing to set, sweep or reproduce")
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


class Suite(Options):
    """What to run; `load_suite` reads one."""

    name: str = Field(exclude=True)  # no key of the file, but its name without the ending
    file: str = Field(exclude=True)  # the file's name, for messages
    title: str = ""
    expect: str = Field("", description="what it costs to run")
    dataset: Annotated[str | Folder, BeforeValidator(_parse_dataset)]
    images: list[str] | None = Field(None, min_length=1)
    size: PositiveInt | None = Field(None, description="centre square resized; none = as it is")
    masks: list[Annotated[Mask, _parsed(parse_mask)]] = Field(min_length=1)
    methods: list[MethodEntry] = Field(min_length=1)
    iterations: list[PositiveInt] = Field(min_length=1)
    seeds: list[Seed] = Field([0], min_length=1)
    rules: list[Annotated[RuleOptions, _parsed(parse_rule)]] = Field(
        [parse_rule("es-wmv"), parse_rule("es-emv")],
        description="stopping rules; where a method has held_out, held-out too",
    )
    engine: EngineName = Field("fast", description="plain: the loop that others are measured by")
    precision: Precision = Field("float32", description="tf32, bfloat16: faster where there is")
    deterministic: bool = Field(False, description="kernels that compute the same every time only")
    metrics: list[Annotated[str, _one_of("metric", METRICS)]] = Field(list(METRICS), min_length=1)

    def place(self, label: str) -> str:
        """Where in the file the method of that label stands."""
        (index,) = [
            index
            for index, entry in enumerate(self.methods)
            if label in (each for each, _ in entry.expand())
        ]
        return f"{self.file}: methods[{index}]"

    def rules_for(self, method: Method) -> tuple[RuleOptions, ...]:
        """The stopping rules that follow the fits of a method."""
        usable = [rule for rule in self.rules if method.held_out or not rule.needs_held_out]
        if method.held_out and all(rule.name != "held-out" for rule in usable):
            usable.append(parse_rule("held-out"))
        return tuple(usable)

    @field_validator("rules", "images", "iterations", "seeds", "metrics")
    @classmethod
    def _no_repeats(cls, values: list[Any] | None) -> list[Any] | None:
        names = [getattr(value, "label", value) for value in values or ()]
        names = [normalize("NFC", name) if isinstance(name, str) else name for name in names]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} is named twice")
        return values


def suite_names() -> list[str]:
    """The names of the suites that come with the project."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find_suite(name_or_path: str) -> Path:
    """The file of that suite, or of the one of that name in `benchmarks/suites`."""
    is_path = "/" in name_or_path or name_or_path.endswith((".yaml", ".yml"))
    return Path(name_or_path) if is_path else FOLDER / f"{name_or_path}.yaml"


def load_suite(name_or_path: str) -> Suite:
    """The suite of that name in `benchmarks/suites`, or in that file.

    Raises InputError with file, key and reason if it is not as a suite must be.
    """
    path = find_suite(name_or_path)
    try:
        content = read_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if path.parent == FOLDER:
            raise InputError(unknown("suite", path.stem, suite_names())) from None
        raise InputError(f"{path}: there is no such suite file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None
    except ValueError:
        raise InputError(f"{str(path)!r}: is no path of a file") from None
    if not isinstance(content, dict):
        raise InputError(
            f"{path.name}: a suite is 'key: value' lines, as in {FOLDER.name}/quick.yaml"
        )
    if path.stem == "runs":
        raise InputError(f"{path.name}: 'runs' is the store's own folder; name the suite otherwise")
    for key in ("name", "file"):
        if key in content:
            raise InputError(f"{path.name}: unknown key '{key}'; a suite is named by its file")
    try:
        suite = Suite.model_validate(
            {"title": path.stem, **content, "name": path.stem, "file": path.name}
        )
        _check_methods(suite)
        _check_masks(suite)
    except ValidationError as error:
        raise InputError(f"{path.name}: {explain(error, Suite)}") from None
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None
    updates: dict[str, Any] = {"masks": [mask.within(path.parent) for mask in suite.masks]}
    if isinstance(suite.dataset, Folder):
        updates["dataset"] = Folder(folder=path.parent / suite.dataset.folder)
    return suite.model_copy(update=updates)


def _check_methods(suite: Suite) -> None:
    """Expand every method once, so that a wrong setting is found with its place."""
    labels: dict[str, int] = {}
    same: dict[str, str] = {}  # by what a method computes, the label it has first
    for index, entry in enumerate(suite.methods):
        try:
            expanded = list(entry.expand())
        except InputError as error:
            raise InputError(f"methods[{index}].{_culprit(entry)}: {error}") from None
        for label, method in expanded:
            if not is_one_line(label):
                raise InputError(
                    f"methods[{index}].sweep: a value of more than one line: {label!r}"
                )
            if labels.setdefault(label, index) != index:
                raise InputError(
                    f"methods[{index}]: a second method named '{label}'; give one a label"
                )
            computed = method if isinstance(method, str) else to_json(canonical(method))
            first = same.setdefault(computed, label)
            other = suite.methods[labels[first]]
            is_meant = other is not entry and (other.label or entry.label)
            if first != label and not is_meant:
                raise InputError(
                    f"methods[{index}]: '{first}' and '{label}' are the same method; leave one out"
                )
        if len(names := [label for label, _ in expanded]) > len({*names}):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"methods[{index}].sweep: '{twice}' is named twice")
    if any(rule.needs_held_out for rule in suite.rules) and not any(
        isinstance(method, Method) and method.held_out
        for entry in suite.methods
        for _, method in entry.expand()
    ):
        raise InputError("rules: held-out needs a method with `set: {held_out: 0.05}`")


def _check_masks(suite: Suite) -> None:
    masks: set[str] = set()
    for index, mask in enumerate(suite.masks):
        if mask.label in masks:
            raise InputError(f"masks[{index}]: a second hole named '{mask.label}'")
        masks.add(mask.label)


def _culprit(entry: MethodEntry) -> str:
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
