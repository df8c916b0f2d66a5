"""One fit on its way, with all that its run folder will hold.

It leaves its state in the store at each checkpoint and every minute, with what it has computed so
far, and goes on from there when it was broken off.
"""

import time
from collections.abc import Callable
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from benchmarks.jobs.plan import state_for
from benchmarks.runner.job.task import OnResume, OnStep, Stopped, Task, run_files
from benchmarks.store.layout import STATE, TRACE, file_name
from benchmarks.store.pictures import Picture, to_8bit
from benchmarks.store.record import Continued, Record, Saved, SavedStop, Timing
from benchmarks.store.run_folder import DamagedError, RunFolder
from benchmarks.store.trace import read_trace, write_trace
from benchmarks.system import environment
from benchmarks.system.memory import PeakMemory
from dip.errors import InputError
from dip.options import Method

if TYPE_CHECKING:
    import dip

WARM_UP_ITERATIONS = 10  # allocator, caches, and on a GPU clocks and choice of kernels
STATE_SECONDS = 60.0  # between saved states where no checkpoint comes


class Trajectory:
    """One fit on its way, with all that its run folder will hold."""

    def __init__(self, task: Task, method: Method, device: str, threads: int, workers: int):
        from benchmarks.runner.job.oracle import Oracle

        self.task, self.job, self.method, self.device = task, task.job, method, device
        self.threads, self.workers = threads, workers
        self.steps: list[dip.Step] = []
        self.checkpoints: list[Saved] = []
        self.pictures: dict[str, Picture] = {}
        self.psnr_hole: dict[int, tuple[float, float]] = {}  # of the part before the break
        self.saved: set[str] = set()  # pictures that the store has from this fit
        self.continued: tuple[Continued, ...] = ()
        self.earlier_peak_memory_mib: float | None = None
        self.observer = Oracle(self.job.image.pixels, self.job.mask[0] == 1, device)

    @property
    def _keeps_state(self) -> bool:
        return self.task.keep_state and self.task.store is not None

    def run(
        self,
        on_resume: OnResume,
        on_step: OnStep,
        should_stop: Callable[[], bool],
    ) -> dict[str, bytes]:
        import torch

        import dip
        from dip.engine.engine import Engine

        with Engine(self.job.engine, self.job.precision, self.device).switches():
            self.environment = environment.describe(
                self.device, self.threads, self.workers, uses_torch=True
            )
        self.on_resume = on_resume
        self.structure = self._structure()  # before anything is measured
        self.memory = PeakMemory(self.device)
        state = self._resume()
        after = len(self.steps)
        if after >= max(self.job.iterations):  # all is there but the end
            self.on_resume(after, "")
            return self._files({"status": "done", "state_at": after if self._keeps_state else None})
        saved_at = time.monotonic()

        def note(step: dip.Step) -> None:
            if len(self.steps) == after > 0:
                self.on_resume(after, "")
            self.steps.append(step)
            on_step(step.iteration, step.loss)

        def keep(iteration: int, state: Callable[[], Any]) -> None:
            nonlocal saved_at
            is_asked = iteration in self.job.iterations
            is_last = iteration == max(self.job.iterations)
            stops = should_stop()
            is_due = stops or is_asked or time.monotonic() - saved_at > STATE_SECONDS
            if self._keeps_state if is_last else is_due:
                self._save(iteration, state())
                saved_at = time.monotonic()
            if stops and not is_last:
                raise Stopped(iteration if self.task.store else 0)

        checkpoints = dip.fit(
            torch.from_numpy(self.job.image.pixels.astype(np.float32) / 255),
            torch.from_numpy(self.job.mask.astype(np.float32)),
            self.method,
            checkpoints=self.job.iterations,
            seed=self.job.seed,
            device=self.device,
            engine=self.job.engine,
            precision=self.job.precision,
            rules=self.job.rules,
            observe=self.observer,
            on_step=note,
            keep=keep,
            state=state,
        )
        del state  # the fit has no use for it once it is loaded
        try:
            for checkpoint in checkpoints:
                self._take(checkpoint)
        except dip.Diverged as end:
            return self._files(
                {
                    "status": "diverged",
                    "diverged_at": end.iteration,
                    "diverged_because": end.reason,
                    "noticed_at": end.noticed_at,
                    "stops": {label: self._stop(label, stop) for label, stop in end.stops.items()},
                }
            )
        state_at = max(self.job.iterations) if self._keeps_state else None
        return self._files({"status": "done", "state_at": state_at})

    def _files(self, described: dict[str, Any]) -> dict[str, bytes]:
        """Of the run as far as it is. described: what else its record says."""
        structure, pictures = self.structure
        peak = self.memory.mib()
        peaks = [each for each in (peak, self.earlier_peak_memory_mib) if each is not None]
        breaks = [each.after for each in self.continued]
        described = {
            **described,
            "backtracked_at": tuple(step.iteration for step in self.steps if step.backtracked),
            "checkpoints": tuple(self.checkpoints),
            "continued": self.continued,
            "rules": self.job.rules,
            "rule_versions": {rule.label: rule.version for rule in self.job.rules},
            **structure,
            "timing": timing_of(self.steps, breaks, max(peaks, default=None)),
            "environment": {**self.environment, "finished": environment.now()},
        }
        files = run_files(self.task, described, pictures | self.pictures)
        psnr_hole = self.psnr_hole | self.observer.psnr_hole()
        return files | {TRACE: write_trace(self.steps, psnr_hole)}

    def _save(self, iteration: int, state: "dip.State") -> None:
        """Leave state and run as far as it is in the store."""
        import torch

        def write(file: BinaryIO) -> None:
            torch.save(state, file)

        if store := self.task.store:
            files = self._files({"status": "unfinished", "state_at": iteration})
            # Pictures that are there already are not written again.
            before = store.unfinished(self.job.key).folder
            links = {name: before / name for name in self.saved & self.pictures.keys()}
            store.put_unfinished(self.job.key, {**files, **links, STATE: write})
            self.saved = {*self.pictures}

    def _resume(self) -> "dip.State | None":
        """The state to go on from, if there is one; takes over what was computed until then."""
        import torch

        import dip
        from dip.training.state import StateError

        store, key = self.task.store, self.job.key
        if store is None or not self.task.resume:
            return None
        last = max(self.job.iterations)
        # A run that holds all that is asked for, and is asked for again, is not gone on from.
        found = self._usable(store.unfinished(key), last), self._usable(store.run(key), last - 1)
        begun = [each for each in found if each is not None]
        if not begun:
            return None
        run, record, after = max(begun, key=lambda each: each[2])
        with run.open(STATE) as file:
            try:
                state: dip.State = torch.load(file, map_location="cpu", weights_only=True)
            except (EOFError, RuntimeError, UnpicklingError) as error:
                raise StateError(f"{run.folder / STATE}: cannot be read ({error})") from None
        if not isinstance(state, dict) or state.get("iteration") != after:
            raise StateError(f"{run.folder / STATE}: is not of iteration {after}")
        trace = read_trace(run)
        for iteration, loss, milliseconds, *psnr in trace.loc[:after].itertuples():
            backtracked = iteration in record.backtracked_at
            self.steps.append(dip.Step(iteration, loss, milliseconds, backtracked))
            if not np.isnan(psnr).any():
                self.psnr_hole[iteration] = psnr[0], psnr[1]
        self.checkpoints += [saved for saved in record.checkpoints if saved.iteration <= after]
        for saved in self.checkpoints:
            for output, at in [
                *((output, saved.iteration) for output in saved.outputs),
                *((f"stop:{rule}", stop.iteration) for rule, stop in saved.stops.items()),
            ]:
                name = file_name(output, at)
                self.pictures[name] = Picture(run.read(name), record.pixels[name])
        before = record.environment
        self.continued = (
            *record.continued,
            Continued(
                after=after,
                git_revision=before["git_revision"],
                git_dirty=before["git_dirty"],
                workers=before["workers"],
            ),
        )
        self.earlier_peak_memory_mib = record.timing.peak_memory_mib
        return state

    def _usable(self, run: RunFolder, latest: int) -> tuple[RunFolder, Record, int] | None:
        """With its record and iteration, if the fit may go on and be what it would have been.

        latest: the iteration that its state may be of.
        """
        try:
            record = run.check()
        except DamagedError:
            return None
        after = state_for(record, self.job)
        if after is None or after > latest:
            return None
        if changed := environment.differences(record.environment, self.environment):
            self.on_resume(0, "; ".join(changed))
            return None
        return run, record, after

    def _take(self, checkpoint: "dip.Checkpoint") -> None:
        """Take over the outputs of a checkpoint."""
        iteration = checkpoint.iteration
        outputs = {"raw": checkpoint.raw, "averaged": checkpoint.averaged}
        self.checkpoints.append(
            Saved(
                iteration=iteration,
                outputs=tuple(outputs),
                loss=checkpoint.loss,
                seconds=checkpoint.seconds,
                out_of_range={
                    name: self._output(name, iteration, output.numpy())
                    for name, output in outputs.items()
                },
                stops={rule: self._stop(rule, stop) for rule, stop in checkpoint.stops.items()},
            )
        )

    def _stop(self, rule: str, stop: "dip.Stop") -> SavedStop:
        """A rule's answer, for the record."""
        return SavedStop(
            iteration=stop.iteration,
            stopped_at=stop.stopped_at,
            out_of_range=self._output(f"stop:{rule}", stop.iteration, stop.output.numpy()),
        )

    def _output(self, name: str, iteration: int, output: NDArray[np.float32]) -> float:
        """Take over a picture; returns the share of hole pixels with a channel outside [0, 1]."""
        self.pictures[file_name(name, iteration)] = Picture.of(to_8bit(output))
        inside = output[:, self.job.mask[0] == 0]
        return float(((inside < 0) | (inside > 1)).any(axis=0).mean())

    def _structure(self) -> tuple[dict[str, Any], dict[str, Picture]]:
        """What can be said of the network without fitting it.

        Its parameters, without the learned input; and of a learned input of the image's size the
        share of the hole that no pixel which the loss sees can reach, with the map.
        """
        import torch

        import dip
        from dip.training.stopping import hold_out

        job, method = self.job, self.method
        channels, height, width = job.image.pixels.shape
        size = (height, width)
        with torch.random.fork_rng(devices=[]):
            network = dip.build_network(method.architecture, method.input.channels, channels, size)
        described: dict[str, Any] = {
            "parameters": sum(each.numel() for each in network.parameters())
        }
        if method.input.name != "learned" or method.architecture.input_size(size) != size:
            return described, {}
        mask = torch.from_numpy(job.mask.astype(np.float32))
        known = mask - hold_out(mask, method, job.seed)
        try:
            reached = dip.coverage(network, known, input_channels=method.input.channels).numpy()
        except InputError as error:
            return {**described, "uncovered_reason": str(error)}, {}
        uncovered = float(1 - reached[0, job.mask[0] == 0].mean())
        picture = Picture.of(reached.astype(np.uint8) * np.uint8(255))
        return {**described, "uncovered": uncovered}, {"coverage.png": picture}


def timing_of(steps: list[Any], breaks: list[int], peak_memory_mib: float | None) -> Timing:
    """Percentiles leave out the first iterations, also those behind a break."""
    milliseconds = np.array([step.milliseconds for step in steps])
    warm_up = WARM_UP_ITERATIONS if len(steps) > 2 * WARM_UP_ITERATIONS else 0
    is_warm = np.ones(len(steps), dtype=bool)
    for first in (0, *breaks):
        is_warm[first : first + warm_up] = False
    p10, median, p90 = np.percentile(milliseconds[is_warm if is_warm.any() else ...], [10, 50, 90])
    return Timing(
        seconds=float(milliseconds.sum() / 1000),
        warm_up_iterations=warm_up,
        milliseconds_median=float(median),
        milliseconds_p10=float(p10),
        milliseconds_p90=float(p90),
        peak_memory_mib=peak_memory_mib,
    )
