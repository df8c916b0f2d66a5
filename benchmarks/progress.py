"""What a person sees while jobs run: bars in a terminal, plain lines elsewhere."""

import time
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from benchmarks import workers
from benchmarks.jobs import Job

LINE_SECONDS = 30.0  # between plain lines while nothing finishes


def duration(seconds: float) -> str:
    """A duration as people say it."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


@dataclass
class TimeLeft:
    """Estimates the time left from the pace of each method; unknown ones count as the mean."""

    workers: int
    remaining: dict[str, tuple[str, float]] = field(default_factory=dict)  # job: method, work left
    paces: dict[str, float] = field(default_factory=dict)  # method: seconds per pixel and iteration
    begun: dict[str, tuple[float, int]] = field(default_factory=dict)  # job: first sight of it

    def add(self, job: Job) -> None:
        self.remaining[job.name] = (job.method_label, _work(job, 0))

    def progress(self, job: Job, iteration: int, now: float) -> None:
        first_seen, first_iteration = self.begun.setdefault(job.name, (now, iteration))
        if iteration > first_iteration:
            work = _work(job, first_iteration) - _work(job, iteration)
            self.paces[job.method_label] = (now - first_seen) / work
        self.remaining[job.name] = (job.method_label, _work(job, iteration))

    def over(self, job: Job) -> None:
        del self.remaining[job.name]

    def seconds(self) -> float | None:
        """None as long as nothing is known."""
        if not self.paces:
            return None
        mean = sum(self.paces.values()) / len(self.paces)
        work = sum(self.paces.get(method, mean) * left for method, left in self.remaining.values())
        longest = max(
            (self.paces.get(method, mean) * left for method, left in self.remaining.values()),
            default=0.0,
        )
        return max(work / self.workers, longest)


def _work(job: Job, iteration: int) -> float:
    return float((max(job.iterations) - iteration) * job.image.height * job.image.width)


class Display:
    """Shows events as they come; a context manager."""

    def __init__(self, jobs: list[Job], worker_count: int, console: Console):
        self.console = console
        self.total = len(jobs)
        self.over = 0
        self.failed = 0
        self.started = self.last_line = time.monotonic()
        self.time_left = TimeLeft(worker_count)
        for job in jobs:
            self.time_left.add(job)
        self.bars = (
            Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}", markup=False),
                console=console,
            )
            if console.is_terminal
            else None
        )
        self.rows: dict[str, TaskID] = {}

    def __enter__(self) -> "Display":
        if self.bars:
            self.bars.start()
            self.overall = self.bars.add_task("jobs", total=self.total, note="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bars:
            self.bars.stop()

    def show(self, event: workers.Event) -> None:
        now = time.monotonic()
        if isinstance(event, workers.Progress):
            self.time_left.progress(event.job, event.iteration, now)
            if self.bars:
                self._bar(event)
            elif now - self.last_line >= LINE_SECONDS:
                self._line(f"running   {event.job.name}, {_position(event)}", now)
            return
        self.over += 1
        self.time_left.over(event.job)
        if self.bars and event.job.name in self.rows:
            self.bars.remove_task(self.rows.pop(event.job.name))
        if isinstance(event, workers.Failed):
            self.failed += 1
            self._line(f"FAILED    {event.job.name}: {event.reason}", now)
        elif not self.bars:
            self._line(f"done      {event.job.name}", now)
        if self.bars:
            self.bars.update(self.overall, completed=self.over, note=self._left())

    def _bar(self, event: workers.Progress) -> None:
        assert self.bars
        name, total = event.job.name, max(event.job.iterations)
        if name not in self.rows:
            self.rows[name] = self.bars.add_task(f"  {name}", total=total, note="")
        note = f"loss {event.loss:.5f}"
        self.bars.update(self.rows[name], completed=event.iteration, note=note)
        self.bars.update(self.overall, note=self._left())

    def _line(self, text: str, now: float) -> None:
        self.last_line = now
        line = f"[{self.over}/{self.total}] {text}; {self._left() or 'time left not known yet'}"
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _left(self) -> str:
        seconds = self.time_left.seconds()
        return "" if seconds is None else f"about {duration(seconds)} left"


def _position(event: workers.Progress) -> str:
    return f"iteration {event.iteration} of {max(event.job.iterations)}, loss {event.loss:.5f}"
