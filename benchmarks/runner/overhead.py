"""Measures where a command's time goes: into iterations of fits, or beside them.

Its time is that of the command's own function: Python's start and the imports before it are not in
it. `benchmarks.store.accounting` says what the parts are.
"""

import time
from pathlib import Path

from benchmarks.runner.events import Event, Finished, Halted, Resumed
from benchmarks.runner.job_queue import is_quick
from benchmarks.store.accounting import FITS, READING, REPORTING, SCORING, WAITING, Accounting
from benchmarks.store.layout import ACCOUNTING, TRACE
from benchmarks.store.trace import seconds_behind
from benchmarks.system.files import to_json, write_atomically


class Clock:
    """Measures a command's time: `lap` ends a part, `hears` receives the events of jobs."""

    def __init__(self) -> None:
        self.workers = 0
        self._most = 0
        self.fitting_seconds = 0.0  # of all workers together
        self._last = time.monotonic()
        self._laps = dict.fromkeys((READING, FITS, SCORING, REPORTING), 0.0)
        self._after: dict[str, int] = {}  # by key: the iteration that a fit was resumed from

    def lap(self, part: str) -> None:
        """The time since the last lap went into that."""
        now = time.monotonic()
        self._laps[part] += now - self._last
        self._last = now

    def hears(self, event: Event, workers: int) -> None:
        """workers: how many there are; 0 for this process."""
        self._most = max(1, workers, self._most)  # nodes of a cluster come and go
        key = event.job.key
        match event:
            case Resumed(_, after, _):
                self._after[key] = after
            case Halted(_, _, seconds):
                self.workers = self._most
                self.fitting_seconds += seconds
            case Finished(_, files):
                self.workers = self._most
                if TRACE in files:
                    self.fitting_seconds += seconds_behind(files[TRACE], self._after.get(key, 0))
                elif not is_quick(event.job):  # quick fills run in the runner, not in a worker
                    self.fitting_seconds += event.record.timing.seconds or 0

    def accounting(self) -> Accounting:
        """Of all laps until now."""
        fitting = self.fitting_seconds / max(1, self.workers)
        return Accounting(
            workers=self.workers,
            seconds=sum(self._laps.values()),
            fitting_seconds=fitting,
            outside_seconds={
                READING: self._laps[READING],
                WAITING: self._laps[FITS] - fitting,
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
