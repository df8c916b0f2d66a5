"""Scores stored runs while workers fit others, so that little is left to score at the end.

Nothing depends on it: what it has not scored, or could not, is scored in the end as if it had never
been there.
"""

import contextlib
import signal
import threading
from collections.abc import Sequence
from queue import SimpleQueue

from benchmarks.interruption import NUMBERS
from benchmarks.jobs import Job
from benchmarks.scoring import keep_scores
from benchmarks.store import Store

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

    def close(self) -> None:
        """End after the picture that is being scored, and keep what there is.

        Does not wait long for it: whatever the thread is at, it then begins no other picture.
        """
        self._is_closed.set()
        self._jobs.put(None)
        self._thread.join(END_SECONDS)

    def _work(self) -> None:
        # Signals are the main thread's, whose waiting they are to end.
        signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)
        while (job := self._jobs.get()) is not None and not self._is_closed.is_set():
            with contextlib.suppress(Exception):  # the scoring in the end tells of it
                keep_scores(self.store, job, self.metrics, should_stop=self._is_closed.is_set)
