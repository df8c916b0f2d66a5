"""Collects the contents of a fit's run folder while the fit runs."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import dip
from benchmarks.runner.job.files import run_files
from benchmarks.runner.job.oracle import Oracle
from benchmarks.runner.job.resume import Past
from benchmarks.runner.job.structure import Structure
from benchmarks.runner.job.task import Task
from benchmarks.store.layout import TRACE, file_name
from benchmarks.store.pictures import Picture, to_8bit
from benchmarks.store.record import Saved, SavedStop, Timing
from benchmarks.store.trace import write_trace
from benchmarks.system import environment
from benchmarks.system.memory import PeakMemory

WARM_UP_ITERATIONS = 10  # slower: allocator, caches, and on a GPU clocks and choice of kernels


class Recording:
    """Collects the steps and checkpoints of a fit, including those before an interruption.

    Args:
        task: the job and the suite it runs for.
        structure: record fields and pictures that describe the network.
        described: the environment, as `environment.describe` returns it.
        memory: measures the peak memory of the fit.
        oracle: its hole PSNR becomes part of the trace.
        past: results from before the fit was interrupted.
    """

    def __init__(
        self,
        task: Task,
        structure: Structure,
        described: dict[str, Any],
        memory: PeakMemory,
        oracle: Oracle,
        past: Past,
    ):
        self.task, self.memory, self.oracle, self.past = task, memory, oracle, past
        self.environment = described
        self.fields, pictures = structure
        self.pictures = {**pictures, **past.pictures}
        self.steps: list[dip.Step] = [*past.steps]
        self.checkpoints: list[Saved] = [*past.checkpoints]

    def add(self, checkpoint: dip.Checkpoint) -> None:
        """Add a checkpoint's outputs and the answers of its stopping rules."""
        iteration = checkpoint.iteration
        outputs = checkpoint.outputs
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

    def files(
        self,
        status: Literal["unfinished", "diverged", "done"],
        state_at: int | None = None,
        failure: dip.Diverged | None = None,
    ) -> dict[str, bytes]:
        """Make the files of the run folder from everything collected so far.

        Args:
            status: status of the run.
            state_at: iteration of the saved state that the run folder will hold, if any.
            failure: why and when the fit diverged, if it did.

        Returns:
            File contents by file name, without the saved state.
        """
        rules = self.task.job.rules
        peaks = [self.past.peak_memory_mib, self.memory.mib()]
        breaks = [interruption.after for interruption in self.past.continued]
        fields = {
            "status": status,
            "question": self.past.question if self.past.steps else self.task.question,
            "state_at": state_at,
            **(self._diverged(failure) if failure else {}),
            "backtracked_at": tuple(step.iteration for step in self.steps if step.backtracked),
            "checkpoints": tuple(self.checkpoints),
            "continued": self.past.continued,
            "rules": rules,
            "rule_versions": {rule.label: rule.version for rule in rules},
            **self.fields,
            "timing": timing_of(
                self.steps, breaks, max((peak for peak in peaks if peak is not None), default=None)
            ),
            "environment": {**self.environment, "finished": environment.now()},
        }
        psnr_hole = {**self.past.psnr_hole, **self.oracle.psnr_hole()}
        trace = write_trace(self.steps, psnr_hole)
        return {**run_files(self.task, fields, self.pictures), TRACE: trace}

    def _diverged(self, failure: dip.Diverged) -> dict[str, Any]:
        return {
            "diverged_at": failure.iteration,
            "diverged_because": failure.reason,
            "noticed_at": failure.noticed_at,
            "stops": {label: self._stop(label, stop) for label, stop in failure.stops.items()},
        }

    def _stop(self, rule: str, stop: dip.Stop) -> SavedStop:
        """Add a rule's output; return the rule's answer for the record."""
        return SavedStop(
            iteration=stop.iteration,
            stopped_at=stop.stopped_at,
            out_of_range=self._output(f"stop:{rule}", stop.iteration, stop.output.numpy()),
        )

    def _output(self, name: str, iteration: int, output: NDArray[np.float32]) -> float:
        """Add a picture; return the share of hole pixels with a channel outside [0, 1]."""
        self.pictures[file_name(name, iteration)] = Picture.of(to_8bit(output))
        inside = output[:, self.task.job.mask[0] == 0]
        return float(((inside < 0) | (inside > 1)).any(axis=0).mean())


def timing_of(
    steps: Sequence[dip.Step], breaks: Sequence[int], peak_memory_mib: float | None
) -> Timing:
    """Summarise the times of iterations.

    Args:
        steps: all iterations of the fit.
        breaks: iterations after which the fit was interrupted.
        peak_memory_mib: peak memory of the fit in MiB, if known.

    Returns:
        The timing. Its percentiles leave out the warm-up iterations at the start and after each
        interruption.
    """
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
