"""How far a published result is: current, to redraw, stale, partial or missing."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.jobs.job import OVER, Job
from benchmarks.jobs.kept import Kept, read_kept
from benchmarks.jobs.plan import Plan, make_plan
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
def unpacked(folder: Path) -> Iterator[Path | None]:
    """Unpack the archive to go on from for a while; None if there is none."""
    archive = next((path for path in _archives(folder) if path.exists()), None)
    if archive is None:
        yield None
        return
    with TemporaryDirectory() as place:
        yield unpack(archive, Path(place) / "archive")


def _archives(folder: Path) -> tuple[Path, Path]:
    """What is being made goes before what stands until then."""
    return folder / PARTIAL_PACK, folder / PACK


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
    with unpacked(folder) as archive, TemporaryDirectory() as out:
        if archive is None:
            return State(MISSING)
        try:
            plan = make_plan(
                entry.suite, Path(out) / "results", entry.seeds, kept=read_kept(archive)
            )
        except (InputError, DatasetError) as error:
            return State(UNKNOWN, str(error))
    return _of_plan(plan, entry, folder)


def _of_plan(plan: Plan, entry: Entry, folder: Path) -> State:
    kept = plan.kept
    assert kept is not None
    lacking = [job for job in plan.jobs if not kept.has(job, plan.suite.metrics)]
    if lacking:
        progress = f"{len(plan.jobs) - len(lacking)} of {counted(len(plan.jobs), 'job')}"
        if reasons := _reasons(kept, lacking, plan.suite.metrics):
            return State(STALE, f"{progress} as today; {'; '.join(reasons)}")
        return State(PARTIAL, progress)
    results = load_results(folder)
    if {*results.jobs["key"]} != {job.key for job in plan.jobs}:
        return State(REDRAW, "it has jobs that the suite no longer asks for")
    if missing := [pattern for pattern in entry.figures if not has_figure(folder, pattern)]:
        return State(REDRAW, f"no figure {missing[0]}")
    return State(CURRENT) if is_drawn(results, folder) else State(REDRAW)


def _reasons(kept: Kept, lacking: list[Job], metrics: list[str]) -> list[str]:
    """Why rows that were kept are not those of today; none if rows are only missing."""
    changes = Counter(change for job in lacking for change in kept.changes(job, metrics))
    if changes:
        return [f"{change} ({counted(n, 'job')})" for change, n in changes.most_common(NAMED)]
    today = {job.key for job in lacking}
    if not kept.about.get("specification"):
        return ["made by an earlier version, which did not note versions"]
    done = {key for key, (word, _) in kept.statuses.items() if word in OVER}
    return ["other iterations, rules or outputs"] if done & today else []
