"""The worker process: it receives jobs from the runner and runs them one after the other."""

import faulthandler
import os
import sys
import time
from io import TextIOWrapper
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.runner.events import Event, Progress, without_job
from benchmarks.runner.job.run_job import run_job
from benchmarks.system.signals import leave_with_the_runner

PROGRESS_SECONDS = 0.2
STOP, HANG_UP = "stop", "hang up"  # messages of the runner that are not tasks


def work(
    connection: Connection, output: Connection, device: str, threads: int, workers: int
) -> None:
    """Run jobs until the runner closes the connection.

    Args:
        connection: the runner sends tasks; the worker sends each event's type and its fields
            except the job.
        output: receives standard output and standard error.
        device: torch device of the fits.
        threads: CPU threads of each fit.
        workers: number of jobs that run at the same time.
    """
    leave_with_the_runner()
    _prepare_process(output, threads)
    progress_at = 0.0

    def report(event: Event) -> None:
        nonlocal progress_at
        if isinstance(event, Progress):
            if time.monotonic() - progress_at < PROGRESS_SECONDS:
                return
            progress_at = time.monotonic()
        try:
            connection.send((type(event), *without_job(event)))
        except OSError:
            os._exit(1)  # the runner has ended, so nobody needs the result

    def should_stop() -> bool:
        try:
            return connection.poll() and connection.recv() == STOP
        except (EOFError, OSError):
            os._exit(1)

    while (task := _next_task(connection)) != HANG_UP:
        if task == STOP:  # the job ended before the request to stop arrived
            continue
        if task.job.engine == "fast" and device == "cpu":
            from dip.engine.engine import keep_memory

            keep_memory()
        report(
            run_job(
                task,
                device=device,
                threads=threads,
                workers=workers,
                report=report,
                should_stop=should_stop,
            )
        )


def _prepare_process(output: Connection, threads: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        os.dup2(output.fileno(), stream.fileno())
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    faulthandler.enable()
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)


def _next_task(connection: Connection) -> Any:
    """The next task or message; `HANG_UP` if the runner has ended."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        return HANG_UP
