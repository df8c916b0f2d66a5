"""Measures where a command's time goes: into iterations of fits, or beside them.

Its time is that of the command's own function: Python's start and the imports before it are not in
it. `benchmarks.store.accounting` says what the parts are.
"""

import time
from pathlib import Path

from benchmarks.jobs.job import Job
from benchmarks.runner.events import Event, Failed, Finished, Lost, Resumed, Started
from benchmarks.store.accounting import (
    FITS,
    READING,
    REPORTING,
    SCORING,
    STARTING,
    WAITING,
    Accounting,
)
from benchmarks.store.layout import ACCOUNTING, TRACE
from benchmarks.store.trace import seconds_behind
from benchmarks.system.files import to_json, write_atomically


class Clock:
    """Runs from where a command begins, and hears what its jobs come to."""

    def __init__(self) -> None:
        self.workers = 0
        self._side_by_side = 0
        self.fitting_seconds = 0.0  # of all workers together
        self.starting_seconds = 0.0
        self._last = time.monotonic()
        self._laps = dict.fromkeys((READING, FITS, SCORING, REPORTING), 0.0)
        self._given: dict[str, float] = {}  # by key, as the next two
        self._started: dict[str, float] = {}
        self._after: dict[str, int] = {}

    def lap(self, part: str) -> None:
        """The time since the last lap went into that."""
        now = time.monotonic()
        self._laps[part] += now - self._last
        self._last = now

    def gives(self, job: Job) -> None:
        """A worker is given the job now."""
        self._given[job.key] = time.monotonic()

    def hears(self, event: Event, workers: int) -> None:
        """workers: how many there are; 0 for this process, where a start is heard at the end."""
        now, key = time.monotonic(), event.job.key
        self._side_by_side = max(self._side_by_side, workers)  # nodes of a cluster come and go
        match event:
            case Started():
                self._started[key] = now
                self.starting_seconds += now - self._given[key] if workers else 0
            case Resumed(_, after, _):
                self._after[key] = after
            case Finished(_, files):
                self.workers = max(1, self._side_by_side)
                self.fitting_seconds += (
                    seconds_behind(files[TRACE], self._after.get(key, 0))
                    if TRACE in files
                    else event.record.timing.seconds
                )
            case Failed():
                self.workers = max(1, self._side_by_side)
                self.fitting_seconds += now - self._started.get(key, now)
            case Lost():
                self.fitting_seconds += now - self._started.pop(key, now)
                self._given[key] = now

    def accounting(self) -> Accounting:
        """Of all laps until now."""
        of_each = max(1, self.workers)
        fitting, starting = self.fitting_seconds / of_each, self.starting_seconds / of_each
        return Accounting(
            workers=self.workers,
            seconds=sum(self._laps.values()),
            fitting_seconds=fitting,
            outside_seconds={
                READING: self._laps[READING],
                STARTING: starting,
                WAITING: self._laps[FITS] - fitting - starting,
                SCORING: self._laps[SCORING],
                REPORTING: self._laps[REPORTING],
            },
        )

    def write(self, folder: Path) -> None:
        """Keep the accounting with a suite's results if something was fitted.

        Others have to be kept out of the folder. Raises CannotWriteError.
        """
        if self.workers:
            write_atomically(folder / ACCOUNTING, to_json(self.accounting().model_dump()))
