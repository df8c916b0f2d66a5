"""Runs a suite: validate, fit what is missing, score, write results.csv."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console

from benchmarks.jobs.job import Job, specification
from benchmarks.jobs.plan import Plan, select, sort_out
from benchmarks.runner.events import Event, Failed, Finished, Halted, Refused
from benchmarks.runner.executors import POLL_SECONDS, Executor
from benchmarks.runner.executors.in_process import InProcess
from benchmarks.runner.executors.processes import Processes
from benchmarks.runner.executors.worker import Tell, carry_out
from benchmarks.runner.job.task import Task
from benchmarks.runner.job_queue import JobQueue, is_quick
from benchmarks.runner.overhead import Clock
from benchmarks.runner.preflight import check_networks
from benchmarks.runner.progress import Display
from benchmarks.scoring.background import Scorer, Scorers
from benchmarks.scoring.score import score
from benchmarks.store.accounting import FITS, READING, SCORING
from benchmarks.store.layout import RESULTS, STATE, SUITE
from benchmarks.store.run_folder import Content
from benchmarks.system.devices import check_device, places, unused_gpu
from benchmarks.system.files import alone_in, open_folder, to_json, write_atomically
from benchmarks.system.memory import little_memory
from benchmarks.system.text import counted
from dip.errors import InputError
from dip.system.signals import Interrupted, deferring_signals

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RunOptions:
    """How jobs are run. pattern: only those whose name holds it; timeout: seconds of a job.

    executor: worker processes here, or a Ray cluster; address: the cluster's, or `auto` for the one
    that this machine is a node of.
    """

    pattern: str = ""
    fresh: bool = False
    retry_failed: bool = False
    keep_state: bool = False
    timeout: float | None = None
    workers: int | None = None
    workers_per_gpu: int | None = None
    threads: int = 1
    device: str = "auto"
    executor: Literal["local", "ray"] = "local"
    address: str = "auto"


IMPORT_SECONDS = 5.0  # about what importing torch takes
Start = Callable[[Callable[[], bool]], Executor]  # called with what says whether to stop


def run(plan: Plan, options: RunOptions, console: Console, clock: Clock) -> list[Job]:
    """Fit what is missing, then score everything stored; writes results.csv and jobs.csv.

    clock: of the command; what it says is written to accounting.json if something was fitted.
    Returns those of the chosen jobs that have no result. Raises InputError if results cannot be
    written, Interrupted if the user wants an end. Whatever ends it early, finished runs are stored.
    """
    try:
        return _run(plan, options, console, clock)
    except Interrupted:
        if options.fresh:  # which would begin with all of them again
            raise
        raise Interrupted("the same command goes on from here") from None


def _run(plan: Plan, options: RunOptions, console: Console, clock: Clock) -> list[Job]:
    chosen = select(plan.jobs, options.pattern)
    if options.executor == "local":  # a cluster's devices are not this machine's
        check_device(options.device)
    if options.workers == 0 and options.timeout is not None:
        raise InputError("`timeout`: needs a worker that can be ended; leave `workers` 0 out")
    if options.executor == "ray" and options.workers == 0:
        raise InputError("`workers` 0: is this process alone; leave `executor` ray out")
    if options.executor == "local" and options.address != "auto":
        raise InputError(f"`address` {options.address}: is a cluster's; add `executor` ray")
    plan.store.open_for_writing()
    open_folder(plan.folder)
    unique = {job.key: job for job in chosen}
    for key, job in unique.items():
        if damage := plan.store.set_aside_damaged(key):
            _say(console, f"NOTICE: {job.name}: its run was damaged ({damage}) and is set aside")
    before = {key: plan.fingerprint(job) for key, job in unique.items()}
    over, skipped, todo = sort_out(
        plan.statuses(), chosen, fresh=options.fresh, retry_failed=options.retry_failed
    )
    _say(
        console,
        f"{plan.suite.name}: {counted(len(chosen), 'job')}, {len(over)} done before,"
        f" {len(todo)} to run"
        + (f", {len(skipped)} failed before (--retry-failed runs them again)" if skipped else ""),
    )
    with alone_in(plan.folder):
        plan.write_table(plan.statuses())
    if todo:
        start = _executor(plan, todo, options, console)
        clock.lap(READING)
        queue = JobQueue(plan, todo, before, options.fresh)
        _run_jobs(plan, queue, options, start, console, clock)
        clock.lap(FITS)
    else:
        clock.lap(READING)
    write_results(plan, console=console)
    clock.lap(SCORING)
    with alone_in(plan.folder):
        clock.write(plan.folder)
    lost = [(job, status) for job in chosen if not (status := plan.status(job)).is_over]
    for job, status in lost:
        _say(console, f"NO RESULT: {': '.join(filter(None, (job.name, *status)))}")
    return [job for job, _ in lost]


def _executor(plan: Plan, todo: Sequence[Job], options: RunOptions, console: Console) -> Start:
    """Who is to run the jobs, after a look at whether they can be run there."""
    if options.executor == "ray":
        from benchmarks.runner.executors.ray_cluster.cluster import Cluster

        cluster = Cluster(
            todo,
            address=options.address,
            device=options.device,
            threads=options.threads,
            timeout=options.timeout,
            workers=min(options.workers or len(todo), len(todo)),
            workers_per_gpu=options.workers_per_gpu,
        )
        try:
            check_networks(plan.suite, todo, cluster.terms.device)
        except BaseException:
            cluster.close()
            raise
        _say(console, cluster.about)
        return lambda _: cluster
    devices = places(options.device, options.workers, options.threads, options.workers_per_gpu)
    check_networks(plan.suite, todo, devices[0])
    devices = devices[: sum(not is_quick(job) for job in todo)] or devices[:1]
    if warning := little_memory(devices.count("cpu")):
        _say(console, f"NOTICE: {warning}")
    if options.device == "auto" and (warning := unused_gpu(devices[0])):
        _say(console, f"NOTICE: {warning}")
    if options.workers == 0:
        return partial(InProcess, devices[0], options.threads)
    return lambda _: Processes(devices, options.threads, options.timeout)


def write_results(plan: Plan, *, console: Console, afresh: bool = False) -> "pd.DataFrame":
    """Score what is stored and write results.csv and jobs.csv."""
    open_folder(plan.folder)
    with alone_in(plan.folder):
        return _write_results(plan, console, afresh)


def _write_results(plan: Plan, console: Console, afresh: bool) -> "pd.DataFrame":
    started = time.monotonic()

    def tell(scored: int, total: int) -> None:
        nonlocal started
        if time.monotonic() - started > 10:
            started = time.monotonic()
            _say(console, f"Scored {scored} of {total} runs")

    for job in plan.jobs:
        plan.store.mend(job.key)
    # A job that failed since its run was stored is no result, whatever the old run says.
    sound = [job for job in plan.jobs if plan.status(job).word != "failed"]
    results, reasons = score(plan.store, sound, plan.suite.metrics, afresh=afresh, on_run=tell)
    statuses = plan.statuses()
    for reason in reasons:
        _say(console, f"NOTICE: {reason}")
    write_atomically(plan.folder / RESULTS, results.to_csv(index=False))
    plan.write_table(statuses)
    about = {
        **plan.suite.model_dump(mode="json", include={"title", "expect", "metrics", "iterations"}),
        "published": _published(plan),
        "notices": reasons,
        "environments": _environments(plan),
        "specification": specification(plan.jobs),
    }
    write_atomically(plan.folder / SUITE, to_json(about))
    return results


def _published(plan: Plan) -> list[dict[str, Any]]:
    """The published figures that some method of the suite is to reproduce."""
    cells = {
        (job.image.name, job.method_label): (job.reproduces, job.image.published)
        for job in plan.jobs
        if job.reproduces is not None
    }
    return [
        {
            "image": image,
            "method": method,
            "published_by": figures.method,
            **figures.model_dump(include={"iteration", "psnr_full", "psnr_hole", "of"}),
        }
        for (image, method), (reproduces, published) in cells.items()
        for figures in published
        if figures.method == reproduces
    ]


def _environments(plan: Plan) -> list[dict[str, Any]]:
    """The devices and package versions that the stored runs were made with, each set once."""
    records = (plan.store.read(key) for key in {job.key: None for job in plan.jobs})
    found = [
        {name: record.environment[name] for name in ("device", "versions")}
        for record in records
        if record
    ]
    return list({to_json(each): each for each in found}.values())


def _run_jobs(
    plan: Plan, queue: JobQueue, options: RunOptions, start: Start, console: Console, clock: Clock
) -> None:
    """Run jobs until all are seen to; raises Interrupted after a signal."""
    scorer: Scorer | Scorers | None = None  # where fits run in this process, torch is theirs
    by_key: dict[str, list[Job]] = {}  # a run may be of jobs of several names
    for each in plan.jobs:
        by_key.setdefault(each.key, []).append(each)
    with contextlib.ExitStack() as stack:
        stack.callback(queue.release_all)
        is_asked_to_stop = stack.enter_context(deferring_signals())
        executor = start(is_asked_to_stop)
        stack.callback(executor.close)
        if executor.side_by_side:
            about = plan.store, plan.suite.metrics
            cores = executor.spare_cores
            scorer = Scorers(*about, cores) if cores else Scorer(*about)
            stack.callback(scorer.close)
        display = stack.enter_context(Display(queue.waiting, executor.side_by_side or 1, console))
        is_stopping = False
        began = time.monotonic()
        while True:
            if is_asked_to_stop() and not is_stopping:
                is_stopping = True
                executor.stop()
                display.say("stopping after this iteration; Ctrl-C again ends at once")
            # Quick fills go first while the server imports torch: a worker would wait for it.
            gives_fits = not queue.quick or time.monotonic() - began > IMPORT_SECONDS
            gives_fits = gives_fits and not is_stopping
            while gives_fits and executor.has_room and (job := queue.take(queue.fits)):
                executor.give(
                    Task(job, plan.suite.name, plan.store, not options.fresh, options.keep_state)
                )
            quick = None if is_stopping else queue.take(queue.quick)
            while queue.done_elsewhere:
                display.elsewhere(queue.done_elsewhere.pop())
            if not executor.is_busy and quick is None:
                if is_stopping or not queue.waiting:
                    break
                if gives_fits:
                    display.waits(len(queue.waiting))
            events: list[Event] = []
            if quick is not None:
                events.append(_filled_here(plan, quick, executor.side_by_side))
            events += executor.events(POLL_SECONDS if quick is None else 0)
            for event in events:
                clock.hears(event, executor.side_by_side)
                _settle(plan, queue, event)
                if scorer and isinstance(event, Finished):  # by now its claim is to be had
                    scorer.add(*by_key[event.job.key])
                display.show(event)
        executor.close()
        if scorer:
            scorer.finish(display.say, is_asked_to_stop)
    _say(console, display.summary())
    if is_asked_to_stop():
        raise Interrupted


def _filled_here(plan: Plan, job: Job, workers: int) -> Event:
    """Run a quick fill in this process; returns how it ended."""
    return carry_out(Task(job, plan.suite.name), "cpu", 1, max(1, workers), Tell())


def _settle(plan: Plan, queue: JobQueue, event: Event) -> None:
    """Store what is finished and note what failed, before it is shown."""
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


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
