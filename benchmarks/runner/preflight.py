"""Tries what may not work before anything is fitted."""

from collections.abc import Iterable

import numpy as np

from benchmarks.jobs.job import Job
from benchmarks.jobs.suite import Suite
from benchmarks.runner.job.kernels import kernels
from dip.errors import InputError
from dip.options import Method
from dip.options.networks.imported import ImportedOptions

CORNER = 64  # pixels on each side that are enough to see what a network consists of


def check_networks(suite: Suite, jobs: Iterable[Job], device: str) -> None:
    """Build and run imported networks, and look for deterministic kernels where they are asked for.

    Raises InputError with the place in the suite.
    """
    jobs = list(jobs)
    if suite.precision == "tf32" and not device.startswith("cuda"):
        raise InputError(f"{suite.file}: precision: tf32 is a GPU's, and here fits run on {device}")
    check_imported_networks(suite, jobs)
    check_deterministic(suite, jobs, device)


def check_imported_networks(suite: Suite, jobs: Iterable[Job]) -> None:
    """Build each, and run it once on its smallest image, so that what is wrong is said before fits.

    On the CPU, and with images of that size only. Raises InputError.
    """
    smallest: dict[tuple[str, int], Job] = {}
    for job in jobs:
        if isinstance(job.method, Method) and isinstance(job.method.architecture, ImportedOptions):
            case = job.method_label, len(job.image.pixels)
            smallest[case] = min(job, smallest.get(case, job), key=lambda job: job.mask.size)
    if smallest:
        import torch

        for job in smallest.values():
            try:
                with torch.random.fork_rng(devices=[]), torch.no_grad():
                    _try_network(job)
            except InputError as error:
                raise InputError(
                    f"{suite.place(job.method_label)}: architecture: {error}"
                ) from None


def _try_network(job: Job) -> None:
    import torch

    import dip
    from dip.options.imports import code_of_others

    assert isinstance(job.method, Method)
    channels, height, width = job.image.pixels.shape
    inputs = job.method.input.channels
    network = dip.build_network(job.method.architecture, inputs, channels, (height, width))
    with code_of_others(f"running it on '{job.image.name}' with {inputs} input channels"):
        network.train()(torch.rand(job.method.batch, inputs, height, width))


def check_deterministic(suite: Suite, jobs: Iterable[Job], device: str) -> None:
    """Take one step with each method that asks for deterministic kernels, on a corner of an image.

    Raises InputError that names the network, and the operation that has no such kernel.
    """
    methods: dict[str, Job] = {}
    for job in jobs:
        if job.deterministic:
            methods.setdefault(job.method_label, job)
    for job in methods.values():
        try:
            _take_a_step(job, device)
        except Exception as error:
            first = str(error).partition(". ")[0]
            if "deterministic implementation" not in first:
                continue  # whatever it is, it is the job's failure, and the others go on
            raise InputError(
                f"{suite.place(job.method_label)}: deterministic: the network '{job.architecture}'"
                f" cannot be: {first}"
            ) from None


def _take_a_step(job: Job, device: str) -> None:
    import torch

    import dip

    assert isinstance(job.method, Method)
    is_ours = not isinstance(job.method.architecture, ImportedOptions)
    side = max(CORNER, job.method.architecture.minimum_side) if is_ours else None
    image = torch.from_numpy(job.image.pixels[:, :side, :side] / np.float32(255))
    mask = torch.ones((1, *image.shape[1:]))
    mask[:, 0, 0] = 0
    with kernels(device, deterministic=True):
        method = job.method.model_copy(update={"held_out": 0.0})
        rules = [rule for rule in job.rules if not rule.needs_held_out]
        fit = dip.Fit(
            *(image, mask, method),
            device=device,
            engine=job.engine,
            precision=job.precision,
            rules=rules,
        )
        list(fit.until(1))
