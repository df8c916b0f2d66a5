"""Where fits run: the torch device of each worker."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from shutil import which

from benchmarks.environment import cpu_count
from benchmarks.footprint import ceiling_bytes, fit_bytes, gibibytes
from benchmarks.jobs import Job
from benchmarks.memory import free_bytes
from benchmarks.progress import counted
from dip.errors import InputError

# Beside its fit: interpreter and torch, as far as workers do not share them, or a CUDA context.
WORKER_BYTES = {"cpu": 400 * 2**20, "cuda": 600 * 2**20}


def check_device(device: str) -> None:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise InputError(f"--device {device}: use auto, cpu, cuda or cuda:N")
    if device.startswith("cuda") and not _may_have_gpu():
        raise InputError(f"--device {device}: this machine has no GPU driver; use cpu")


def places(
    device: str, workers: int | None, threads: int, workers_per_gpu: int | None = None
) -> list[str]:
    """The torch device of each worker: every GPU there is once, else the cores by threads.

    workers: how many in all, 0 for none but this process; workers_per_gpu: on each GPU, where it is
    not that. Raises InputError if there is no such device.
    """
    if workers == 0:
        workers = 1
    gpus = [] if device == "cpu" or not _may_have_gpu() else _gpus()
    if device == "cpu" or (device == "auto" and not gpus):
        if workers_per_gpu is not None:
            raise InputError(f"--workers-per-gpu {workers_per_gpu}: no GPU is used; use --workers")
        return ["cpu"] * (workers or max(1, cpu_count() // threads))
    chosen = gpus if device in ("auto", "cuda") else [device]
    if not chosen or not set(chosen) <= set(gpus):
        here = ", ".join(["cpu", *gpus])
        raise InputError(f"--device {device}: this machine has no such device, only {here}")
    if workers_per_gpu is not None and workers is not None:
        raise InputError("--workers and --workers-per-gpu: one of them says how many there are")
    count = workers or len(chosen) * (workers_per_gpu or 1)
    return [chosen[index % len(chosen)] for index in range(count)]


def with_memory(devices: Sequence[str], jobs: Sequence[Job]) -> tuple[list[str], list[str]]:
    """As many of the workers' devices as have memory for the largest fits side by side.

    Also why they are fewer, a line for each device. One worker is left on each in any case.
    """
    room: dict[str, int] = {}
    reasons = []
    for device, count in Counter(devices).items():
        room[device], largest = _room(device, count, jobs)
        if room[device] < count:
            reasons.append(
                f"memory: {counted(room[device], 'worker')} on {device} instead of {count}, because"
                f" the largest fit that has room takes about {gibibytes(largest)}"
            )
    kept = []
    for device in devices:
        if room[device]:
            room[device] -= 1
            kept.append(device)
    return kept, reasons


def side_by_side_bytes(device: str, count: int, needed: Iterable[int]) -> int:
    """What so many workers take at most on one device, with fits that need so much each."""
    of_worker = WORKER_BYTES[device.partition(":")[0]]
    return sum(sorted(needed)[-count:]) + count * of_worker


def _room(device: str, count: int, jobs: Sequence[Job]) -> tuple[int, int]:
    """How many workers of so many have room on the device, and the bytes of the largest fit.

    A job that does not fit alone does not count, nor one of which nothing can be told: it fails by
    itself when its turn comes, or goes well.
    """
    # One is left in any case; and to ask what is free on a GPU takes a CUDA context.
    free = free_bytes(device) if count > 1 else None
    if free is None:
        return count, 0
    # Importing torch takes seconds: not for suites of small fits.
    if side_by_side_bytes(device, count, [ceiling_bytes(job) or 0 for job in jobs]) <= free:
        return count, 0
    known = [needed for job in jobs if (needed := fit_bytes(job)) is not None]
    fitting = [each for each in known if side_by_side_bytes(device, 1, [each]) <= free]
    room = count
    while room > 1 and side_by_side_bytes(device, room, fitting) > free:
        room -= 1
    return room, max(fitting, default=0)


def _gpus() -> list[str]:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [f"cuda:{index}" for index in range(count)]


def _may_have_gpu() -> bool:
    """Whether it is worth the seconds that asking torch for a GPU takes."""
    drivers = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # CUDA, ROCm, CUDA inside WSL
    return any(Path(path).exists() for path in drivers) or which("nvidia-smi") is not None
