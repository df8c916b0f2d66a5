"""Runs jobs on this machine: in worker processes, or one after the other in this one.

A worker takes a job, fits it and sends back its run folder.

One-thread workers are the default on a CPU: two of them finish 1.4 to 1.8 times as many iterations
as one worker with two threads, and a fit's float32 trajectory depends on its thread count.
"""

import contextlib
import faulthandler
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial
from io import TextIOWrapper
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

from benchmarks.events import Event, Failed, Finished, GoesOn, Halted, Progress, Refused, Started
from benchmarks.fitting import run_job
from benchmarks.interruption import NUMBERS
from benchmarks.jobs import Job
from benchmarks.orders import OnGoOn, OnStep, Order, Stopped
from benchmarks.writing import CannotWriteError

PROGRESS_SECONDS = 0.2
POLL_SECONDS = 0.5  # between looks at signals, timeouts and other runners
START_SECONDS = 120.0  # that a worker may take to start before a timeout counts
LOG_BYTES = 2**20  # of what a worker has written, the last
END_SECONDS = 10.0  # that a worker without a job has for leaving by itself
STOP, HANG_UP = "stop", "hang up"  # what a runner says besides orders


class Workers(Protocol):
    """Who runs jobs: they are given one by one as long as there is room, and events tell the rest.

    `stop` asks those at work to save their state and halt; `close` ends them at once.
    """

    @property
    def has_room(self) -> bool: ...
    @property
    def is_busy(self) -> bool: ...
    def give(self, order: Order) -> None: ...
    def events(self, seconds: float) -> Sequence[Event]: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


def run_orders(workers: Workers, orders: Iterable[Order]) -> Iterator[Event]:
    """Run all, and end the workers when that is done or nobody listens any more."""
    waiting = deque(orders)
    with contextlib.closing(workers):
        while waiting or workers.is_busy:
            while waiting and workers.has_room:
                workers.give(waiting.popleft())
            yield from workers.events(POLL_SECONDS)


class Processes:
    """One worker process for each entry of `devices`.

    A worker that dies, breaks a job or exceeds `timeout` seconds with one fails that job only, and
    another takes its place.
    """

    def __init__(self, devices: Sequence[str], threads: int, timeout: float | None = None):
        self.devices = devices
        self.threads = threads
        self.timeout = timeout
        self.workers: dict[int, _Worker] = {}

    @property
    def has_room(self) -> bool:
        return len(self._at_work()) < len(self.devices)

    @property
    def is_busy(self) -> bool:
        return bool(self._at_work())

    def _at_work(self) -> list["_Worker"]:
        return [worker for worker in self.workers.values() if worker.job is not None]

    def give(self, order: Order) -> None:
        place = next(
            place
            for place in range(len(self.devices))
            if place not in self.workers or self.workers[place].job is None
        )
        if place not in self.workers:
            count = len(self.devices)
            self.workers[place] = _Worker(place, self.devices[place], self.threads, count)
        self.workers[place].give(order)

    def events(self, seconds: float) -> list[Event]:
        """What has happened; waits so long for something to happen."""
        at_work = self._at_work()
        if not at_work:
            time.sleep(seconds)
            return []
        ready = wait([worker.connection for worker in at_work], seconds)
        found = [worker.receive() for worker in at_work if worker.connection in ready]
        for worker in self._at_work():
            if self.timeout is not None and worker.seconds() > self.timeout:
                found.append(worker.fail(f"took longer than --timeout {self.timeout:g} seconds"))
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


class ThisProcess:
    """One job after the other without a worker, for debugging: breakpoints work."""

    def __init__(self, device: str, threads: int, should_stop: Callable[[], bool]):
        self.device = device
        self.threads = threads
        self.should_stop = should_stop
        self.order: Order | None = None

    @property
    def has_room(self) -> bool:
        return self.order is None

    @property
    def is_busy(self) -> bool:
        return self.order is not None

    def give(self, order: Order) -> None:
        self.order = order

    def events(self, seconds: float) -> list[Event]:
        if self.order is None:
            time.sleep(seconds)
            return []
        order, self.order = self.order, None
        told: list[Event] = []
        tell = _Tell(
            start=lambda: told.append(Started(order.job, 0)),
            go_on=lambda after, why: told.append(GoesOn(order.job, after, why)),
            step=lambda *_: None,
            should_stop=self.should_stop,
        )
        end = _run(order, self.device, self.threads, 1, tell)
        return [*told, end]

    def stop(self) -> None:
        """The job sees for itself."""

    def close(self) -> None:
        self.order = None


class _Worker:
    """The runner's side of one worker process."""

    def __init__(self, place: int, device: str, threads: int, workers: int):
        self.place = place
        self.job: Job | None = None
        self.broke: Job | None = None
        self.began = 0.0
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.output, name = tempfile.mkstemp()
        Path(name).unlink()  # so that nothing is left of it
        # A Connection, because that is what multiprocessing hands on to a child.
        output = Connection(os.dup(self.output))
        self.process = context.Process(
            target=_work, args=(theirs, output, device, threads, workers), daemon=True
        )
        # A child inherits the mask: only the runner hears Ctrl-C, and what a cluster sends to all
        # processes of a job; it then stops its workers.
        resource_tracker.ensure_running()  # or starting the first process clears the mask
        before = signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        output.close()

    def give(self, order: Order) -> None:
        self.job, self.began = order.job, time.monotonic() + START_SECONDS
        os.lseek(self.output, 0, os.SEEK_SET)  # of the worker, too: it writes on from there
        os.ftruncate(self.output, 0)
        with contextlib.suppress(OSError):  # it died; `receive` says so
            self.connection.send(order)

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
        if kind not in (GoesOn, Progress):
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
        self.process.join()
        self.connection.close()
        os.close(self.output)


def how_it_ended(code: int) -> str:
    """A process, by the exit code that multiprocessing gives it."""
    if code >= 0:
        return f"its worker ended with exit code {code}"
    names = {number.value: number.name for number in signal.Signals}
    name = names.get(-code, "unnamed")
    why = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"its worker was killed by signal {-code} ({name}{why})"


def _work(
    connection: Connection, output: Connection, device: str, threads: int, workers: int
) -> None:
    """The worker process: takes jobs until the runner hangs up."""
    threading.Thread(target=_leave_with_the_runner, daemon=True).start()
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

    tell = _Tell(partial(send, Started), partial(send, GoesOn), step, should_stop)
    with contextlib.suppress(_RunnerGone, EOFError, ConnectionError):
        while (order := connection.recv()) != HANG_UP:
            if order == STOP:  # the job was over before it could be stopped
                continue
            event = _run(order, device, threads, workers, tell)
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


def _leave_with_the_runner() -> None:
    """End this process as soon as the runner has ended, however that came about."""
    runner: Any = parent_process()
    wait([runner.sentinel])
    os._exit(1)


@dataclass(frozen=True)
class _Tell:
    """What a job tells while it runs, and whom it asks whether it should go on."""

    start: Callable[[], None]
    go_on: OnGoOn
    step: OnStep
    should_stop: Callable[[], bool]


def _run(
    order: Order, device: str, threads: int, workers: int, tell: _Tell
) -> Finished | Failed | Halted | Refused:
    job = order.job
    try:
        files = run_job(
            order,
            device=device,
            threads=threads,
            workers=workers,
            on_start=tell.start,
            on_go_on=tell.go_on,
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
