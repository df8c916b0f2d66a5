"""Where fits run: the torch device of each worker."""

import re
from pathlib import Path
from shutil import which

from benchmarks.system.environment import cpu_count
from dip.errors import InputError


def check_device(device: str) -> None:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise InputError(f"`device` {device}: use auto, cpu, cuda or cuda:N")
    if device.startswith("cuda") and not _may_have_gpu():
        raise InputError(f"`device` {device}: this machine has no GPU driver; use cpu")


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
            raise InputError(f"`workers_per_gpu` {workers_per_gpu}: no GPU is used; use `workers`")
        return ["cpu"] * (workers or max(1, cpu_count() // threads))
    chosen = gpus if device in ("auto", "cuda") else [device]
    if not chosen or not set(chosen) <= set(gpus):
        here = ", ".join(["cpu", *gpus])
        raise InputError(f"`device` {device}: this machine has no such device, only {here}")
    if workers_per_gpu is not None and workers is not None:
        raise InputError("`workers` and `workers_per_gpu`: give one of the two")
    count = workers or len(chosen) * (workers_per_gpu or 1)
    return [chosen[index % len(chosen)] for index in range(count)]


def unused_gpu(device: str) -> str:
    """A warning if this machine has a GPU and fits run on its CPU; empty if not."""
    if device != "cpu" or not _may_have_gpu():
        return ""
    return "this machine has a GPU that torch cannot use; `make setup TORCH_BACKEND=lock` may help"


def _gpus() -> list[str]:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [f"cuda:{index}" for index in range(count)]


def _may_have_gpu() -> bool:
    """Whether it is worth the seconds that asking torch for a GPU takes."""
    drivers = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # CUDA, ROCm, CUDA inside WSL
    return any(Path(path).exists() for path in drivers) or which("nvidia-smi") is not None
