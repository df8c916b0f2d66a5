"""Gives a suite's jobs to an executor; stores and shows their results."""

import contextlib
import time
from collections.abc import Callable

from rich.console import Console

from benchmarks.jobs.job import Job
from benchmarks.jobs.plan import Plan
from benchmarks.runner.events import Event, Failed, Finished, Halted, Refused
from benchmarks.runner.executors import POLL_SECONDS, Executor
from benchmarks.runner.job.run_job import run_job
from benchmarks.runner.job.task import ShouldStop, Task
from benchmarks.runner.job_queue import JobQueue
from benchmarks.runner.overhead import Clock
from benchmarks.runner.progress import Display, say
from benchmarks.scoring.background import Scorer, Scorers
from benchmarks.store.layout import STATE
from benchmarks.store.run_folder import Content
from benchmarks.system.files import open_folder, write_atomically
from dip.errors import InputError
from dip.system.signals import Interrupted, deferring_signals

IMPORT_SECONDS = 5.0  # approximate time that importing torch takes
GRACE_SECONDS = 5.0  # after the deadline, for the iteration under way and the fit's state
Start = Callable[[ShouldStop], Executor]


def run_jobs(
    plan: Plan,
    queue: JobQueue,
    start: Start,
    task_for: Callable[[Job], Task],
    console: Console,
    clock: Clock,
    deadline: float,
) -> None:
    """Run all jobs of the queue, or what can be until the deadline.

    Args:
        plan: the suite with its jobs.
        queue: the jobs to run.
        start: makes the executor.
        task_for: makes the task of a job.
        console: shows progress.
        clock: measures where the time goes.
        deadline: of `time.monotonic`; running fits save their states then, and what has not ended
            `GRACE_SECONDS` later is broken off.

    Raises:
        Interrupted: a signal ended the run; running fits have saved their states.
        InputError: the store cannot be written, or no job can be run.
    """
    by_key: dict[str, list[Job]] = {}  # jobs of different names can share a run
    for job in plan.jobs:
        by_key.setdefault(job.key, []).append(job)
    with contextlib.ExitStack() as stack:
        stack.callback(queue.release_all)
        is_interrupted = stack.enter_context(deferring_signals())

        def should_stop() -> bool:
            return is_interrupted() or time.monotonic() >= deadline

        executor = start(should_stop)
        stack.callback(executor.close)
        scorer = _scorer(plan, executor)
        if scorer:
            stack.callback(scorer.close)
        display = stack.enter_context(Display(queue.waiting, executor.side_by_side or 1, console))

        def report(event: Event) -> None:
            clock.hears(event, executor.side_by_side)
            _settle(plan, queue, event)
            if scorer and isinstance(event, Finished):  # `_settle` has released its claim
                scorer.add(*by_key[event.job.key])
            display.show(event)

        _work_through(queue, executor, display, task_for, report, should_stop, deadline)
        executor.close()
        if scorer:
            scorer.finish(display.say, is_interrupted)
    say(console, display.summary())
    if is_interrupted():
        raise Interrupted


def _work_through(
    queue: JobQueue,
    executor: Executor,
    display: Display,
    task_for: Callable[[Job], Task],
    report: Callable[[Event], None],
    should_stop: ShouldStop,
    deadline: float,
) -> None:
    """Run jobs until the queue is empty, or running jobs have stopped when they had to."""
    is_stopping = False
    began = time.monotonic()
    while True:
        if should_stop() and not is_stopping:
            is_stopping = True
            executor.stop()
            if time.monotonic() >= deadline:
                display.say("time is up; stopping after this iteration")
            else:
                display.say("stopping after this iteration; Ctrl-C again ends at once")
        if time.monotonic() >= deadline + GRACE_SECONDS:
            executor.close()
            for _, running in [*queue.claims.values()]:
                report(Halted(running, queue.plan.begun(running)))
            break
        # Quick fills go first while the server imports torch: a worker would wait for it.
        gives_fits = not queue.quick or time.monotonic() - began > IMPORT_SECONDS
        gives_fits = gives_fits and not is_stopping
        while gives_fits and executor.has_room and (job := queue.take(queue.fits)):
            executor.give(task_for(job))
        quick = None if is_stopping else queue.take(queue.quick)
        while queue.done_elsewhere:
            display.elsewhere(queue.done_elsewhere.pop())
        if not executor.is_busy and quick is None:
            if is_stopping or not queue.waiting:
                break
            if gives_fits:
                display.waits(len(queue.waiting))
        if quick is not None:
            workers = max(1, executor.side_by_side)
            report(run_job(task_for(quick), device="cpu", threads=1, workers=workers))
        for event in executor.events(POLL_SECONDS if quick is None else 0):
            report(event)


def _scorer(plan: Plan, executor: Executor) -> Scorer | Scorers | None:
    """Make what scores runs while others are fitted; None if fits use torch in this process."""
    if not executor.side_by_side:
        return None
    if cores := executor.spare_cores:
        return Scorers(plan.store, plan.suite.metrics, cores)
    return Scorer(plan.store, plan.suite.metrics)


def _settle(plan: Plan, queue: JobQueue, event: Event) -> None:
    """Store a finished run, or the log of a failed job, before the event is shown."""
    key = event.job.key
    match event:
        case Finished(job, files):
            content: dict[str, Content] = {**files}
            if event.record.state_at is not None:
                content[STATE] = plan.store.unfinished(key).folder / STATE
            plan.store.put(key, content)
            plan.store.drop_unfinished(key)
            plan.failure(job).unlink(missing_ok=True)
        case Failed(job, reason, log):
            open_folder(plan.failure(job).parent)
            write_atomically(plan.failure(job), f"{reason}\n\n{log}")
        case Refused(_, reason):
            raise InputError(reason)
        case Halted():
            pass
        case _:
            return
    queue.release(event.job)
