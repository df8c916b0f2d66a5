"""Runs jobs in this process, one after the other: breakpoints work."""

import time

from benchmarks.runner.events import Event, Progress
from benchmarks.runner.job.run_job import run_job
from benchmarks.runner.job.task import ShouldStop, Task


class InProcess:
    """One job after the other without a worker, for debugging: breakpoints work."""

    def __init__(self, device: str, threads: int, should_stop: ShouldStop):
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
        events: list[Event] = []

        def report(event: Event) -> None:
            if not isinstance(event, Progress):  # events are shown only after the job has ended
                events.append(event)

        end = run_job(
            task,
            device=self.device,
            threads=self.threads,
            workers=1,
            report=report,
            should_stop=self.should_stop,
        )
        return [*events, end]

    def stop(self) -> None:
        """The job sees for itself."""

    def close(self) -> None:
        self.task = None
