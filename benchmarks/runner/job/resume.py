"""Interrupted fits: their states in the store, and going on from them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

import dip
from benchmarks.jobs.plan import state_for
from benchmarks.runner.events import Resumed
from benchmarks.runner.job.task import Report, Task
from benchmarks.store.layout import STATE, file_name
from benchmarks.store.pictures import Picture
from benchmarks.store.record import Continued, Record, Saved
from benchmarks.store.run_folder import Content, DamagedError, RunFolder
from benchmarks.store.store import Store
from benchmarks.store.trace import read_trace
from benchmarks.system import environment
from dip.training.state import StateError


@dataclass(frozen=True)
class Past:
    """What a fit had computed when it was interrupted; nothing, for a fit that begins.

    psnr_hole: by iteration, of raw and averaged output. continued: the breaks, the last one among
    them.
    """

    steps: tuple[dip.Step, ...] = ()
    checkpoints: tuple[Saved, ...] = ()
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    psnr_hole: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    continued: tuple[Continued, ...] = ()
    peak_memory_mib: float | None = None


def resumed(
    task: Task, described: dict[str, Any], begin: Callable[[], dip.Fit], report: Report
) -> tuple[dip.Fit, Past]:
    """A fit where its stored state left it, or at its beginning.

    described: the environment of today, which has to be that of the state. begin: makes the fit.
    Reports `Resumed` with where it goes on, or with why it cannot.
    """
    fit = begin()
    run = _run_with_state(task, described, report)
    if run is None:
        return fit, Past()
    try:
        fit.load_state_dict(_state(run))
    except StateError as error:
        report(Resumed(task.job, 0, str(error)))
    else:
        report(Resumed(task.job, fit.iteration))
        return fit, _past(run, fit.iteration)
    del fit  # or two fits would be in memory
    return begin(), Past()


def save_state(store: Store, key: str, files: Mapping[str, bytes], fit: dip.Fit) -> None:
    """Leave the fit's state and the files of the run so far in the store.

    Raises CannotWriteError; what was there before stays.
    """
    before = store.unfinished(key)
    content: dict[str, Content] = {
        # What is there already, and whole, is linked and not written again.
        name: before.folder / name if _holds(before, name, data) else data
        for name, data in files.items()
    }
    write = partial(torch.save, fit.state_dict())
    store.put_unfinished(key, {**content, STATE: write})


def _holds(run: RunFolder, name: str, content: bytes) -> bool:
    try:
        return run.read(name) == content
    except DamagedError:
        return False


def _run_with_state(task: Task, described: dict[str, Any], report: Report) -> RunFolder | None:
    """The run with the latest state that the job can go on from."""
    store, job = task.store, task.job
    if store is None or not task.resume:
        return None
    last = max(job.iterations)
    begun: list[tuple[int, RunFolder]] = []
    # A run that holds all that is asked for, and is asked for again, is not gone on from.
    for run, latest in ((store.unfinished(job.key), last), (store.run(job.key), last - 1)):
        with suppress(DamagedError):
            record = run.check()
            after = state_for(record, job)
            if after is None or after > latest:
                continue
            if changed := environment.differences(record.environment, described):
                report(Resumed(job, 0, "; ".join(changed)))
            else:
                begun.append((after, run))
    return max(begun, key=lambda found: found[0])[1] if begun else None


def _state(run: RunFolder) -> dip.State:
    """Raises StateError if it cannot be read, or is of another iteration than the record says."""
    path = run.folder / STATE
    with run.open(STATE) as file:
        try:
            state: dip.State = torch.load(file, map_location="cpu", weights_only=True)
        except (EOFError, RuntimeError, UnpicklingError) as error:
            raise StateError(f"{path}: cannot be read ({error})") from None
    if not isinstance(state, dict) or state.get("iteration") != run.record.state_at:
        raise StateError(f"{path}: is not of iteration {run.record.state_at}")
    return state


def _past(run: RunFolder, after: int) -> Past:
    """What the run has up to that iteration."""
    record = run.record
    steps, psnr_hole = [], {}
    for iteration, loss, milliseconds, *psnr in read_trace(run).loc[:after].itertuples():
        steps.append(dip.Step(iteration, loss, milliseconds, iteration in record.backtracked_at))
        if not np.isnan(psnr).any():
            psnr_hole[iteration] = psnr[0], psnr[1]
    checkpoints = tuple(saved for saved in record.checkpoints if saved.iteration <= after)
    names = [name for saved in checkpoints for name in _pictures_of(saved)]
    return Past(
        steps=tuple(steps),
        checkpoints=checkpoints,
        pictures={name: Picture(run.read(name), record.pixels[name]) for name in names},
        psnr_hole=psnr_hole,
        continued=(*record.continued, _break(record, after)),
        peak_memory_mib=record.timing.peak_memory_mib,
    )


def _pictures_of(saved: Saved) -> list[str]:
    outputs = [(output, saved.iteration) for output in saved.outputs]
    stops = [(f"stop:{rule}", stop.iteration) for rule, stop in saved.stops.items()]
    return [file_name(output, iteration) for output, iteration in (*outputs, *stops)]


def _break(record: Record, after: int) -> Continued:
    before = record.environment
    return Continued(
        after=after,
        git_revision=before["git_revision"],
        git_dirty=before["git_dirty"],
        workers=before["workers"],
    )
