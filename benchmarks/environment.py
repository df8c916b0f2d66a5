"""What a result depends on besides its specification: revision, versions, device."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    *("torch", "numpy", "pillow", "scikit-image", "scipy", "opencv-python-headless", "lpips"),
    "pandas",
)
ROOT = Path(__file__).parent.parent


@cache
def git_revision() -> str:
    """The commit of this checkout, with `+changes` if files differ from it; empty outside git."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit + ("+changes" if changed else "")


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own words only
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
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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


def describe(device: str, threads: int, workers: int) -> dict[str, Any]:
    """The environment of one fit. device: a torch device's name."""
    return {
        "device": device_name(device),
        "threads": threads,
        "workers": workers,
        "platform": platform.platform(),
        "git_revision": git_revision(),
        "versions": versions(),
    }


def device_name(device: str) -> str:
    """The model name of a torch device, as it stands in tables."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    return cpu_name()
