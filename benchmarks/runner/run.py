"""Runs a suite: validate, fit what is missing, score, write results.csv."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

from rich.console import Console

from benchmarks.jobs.asked import asked_by, question_of_fit
from benchmarks.jobs.job import Job, skipped_images
from benchmarks.jobs.plan import Plan, select, sort_out
from benchmarks.runner.executors.in_process import InProcess
from benchmarks.runner.executors.processes import Processes
from benchmarks.runner.job.task import Task
from benchmarks.runner.job_queue import JobQueue, is_quick
from benchmarks.runner.loop import Start, run_jobs
from benchmarks.runner.overhead import Clock
from benchmarks.runner.preflight import check_networks
from benchmarks.runner.progress import say
from benchmarks.scoring.tables import write_results
from benchmarks.store.accounting import FITS, READING, SCORING
from benchmarks.system.devices import check_device, places, unused_gpu
from benchmarks.system.files import alone_in, open_folder
from benchmarks.system.memory import little_memory
from benchmarks.system.text import counted
from dip.errors import InputError
from dip.system.signals import Interrupted

SCORING_SECONDS = 8.0  # after the deadline, for what was not scored beside the fits


@dataclass(frozen=True)
class RunOptions:
    """How jobs are run. pattern: only those whose name holds it; timeout: seconds of a job.

    executor: worker processes here, or a Ray cluster; address: the cluster's, or `auto` for the one
    that this machine is a node of. deadline: of `time.monotonic`, at which jobs stop as after an
    interruption, and what has finished is scored.
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
    deadline: float = math.inf


class Outcome(NamedTuple):
    """What has become of the chosen jobs.

    Attributes:
        done: have a result, and need no more of this command.
        without_result: have failed, now or before.
        left: were still to run, to end or to be scored at the deadline.
    """

    done: list[Job]
    without_result: list[Job]
    left: list[Job]


def run(plan: Plan, options: RunOptions, console: Console, clock: Clock) -> Outcome:
    """Fit what is missing, then score everything stored; writes results.csv and jobs.csv.

    Args:
        plan: the suite with its jobs.
        options: which jobs run, and how.
        console: shows progress, notices and jobs without a result.
        clock: of the command; what it says is written to accounting.json if something was fitted.

    Returns:
        What has become of the chosen jobs.

    Raises:
        InputError: an option does not fit, or results cannot be written.
        Interrupted: the user wants an end. Whatever ends it early, finished runs are stored.
    """
    try:
        return _run(plan, options, console, clock)
    except Interrupted:
        if options.fresh:  # which would begin with all of them again
            raise
        raise Interrupted("the same command goes on from here") from None


def _run(plan: Plan, options: RunOptions, console: Console, clock: Clock) -> Outcome:
    chosen = select(plan.jobs, options.pattern)
    _check_options(options)
    plan.store.open_for_writing()
    open_folder(plan.folder)
    for notice in skipped_images(plan.suite, plan.jobs):
        say(console, f"NOTICE: {notice}")
    asked = asked_by(plan)
    if asked and asked.notice:
        say(console, f"NOTICE: {asked.notice}")
    for key, job in {job.key: job for job in chosen}.items():
        if damage := plan.store.set_aside_damaged(key):
            say(console, f"NOTICE: {job.name}: its run was damaged ({damage}) and is set aside")
    statuses = plan.statuses()
    over, skipped, todo = sort_out(
        statuses, chosen, fresh=options.fresh, retry_failed=options.retry_failed
    )
    say(
        console,
        f"{plan.suite.name}: {counted(len(chosen), 'job')}, {len(over)} done before,"
        f" {len(todo)} to run"
        + (f", {len(skipped)} failed before (--retry-failed runs them again)" if skipped else ""),
    )
    with alone_in(plan.folder):
        plan.write_table(statuses)
    began = {job.key: statuses[job.key].version for job in todo}
    if todo and time.monotonic() < options.deadline:
        start = _executor(plan, todo, options, console)
        clock.lap(READING)
        queue = JobQueue(plan, todo, statuses, options.fresh)

        def task_for(job: Job) -> Task:
            return Task(
                *(job, plan.suite.name, plan.store, not options.fresh, options.keep_state),
                question=question_of_fit(plan, job, asked),
            )

        run_jobs(plan, queue, start, task_for, console, clock, options.deadline)
        clock.lap(FITS)
    else:
        clock.lap(READING)
    late = options.deadline + SCORING_SECONDS
    _, statuses, unscored = write_results(plan, statuses, say=partial(say, console), until=late)
    lacking = {job.key for job in unscored}
    clock.lap(SCORING)
    with alone_in(plan.folder):
        clock.write(plan.folder)
    outcome = Outcome([], [], [])
    for job in chosen:
        word, reason, version = status = statuses[job.key]
        has_waited = version == began.get(job.key)  # it has neither run nor failed
        if job.key in lacking or (has_waited and time.monotonic() >= options.deadline):
            outcome.left.append(job)
        elif status.is_over:
            outcome.done.append(job)
        else:
            outcome.without_result.append(job)
            say(console, f"NO RESULT: {': '.join(filter(None, (job.name, word, reason)))}")
    return outcome


def _check_options(options: RunOptions) -> None:
    if options.executor == "local":  # devices of a cluster cannot be checked on this machine
        check_device(options.device)
    if options.workers == 0 and options.timeout is not None:
        raise InputError("`timeout` needs worker processes; leave out `workers` 0")
    if options.executor == "ray" and options.workers == 0:
        raise InputError("`workers` 0 runs jobs in this process; leave out `executor` ray")
    if options.executor == "local" and options.address != "auto":
        raise InputError(f"`address` {options.address} needs a cluster; add `executor` ray")


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
        say(console, cluster.about)
        return lambda _: cluster
    devices = places(options.device, options.workers, options.threads, options.workers_per_gpu)
    check_networks(plan.suite, todo, devices[0])
    devices = devices[: sum(not is_quick(job) for job in todo)] or devices[:1]
    if warning := little_memory(devices.count("cpu")):
        say(console, f"NOTICE: {warning}")
    if options.device == "auto" and (warning := unused_gpu(devices[0])):
        say(console, f"NOTICE: {warning}")
    if options.workers == 0:
        return partial(InProcess, devices[0], options.threads)
    return lambda _: Processes(devices, options.threads, options.timeout)
