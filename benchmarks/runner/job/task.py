"""What a worker is told to do, and what it gives back: the files of a run folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.jobs.job import Job
from benchmarks.store.layout import RECORD
from benchmarks.store.pictures import Picture, png
from benchmarks.store.record import Record
from benchmarks.store.store import Store

OnStep = Callable[[int, float], None]  # iteration, loss
OnResume = Callable[[int, str], None]  # iteration behind which a fit goes on, 0 if not; why not


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


class Stopped(Exception):
    """The fit was asked to stop, and has saved its state at `iteration`, if it is not 0."""

    def __init__(self, iteration: int):
        super().__init__(f"stopped at iteration {iteration}")
        self.iteration = iteration


def run_files(
    task: Task, described: dict[str, Any], pictures: Mapping[str, Picture]
) -> dict[str, bytes]:
    """The files of a run folder. described: what its record says besides."""
    job = task.job
    record = Record(
        key=job.key,
        suite=task.suite,
        job=job.name,
        trajectory=job.trajectory,
        height=job.image.height,
        width=job.image.width,
        pixels={name: picture.sha256 for name, picture in pictures.items()},
        **described,
    )
    return {
        "truth.png": png(job.image.pixels),
        "mask.png": png(job.mask * np.uint8(255)),
        **{name: picture.content for name, picture in pictures.items()},
        RECORD: (record.model_dump_json(indent=1) + "\n").encode(),
    }
