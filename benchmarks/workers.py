"""Runs jobs on this machine: in worker processes, or one after the other in this one.

A worker takes a job, fits it and sends back its run folder.

One-thread workers are the default on a CPU: two of them finish 1.4 to 1.8 times as many iterations
as one worker with two threads, and a fit's float32 trajectory depends on its thread count.
"""

import contextlib
import os
import signal
import time
import traceback
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait

from benchmarks.fitting import Files, OnStep, run_job
from benchmarks.jobs import Job

PROGRESS_SECONDS = 0.2


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    job: Job
    iteration: int
    loss: float


@dataclass(frozen=True)
class Finished:
    """A job is over. files: what belongs into its run folder."""

    job: Job
    files: Files


@dataclass(frozen=True)
class Failed:
    """A job broke. reason: one line; log: all there is to read."""

    job: Job
    reason: str
    log: str


Event = Progress | Finished | Failed


def run_in_processes(
    jobs: Sequence[Job], *, devices: Sequence[str], threads: int
) -> Generator[Event, None, None]:
    """Run the jobs in order, one worker for each entry of `devices`, and tell what happens.

    A worker that dies fails its job only; another takes its place. Closing the iterator ends the
    workers.
    """
    waiting = list(reversed(jobs))
    workers: list[_Worker] = []
    count = min(len(devices), len(jobs))
    try:
        for device in devices[:count]:
            workers.append(_Worker(device, threads, count))
            workers[-1].give(waiting.pop())
        while workers:
            ready = wait([worker.connection for worker in workers])
            for worker in [worker for worker in workers if worker.connection in ready]:
                event = worker.receive()
                yield event
                if isinstance(event, Progress):
                    continue
                if not worker.process.is_alive() or not waiting:
                    worker.end()
                    workers.remove(worker)
                    if waiting:
                        worker = _Worker(worker.device, threads, count)
                        workers.append(worker)
                if waiting:
                    worker.give(waiting.pop())
    finally:
        for worker in workers:
            worker.kill()


def run_in_this_process(
    jobs: Sequence[Job], *, device: str, threads: int
) -> Generator[Event, None, None]:
    """Run the jobs one after the other without a worker, for debugging: breakpoints work."""
    for job in jobs:
        yield _run(job, device, threads, workers=1)


class _Worker:
    """The runner's side of one worker process."""

    def __init__(self, device: str, threads: int, workers: int):
        self.device = device
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(
            target=_work, args=(theirs, device, threads, workers), daemon=True
        )
        # A child inherits the mask: Ctrl-C reaches the runner alone, which ends its workers.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def give(self, job: Job) -> None:
        self.job = job
        with contextlib.suppress(OSError):  # it died; `receive` says so
            self.connection.send(job)

    def receive(self) -> Event:
        try:
            kind, *content = self.connection.recv()
            return kind(self.job, *content)
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode or 0
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            return Failed(self.job, f"its worker {how}", "")

    def end(self) -> None:
        """Let the process leave by itself."""
        self.connection.close()
        self.process.join()

    def kill(self) -> None:
        self.process.kill()
        self.end()


def _work(connection: Connection, device: str, threads: int, workers: int) -> None:
    """The worker process: takes jobs until the runner hangs up."""
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    last = 0.0

    def tell(iteration: int, loss: float) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            connection.send((Progress, iteration, loss))

    try:
        while True:
            event = _run(connection.recv(), device, threads, workers, tell)
            # The runner has the job, and its image.
            rest = (event.files,) if isinstance(event, Finished) else (event.reason, event.log)
            connection.send((type(event), *rest))
    except (EOFError, ConnectionError):
        return  # the runner is gone, or has no more to do


def _run(
    job: Job, device: str, threads: int, workers: int, tell: OnStep = lambda *_: None
) -> Finished | Failed:
    try:
        if not isinstance(job.method, str):
            import torch

            torch.set_num_threads(threads)
        files = run_job(job, device=device, threads=threads, workers=workers, on_step=tell)
    except ConnectionError:
        raise  # the runner is gone
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        return Failed(job, f"{type(error).__name__}: {lines[0]}", traceback.format_exc())
    return Finished(job, files)
