"""What a person sees while jobs run: a bar for each worker in a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Column

from benchmarks.jobs.job import Job
from benchmarks.runner import events
from benchmarks.runner.job_queue import is_quick
from benchmarks.system.memory import LESS_MEMORY
from benchmarks.system.text import counted
from dip.system.text import duration

WIDE = 130  # columns that have room for bars beside names and numbers
ROWS = 16  # workers that have a row of their own in a terminal
LINE_SECONDS = 30.0  # between plain lines while nothing finishes
# If one of these is in the reason of a failure, memory ran out.
OUT_OF_MEMORY = "out of memory", "memory runs out"


def say(console: Console, text: str) -> None:
    """Print a line without markup, highlighting or wrapping."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


@dataclass
class TimeLeft:
    """Estimates the time left from the pace of each method; unknown ones count as the mean.

    Work is pixels times iterations. Jobs that wait are counted by method and work, so that an
    estimate costs the same however many there are of a kind.
    """

    workers: int
    # By method and work of a whole job: how many jobs are neither over nor seen at work.
    waiting: Counter[tuple[str, float]] = field(default_factory=Counter)
    whole: dict[str, tuple[str, float]] = field(default_factory=dict)  # the same of each job
    running: dict[str, tuple[str, float]] = field(default_factory=dict)  # job: method, work left
    paces: dict[str, float] = field(default_factory=dict)  # method: seconds per pixel and iteration
    begun: dict[str, tuple[float, int]] = field(default_factory=dict)  # job: first sight of it

    def add(self, job: Job) -> None:
        # A worker may be given more of it, as iterations that its stored run has.
        kind = self.whole.setdefault(job.name, (job.method_label, _work(job, 0)))
        self.waiting[kind] += 1

    def progress(self, job: Job, iteration: int, now: float) -> None:
        if job.name not in self.running:
            self._leaves(job)
        first_seen, first_iteration = self.begun.setdefault(job.name, (now, iteration))
        if iteration > first_iteration:
            work = _work(job, first_iteration) - _work(job, iteration)
            self.paces[job.method_label] = (now - first_seen) / work
        self.running[job.name] = (job.method_label, _work(job, iteration))

    def per_second(self, job: Job) -> float | None:
        """Iterations per second, if that can be told."""
        pace = self.paces.get(job.method_label) if job.name in self.begun else None
        return 1 / (pace * job.image.height * job.image.width) if pace else None

    def again(self, job: Job) -> None:
        """The job is as if it had not been seen."""
        if self.running.pop(job.name, None):
            self.add(job)
        self.begun.pop(job.name, None)

    def over(self, job: Job) -> None:
        if not self.running.pop(job.name, None):
            self._leaves(job)
        self.begun.pop(job.name, None)

    def _leaves(self, job: Job) -> None:
        kind = self.whole[job.name]
        self.waiting[kind] -= 1
        if not self.waiting[kind]:
            del self.waiting[kind]

    def seconds(self) -> float | None:
        """None as long as nothing is known, or nothing is left."""
        left = [(*kind, count) for kind, count in self.waiting.items()]
        left += [(method, work, 1) for method, work in self.running.values()]
        if not self.paces or not left:
            return None
        mean = sum(self.paces.values()) / len(self.paces)
        of_each = [(self.paces.get(method, mean) * work, count) for method, work, count in left]
        together = sum(seconds * count for seconds, count in of_each)
        return max(together / self.workers, max(seconds for seconds, _ in of_each))


def _work(job: Job, iteration: int) -> float:
    return float((max(job.iterations) - iteration) * job.image.height * job.image.width)


class Display:
    """Shows events as they come; a context manager."""

    def __init__(self, jobs: Sequence[Job], worker_count: int, console: Console):
        self.console = console
        self.total = len(jobs)
        self.counts = dict.fromkeys(("done", "diverged", "failed", "halted", "elsewhere"), 0)
        self.quick_fills_left = sum(map(is_quick, jobs))
        self.quick_fills_done = 0
        self.is_waiting = self.ran_out_of_memory = False
        self.started = self.last_line = time.monotonic()
        self.time_left = TimeLeft(worker_count)
        for job in jobs:
            self.time_left.add(job)
        name = TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(ratio=1, min_width=12, no_wrap=True, overflow="ellipsis"),
        )
        bar = [BarColumn(bar_width=20)] if console.width >= WIDE else []
        numbers = (
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[note]}", markup=False, table_column=Column(no_wrap=True)),
        )
        self.bars = (
            Progress(name, *bar, *numbers, console=console, expand=True)
            if console.is_terminal
            else None
        )
        self.places: dict[str, int] = {}  # by the name of the job that is there
        self.rows: dict[int, TaskID] = {}  # by place

    @property
    def over(self) -> int:
        return sum(self.counts.values()) - self.counts["halted"]

    def __enter__(self) -> "Display":
        if self.bars:
            self.bars.start()
            self.overall = self.bars.add_task("jobs", total=self.total, note="")
            for place in range(min(self.time_left.workers, ROWS)):
                name = f"  worker {place + 1}"
                self.rows[place] = self.bars.add_task(name, total=None, note="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bars:
            self.bars.stop()

    def show(self, event: events.Event, outcome: str = "") -> None:
        """outcome: what there is to say of a job that has finished, besides how."""
        job = event.job
        match event:
            case events.Started(_, place):
                self.places[job.name] = place
                self._bar(job, 0, "")
            case events.Resumed(_, after, ""):
                self._bar(job, after, "")
                self._line(f"goes on   {job.name} from iteration {after}")
            case events.Resumed(_, _, why):
                self._line(f"again     {job.name} from the start, because of {why}")
            case events.Progress(_, percent, None):
                self._bar(job, percent, "%")
                if not self.bars and time.monotonic() - self.last_line >= LINE_SECONDS:
                    self._line(f"running   {job.name}, {percent} %")
            case events.Progress(_, iteration, loss):
                self.time_left.progress(job, iteration, time.monotonic())
                note = f"loss {loss:.5f}{self._pace(job, iteration)}"
                self._bar(job, iteration, note)
                if not self.bars and time.monotonic() - self.last_line >= LINE_SECONDS:
                    where = f"iteration {iteration} of {max(job.iterations)}, {note}"
                    self._line(f"running   {job.name}, {where}")
            case events.Finished():
                word = event.record.status
                self._ends(job, word)
                if outcome:
                    self._line(outcome)
                elif not self.bars and not is_quick(job):
                    self._line(f"{word:9} {job.name}")
            case events.Failed(_, reason, _):
                self._ends(job, "failed")
                self.ran_out_of_memory |= any(words in reason for words in OUT_OF_MEMORY)
                self._line(f"FAILED    {job.name}: {reason}")
            case events.Lost(_, reason):
                self.time_left.again(job)
                self._leaves_place(job)
                self._line(f"lost      {job.name}: {reason}; it is given again")
            case events.Halted(_, iteration):
                self._ends(job, "halted")
                saved = f"its state is saved at iteration {iteration}" if iteration else "not saved"
                self._line(f"halted    {job.name}: {saved}")

    def elsewhere(self, job: Job) -> None:
        """Another runner has seen to a job."""
        self._ends(job, "elsewhere")
        if not self.bars:
            self._line(f"elsewhere {job.name}: another runner has seen to it")

    def waits(self, count: int) -> None:
        """All jobs that are left are with other runners."""
        if not self.is_waiting:
            self._line(f"waiting for {counted(count, 'job')} that another runner is at")
        self.is_waiting = True

    def say(self, text: str) -> None:
        say(self.console, text)

    def summary(self) -> str:
        """What came of the jobs, in one line."""
        words = {
            "done": "done",
            "diverged": "diverged",
            "failed": "failed",
            "halted": "halted on their way",
            "elsewhere": "seen to by another runner",
        }
        parts = [f"{self.counts[word]} {words[word]}" for word in words if self.counts[word]]
        if left := self.total - sum(self.counts.values()):
            parts.append(f"{left} not begun")
        took = duration(time.monotonic() - self.started)
        text = f"Ran {counted(self.total, 'job')} in {took}: {', '.join(parts)}"
        return text + (f"; memory ran out: {LESS_MEMORY}" if self.ran_out_of_memory else "")

    def _ends(self, job: Job, how: str) -> None:
        self.counts[how] += 1
        self.time_left.over(job)
        self._leaves_place(job)
        if is_quick(job):
            self.quick_fills_left -= 1
            self.quick_fills_done += how == "done"
            if not (self.quick_fills_left or self.bars) and self.quick_fills_done:
                # One line for all of them: many are over within a second.
                self._line(f"done      {counted(self.quick_fills_done, 'quick job')}")
        if self.bars:
            self.bars.update(self.overall, completed=self.over, note=self._left())

    def _leaves_place(self, job: Job) -> None:
        place = self.places.pop(job.name, None)
        if self.bars and place in self.rows:
            self.bars.update(self.rows[place], description=f"  worker {place + 1}", note="")

    def _bar(self, job: Job, iteration: int, note: str) -> None:
        if not self.bars or (place := self.places.get(job.name)) not in self.rows:
            return
        self.bars.update(
            self.rows[place],
            description=f"  worker {place + 1}  {job.name}",
            total=max(job.iterations) or 100,  # per cent, of a fill
            completed=iteration,
            note=note,
        )
        self.bars.update(self.overall, note=self._left())

    def _pace(self, job: Job, iteration: int) -> str:
        per_second = self.time_left.per_second(job)
        if per_second is None:
            return ""
        left = duration((max(job.iterations) - iteration) / per_second)
        return f", {per_second:.3g} it/s, {left} left"

    def _line(self, text: str) -> None:
        self.last_line = time.monotonic()
        left = self._left()
        self.say(f"[{self.over}/{self.total}] {text}" + (f"; {left}" if left else ""))

    def _left(self) -> str:
        seconds = self.time_left.seconds()
        return "" if seconds is None else f"about {duration(seconds)} left"
