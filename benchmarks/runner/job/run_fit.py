"""Runs the fit of one job and regularly saves its state in the store."""

import time

import numpy as np
import torch

import dip
from benchmarks.runner.events import Finished, Halted, Progress
from benchmarks.runner.job.kernels import kernels
from benchmarks.runner.job.oracle import Oracle
from benchmarks.runner.job.recording import Recording
from benchmarks.runner.job.resume import resumed, save_state
from benchmarks.runner.job.structure import structure_of
from benchmarks.runner.job.task import Report, ShouldStop, Task
from benchmarks.system import environment
from benchmarks.system.memory import PeakMemory
from dip.engine.engine import Engine
from dip.options import Method

STATE_SECONDS = 60.0  # between saved states, if no checkpoint comes before


def run_fit(
    task: Task,
    method: Method,
    device: str,
    threads: int,
    workers: int,
    report: Report,
    should_stop: ShouldStop,
) -> Finished | Halted:
    """Run a job's fit until its last iteration, or until `should_stop` returns True.

    The fit resumes from a stored state. Its state is saved at each checkpoint, every
    `STATE_SECONDS`, and when it stops early.

    Args:
        task: the job and the store of its state.
        method: the method to fit.
        device: torch device of the fit.
        threads: CPU threads, for the record.
        workers: number of jobs that run at the same time, for the record.
        report: called with `Resumed` and `Progress`.
        should_stop: called after each iteration, on a GPU after each block of iterations.

    Returns:
        Finished, with the files of the run folder, or Halted if it stopped early.

    Raises:
        CannotWriteError: the state could not be saved.
    """
    job = task.job
    with kernels(device, deterministic=job.deterministic):
        with Engine(job.engine, job.precision, device).switches():
            described = environment.describe(device, threads, workers, uses_torch=True)
        structure = structure_of(job, method)  # before time and memory are measured
        memory = PeakMemory(device)
        oracle = Oracle(job.image.pixels, job.mask[0] == 1, device)

        def begin() -> dip.Fit:
            return dip.Fit(
                torch.from_numpy(job.image.pixels.astype(np.float32) / 255),
                torch.from_numpy(job.mask.astype(np.float32)),
                method,
                seed=job.seed,
                device=device,
                engine=job.engine,
                precision=job.precision,
                rules=job.rules,
                outputs=job.outputs,
                observe=oracle,
            )

        fit, past = resumed(task, described, begin, report)
        recording = Recording(task, structure, described, memory, oracle, past)
        return _run(task, fit, recording, report, should_stop)


def _run(
    task: Task, fit: dip.Fit, recording: Recording, report: Report, should_stop: ShouldStop
) -> Finished | Halted:
    job, store, last = task.job, task.store, max(task.job.iterations)
    saved_at = time.monotonic()
    milliseconds = 0.0
    try:
        for step in fit.until(*job.iterations):
            recording.steps.append(step)
            milliseconds += step.milliseconds
            report(Progress(job, step.iteration, step.loss))
            if step.iteration < fit.iteration:  # within a block of iterations on a GPU
                continue
            is_asked_for = step.iteration in job.iterations
            if is_asked_for:
                recording.add(fit.checkpoint())
            if step.iteration == last:
                break
            stops = should_stop()
            is_due = stops or is_asked_for or time.monotonic() - saved_at > STATE_SECONDS
            if store and is_due:
                save_state(store, job.key, recording.files("unfinished", fit.iteration), fit)
                saved_at = time.monotonic()
            if stops:
                return Halted(job, fit.iteration if store else 0, milliseconds / 1000)
    except dip.Diverged as failure:
        if failure.step:
            recording.steps.append(failure.step)
        return Finished(job, recording.files("diverged", failure=failure))
    if not (store and task.keep_state):
        return Finished(job, recording.files("done"))
    save_state(store, job.key, recording.files("unfinished", last), fit)
    return Finished(job, recording.files("done", last))
