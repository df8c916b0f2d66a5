"""Runs one job, a fit or a fill, in whatever process it is called."""

import time
import traceback

from benchmarks.runner.events import End, Failed, Finished, Refused, Started
from benchmarks.runner.job.files import run_files
from benchmarks.runner.job.task import Report, ShouldStop, Task
from benchmarks.store.layout import file_name
from benchmarks.store.pictures import Picture, to_8bit
from benchmarks.store.record import Saved, Timing
from benchmarks.system import environment
from benchmarks.system.files import CannotWriteError
from dip.fills import FILLS


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
        should_stop: called after each iteration, on a GPU after each block of iterations.

    Returns:
        Finished, with the files of the run folder; Halted if it was asked to stop; Refused if its
        state could not be saved; Failed if an error ended it.
    """
    job = task.job
    try:
        if isinstance(job.method, str):
            report(Started(job))
            return Finished(job, _fill(task, job.method, workers))
        import torch

        from benchmarks.runner.job.run_fit import run_fit

        report(Started(job))
        torch.set_num_threads(threads)
        return run_fit(task, job.method, device, threads, workers, report, should_stop)
    except CannotWriteError as error:
        return Refused(job, str(error))
    except Exception as error:
        return Failed(job, _in_one_line(error), traceback.format_exc())


def _fill(task: Task, name: str, workers: int) -> dict[str, bytes]:
    """The files of a fill's run folder."""
    job = task.job
    masked = job.image.pixels * job.mask / 255
    described = environment.describe("cpu", 1, workers, uses_torch=False)
    FILLS[name].load()  # so that the fill's time does not include its imports
    started = time.perf_counter()
    filled = FILLS[name].restore(masked, job.mask, job.seed)
    seconds = time.perf_counter() - started
    fields = {
        "status": "done",
        "question": task.question,
        "checkpoints": (Saved(iteration=0, outputs=("raw",), loss=None, seconds=seconds),),
        "parameters": None,
        "timing": Timing(seconds=seconds),
        "environment": {**described, "finished": environment.now()},
    }
    picture = Picture.of(to_8bit(filled))
    return run_files(task, fields, {file_name("raw", 0): picture})


def _in_one_line(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    is_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    is_memory = is_memory or "can't allocate memory" in str(error)
    return ("out of memory: " if is_memory else f"{type(error).__name__}: ") + first
