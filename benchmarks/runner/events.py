"""Events of jobs: workers report them, the runner shows them."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from benchmarks.jobs.job import Job
from benchmarks.store.layout import RECORD
from benchmarks.store.record import Record


@dataclass(frozen=True)
class Started:
    """A worker has started a job. place: the worker's number, from 0, assigned by the runner."""

    job: Job
    place: int = 0


@dataclass(frozen=True)
class Resumed:
    """A fit goes on from its saved state, behind the iteration `after`; 0 if not, and why not."""

    job: Job
    after: int
    why: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a job is: a fit in iterations, with its loss; a slow fill in per cent, without."""

    job: Job
    iteration: int
    loss: float | None


@dataclass(frozen=True)
class Finished:
    """A job is over. files: what belongs into its run folder."""

    job: Job
    files: dict[str, bytes]

    @cached_property
    def record(self) -> Record:
        return Record.model_validate_json(self.files[RECORD])


@dataclass(frozen=True)
class Failed:
    """A job broke. reason: one line; log: all there is to read."""

    job: Job
    reason: str
    log: str


@dataclass(frozen=True)
class Halted:
    """A job was asked to stop.

    Attributes:
        job: the job.
        iteration: from which it goes on another time, 0 for its start.
        seconds: of its iterations since it began or was resumed, as far as they are known.
    """

    job: Job
    iteration: int
    seconds: float = 0.0


@dataclass(frozen=True)
class Lost:
    """The machine that was at a job is gone; another one begins with it, or goes on."""

    job: Job
    reason: str


@dataclass(frozen=True)
class Refused:
    """Where the job was to run no job can: the store takes nothing, or the code is another."""

    job: Job
    reason: str


End = Finished | Failed | Halted | Refused
Event = Started | Resumed | Progress | Lost | End


def without_job(event: Event) -> tuple[Any, ...]:
    """All fields of an event except the job, which the runner already has."""
    return tuple(getattr(event, field.name) for field in fields(event)[1:])
