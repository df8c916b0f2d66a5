"""Runs jobs on this machine in worker processes: the runner's side.

One-thread workers are the default on a CPU: two of them finish 1.4 to 1.8 times as many iterations
as one worker with two threads, and a fit's float32 trajectory depends on its thread count.
"""

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path

from benchmarks.jobs.job import Job
from benchmarks.runner.events import Event, Failed, Progress, Resumed, Started
from benchmarks.runner.executors.worker import HANG_UP, STOP, work
from benchmarks.runner.job.task import Task
from benchmarks.system.processes import process_context
from benchmarks.system.signals import not_for_children
from dip.errors import InputError

START_SECONDS = 120.0  # that a worker may take to start before a timeout counts
LOG_BYTES = 2**20  # of what a worker has written, the last
SERVER_GONE = 255  # multiprocessing's exit code for a worker whose server has died
END_SECONDS = 10.0  # that a worker without a job has for leaving by itself


class Processes:
    """One worker process for each entry of `devices`.

    A worker that dies, breaks a job or exceeds `timeout` seconds with one fails that job only, and
    another takes its place. beside: how many jobs share the machine, where not these alone do.
    context: how workers start; default: forked from the server of `process_context`.
    """

    def __init__(
        self,
        devices: Sequence[str],
        threads: int,
        timeout: float | None = None,
        beside: int | None = None,
        context: SpawnContext | ForkServerContext | None = None,
    ):
        self.context = context or process_context()
        self.devices = devices
        self.threads = threads
        self.timeout = timeout
        self.beside = beside or len(devices)
        self.workers: dict[int, _Worker] = {}

    @property
    def side_by_side(self) -> int:
        return len(self.devices)

    spare_cores = 0  # the fits have them all

    @property
    def has_room(self) -> bool:
        return len(self._at_work()) < len(self.devices)

    @property
    def is_busy(self) -> bool:
        return bool(self._at_work())

    def _at_work(self) -> list["_Worker"]:
        return [worker for worker in self.workers.values() if worker.job is not None]

    def give(self, task: Task) -> None:
        place = next(
            place
            for place in range(len(self.devices))
            if place not in self.workers or self.workers[place].job is None
        )
        if place not in self.workers:
            self.workers[place] = self._worker(place)
        self.workers[place].give(task)

    def _worker(self, place: int) -> "_Worker":
        words = (place, self.devices[place], self.threads, self.beside, self.context)
        try:
            return _Worker(*words)
        except (EOFError, ConnectionError):  # the server has died; the second try starts another
            try:
                return _Worker(*words)
            except (EOFError, ConnectionError):
                raise InputError("cannot start a worker process; is memory short?") from None

    def events(self, seconds: float) -> list[Event]:
        at_work = self._at_work()
        if not at_work:
            time.sleep(seconds)
            return []
        ready = wait([worker.connection for worker in at_work], seconds)
        found = [worker.receive() for worker in at_work if worker.connection in ready]
        for worker in self._at_work():
            if self.timeout is not None and worker.seconds() > self.timeout:
                found.append(
                    worker.fail(f"took longer than the timeout of {self.timeout:g} seconds")
                )
        for event in found:
            if isinstance(event, Failed):  # what it left behind shall not harm the next job
                self._replace(event.job)
        return found

    def _replace(self, job: Job) -> None:
        (place,) = [at for at, worker in self.workers.items() if worker.broke is job]
        self.workers.pop(place).kill()

    def stop(self) -> None:
        for worker in self._at_work():
            worker.ask_to_stop()

    def close(self) -> None:
        for worker in self._at_work():
            worker.process.kill()
        try:
            for worker in self.workers.values():  # all leave side by side
                worker.hang_up()
            for worker in self.workers.values():
                worker.process.join(END_SECONDS)
        finally:  # also after a signal: Python would wait for them, who hear no SIGTERM
            for worker in self.workers.values():
                worker.kill()
            self.workers.clear()


class _Worker:
    """The runner's side of one worker process."""

    def __init__(
        self,
        place: int,
        device: str,
        threads: int,
        workers: int,
        context: SpawnContext | ForkServerContext,
    ):
        self.place = place
        self.job: Job | None = None
        self.broke: Job | None = None
        self.began = 0.0
        self.connection, theirs = context.Pipe()
        self.output, name = tempfile.mkstemp()
        Path(name).unlink()  # so that nothing is left of it
        # A Connection, because that is what multiprocessing hands on to a child.
        output = Connection(os.dup(self.output))
        self.process = context.Process(
            target=work, args=(theirs, output, device, threads, workers), daemon=True
        )
        with not_for_children():
            self.process.start()
        theirs.close()
        output.close()

    def give(self, task: Task) -> None:
        self.job, self.began = task.job, time.monotonic() + START_SECONDS
        os.lseek(self.output, 0, os.SEEK_SET)  # of the worker, too: it writes on from there
        os.ftruncate(self.output, 0)
        with contextlib.suppress(OSError):  # it died; `receive` says so
            self.connection.send(task)

    def ask_to_stop(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.send(STOP)

    def seconds(self) -> float:
        """Since it began with its job; less than 0 while it is starting."""
        return time.monotonic() - self.began

    def receive(self) -> Event:
        assert self.job is not None
        job = self.job
        try:
            kind, *content = self.connection.recv()
        except (EOFError, OSError):
            self.process.join(END_SECONDS)
            return self.fail(how_it_ended(self.process.exitcode or 0))
        if kind is Started:
            self.began = time.monotonic()
            return Started(job, self.place)
        if kind is Failed:
            reason, log = content
            return self.fail(reason, log)
        if kind not in (Resumed, Progress):
            self.job = None
        return kind(job, *content)

    def fail(self, reason: str, log: str = "") -> Failed:
        job, self.job = self.job, None
        assert job is not None
        self.broke = job
        size = os.fstat(self.output).st_size
        written = os.pread(self.output, LOG_BYTES, max(0, size - LOG_BYTES))
        return Failed(job, reason, log + written.decode(errors="replace"))

    def hang_up(self) -> None:
        """Let the process leave by itself."""
        with contextlib.suppress(OSError):
            self.connection.send(HANG_UP)

    def kill(self) -> None:
        self.process.kill()
        if self.process.exitcode == SERVER_GONE and self.process.pid:  # it may still be alive
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()
        self.connection.close()
        os.close(self.output)


def how_it_ended(code: int) -> str:
    """A process, by the exit code that multiprocessing gives it."""
    if code == SERVER_GONE:
        return "the process that starts workers died, as it does when memory runs out"
    if code >= 0:
        return f"its worker ended with exit code {code}"
    names = {number.value: number.name for number in signal.Signals}
    name = names.get(-code, "unnamed")
    why = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"its worker was killed by signal {-code} ({name}{why})"
