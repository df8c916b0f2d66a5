"""Scores the stored runs of a suite and writes its tables."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from benchmarks.jobs.asked import asked_by
from benchmarks.jobs.job import Job, specification
from benchmarks.jobs.plan import Plan, Status
from benchmarks.jobs.suite import Suite
from benchmarks.scoring.score import score
from benchmarks.store.layout import RECORDS, RESULTS, SUITE
from benchmarks.system.environment import NOT_RUN
from benchmarks.system.files import alone_in, open_folder, to_json, write_atomically
from benchmarks.system.text import counted

if TYPE_CHECKING:
    import pandas as pd

LINE_SECONDS = 10.0  # between lines of progress


def write_results(
    plan: Plan,
    statuses: Mapping[str, Status] = MappingProxyType({}),
    *,
    say: Callable[[str], None],
    afresh: bool = False,
    until: float = math.inf,
) -> "tuple[pd.DataFrame, dict[str, Status], list[Job]]":
    """Score the stored runs and write results.csv, jobs.csv and suite.json.

    Args:
        plan: the suite with its jobs.
        statuses: statuses read earlier, by key. Those of jobs that have run or failed since are
            read again.
        say: called with lines of progress and with notices.
        afresh: also score runs that have scores.
        until: by `time.monotonic`; what is not scored then is left out.

    Returns:
        The results, the status of each job by its key, and the jobs that are left to score.
    """
    open_folder(plan.folder)
    with alone_in(plan.folder):
        for job in plan.jobs:
            plan.store.mend(job.key)
        current = _brought_up_to_date(plan, statuses)
        # A job that failed after its run was stored has no result.
        sound = [job for job in plan.jobs if current[job.key].word != "failed"]
        results, reasons, unscored = score(
            *(plan.store, sound, plan.suite.metrics),
            afresh=afresh,
            kept={job.name: plan.kept.rows_of(job) for job in sound if plan.is_kept(job)}
            if plan.kept
            else {},
            until=until,
            on_run=_progress(say),
        )
        if unscored:
            say(f"{counted(len(unscored), 'run')} left to score")
        for reason in reasons:
            say(f"NOTICE: {reason}")
        if reasons:  # a damaged run that scoring has set aside is one
            current = _brought_up_to_date(plan, current)
        plan.write_table(current)
        write_atomically(plan.folder / RESULTS, results.to_csv(index=False))
        _write_records(plan)
        write_atomically(plan.folder / SUITE, to_json(_suite_json(plan, reasons)))
    return results, current, unscored


def _write_records(plan: Plan) -> None:
    """Write the records of jobs whose runs are not here; their rows were kept."""
    kept = [job for job in plan.jobs if plan.is_kept(job)] if plan.kept else []
    if not kept or plan.kept is None:
        (plan.folder / RECORDS).unlink(missing_ok=True)
        return
    records = {job.key: plan.kept.records.get(job.key) for job in kept}
    lines = [f"{record.model_dump_json()}\n" for record in records.values() if record]
    write_atomically(plan.folder / RECORDS, "".join(lines))


def _brought_up_to_date(plan: Plan, statuses: Mapping[str, Status]) -> dict[str, Status]:
    """The status of each job by its key, read again for jobs that have changed."""
    current = {}
    for job in plan.jobs:
        status = statuses.get(job.key)
        is_known = status is not None and not plan.has_changed(job, status)
        current[job.key] = status if status and is_known else plan.status(job)
    return current


def _progress(say: Callable[[str], None]) -> Callable[[int, int], None]:
    """Make a function that says every `LINE_SECONDS` how many runs are scored."""
    last = time.monotonic()

    def tell(scored: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > LINE_SECONDS:
            last = time.monotonic()
            say(f"Scored {scored} of {total} runs")

    return tell


def _suite_json(plan: Plan, reasons: Sequence[str]) -> dict[str, Any]:
    asked = asked_by(plan)
    return {
        **described(plan.suite, plan.jobs),
        "question": asked.model_dump(mode="json") if asked else None,
        "notices": reasons,
        "environments": _environments(plan),
        "specification": specification(plan.jobs),
        "suite": {"name": Path(plan.owner).name, "yaml": plan.suite.text},
    }


def described(suite: Suite, jobs: Sequence[Job]) -> dict[str, Any]:
    """What suite.json says of a suite whatever was run: by key, as JSON has it."""
    return {
        **suite.model_dump(mode="json", include={"title", "expect", "metrics"}),
        "iterations": suite.iterations or [0],  # at which fills have their answer
        "pictures": [
            label
            for entry in suite.methods
            if entry.published is not None
            for label, _ in entry.expand()
        ],
        "outputs": [output.label for output in suite.outputs],
        "method_outputs": {
            label: entry.output.label
            for entry in suite.methods
            if entry.output is not None
            for label, _ in entry.expand()
        },
        "method_iterations": _own_iterations(suite, jobs),
        "published": _published(jobs),
    }


def _own_iterations(suite: Suite, jobs: Sequence[Job]) -> dict[str, list[int]]:
    """The checkpoints of each network that has others than the suite."""
    usual = tuple(sorted(suite.iterations))
    own = {job.method_label: job.iterations for job in jobs if job.preset}
    return {method: list(each) for method, each in own.items() if each != usual}


def _published(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """The published figures that methods of the suite should reproduce."""
    cells = {
        (job.image.name, job.method_label): (job.reproduces, job.image.published)
        for job in jobs
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
    """The devices and package versions of the stored runs, without duplicates."""
    records = (plan.store.read(key) for key in {job.key: None for job in plan.jobs})
    environments = [
        {name: record.environment[name] for name in ("device", "versions")}
        for record in records
        if record and record.environment["device"] != NOT_RUN
    ]
    if plan.kept and any(map(plan.is_kept, plan.jobs)):
        environments = [*plan.kept.about["environments"], *environments]
    return list({to_json(entry): entry for entry in environments}.values())
