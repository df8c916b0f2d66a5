"""A job with everything that running it needs, and the callbacks of the runner."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.jobs.job import Job
from benchmarks.runner.events import Event
from benchmarks.store.store import Store

Report = Callable[[Event], None]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True)
class Task:
    """A job to run.

    Attributes:
        job: the job.
        suite: name of the suite it runs for.
        store: where the state of the fit is saved and looked up; None: nowhere.
        resume: whether to use a stored state.
        keep_state: whether to keep the state after the last iteration.
        question: hash of the suite's question when the job first began, empty if it asked none.
    """

    job: Job
    suite: str
    store: Store | None = None
    resume: bool = True
    keep_state: bool = False
    question: str = ""
