"""Runs jobs in this process, one after the other: breakpoints work."""

import time
from collections.abc import Callable

from benchmarks.runner.events import Event, Resumed, Started
from benchmarks.runner.executors.worker import Tell, carry_out
from benchmarks.runner.job.task import Task


class InProcess:
    """One job after the other without a worker, for debugging: breakpoints work."""

    def __init__(self, device: str, threads: int, should_stop: Callable[[], bool]):
        self.device = device
        self.threads = threads
        self.should_stop = should_stop
        self.task: Task | None = None

    @property
    def side_by_side(self) -> int:
        return 0

    spare_cores = 0

    @property
    def has_room(self) -> bool:
        return self.task is None

    @property
    def is_busy(self) -> bool:
        return self.task is not None

    def give(self, task: Task) -> None:
        self.task = task

    def events(self, seconds: float) -> list[Event]:
        if self.task is None:
            time.sleep(seconds)
            return []
        task, self.task = self.task, None
        told: list[Event] = []
        tell = Tell(
            start=lambda: told.append(Started(task.job, 0)),
            resume=lambda after, why: told.append(Resumed(task.job, after, why)),
            should_stop=self.should_stop,
        )
        end = carry_out(task, self.device, self.threads, 1, tell)
        return [*told, end]

    def stop(self) -> None:
        """The job sees for itself."""

    def close(self) -> None:
        self.task = None
