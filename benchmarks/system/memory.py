"""Memory: the peak of a fit, and a warning when little is free."""

import ctypes
from pathlib import Path

from dip.system.memory import free_bytes
from dip.system.text import gibibytes

LITTLE_BYTES = 2 * 2**30  # for a worker; one that fits dip-random50 at 128 pixels takes 1.1 GiB
LESS_MEMORY = "use fewer --workers, or a smaller size or crop"


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
            ctypes.CDLL("libc.so.6").malloc_trim(0)  # otherwise memory of an earlier fit counts
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


def little_memory(workers: int) -> str:
    """A warning if so many workers on the CPU have little memory each; empty if they have enough.

    It does not predict what a fit needs: some need more, many need less.
    """
    free = free_bytes()
    if free is None or free >= workers * LITTLE_BYTES:
        return ""
    each = f"each of {workers} workers" if workers > 1 else "one worker"
    return f"memory: {gibibytes(free // workers)} free for {each}; if a fit runs out, {LESS_MEMORY}"
