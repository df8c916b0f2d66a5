"""A suite: the YAML that names images, holes, methods, iteration counts and seeds.

Reading one checks everything that can be checked without fitting, and imports neither torch nor
any other slow package.
"""

from pathlib import Path
from typing import Annotated, Any
from unicodedata import normalize

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from benchmarks.jobs.methods import MethodEntry, canonical_method, one_of, parsed
from benchmarks.jobs.question import Question
from benchmarks.jobs.seeds import PerImage, SuiteSeed, parse_seeds
from benchmarks.metrics import METRICS
from benchmarks.store.asked import Asked
from benchmarks.system.files import to_json
from datasets import Image, Mask, parse_mask
from datasets.folder import is_one_line
from dip.errors import InputError, explain, unknown
from dip.options import (
    EngineName,
    Method,
    Options,
    OutputOptions,
    PositiveInt,
    Precision,
    RuleOptions,
    parse_output,
    parse_rule,
)
from dip.options.outputs import ALWAYS
from dip.system.yaml import read_yaml

FOLDER = Path(__file__).parents[1] / "suites"
ALL_HOLES = "all holes"  # a column of tables


class Folder(Options):
    """A dataset that is a folder of images; a relative path starts at the suite's own folder."""

    folder: Path


def _parse_dataset(entry: Any) -> Any:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, dict) and list(entry) == ["folder"] and isinstance(entry["folder"], str):
        return Folder(folder=Path(entry["folder"]))
    raise ValueError(f"a dataset is a name, as 'scikit-image', or 'folder: path', not {entry!r}")


class Suite(Options):
    """What to run; `load_suite` reads one."""

    name: str = Field(exclude=True)  # no key of the file, but its name without the ending
    file: str = Field(exclude=True)  # the file's name, for messages
    text: str = Field("", exclude=True)  # what the file holds, for readers of the results
    title: str = ""
    expect: str = Field("", description="what it costs to run")
    dataset: Annotated[str | Folder, BeforeValidator(_parse_dataset)]
    images: list[str] | None = Field(None, min_length=1)
    size: PositiveInt | None = Field(None, description="centre square resized; none = as it is")
    crop: PositiveInt | None = Field(None, description="centre square at full resolution")
    masks: list[Annotated[Mask, parsed(parse_mask)]] = Field(min_length=1)
    methods: list[MethodEntry] = Field(min_length=1)
    iterations: list[PositiveInt] = Field([], description="checkpoints of each network's fits")
    seeds: Annotated[list[SuiteSeed] | None, BeforeValidator(parse_seeds)] = Field(
        None, min_length=1, description="the same for all images, or per-image"
    )
    rules: list[Annotated[RuleOptions, parsed(parse_rule)]] = Field(
        [parse_rule("es-wmv"), parse_rule("es-emv")],
        description="stopping rules; where a method has held_out, held-out too",
    )
    outputs: list[Annotated[OutputOptions, parsed(parse_output)]] = Field(
        [*ALWAYS],
        min_length=1,
        description="outputs of each fit that are scored",
    )
    engine: EngineName = Field("fast", description="plain: the loop that others are measured by")
    precision: Precision = Field("float32", description="tf32, bfloat16: faster where there is")
    deterministic: bool = Field(False, description="kernels that compute the same every time only")
    metrics: list[Annotated[str, one_of("metric", METRICS)]] = Field(list(METRICS), min_length=1)
    question: Question | None = Field(None, description="the comparisons that get a verdict")

    @property
    def asked(self) -> Asked | None:
        """The question with its planned comparisons; raises InputError if it does not fit."""
        if self.question is None:
            return None
        networks: dict[str, str | None] = {}
        fills: list[str] = []
        partial: list[str] = []
        for entry in self.methods:
            labels = [label for label, _ in entry.expand()]
            if entry.images is not None:
                partial += labels
            elif entry.preset is None:
                fills += labels
            else:
                networks |= dict.fromkeys(labels, entry.output.label if entry.output else None)
        outputs = [output.label for output in self.outputs]
        return self.question.resolve(
            networks, fills, partial=partial, outputs=outputs, metrics=self.metrics
        )

    def place(self, label: str) -> str:
        """Where in the file the method of that label stands."""
        (index,) = [
            index
            for index, entry in enumerate(self.methods)
            if label in (each for each, _ in entry.expand())
        ]
        return f"{self.file}: methods[{index}]"

    @property
    def asked_seeds(self) -> list[int | PerImage]:
        """The seeds of the file; without any, 0 for all images, or per image for a question."""
        if self.seeds is None:
            return [0] if self.question is None else [PerImage(0)]
        return self.seeds

    def seeds_for(self, image: Image) -> list[int]:
        """The seeds of the jobs of an image."""
        return [seed.of(image) if isinstance(seed, PerImage) else seed for seed in self.asked_seeds]

    def checkpoints(self, entry: MethodEntry) -> tuple[int, ...]:
        """The iterations at which a method's outputs are kept, ascending; 0 for a fill.

        Those of the suite, in the same proportions where the method has a last iteration of its
        own; checkpoints that round to the same iteration are one.
        """
        if entry.preset is None:
            return (0,)
        *_, last = asked = sorted(self.iterations)
        own = entry.iterations or last
        return tuple(sorted({max(1, round(own * each / last)) for each in asked}))

    def rules_for(self, method: Method) -> tuple[RuleOptions, ...]:
        """The stopping rules that follow the fits of a method."""
        usable = [rule for rule in self.rules if method.held_out or not rule.needs_held_out]
        if method.held_out and all(rule.name != "held-out" for rule in usable):
            usable.append(parse_rule("held-out"))
        return tuple(usable)

    def outputs_for(self, entry: MethodEntry) -> tuple[OutputOptions, ...]:
        """The outputs that are scored of the fits of a method."""
        own = [] if entry.output is None else [entry.output]
        return tuple(dict.fromkeys((*self.outputs, *own)))

    @model_validator(mode="after")
    def _iterations_of_networks(self) -> "Suite":
        if not self.iterations and any(entry.preset is not None for entry in self.methods):
            raise ValueError("missing 'iterations', which networks are fitted for; add [500, 1000]")
        return self

    @model_validator(mode="after")
    def _one_square(self) -> "Suite":
        if self.size is not None and self.crop is not None:
            raise ValueError("crop and size exclude each other; leave one out")
        return self

    @field_validator("rules", "outputs", "images", "iterations", "seeds", "metrics")
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
        text = path.read_text(encoding="utf-8")
        content = read_yaml(text)
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
    for key in ("name", "file", "text"):
        if key in content:
            raise InputError(f"{path.name}: unknown key '{key}'; a suite is named by its file")
    try:
        suite = Suite.model_validate(
            {"title": path.stem, **content, "name": path.stem, "file": path.name, "text": text}
        )
        _check_methods(suite)
        _check_outputs(suite)
        _check_masks(suite)
        _ = suite.asked
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
            raise InputError(f"methods[{index}].{entry.culprit()}: {error}") from None
        for label, method in expanded:
            if not is_one_line(label):
                raise InputError(
                    f"methods[{index}].sweep: a value of more than one line: {label!r}"
                )
            if labels.setdefault(label, index) != index:
                raise InputError(
                    f"methods[{index}]: a second method named '{label}'; give one a label"
                )
            computed = to_json(canonical_method(method))
            first = same.setdefault(computed, label)
            other = suite.methods[labels[first]]
            is_meant = other is not entry and (other.label or entry.label)
            if first != label and not is_meant:
                raise InputError(
                    f"methods[{index}]: '{first}' and '{label}' are the same method; leave one out"
                )
            if suite.checkpoints(other) != suite.checkpoints(entry):
                raise InputError(
                    f"methods[{index}].iterations: '{first}' and '{label}' are one fit, which has"
                    " one list of checkpoints; give both the same iterations, or leave one out"
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


def _check_outputs(suite: Suite) -> None:
    """That every mean begins before the fits end."""
    for index, entry in enumerate(suite.methods):
        last = max(suite.checkpoints(entry))
        for output in suite.outputs_for(entry) if entry.preset is not None else ():
            if output.first_iteration > last:
                where = f"methods[{index}].output"
                if output in suite.outputs:
                    where = f"outputs[{suite.outputs.index(output)}]"
                raise InputError(
                    f"{where}: {output.label} begins after the last iteration of methods[{index}],"
                    f" which is {last}; begin earlier, or fit longer"
                )


def _check_masks(suite: Suite) -> None:
    masks: set[str] = set()
    for index, mask in enumerate(suite.masks):
        if mask.label == ALL_HOLES:
            raise InputError(f"masks[{index}]: label: '{ALL_HOLES}' is what tables call their mean")
        if mask.label in masks:
            raise InputError(f"masks[{index}]: a second hole named '{mask.label}'")
        masks.add(mask.label)
