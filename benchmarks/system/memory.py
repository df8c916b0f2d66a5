"""Memory: the most that a fit has in use, and what is free for one."""

import ctypes
import re
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # version 2, as containers see their own


class PeakMemory:
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
            _give_back()  # what an earlier fit left would count here
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


def free_bytes(device: str) -> int | None:
    """What is free for this process, with all that its earlier fits have left; None if unknown.

    On a GPU this makes a CUDA context, which takes its share first. On a CPU swap space does not
    count, and a container's limit does.
    """
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
        return torch.cuda.mem_get_info(device)[0]
    try:
        _give_back()
    except (OSError, AttributeError):
        return None
    known = [each for each in (_available(), _left_in_container()) if each is not None]
    return min(known, default=None)


def _give_back() -> None:
    """Return what is freed to the system; raises OSError or AttributeError without glibc."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)


def _available() -> int | None:
    try:
        said = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    found = re.search(r"^MemAvailable: +(\d+) kB", said, re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _left_in_container() -> int | None:
    try:
        limit = (CGROUP / "memory.max").read_text().strip()
        used = int((CGROUP / "memory.current").read_text())
        files = re.search(r"^inactive_file (\d+)", (CGROUP / "memory.stat").read_text(), re.M)
    except (OSError, ValueError):
        return None
    if limit == "max":
        return None
    # Cached files count as used, and go when their place is needed.
    return max(0, int(limit) - used + (int(files[1]) if files else 0))
