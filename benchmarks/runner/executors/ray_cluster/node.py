"""What a node of a cluster does with a task: it runs it as a machine runs its own.

The job is fitted in a worker process, which on a CPU stays for the next one, with torch in it; on a
GPU Ray ends it with its task, so that it leaves nothing in the GPU's memory. What it tells goes to
the runner's mailbox, and so do the states that it saves, now and then.
"""

import os
import pickle
import shutil
import tempfile
import time
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import ray

from benchmarks.runner.events import Event, Finished, Progress, Refused, Resumed, Started
from benchmarks.runner.executors import POLL_SECONDS
from benchmarks.runner.executors.processes import Processes
from benchmarks.store.run_folder import DamagedError, RunFolder, write_run
from benchmarks.store.store import Store

SCRATCH = "dip-bench-"  # what folders of fits on their way begin with, before the process
TELL_SECONDS = 1.0  # between looks at the mailbox, and words of progress

Folder = dict[str, bytes]  # files of a run folder by their name, without the checksums


@dataclass(frozen=True)
class Terms:
    """How jobs are run on every node.

    device: `cpu`, or `cuda` for the GPU that a task has its share of; threads: of a job, which is
    as many CPUs as Ray takes; per_gpu: jobs on each GPU; timeout: seconds of a job, if there is an
    end; state_seconds: between states that are sent to the runner.
    """

    device: str
    threads: int
    per_gpu: int
    timeout: float | None
    state_seconds: float


def room_on(resources: dict[str, float], terms: Terms) -> int:
    """How many jobs a node of these resources, as Ray names them, runs side by side."""
    by_cpus = int(resources.get("CPU", 0) // terms.threads)
    if terms.device == "cpu":
        return by_cpus
    return min(by_cpus, int(resources.get("GPU", 0)) * terms.per_gpu)


def run_here(mailbox: Any, number: int, content: bytes) -> tuple[str, tuple[Any, ...]]:
    """Run a task: the name of the event that it ends with, and what that has beside its job.

    number: what messages about it are marked with; content: task, folders of fits to go on from
    by their names, and terms, pickled by the runner.
    """
    task, states, terms = pickle.loads(content)  # noqa: S301 - of the runner that sent this code
    executor = _executor(terms)
    _tidy()
    with tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{os.getpid()}-") as scratch:
        store = Store(Path(scratch)) if states is not None else None
        for name, files in (states or {}).items():
            write_run(Path(scratch) / name, files)
        told = _Told(mailbox, number, terms.state_seconds, store, task.job.key)
        try:
            executor.give(replace(task, store=store))
            return _follow(executor, told)
        except BaseException:  # the runner wants no more of it
            executor.close()
            raise


def _tidy() -> None:
    """Remove what processes that were killed here have left."""
    for path in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*-*"):
        pid = path.name.removeprefix(SCRATCH).partition("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists() and Path("/proc/self").exists():
            shutil.rmtree(path, ignore_errors=True)


def _follow(executor: Processes, told: "_Told") -> tuple[str, tuple[Any, ...]]:
    is_stopping = False
    while True:
        for event in executor.events(POLL_SECONDS):
            if isinstance(event, Started | Resumed | Progress):
                told.hears(event)
            elif isinstance(event, Refused):  # by this node's disk, and not by the runner's
                raise OSError(event.reason)
            else:
                # Only a fit that is to be gone on with leaves a state behind.
                is_over = isinstance(event, Finished) and event.record.state_at is None
                told.now(is_last=True, with_state=not is_over)
                return type(event).__name__, _content(event)
        if told.is_due and told.now() and not is_stopping:
            is_stopping = True
            executor.stop()


class _Told:
    """What the runner is told of one job, as far as it is."""

    def __init__(
        self, mailbox: Any, number: int, state_seconds: float, store: Store | None, key: str
    ):
        self.mailbox, self.number = mailbox, number
        self.state_seconds, self.store, self.key = state_seconds, store, key
        self.waiting: dict[str, Any] = {}  # by kind: of the last progress only
        self.told_at = -TELL_SECONDS
        self.state_at = time.monotonic()
        self.state = self._state_here()

    def hears(self, event: Event) -> None:
        self.waiting[type(event).__name__] = _content(event)
        if not isinstance(event, Progress):
            self.told_at = -TELL_SECONDS  # at once

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self.told_at >= TELL_SECONDS

    def now(self, *, is_last: bool = False, with_state: bool = True) -> bool:
        """Tell what there is; whether the job is asked to stop."""
        self.told_at = time.monotonic()
        is_due = is_last or self.told_at - self.state_at >= self.state_seconds
        if with_state and is_due:
            self._take_state(waits=is_last)
        messages = [(self.number, kind, content) for kind, content in self.waiting.items()]
        self.waiting = {}
        if is_last and not messages:
            return False
        return bool(ray.get(self.mailbox.tell.remote(messages)))

    def _take_state(self, *, waits: bool) -> None:
        """Send the state that the fit has saved since the last one was sent, if it has.

        waits: until there is memory for it where the runner is; otherwise it is tried again soon.
        """
        if self.store is None or self._state_here() in ("", self.state):
            self.state_at = time.monotonic()
            return
        while not ray.get(self.mailbox.may_send.remote(self.number)):
            if not waits:
                return
            time.sleep(TELL_SECONDS)
        try:
            run = self.store.unfinished(self.key)
            self.waiting["State"] = {name: run.read(name) for name in run.checksums}
            self.state, self.state_at = run.sha256, time.monotonic()
        except DamagedError:  # it is being replaced by a newer one, which comes next
            return

    def _state_here(self) -> str:
        """Names the state that the fit has saved, to the last byte; nothing if there is none."""
        try:
            return self.store.unfinished(self.key).sha256 if self.store else ""
        except DamagedError:
            return ""


def _content(event: Event) -> tuple[Any, ...]:
    """What an event has beside its job, which the runner has."""
    return tuple(getattr(event, each.name) for each in fields(event)[1:])


@cache
def _executor(terms: Terms) -> Processes:
    """One worker process, the same for all tasks of this one."""
    device = "cpu" if terms.device == "cpu" else "cuda:0"  # the first that the task may see
    return Processes([device], terms.threads, terms.timeout, _room_here(terms))


def _room_here(terms: Terms) -> int:
    """How many jobs share this node."""
    here = ray.get_runtime_context().get_node_id()
    (node,) = [each for each in ray.nodes() if each["NodeID"] == here]
    return max(1, room_on(node["Resources"], terms))


def folder_of(run: RunFolder) -> Folder | None:
    """The files of a fit that can be gone on from; None if it cannot."""
    try:
        if run.record.state_at is None:
            return None
        return {name: run.read(name) for name in run.checksums}
    except DamagedError:
        return None
