"""Makes the files of a run folder from the results of a job."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.runner.job.task import Task
from benchmarks.store.layout import RECORD
from benchmarks.store.pictures import Picture, png
from benchmarks.store.record import Record


def run_files(
    task: Task, fields: Mapping[str, Any], pictures: Mapping[str, Picture]
) -> dict[str, bytes]:
    """Make the files of a run folder.

    Args:
        task: the job and the suite it runs for.
        fields: fields of the record that do not follow from the task and the pictures.
        pictures: by file name.

    Returns:
        File contents by file name.
    """
    job = task.job
    record = Record(
        key=job.key,
        suite=task.suite,
        job=job.name,
        trajectory=job.trajectory,
        height=job.image.height,
        width=job.image.width,
        output_versions={label: each.version for label, each in job.stored_outputs.items()},
        pixels={name: picture.sha256 for name, picture in pictures.items()},
        **fields,
    )
    return {
        "truth.png": png(job.image.pixels),
        "mask.png": png(job.mask * np.uint8(255)),
        **{name: picture.content for name, picture in pictures.items()},
        RECORD: (record.model_dump_json(indent=1) + "\n").encode(),
    }
