"""Where the time of a command goes: into iterations of fits, or beside them.

Its time is that of the command's own function: Python's start and the imports before it are not in
it. Fitting is the time inside iterations, and of a job that failed the time from its start to its
end, summed over jobs and divided by the number of workers. All the rest is outside fitting, and the
parts sum up to the whole:

- reading: suite, images and stored runs, until jobs are given out;
- starting workers: from giving a job to its start, mostly torch's import, as a mean over workers;
- storing and waiting: building networks, writing runs, places that are idle at the end;
- scoring: what has not been scored while fits ran, and writing results.csv;
- reporting: tables and figures.
"""

import contextlib
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from benchmarks.events import Event, Failed, Finished, GoesOn, Lost, Started
from benchmarks.jobs import Job
from benchmarks.progress import counted
from benchmarks.run_folder import TRACE
from benchmarks.trace import seconds_behind
from benchmarks.writing import to_json, write_atomically
from dip.words import duration

ACCOUNTING = "accounting.json"  # beside results.csv, of the last command that fitted something
READING, FITS, SCORING, REPORTING = "reading", "fits", "scoring", "reporting"
STARTING, WAITING = "starting workers", "storing and waiting"
OUTSIDE = (READING, STARTING, WAITING, SCORING, REPORTING)  # fitting


class Accounting(BaseModel):
    """Seconds of a command. outside: by what they went into; workers: 0 if nothing was fitted."""

    model_config = ConfigDict(frozen=True)

    workers: int
    seconds: float
    fitting_seconds: float
    outside_seconds: dict[str, float]

    @property
    def line(self) -> str:
        """All of it, for people."""
        parts = ", ".join(
            f"{duration(seconds) if seconds >= 60 else f'{seconds:.1f} s'} {part}"
            for part in OUTSIDE
            if (seconds := self.outside_seconds.get(part, 0)) >= 0.05  # less is shown as nothing
        )
        if not self.workers:
            return f"Time: {duration(self.seconds)}, nothing fitted" + (parts and f": {parts}")
        share = round(100 * (1 - self.fitting_seconds / self.seconds))
        return (
            f"Time: {duration(self.seconds)} on {counted(self.workers, 'worker')},"
            f" {share} % of it outside fitting" + (parts and f": {parts}")
        )


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
            case GoesOn(_, after, _):
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


def read_accounting(folder: Path) -> Accounting | None:
    """What is kept with a suite's results, if anything is."""
    with contextlib.suppress(OSError, ValueError):
        return Accounting.model_validate_json((folder / ACCOUNTING).read_text(encoding="utf-8"))
    return None
