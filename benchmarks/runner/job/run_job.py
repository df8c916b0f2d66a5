"""Runs one job, wherever it is: from the job to the files of its run folder."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from benchmarks.runner.job.task import OnResume, OnStep, Task, run_files
from benchmarks.runner.job.trajectory import Trajectory
from benchmarks.store.layout import file_name
from benchmarks.store.pictures import Picture, to_8bit
from benchmarks.store.record import Saved, Timing
from benchmarks.system import environment
from dip.fills import FILLS


def run_job(
    task: Task,
    *,
    device: str,
    threads: int,
    workers: int,
    on_start: Callable[[], None] = lambda: None,
    on_resume: OnResume = lambda *_: None,
    on_step: OnStep = lambda *_: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, bytes]:
    """The content of the job's run folder, by file name.

    device: a torch device; a fill runs on the CPU. workers: how many jobs run side by side, for
    the record. on_start is called when torch is here, and on_resume when the fit goes on from a
    saved state, or cannot. Raises Stopped if asked to, CannotWriteError if the state cannot be
    saved.
    """
    job = task.job
    if isinstance(job.method, str):
        on_start()
        return _fill(task, job.method, workers)
    import torch

    from dip.training.state import StateError

    on_start()
    torch.set_num_threads(threads)
    with flags(device, job.deterministic):
        try:
            fitting = Trajectory(task, job.method, device, threads, workers)
            return fitting.run(on_resume, on_step, should_stop)
        except StateError as error:
            on_resume(0, str(error))
            again = replace(task, resume=False)
            fitting = Trajectory(again, job.method, device, threads, workers)
            return fitting.run(on_resume, on_step, should_stop)


def _fill(task: Task, name: str, workers: int) -> dict[str, bytes]:
    job = task.job
    masked = job.image.pixels * job.mask / 255
    about = environment.describe("cpu", 1, workers, uses_torch=False)
    FILLS[name].load()  # imports are no part of a fill's time
    started = time.perf_counter()
    filled = FILLS[name].restore(masked, job.mask, job.seed)
    seconds = time.perf_counter() - started
    described = {
        "status": "done",
        "checkpoints": (Saved(iteration=0, outputs=("raw",), loss=None, seconds=seconds),),
        "parameters": None,
        "timing": Timing(seconds=seconds),
        "environment": {**about, "finished": environment.now()},
    }
    picture = Picture.of(to_8bit(filled))
    return run_files(task, described, {file_name("raw", 0): picture})


@contextmanager
def flags(device: str, deterministic: bool) -> Iterator[None]:
    """Which kernels torch may take while a job runs, beside what the fit's own engine sets."""
    import torch

    cudnn = torch.backends.cudnn
    before = torch.get_deterministic_debug_mode(), cudnn.deterministic
    if device.startswith("cuda"):
        if deterministic:
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # what cuBLAS needs for that
        torch.cuda.set_device(device)  # events and allocations belong to this device
        torch.cuda.init()  # or there are no memory statistics to reset
    # `use_deterministic_algorithms` imports torch's compiler to set its flag, too.
    torch.set_deterministic_debug_mode("error" if deterministic else "default")
    cudnn.deterministic = deterministic
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before[0])
        cudnn.deterministic = before[1]
