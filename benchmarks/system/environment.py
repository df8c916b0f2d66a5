"""What a result depends on besides its specification: revision, versions, device."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dip.system.memory import CGROUP

PACKAGES = (
    *("torch", "numpy", "pillow", "scikit-image", "scipy", "opencv-contrib-python-headless"),
    *("lpips", "pandas"),
)
NOT_RUN = "not run here"  # in the place of a device, for pictures that others have published
ROOT = Path(__file__).parents[2]  # of the checkout
REVISION = "DIP_BENCH_REVISION"  # environment variable of machines that the code was sent to

# What says when and beside what a fit ran; everything else decides about its numbers.
CIRCUMSTANCES = ("git_revision", "git_dirty", "platform", "workers", "started", "finished")


@cache
def git_revision() -> tuple[str, bool | None]:
    """The commit of this checkout and whether files differ from it; ("", None) outside git.

    Where the code was brought from a checkout elsewhere, it is that one's.
    """
    if REVISION in os.environ:
        sent, is_dirty = json.loads(os.environ[REVISION])
        return sent, is_dirty
    try:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "", None
    return commit, bool(changed)


def revision_words(commit: str, is_dirty: bool | None) -> str:
    """How a revision is written: `69343c32a1f0+changes`."""
    return f"{commit[:12]}{'+changes' if is_dirty else ''}"


def changed_files() -> list[str]:
    """Files that differ from the commit, or are not in it and not ignored; git's own lines."""
    return _git("status", "--porcelain").splitlines()


def _git(*arguments: str) -> str:
    return _said_by(["git", "-C", str(ROOT), *arguments])


def _said_by(command: list[str]) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def cpu_name() -> str:
    """The processor's model name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cpu_count() -> int:
    """The cores that this process may use, by its affinity and its container's CPU quota."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (CGROUP / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return here
    return here if quota == "max" else max(1, min(here, int(quota) // int(period)))


@cache
def versions() -> dict[str, str]:
    """Python and the packages that results depend on; those not installed are left out."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def describe(device: str, threads: int, workers: int, *, uses_torch: bool) -> dict[str, Any]:
    """The environment of one fit as it begins. device: a torch device's name."""
    revision, is_dirty = git_revision()
    return {
        "device": device_name(device),
        "cpu": cpu_name(),
        "threads": threads,
        "workers": workers,
        "platform": platform.platform(),
        "machine": f"{platform.machine()}, {' '.join(platform.libc_ver()).strip()}",
        "git_revision": revision,
        "git_dirty": is_dirty,
        "started": now(),
        "versions": versions(),
        **(_torch(device) if uses_torch else {}),
    }


def now() -> str:
    """The time, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _torch(device: str) -> dict[str, Any]:
    """What decides which kernels torch takes, and how exactly they compute."""
    import torch

    from dip.engine.engine import flushes_denormals

    described: dict[str, Any] = {
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "flags": {
            "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
            "flush_denormal": flushes_denormals(),
        },
    }
    if device.startswith("cuda"):
        cudnn: Any = torch.backends.cudnn  # whose types do not know `conv`
        described |= {
            "driver": _driver(),
            "cuda": torch.version.cuda,
            "cudnn": cudnn.version(),
        }
        described["flags"] |= {
            "cudnn_deterministic": cudnn.deterministic,
            "cudnn_benchmark": cudnn.benchmark,
            "cudnn_fp32_precision": cudnn.conv.fp32_precision,
            "matmul_fp32_precision": torch.backends.cuda.matmul.fp32_precision,
        }
    else:
        described["flags"]["float32_matmul_precision"] = torch.get_float32_matmul_precision()
    return described


@cache
def _driver() -> str:
    """The version of NVIDIA's driver, where there is one to ask."""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return _said_by(query).partition("\n")[0]  # one for all GPUs of a machine
    except (OSError, subprocess.CalledProcessError):
        return ""


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """In what two environments differ that decides about numbers: `versions.torch: 2.11, now 2.12`.

    one: the earlier; other: the one of today.
    """
    mine, theirs = (
        {key: value for key, value in each.items() if key not in CIRCUMSTANCES}
        for each in (one, other)
    )
    return nested_differences(mine, theirs)


def nested_differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two nested dictionaries differ, and what stands there."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return [] if one == other else [f"{path}: {one}, now {other}"]
    return [
        found
        for key in sorted(one.keys() | other.keys())
        for found in nested_differences(
            one.get(key), other.get(key), f"{path}.{key}" if path else str(key)
        )
    ]


def device_name(device: str) -> str:
    """The model name of a torch device, as it stands in tables."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    return cpu_name()
