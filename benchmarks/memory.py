"""The most memory that a fit has in use."""

import ctypes
from pathlib import Path


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
