"""Runs one job, wherever it is: from the job to the files of its run folder."""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import environment
from benchmarks.fills import FILLS
from benchmarks.jobs import PRECISION, Job
from benchmarks.store import RECORD, Record, Saved, SavedStop, Timing, file_name, png
from benchmarks.trace import write_trace
from dip.errors import InputError
from dip.options import Method

Files = dict[str, bytes]
OnStep = Callable[[int, float], None]  # iteration, loss

WARM_UP_ITERATIONS = 10  # allocator, caches, and on a GPU clocks and choice of kernels


def run_job(
    job: Job, *, device: str, threads: int, workers: int, on_step: OnStep = lambda *_: None
) -> Files:
    """The content of the job's run folder, by file name.

    device: a torch device; a fill runs on the CPU. workers: how many jobs run side by side, for
    the record.
    """
    described: dict[str, Any]
    if isinstance(job.method, Method):
        described, files = _fit(job, job.method, device, on_step)
    else:
        device, threads = "cpu", 1
        described, files = _fill(job, job.method)
    record = Record(
        key=job.key,
        trajectory=job.trajectory,
        environment=environment.describe(device, threads, workers),
        **described,
    )
    return {
        "truth.png": png(job.image.pixels),
        "mask.png": png(job.mask * np.uint8(255)),
        **files,
        RECORD: (record.model_dump_json(indent=1) + "\n").encode(),
    }


def to_8bit(image: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Clamped to [0, 1] and rounded."""
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _fill(job: Job, name: str) -> tuple[dict[str, Any], Files]:
    hole = job.mask[0] == 0
    image = (job.image.pixels * job.mask / 255).transpose(1, 2, 0)
    started = time.perf_counter()
    filled = FILLS[name].fill(image, hole)
    seconds = time.perf_counter() - started
    described = {
        "status": "done",
        "checkpoints": (Saved(iteration=0, outputs=("raw",), loss=None, seconds=seconds),),
        "parameters": None,
        "timing": Timing(seconds=seconds),
    }
    return described, {file_name("raw", 0): png(to_8bit(filled.transpose(2, 0, 1)))}


def _fit(job: Job, method: Method, device: str, on_step: OnStep) -> tuple[dict[str, Any], Files]:
    import torch

    import dip
    from benchmarks.observer import Observer

    structure, files = _structure(job, method)  # before anything is measured
    steps: list[dip.Step] = []

    def note(step: dip.Step) -> None:
        steps.append(step)
        on_step(step.iteration, step.loss)

    checkpoints: list[tuple[Saved, Files]] = []
    end: dip.Diverged | None = None
    if device.startswith("cuda"):
        torch.cuda.set_device(device)  # events and allocations belong to this device
        torch.cuda.init()  # or there are no memory statistics to reset
        torch.backends.cudnn.allow_tf32 = False  # float32 means float32
    memory = _PeakMemory(device)
    observer = Observer(job.image.pixels, job.mask[0] == 1, device)
    try:
        for checkpoint in dip.fit(
            torch.from_numpy(job.image.pixels.astype(np.float32) / 255),
            torch.from_numpy(job.mask.astype(np.float32)),
            method,
            checkpoints=job.iterations,
            seed=job.seed,
            device=device,
            precision=PRECISION,
            rules=job.rules,
            observe=observer,
            on_step=note,
        ):
            checkpoints.append(_save(job, checkpoint))
    except dip.Diverged as diverged:
        end = diverged
    peak_memory_mib = memory.mib()
    keep = _Keep(job)
    stops = {rule: keep.stop(rule, stop) for rule, stop in (end.stops if end else {}).items()}
    for pictures in (*(pictures for _, pictures in checkpoints), keep.pictures):
        files |= pictures
    files["trace.csv"] = write_trace(steps, observer.psnr_hole())
    described = {
        "status": "done" if end is None else "diverged",
        "diverged_at": end and end.iteration,
        "diverged_because": end.reason if end else "",
        "noticed_at": end and end.noticed_at,
        "backtracked_at": tuple(step.iteration for step in steps if step.backtracked),
        "checkpoints": tuple(saved for saved, _ in checkpoints),
        "rules": job.rules,
        "rule_versions": {rule.label: rule.version for rule in job.rules},
        "stops": stops,
        **structure,
        "timing": _timing(steps, peak_memory_mib),
    }
    return described, files


class _Keep:
    """Collects outputs as pictures."""

    def __init__(self, job: Job):
        self.hole = job.mask[0] == 0
        self.pictures: Files = {}

    def output(self, name: str, iteration: int, output: NDArray[np.float32]) -> float:
        """Returns the share of hole pixels with a channel outside [0, 1]."""
        self.pictures[file_name(name, iteration)] = png(to_8bit(output))
        inside = output[:, self.hole]
        return float(((inside < 0) | (inside > 1)).any(axis=0).mean())

    def stop(self, rule: str, stop: Any) -> SavedStop:
        """A rule's answer, for the record."""
        return SavedStop(
            iteration=stop.iteration,
            stopped_at=stop.stopped_at,
            out_of_range=self.output(f"stop:{rule}", stop.iteration, stop.output.numpy()),
        )


def _save(job: Job, checkpoint: Any) -> tuple[Saved, Files]:
    """A checkpoint for the record, and its pictures."""
    keep, iteration = _Keep(job), checkpoint.iteration
    saved = Saved(
        iteration=iteration,
        outputs=("raw", "averaged"),
        loss=checkpoint.loss,
        seconds=checkpoint.seconds,
        out_of_range={
            name: keep.output(name, iteration, getattr(checkpoint, name).numpy())
            for name in ("raw", "averaged")
        },
        stops={rule: keep.stop(rule, stop) for rule, stop in checkpoint.stops.items()},
    )
    return saved, keep.pictures


def _timing(steps: list[Any], peak_memory_mib: float | None) -> Timing:
    milliseconds = np.array([step.milliseconds for step in steps])
    warm_up = WARM_UP_ITERATIONS if len(steps) > 2 * WARM_UP_ITERATIONS else 0
    p10, median, p90 = np.percentile(milliseconds[warm_up:], [10, 50, 90])
    return Timing(
        seconds=float(milliseconds.sum() / 1000),
        warm_up_iterations=warm_up,
        milliseconds_median=float(median),
        milliseconds_p10=float(p10),
        milliseconds_p90=float(p90),
        peak_memory_mib=peak_memory_mib,
    )


def _structure(job: Job, method: Method) -> tuple[dict[str, Any], Files]:
    """What can be said of the network without fitting it.

    Its parameters, without the learned input; and of a learned input of the image's size the share
    of the hole that no pixel which the loss sees can reach, with the map.
    """
    import torch

    import dip
    from dip.stopping import hold_out

    channels, height, width = job.image.pixels.shape
    size = (height, width)
    with torch.random.fork_rng(devices=[]):
        network = dip.build_network(method.architecture, method.input.channels, channels, size)
    described: dict[str, Any] = {"parameters": sum(each.numel() for each in network.parameters())}
    if method.input.name != "learned" or method.architecture.input_size(size) != size:
        return described, {}
    mask = torch.from_numpy(job.mask.astype(np.float32))
    known = mask - hold_out(mask, method, job.seed)
    try:
        reached = dip.coverage(network, known, input_channels=method.input.channels).numpy()
    except InputError as error:
        return {**described, "uncovered_reason": str(error)}, {}
    uncovered = float(1 - reached[0, job.mask[0] == 0].mean())
    picture = png(reached.astype(np.uint8) * np.uint8(255))
    return {**described, "uncovered": uncovered}, {"coverage.png": picture}


class _PeakMemory:
    """The most memory in use since this was made.

    On a GPU the allocator's; on a CPU the whole process', interpreter and torch included, which
    alone take several hundred MiB. Without glibc and Linux there is no peak that starts anew with
    each fit, and `mib` says None.
    """

    def __init__(self, device: str):
        self.device = device
        self.measurable = True
        if device.startswith("cuda"):
            import torch

            torch.cuda.reset_peak_memory_stats(device)
            return
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)  # what an earlier fit left would count here
            Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM, see proc(5)
        except (OSError, AttributeError):
            self.measurable = False

    def mib(self) -> float | None:
        if self.device.startswith("cuda"):
            import torch

            return torch.cuda.max_memory_allocated(self.device) / 2**20
        if not self.measurable:
            return None
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return None
