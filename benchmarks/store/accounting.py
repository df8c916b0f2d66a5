"""Where the time of a command went: `accounting.json`, beside results.csv.

Fitting is the time inside iterations of the jobs that finished, summed over jobs and divided by the
number of workers. All the rest is outside fitting, and the parts sum up to the whole:

- reading: suite, images and stored runs, until jobs are given out;
- starting and waiting: starting workers, quick fills, building networks, writing runs, jobs that
  fail, and workers that are idle at the end;
- scoring: what has not been scored while fits ran, and writing results.csv;
- reporting: tables and figures.
"""

import contextlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from benchmarks.store.layout import ACCOUNTING
from benchmarks.system.text import counted
from dip.system.text import duration

READING, FITS, SCORING, REPORTING = "reading", "fits", "scoring", "reporting"
WAITING = "starting and waiting"
OUTSIDE = (READING, WAITING, SCORING, REPORTING)  # fitting


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


def read_accounting(folder: Path) -> Accounting | None:
    """What is kept with a suite's results, if anything is."""
    with contextlib.suppress(OSError, ValueError):
        return Accounting.model_validate_json((folder / ACCOUNTING).read_text(encoding="utf-8"))
    return None
