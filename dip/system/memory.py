"""How much memory is free."""

import re
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # version 2, as containers see their own


def free_bytes() -> int | None:
    """What this machine has free, or this container if that is less; None if unknown.

    Swap space does not count.
    """
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    available = re.search(r"^MemAvailable: +(\d+) kB", text, re.M)
    if not available:
        return None
    free = int(available[1]) * 1024
    try:
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text())
        files = re.search(r"^inactive_file (\d+)", (CGROUP / "memory.stat").read_text(), re.M)
    except (OSError, ValueError):  # without a limit, memory.max holds the word `max`
        return free
    # Cached files count as used, and go when their place is needed.
    return min(free, max(0, limit - used + (int(files[1]) if files else 0)))
