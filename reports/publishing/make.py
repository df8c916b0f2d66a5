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

from benchmarks.runner.overhead import Clock
from benchmarks.runner.progress import say
from benchmarks.runner.run import RunOptions, run
from benchmarks.scoring.results import load_results
from benchmarks.store.layout import PACK, PARTIAL_PACK, RUNS, SCORES
from benchmarks.store.pack import pack
from benchmarks.store.run_folder import RunFolder
from benchmarks.store.store import KEY, Store
from benchmarks.system.files import write_atomically
from benchmarks.system.text import counted
from datasets import DatasetError
from dip.errors import InputError
from dip.system.text import duration
from reports.publishing.catalogue import Entry
from reports.publishing.draw import draw_figures, has_figure, remove_figures, write_text
from reports.publishing.state import CURRENT, PRESENT, plan_from_archives, state_of

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
    chosen = {name: entry for name, entry in entries.items() if entry.device == making.kind}
    if not chosen:
        say(console, f"Nothing on the list is made on {making.kind}")
    is_whole = True
    for name, entry in chosen.items():
        if making.seconds_left <= 0:
            say(console, f"{name}: not begun, because the time is up")
            is_whole = False
            continue
        if (state := state_of(name, entry, making.published)).word in (CURRENT, PRESENT):
            say(console, f"{name}: {state.word}")
            continue
        try:
            is_whole &= _make(name, entry, making, console)
        except (InputError, DatasetError) as error:  # the others can be made
            say(console, f"{name}: cannot be made ({error})")
            is_whole = False
    return is_whole


def _make(name: str, entry: Entry, making: Making, console: Console) -> bool:
    """Make one published result, or go on with it; see `make_all`."""
    if entry.suite is None:
        return _run_command(name, entry, making, console)
    folder = making.published / name
    # With fewer seeds it would overwrite the results of the whole suite.
    out = making.out / name if entry.seeds else making.out
    with plan_from_archives(entry, folder, out) as (plan, archive):
        kept, metrics = plan.kept, plan.suite.metrics
        if archive:
            _take_over(archive.parent / RUNS, plan.store)
        before = {job.key for job in plan.jobs if kept and kept.has(job, metrics)}
        options = RunOptions(device=making.device, deadline=making.deadline, retry_failed=True)
        done, *others = run(plan, options, console, Clock())
        is_whole = not any(others)
        has_changed = bool({job.key for job in done} - before)
        if done:
            folder.mkdir(parents=True, exist_ok=True)
            if is_whole and has_changed:
                remove_figures(folder)  # a kill must not leave them beside new rows
            whole = {job.key for job in plan.jobs if job.image.name in entry.pictures}
            pack(plan.folder, folder / (PACK if is_whole else PARTIAL_PACK), whole=whole)
    say(console, f"{name}: {len(done)} of {counted(len(plan.jobs), 'job')} done")
    if not is_whole:
        return False
    (folder / PARTIAL_PACK).unlink(missing_ok=True)
    results = load_results(plan.folder)
    lacks_figures = not all(has_figure(folder, pattern) for pattern in entry.figures)
    if (not results.without_pictures or lacks_figures) and making.seconds_left > DRAWING_SECONDS:
        draw_figures(results, folder, entry)
    write_text(results, folder)
    if (state := state_of(name, entry, making.published)).word != CURRENT:
        why = "too little time, or runs are missing"
        say(console, f"{name}: {state.word}, {state.detail}; not all figures were drawn: {why}")
        return False
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
    place = str(making.published)
    words = [word.replace("{published}", place) for word in shlex.split(entry.command)]
    words = [str(Path(word).expanduser()) if word.startswith("~") else word for word in words]
    say(console, f"{name}: {entry.command}")
    command = [sys.executable, *PROGRAMS[words[0]], *words[1:]]
    try:
        timeout = None if math.isinf(making.deadline) else making.seconds_left
        subprocess.run(command, check=True, timeout=timeout)
    except subprocess.SubprocessError as error:
        say(console, f"{name}: failed ({error})")
        return False
    return True
