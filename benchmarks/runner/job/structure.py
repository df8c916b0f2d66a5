"""Describes a job's network before it is fitted: its parameters and its coverage of the hole."""

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
    """Count a network's parameters and find the pixels of its learned input that are never trained.

    A pixel of the learned input is covered if some pixel of the loss depends on it. Coverage is
    computed only for a learned input of the image's size.

    Args:
        job: the image, mask and seed.
        method: the method of the job.

    Returns:
        Record fields: `parameters`, without the learned input; `uncovered`, the share of the hole
        that is not covered; or `uncovered_reason`, why that could not be computed. Pictures: the
        covered pixels, white.
    """
    channels, height, width = job.image.pixels.shape
    size = (height, width)
    with torch.random.fork_rng(devices=[]):
        network = dip.build_network(method.architecture, method.input.channels, channels, size)
    fields: dict[str, Any] = {"parameters": sum(map(torch.numel, network.parameters()))}
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
