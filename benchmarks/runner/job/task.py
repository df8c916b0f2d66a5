"""What a worker is told to do, and whom it talks to while it does it."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.jobs.job import Job
from benchmarks.runner.events import Event
from benchmarks.store.store import Store

Report = Callable[[Event], None]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True)
class Task:
    """A job to run, and what becomes of it.

    suite: on whose behalf; store: where the state of the fit is kept while it runs, and looked for,
    none if nowhere; resume: use a state that is there; keep_state: keep the last one, too.
    """

    job: Job
    suite: str
    store: Store | None = None
    resume: bool = True
    keep_state: bool = False
