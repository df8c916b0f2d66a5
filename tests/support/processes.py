"""Processes that commands have started, as Linux lists them."""

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")


def below(pid: int) -> list[int]:
    """The processes that it has started, and theirs."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def worker_of(pid: int) -> int:
    """A worker of that runner, once there is one: the server that workers fork from has it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for each in below(pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if b"forkserver" in Path(f"/proc/{each}/cmdline").read_bytes() and below(each):
                    return below(each)[0]
        time.sleep(0.1)
    raise AssertionError("there is no worker")


def expect_end(pid: int) -> None:
    """The process ends within 30 seconds, by itself."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("a worker outlived its runner")


def sleep(*_: object) -> None:
    """A worker that does nothing."""
    time.sleep(60)
