"""What can be said of a job's network without fitting it."""

from typing import Any

import numpy as np
import torch

import dip
from benchmarks.jobs.job import Job
from benchmarks.store.pictures import Picture
from dip.errors import InputError
from dip.options import Method
from dip.training.stopping import hold_out

COVERAGE = "coverage.png"

Structure = tuple[dict[str, Any], dict[str, Picture]]  # fields of the record, pictures by name


def structure_of(job: Job, method: Method) -> Structure:
    """Its parameters; and how much of a hole in a learned input no known pixel reaches.

    Parameters are without the learned input. A pixel of a learned input, where that has the image's
    size, is reached if some pixel that the loss sees depends on it; a picture shows which are.
    """
    channels, height, width = job.image.pixels.shape
    size = (height, width)
    with torch.random.fork_rng(devices=[]):
        network = dip.build_network(method.architecture, method.input.channels, channels, size)
    fields: dict[str, Any] = {"parameters": sum(each.numel() for each in network.parameters())}
    if not method.input.is_learned or method.architecture.input_size(size) != size:
        return fields, {}
    mask = torch.from_numpy(job.mask.astype(np.float32))
    known = mask - hold_out(mask, method, job.seed)
    try:
        reached = dip.coverage(network, known, input_channels=method.input.channels).numpy()
    except InputError as error:
        return {**fields, "uncovered_reason": str(error)}, {}
    uncovered = float(1 - reached[0, job.mask[0] == 0].mean())
    picture = Picture.of(reached.astype(np.uint8) * np.uint8(255))
    return {**fields, "uncovered": uncovered}, {COVERAGE: picture}
