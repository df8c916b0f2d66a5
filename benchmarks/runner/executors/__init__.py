"""Executors: who runs the jobs of a suite, and where.

One interface with three uses: in this process (to debug), in worker processes of this machine, and
on the nodes of a Ray cluster, each of which runs what it is given as this machine would.
"""

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from benchmarks.runner.events import Event
from benchmarks.runner.job.task import Task

POLL_SECONDS = 0.5  # between looks at signals, timeouts and other runners


class Executor(Protocol):
    """Jobs are given to it one by one as long as there is room, and events tell the rest.

    side_by_side: how many run at a time; 0 where one runs in this process. spare_cores: cores of
    this machine that no fit has use for. `stop` asks those at work to save their state and halt;
    `close` ends them at once.
    """

    @property
    def side_by_side(self) -> int: ...
    @property
    def spare_cores(self) -> int: ...
    @property
    def has_room(self) -> bool: ...
    @property
    def is_busy(self) -> bool: ...
    def give(self, task: Task) -> None: ...
    def events(self, seconds: float) -> Sequence[Event]:
        """What has happened; waits so long for something to happen."""
        ...

    def stop(self) -> None: ...
    def close(self) -> None: ...


def run_tasks(executor: Executor, tasks: Iterable[Task]) -> Iterator[Event]:
    """Run all, and close the executor when that is done or nobody listens any more."""
    waiting = deque(tasks)
    with contextlib.closing(executor):
        while waiting or executor.is_busy:
            while waiting and executor.has_room:
                executor.give(waiting.popleft())
            yield from executor.events(POLL_SECONDS)
