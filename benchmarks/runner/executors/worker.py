"""Runs one job: what a worker process does, and this process where there are none."""

import contextlib
import faulthandler
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from io import TextIOWrapper
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.runner.events import Failed, Finished, Halted, Progress, Refused, Resumed, Started
from benchmarks.runner.job.run_job import run_job
from benchmarks.runner.job.task import OnResume, OnStep, Stopped, Task
from benchmarks.system.files import CannotWriteError
from benchmarks.system.signals import leave_with_the_runner

PROGRESS_SECONDS = 0.2
STOP, HANG_UP = "stop", "hang up"  # what a runner says besides tasks


def work(
    connection: Connection, output: Connection, device: str, threads: int, workers: int
) -> None:
    """The worker process: takes jobs until the runner hangs up."""
    leave_with_the_runner()
    for stream in (sys.stdout, sys.stderr):
        os.dup2(output.fileno(), stream.fileno())
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    faulthandler.enable()
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    last = 0.0

    def step(iteration: int, loss: float) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            send(Progress, iteration, loss)

    def send(*message: Any) -> None:
        with _losing_the_runner():
            connection.send(message)

    def should_stop() -> bool:
        with _losing_the_runner():
            return connection.poll() and connection.recv() == STOP

    tell = Tell(partial(send, Started), partial(send, Resumed), step, should_stop)
    with contextlib.suppress(_RunnerGone, EOFError, ConnectionError):
        while (task := connection.recv()) != HANG_UP:
            if task == STOP:  # the job was over before it could be stopped
                continue
            if task.job.engine == "fast" and device == "cpu":
                from dip.engine.engine import keep_memory

                keep_memory()
            event = carry_out(task, device, threads, workers, tell)
            # The runner has the job, and its image.
            rest = [getattr(event, each.name) for each in fields(event)[1:]]
            connection.send((type(event), *rest))


class _RunnerGone(BaseException):
    """Nobody wants to know any more; no error of the job's."""


@contextlib.contextmanager
def _losing_the_runner() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError):
        raise _RunnerGone from None


@dataclass(frozen=True)
class Tell:
    """What a job tells while it runs, and whom it asks whether it should go on."""

    start: Callable[[], None] = lambda: None
    resume: OnResume = lambda *_: None
    step: OnStep = lambda *_: None
    should_stop: Callable[[], bool] = lambda: False


def carry_out(
    task: Task, device: str, threads: int, workers: int, tell: Tell
) -> Finished | Failed | Halted | Refused:
    job = task.job
    try:
        files = run_job(
            task,
            device=device,
            threads=threads,
            workers=workers,
            on_start=tell.start,
            on_resume=tell.resume,
            on_step=tell.step,
            should_stop=tell.should_stop,
        )
    except Stopped as stopped:
        return Halted(job, stopped.iteration)
    except CannotWriteError as error:
        return Refused(job, str(error))
    except Exception as error:
        return Failed(job, _in_one_line(error), traceback.format_exc())
    return Finished(job, files)


def _in_one_line(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    is_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    is_memory = is_memory or "can't allocate memory" in str(error)
    return ("out of memory: " if is_memory else f"{type(error).__name__}: ") + first
