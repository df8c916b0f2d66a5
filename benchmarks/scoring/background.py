"""Scores stored runs while workers fit others, so that little is left to score at the end.

Nothing depends on it: what it has not scored, or could not, is scored in the end as if it had never
been there.
"""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, wait
from queue import SimpleQueue
from typing import Any

from benchmarks.jobs.job import Job
from benchmarks.scoring.score import keep_scores
from benchmarks.store.store import Store
from benchmarks.system.processes import process_context
from benchmarks.system.signals import leave_with_the_runner, not_for_children
from benchmarks.system.text import counted
from dip.system.signals import SIGNALS

MOST_PROCESSES = 8  # of half a GiB each; as many as keep up with some hundred GPUs
LINE_SECONDS = 30.0  # between lines on what is left to score
END_SECONDS = 2.0  # that closing waits for a picture; an import may go on while the program ends


class Scorer:
    """A thread that scores the runs it is given, one after the other."""

    def __init__(self, store: Store, metrics: Sequence[str]):
        self.store = store
        self.metrics = metrics
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._is_closed = threading.Event()
        # A daemon, or a long import would hold up an end that is to be at once.
        self._thread = threading.Thread(target=self._work, name="scoring", daemon=True)
        self._thread.start()

    def add(self, *jobs: Job) -> None:
        """Score the jobs' runs, which are stored, as soon as those before are done."""
        for job in jobs:
            self._jobs.put(job)

    def finish(self, say: Callable[[str], None], should_stop: Callable[[], bool]) -> None:
        """What is left is left to the end, where it takes no longer."""

    def close(self) -> None:
        """End after the picture that is being scored, and keep what there is.

        Does not wait long for it: whatever the thread is at, it then begins no other picture.
        """
        self._is_closed.set()
        self._jobs.put(None)
        self._thread.join(END_SECONDS)

    def _work(self) -> None:
        # Signals are the main thread's, whose waiting they are to end.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        while (job := self._jobs.get()) is not None and not self._is_closed.is_set():
            with contextlib.suppress(Exception):  # the scoring in the end tells of it
                keep_scores(self.store, job, self.metrics, should_stop=self._is_closed.is_set)


class Scorers:
    """The same with processes, on a machine with cores to spare: beside a cluster's runner."""

    def __init__(self, store: Store, metrics: Sequence[str], cores: int):
        self.store = store
        self.metrics = metrics
        count = min(cores, MOST_PROCESSES)
        self._pool = ProcessPoolExecutor(count, process_context(), initializer=_begin)
        self._processes: dict[int, Any] = {}  # by their numbers; a broken pool forgets them
        self._left: set[Future[None]] = set()

    def add(self, *jobs: Job) -> None:
        """Score the jobs' runs, which are stored, as soon as those before are done."""
        for job in jobs:
            # Without its processes, which memory may have run out for, the end scores it.
            with contextlib.suppress(BrokenExecutor, EOFError, OSError):
                with not_for_children():  # they are started when they are needed
                    scored = self._pool.submit(_keep_scores, self.store, job, self.metrics)
                self._processes |= self._pool._processes or {}
                self._left.add(scored)
                scored.add_done_callback(self._left.discard)

    def finish(self, say: Callable[[str], None], should_stop: Callable[[], bool]) -> None:
        """Wait until all is scored, or nobody wants it any more."""
        said_at = time.monotonic()
        while (left := [*self._left]) and not should_stop():
            if time.monotonic() - said_at > LINE_SECONDS:
                said_at = time.monotonic()
                say(f"{counted(len(left), 'run')} left to score")
            wait(left, timeout=0.5)

    def close(self) -> None:
        """End at once: scores are written whole, or not at all."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in self._processes.values():  # Python would wait for them in the end
            process.kill()


def _begin() -> None:
    leave_with_the_runner()
    # By which the pool ends the others when one has died.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def _keep_scores(store: Store, job: Job, metrics: Sequence[str]) -> None:
    with contextlib.suppress(Exception):  # the scoring in the end tells of it
        keep_scores(store, job, metrics)
