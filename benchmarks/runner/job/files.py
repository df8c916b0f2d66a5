"""The files of a run folder, from what a job has given."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.runner.job.task import Task
from benchmarks.store.layout import RECORD
from benchmarks.store.pictures import Picture, png
from benchmarks.store.record import Record
from dip.options.outputs import OUTPUT_VERSIONS


def run_files(
    task: Task, described: Mapping[str, Any], pictures: Mapping[str, Picture]
) -> dict[str, bytes]:
    """By their names. described: what the record says besides job, size and pictures."""
    job = task.job
    record = Record(
        key=job.key,
        suite=task.suite,
        job=job.name,
        trajectory=job.trajectory,
        height=job.image.height,
        width=job.image.width,
        output_versions=dict(OUTPUT_VERSIONS),
        pixels={name: picture.sha256 for name, picture in pictures.items()},
        **described,
    )
    return {
        "truth.png": png(job.image.pixels),
        "mask.png": png(job.mask * np.uint8(255)),
        **{name: picture.content for name, picture in pictures.items()},
        RECORD: (record.model_dump_json(indent=1) + "\n").encode(),
    }
