"""What a run folder says of itself: `record.json`."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from dip.options import AnyRule, OutputOptions, RuleOptions, parse_output
from dip.options.outputs import ALWAYS, FIRST_VERSION


class SavedStop(BaseModel):
    """What a stopping rule would have kept if the fit had ended at a checkpoint.

    iteration: the one it chose, whose output is the file `stop-<rule>-<iteration>.png`; stopped_at:
    the one at which its patience was out, if it was; out_of_range: as of `Saved`.
    """

    model_config = ConfigDict(frozen=True)

    iteration: int
    stopped_at: int | None
    out_of_range: float


class Saved(BaseModel):
    """One checkpoint: its outputs are the files `<output>-<iteration>.png`.

    out_of_range: of each output the share of hole pixels with a channel outside [0, 1] before it
    was clamped; stops: by the rule's label; seconds: None of a published picture.
    """

    model_config = ConfigDict(frozen=True)

    iteration: int
    outputs: tuple[str, ...]
    loss: float | None
    seconds: float | None
    out_of_range: dict[str, float] = {}
    stops: dict[str, SavedStop] = {}


class Timing(BaseModel):
    """Milliseconds per iteration after the warm-up, and seconds of all iterations together.

    Of a published picture no time is known.
    """

    model_config = ConfigDict(frozen=True)

    seconds: float | None
    warm_up_iterations: int = 0
    milliseconds_median: float | None = None
    milliseconds_p10: float | None = None
    milliseconds_p90: float | None = None
    peak_memory_mib: float | None = None


class Continued(BaseModel):
    """Where a fit went on from its saved state, and what had computed it until then."""

    model_config = ConfigDict(frozen=True)

    after: int
    git_revision: str
    git_dirty: bool | None
    workers: int


class Record(BaseModel):
    """What a run folder says of itself.

    status: `unfinished` while the fit is on its way. suite, job: on whose behalf it was run, by
    their names. pixels: of each picture the SHA-256 of its 8-bit values, (C, H, W), whatever wrote
    the file; those of image and mask are in the trajectory. state_at: the iteration of `state.pt`,
    where there is one; continued: the breaks behind which the fit went on.

    diverged_at: since when the fit has failed; noticed_at: when that was noticed, so that a job
    which ends before has not. rules: the stopping rules that followed the fit, and
    rule_versions their versions by label; stops: answers of those that stopped before it failed.
    uncovered: share of the hole's pixels, in a learned input of the image's size, that no pixel
    which the loss sees reaches; uncovered_reason: why that cannot be told, where it cannot.
    output_versions: by label the version of each output that the fit was asked for; a run without
    it has the first version of raw and averaged output.
    question: hash of the suite's question when the fit first began, see `benchmarks.jobs.asked`.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    suite: str
    job: str
    trajectory: dict[str, Any]
    height: int
    width: int
    status: Literal["done", "diverged", "unfinished"]
    diverged_at: int | None = None
    diverged_because: str = ""
    noticed_at: int | None = None
    backtracked_at: tuple[int, ...] = ()
    checkpoints: tuple[Saved, ...]
    pixels: dict[str, str]
    state_at: int | None = None
    continued: tuple[Continued, ...] = ()
    output_versions: dict[str, int] = {}
    question: str = ""
    rules: tuple[AnyRule, ...] = ()
    rule_versions: dict[str, int] = {}
    stops: dict[str, SavedStop] = {}
    parameters: int | None
    uncovered: float | None = None
    uncovered_reason: str = ""
    timing: Timing
    environment: dict[str, Any]

    @property
    def iterations(self) -> set[int]:
        return {saved.iteration for saved in self.checkpoints}

    @field_validator("output_versions")
    @classmethod
    def _known(cls, versions: dict[str, int]) -> dict[str, int]:
        for label in versions:
            parse_output(label)  # InputError is a ValueError, by which the record is damaged
        return versions

    @property
    def outputs(self) -> tuple[OutputOptions, ...]:
        """The outputs that the fit was asked for."""
        return tuple(map(parse_output, self.output_versions))

    def has_outputs_of_today(self, outputs: Iterable[OutputOptions]) -> bool:
        """Whether those of these outputs that it has are as they are defined today."""
        return all(self._version(output) in (None, output.version) for output in outputs)

    def has_output(self, output: OutputOptions) -> bool:
        """Whether its checkpoints have that output, as it is defined today, once there is one."""
        return self._version(output) == output.version

    def _version(self, output: OutputOptions) -> int | None:
        first = FIRST_VERSION if output in ALWAYS and not self.output_versions else None
        return self.output_versions.get(output.label, first)

    def has_followed(self, rule: RuleOptions) -> bool:
        """Whether that rule, as it is today, followed the fit."""
        return self.rule_versions.get(rule.label) == rule.version

    def status_within(self, iterations: Sequence[int]) -> Literal["done", "diverged"]:
        """The status for a job that asks for these iterations: it may end before the trouble."""
        return "done" if self.last_good(iterations) == max(iterations) else "diverged"

    def last_good(self, iterations: Sequence[int]) -> int:
        """The last iteration that counts for a job that asks for these."""
        end = max(iterations)
        if self.noticed_at is None or self.diverged_at is None or end < self.noticed_at:
            return end
        return self.diverged_at - 1
