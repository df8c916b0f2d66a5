"""Saves the states of fits in the store and resumes interrupted fits from them."""

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
    """The results of an interrupted fit, up to its saved state. All are empty for a new fit.

    Attributes:
        steps: the finished iterations.
        checkpoints: the saved checkpoints.
        pictures: their pictures, by file name.
        psnr_hole: hole PSNR of raw and averaged output in dB, by iteration.
        continued: all interruptions, the last one included.
        peak_memory_mib: peak memory in MiB, if known.
        question: hash of the suite's question when the fit began.
    """

    steps: tuple[dip.Step, ...] = ()
    checkpoints: tuple[Saved, ...] = ()
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    psnr_hole: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    continued: tuple[Continued, ...] = ()
    peak_memory_mib: float | None = None
    question: str = ""


def resumed(
    task: Task, described: dict[str, Any], begin: Callable[[], dip.Fit], report: Report
) -> tuple[dip.Fit, Past]:
    """Make a job's fit and resume it from its stored state if there is one.

    Args:
        task: the job and the store of its state.
        described: the present environment. A state from another environment is not used.
        begin: makes a new fit.
        report: called with `Resumed`, which names the iteration, or why the state is not used.

    Returns:
        The fit and its past, which is empty if the fit starts from the beginning.
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
    del fit  # otherwise two fits would be in memory
    return begin(), Past()


def save_state(store: Store, key: str, files: Mapping[str, bytes], fit: dip.Fit) -> None:
    """Save a fit's state and the files of its run so far in the store.

    Args:
        store: where to save them.
        key: key of the run.
        files: contents by file name.
        fit: the fit to save.

    Raises:
        CannotWriteError: they could not be written; the previous state is kept.
    """
    before = store.unfinished(key)
    content: dict[str, Content] = {
        # Files that are already there and intact are linked instead of written again.
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
    """The run with the latest state that the job can resume from."""
    store, job = task.store, task.job
    if store is None or not task.resume:
        return None
    last = max(job.iterations)
    begun: list[tuple[int, RunFolder]] = []
    # A finished run that is run again resumes only from a state before its last iteration.
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
    return max(begun, key=lambda candidate: candidate[0])[1] if begun else None


def _state(run: RunFolder) -> dip.State:
    """Read a saved state. Raises StateError if it is damaged or of an unexpected iteration."""
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
    """The results of a run up to an iteration."""
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
        question=record.question,
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
