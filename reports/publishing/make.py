"""Makes published results: what is missing or stale, the most valuable first, within a budget."""

import contextlib
import math
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.jobs.kept import read_kept
from benchmarks.jobs.plan import make_plan
from benchmarks.runner.overhead import Clock
from benchmarks.runner.progress import say
from benchmarks.runner.run import RunOptions, run
from benchmarks.scoring.results import load_results
from benchmarks.store.layout import PACK, PARTIAL_PACK, SCORES
from benchmarks.store.pack import pack
from benchmarks.store.run_folder import RunFolder
from benchmarks.store.store import KEY, Store
from benchmarks.system.files import write_atomically
from benchmarks.system.text import counted
from dip.system.text import duration
from reports.publishing.catalogue import Entry
from reports.publishing.draw import draw_figures, remove_figures, write_text
from reports.publishing.state import CURRENT, PRESENT, UNKNOWN, state_of, unpacked

DRAWING_SECONDS = 20.0  # of the figures of a suite, about
# What commands begin with, and what runs it.
PROGRAMS = {"dip-bench": ["-m", "reports"], "dip": ["-m", "dip"], "python": []}


@dataclass(frozen=True)
class Making:
    """Where and how published results are made.

    Attributes:
        published: the folder of published results.
        out: the folder of results, whose runs are used and added to.
        device: `cpu`, or a GPU as `cuda`.
        deadline: when to stop, by `time.monotonic`.
    """

    published: Path
    out: Path
    device: str
    deadline: float = math.inf

    @property
    def kind(self) -> str:
        """The kind of device: `cpu` or `cuda`."""
        return self.device.partition(":")[0]

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()


def make_all(entries: Mapping[str, Entry], making: Making, console: Console) -> bool:
    """Make every result of this kind of device that is not current, in the order of the entries.

    Args:
        entries: by name.
        making: where and how.
        console: shows the progress of suites.

    Returns:
        Whether all was made; not if time ran out or jobs failed.

    Raises:
        InputError: a result cannot be made.
    """
    is_whole = True
    for name, entry in entries.items():
        if entry.device != making.kind:
            continue
        if making.seconds_left <= 0:
            say(console, f"{name}: not begun, because the time is up")
            is_whole = False
            continue
        state = state_of(name, entry, making.published)
        if state.word in (CURRENT, PRESENT):
            continue
        if state.word == UNKNOWN:
            say(console, f"{name}: left out ({state.detail})")
            is_whole = False
            continue
        is_whole &= make(name, entry, making, console)
    return is_whole


def make(name: str, entry: Entry, making: Making, console: Console) -> bool:
    """Make one published result, or go on with it; see `make_all`."""
    if entry.suite is None:
        return _run_command(name, entry, making, console)
    folder = making.published / name
    with unpacked(folder) as archive:
        kept = read_kept(archive) if archive else None
        plan = make_plan(entry.suite, making.out, entry.seeds, kept=kept)
        if archive:
            _take_over(archive.parent / "runs", plan.store)
        metrics = plan.suite.metrics
        before = {job.key for job in plan.jobs if kept and kept.has(job, metrics)}
        options = RunOptions(device=making.device, deadline=making.deadline)
        done, *others = run(plan, options, console, Clock())
        is_whole = not any(others)
        if done:
            folder.mkdir(parents=True, exist_ok=True)
            whole = {job.key for job in plan.jobs if job.image.name in entry.pictures}
            pack(plan.folder, folder / (PACK if is_whole else PARTIAL_PACK), whole=whole)
    say(console, f"{name}: {len(done)} of {counted(len(plan.jobs), 'job')} done")
    if not is_whole:
        return False
    (folder / PARTIAL_PACK).unlink(missing_ok=True)
    results = load_results(plan.folder)
    has_runs = all(map(results.has_run, results.rows["key"].unique()))
    if has_runs or {job.key for job in done} - before:  # otherwise figures are of these very rows
        remove_figures(folder)
        if making.seconds_left > DRAWING_SECONDS:
            draw_figures(results, folder, entry)
    write_text(results, folder)
    return True


def _take_over(runs: Path, store: Store) -> None:
    """Put runs of an archive into the store, unless it has them."""
    store.open_for_writing()
    for folder in runs.glob("*"):
        if KEY.fullmatch(folder.name) and store.read(folder.name) is None:
            run = RunFolder(folder)
            run.check()
            store.put(folder.name, {name: folder / name for name in run.checksums})
            with contextlib.suppress(FileNotFoundError):  # scores can be computed again
                scores = (folder / SCORES).read_text(encoding="utf-8")
                write_atomically(store.folder(folder.name) / SCORES, scores)


def _run_command(name: str, entry: Entry, making: Making, console: Console) -> bool:
    """Run what makes files; it cannot be resumed, so it begins only if there is time for it."""
    assert entry.command is not None
    if making.seconds_left < 60 * entry.minutes:
        took = duration(60 * entry.minutes)
        say(console, f"{name}: not begun, because it takes about {took} and cannot be resumed")
        return False
    line = entry.command.format(published=making.published)
    words = [str(Path(w).expanduser()) if w.startswith("~") else w for w in shlex.split(line)]
    say(console, f"{name}: {entry.command}")
    command = [sys.executable, *PROGRAMS[words[0]], *words[1:]]
    return subprocess.run(command, check=False).returncode == 0
