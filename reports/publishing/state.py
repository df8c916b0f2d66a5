"""How far a published result is: current, to redraw, stale, partial or missing."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.jobs.job import OVER, Job
from benchmarks.jobs.kept import Kept, read_kept
from benchmarks.jobs.plan import Plan, make_plan
from benchmarks.jobs.suite import load_suite
from benchmarks.scoring.results import load_results
from benchmarks.store.layout import PACK, PARTIAL_PACK
from benchmarks.store.pack import unpack
from benchmarks.system.text import counted
from datasets import DatasetError
from dip.errors import InputError
from reports.publishing.catalogue import Entry
from reports.publishing.draw import has_figure, is_drawn

NAMED = 3  # changes that a line names
CURRENT, REDRAW, STALE = "current", "to redraw", "stale"
PARTIAL, MISSING, UNKNOWN = "partial", "missing", "unknown"
PRESENT = "present"  # files of a command: nothing tells whether it would write the same again


@dataclass(frozen=True)
class State:
    """word: one of the above; detail: why, or how far, in words."""

    word: str
    detail: str = ""


@contextmanager
def plan_from_archives(entry: Entry, folder: Path, out: Path) -> Iterator[tuple[Plan, Path | None]]:
    """Plan a suite with what its archives have kept.

    Of the whole result and the one that is being made, that counts which has more jobs as they are
    asked for today; of equal ones the latter.

    Args:
        entry: what the list says of the result.
        folder: its folder among the published results.
        out: the folder of results.

    Yields:
        The plan, and the folder of the unpacked archive that it goes on from, if there is one.

    Raises:
        InputError, DatasetError: the suite cannot be run here, or an archive cannot be read.
    """
    assert entry.suite is not None
    plan = make_plan(entry.suite, out, entry.seeds)
    best: tuple[Plan, Path | None] = plan, None
    with TemporaryDirectory() as place:
        most = -1
        for path in (folder / PACK, folder / PARTIAL_PACK):
            if not path.exists():
                continue
            archive = unpack(path, Path(place) / path.stem)
            if archive.name != plan.suite.name:
                raise InputError(f"{path}: holds the results of '{archive.name}'; move it away")
            try:
                kept = read_kept(archive)
            except InputError as error:
                raise InputError(f"{path}: {error}; move it away") from None
            number = sum(kept.has(job, plan.suite.metrics) for job in plan.jobs)
            if number >= most:
                most, best = number, (replace(plan, kept=kept), archive)
        yield best


def state_of(name: str, entry: Entry, published: Path) -> State:
    """How far a published result is.

    Args:
        name: its name.
        entry: what the list says of it.
        published: the folder of published results.

    Returns:
        The state. That of a suite is told by its rows: whether their keys, iterations, rules and
        versions are what the suite asks for today, and whether its text is what they give today.
    """
    if entry.suite is None:
        missing = [pattern for pattern in entry.files if not any(published.glob(pattern))]
        return State(MISSING, f"no {missing[0]}") if missing else State(PRESENT)
    folder = published / name
    is_missing = not any((folder / archive).exists() for archive in (PACK, PARTIAL_PACK))
    try:
        if is_missing:
            load_suite(entry.suite)
            return State(MISSING)
        with (
            TemporaryDirectory() as out,
            plan_from_archives(entry, folder, Path(out) / "results") as (plan, _),
        ):
            return _of_plan(plan, entry, folder)
    except (InputError, DatasetError) as error:
        return State(UNKNOWN, str(error))


def _of_plan(plan: Plan, entry: Entry, folder: Path) -> State:
    kept = plan.kept
    assert kept is not None
    lacking = [job for job in plan.jobs if not kept.has(job, plan.suite.metrics)]
    if lacking:
        progress = f"{len(plan.jobs) - len(lacking)} of {counted(len(plan.jobs), 'job')}"
        if reasons := _reasons(kept, lacking, plan.suite.metrics):
            return State(STALE, f"{progress} as today; {'; '.join(reasons)}")
        return State(PARTIAL, progress)
    if not (folder / PACK).exists():
        return State(REDRAW, "all jobs are done")
    results = load_results(folder)
    if {*results.jobs["key"]} != {job.key for job in plan.jobs}:
        return State(REDRAW, "it has other jobs than its suite")
    if missing := [pattern for pattern in entry.figures if not has_figure(folder, pattern)]:
        return State(REDRAW, f"no figure {missing[0]}")
    if not is_drawn(results, folder):
        return State(REDRAW)
    return State(
        CURRENT, "" if kept.records else "made before archives had records, which `audit` needs"
    )


def _reasons(kept: Kept, lacking: list[Job], metrics: list[str]) -> list[str]:
    """Why kept rows do not count today; none if rows are only missing."""
    changes = Counter(change for job in lacking for change in kept.changes(job, metrics))
    if changes:
        return [f"{change} ({counted(n, 'job')})" for change, n in changes.most_common(NAMED)]
    today = {job.key for job in lacking}
    if not kept.about.get("specification"):
        return ["made by an earlier version, which did not note versions"]
    done = {key for key, (word, _) in kept.statuses.items() if word in OVER}
    return ["other iterations, rules or outputs"] if done & today else []
