"""Runs one job, a fit or a fill, in whatever process it is called."""

import time
import traceback
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.runner.events import End, Failed, Finished, Halted, Progress, Refused, Started
from benchmarks.runner.job.files import run_files
from benchmarks.runner.job.task import Report, ShouldStop, Task
from benchmarks.store.layout import file_name
from benchmarks.store.pictures import Picture, to_8bit
from benchmarks.store.record import Saved, Timing
from benchmarks.system import environment
from benchmarks.system.files import CannotWriteError
from dip.errors import InputError
from dip.fills import Fill
from dip.options import Method


def run_job(
    task: Task,
    *,
    device: str,
    threads: int,
    workers: int,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> End:
    """Run a job. An error in a job becomes `Failed`, so that other jobs go on.

    Args:
        task: the job and the store of its state.
        device: torch device of a fit; a fill always runs on the CPU.
        threads: CPU threads of the fit.
        workers: number of jobs that run at the same time, for the record.
        report: called with `Started` after torch has been imported, then with `Resumed` and
            `Progress`.
        should_stop: called after each iteration, on a GPU after each block of iterations; of a fill
            with each per cent that it reports.

    Returns:
        Finished, with the files of the run folder; Halted if it was asked to stop; Refused if its
        state could not be saved; Failed if an error ended it.
    """
    job = task.job
    try:
        if not isinstance(job.method, Method):
            report(Started(job))
            files = _published(task) if job.picture else _fill(task, workers, report, should_stop)
            return Finished(job, files)
        import torch

        from benchmarks.runner.job.run_fit import run_fit

        report(Started(job))
        torch.set_num_threads(threads)
        return run_fit(task, job.method, device, threads, workers, report, should_stop)
    except _Stopped:
        return Halted(job, 0)  # a fill has no state to go on from
    except CannotWriteError as error:
        return Refused(job, str(error))
    except Exception as error:
        return Failed(job, _in_one_line(error), traceback.format_exc())


class _Stopped(Exception):
    """A fill was asked to stop."""


def _fill(task: Task, workers: int, report: Report, should_stop: ShouldStop) -> dict[str, bytes]:
    """The files of a fill's run folder; raises _Stopped."""
    job = task.job
    assert isinstance(job.method, Fill)
    masked = job.image.pixels * job.mask / 255
    described = environment.describe("cpu", 1, workers, uses_torch=False)
    job.method.load()  # so that the fill's time does not include its imports

    percent = 0

    def tell(share: float) -> None:
        nonlocal percent
        if percent == round(100 * share):  # or asking would be part of the fill's time
            return
        percent = round(100 * share)
        report(Progress(job, percent, None))
        if share < 1 and should_stop():
            raise _Stopped

    started = time.perf_counter()
    filled = job.method.restore(masked, job.mask, job.seed, tell)
    seconds = time.perf_counter() - started
    return _files(task, to_8bit(filled), seconds, described)


def _published(task: Task) -> dict[str, bytes]:
    """The files of the run folder of a published picture, which took no time here."""
    assert task.job.picture is not None
    described = environment.describe("cpu", 1, 1, uses_torch=False)
    pixels = task.job.picture.pixels
    return _files(task, pixels, None, {**described, "device": environment.NOT_RUN})


def _files(
    task: Task, pixels: NDArray[np.uint8], seconds: float | None, described: dict[str, Any]
) -> dict[str, bytes]:
    """The files of a run folder with one picture, (C, H, W)."""
    fields = {
        "status": "done",
        "question": task.question,
        "checkpoints": (Saved(iteration=0, outputs=("raw",), loss=None, seconds=seconds),),
        "parameters": None,
        "timing": Timing(seconds=seconds),
        "environment": {**described, "finished": environment.now()},
    }
    return run_files(task, fields, {file_name("raw", 0): Picture.of(pixels)})


def _in_one_line(error: Exception) -> str:
    if isinstance(error, InputError):
        return str(error)
    first = (str(error).strip().splitlines() or [""])[0]
    is_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    is_memory = is_memory or "can't allocate memory" in str(error)
    return ("out of memory: " if is_memory else f"{type(error).__name__}: ") + first
