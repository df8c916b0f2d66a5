"""What a node of a cluster does with a task: it runs it as a machine runs its own.

The job is fitted in a worker process, which on a CPU stays for the next one, with torch in it; on a
GPU Ray ends it with its task, so that it leaves nothing in the GPU's memory. What it tells goes to
the runner's mailbox, and so do, now and then, references to the states that it saves.
"""

import pickle
import tempfile
import time
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import ray

from benchmarks.runner.events import Finished, Progress, Refused, Resumed, Started, without_job
from benchmarks.runner.executors import POLL_SECONDS
from benchmarks.runner.executors.processes import Processes
from benchmarks.store.layout import RECORD
from benchmarks.store.run_folder import DamagedError, RunFolder, write_run
from benchmarks.store.store import Store

TELL_SECONDS = 1.0  # between looks at the mailbox, and words of progress

Folder = dict[str, bytes]  # files of a run folder by their name, without the checksums
# A task's number, an event's name and its fields without the job; or `State` and a reference.
Message = tuple[int, str, tuple[Any, ...]]


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


class Mailbox:
    """An actor beside the runner: collects the nodes' messages and tells nodes when to stop."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.is_stopping = False

    def tell(self, messages: list[Message]) -> bool:
        """Leave messages for the runner; returns whether jobs should stop."""
        self.messages += messages
        return self.is_stopping

    def empty(self) -> list[Message]:
        """All messages since the last call, oldest first."""
        messages, self.messages = self.messages, []
        return messages

    def stop(self) -> None:
        self.is_stopping = True

    def nodes(self) -> list[dict[str, Any]]:
        """The cluster's live nodes, as Ray describes them; blocks until the head answers."""
        return [node for node in ray.nodes() if node["Alive"]]


def room_on(resources: dict[str, float], terms: Terms) -> int:
    """How many jobs a node of these resources, as Ray names them, runs side by side."""
    by_cpus = int(resources.get("CPU", 0) // terms.threads)
    if terms.device == "cpu":
        return by_cpus
    return min(by_cpus, int(resources.get("GPU", 0)) * terms.per_gpu)


def run_here(mailbox: Any, number: int, content: bytes) -> tuple[str, tuple[Any, ...], Any]:
    """Run a task. Returns the final event's name and fields without the job, and a state if any.

    number: what messages about it are marked with; content: task, folders of fits to go on from
    by their names, and terms, pickled by the runner.
    """
    task, states, terms = pickle.loads(content)  # noqa: S301 - of the runner that sent this code
    executor = _executor(terms)
    # In Ray's folder for the code, which Ray removes together with files of a killed process.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        store = Store(Path(scratch)) if states is not None else None
        for name, files in (states or {}).items():
            write_run(Path(scratch) / name, files)
        try:
            executor.give(replace(task, store=store))
            fit = store.unfinished(task.job.key).folder if store else None
            return _follow(executor, mailbox, number, fit, terms.state_seconds)
        except BaseException:  # the runner wants no more of it
            executor.close()
            raise


def _follow(
    executor: Processes, mailbox: Any, number: int, fit: Path | None, state_seconds: float
) -> tuple[str, tuple[Any, ...], Folder | None]:
    """Report the job's progress to the runner until it ends. fit: the folder of its saved state."""
    waiting: dict[str, tuple[Any, ...]] = {}  # by kind: of the last progress only
    is_stopping, told_at, state_at = False, 0.0, time.monotonic()
    end, sent = None, b""
    while end is None:
        for event in executor.events(POLL_SECONDS):
            kind, content = type(event), without_job(event)
            if kind is Refused:  # by this node's disk, and not by the runner's
                raise OSError(*content)
            if kind not in (Started, Resumed, Progress):
                # Only a fit that is to be gone on with leaves a state behind.
                is_over = isinstance(event, Finished) and event.record.state_at is None
                end = kind.__name__, content, folder_of(fit) if fit and not is_over else None
            else:
                waiting[kind.__name__] = content
        now = time.monotonic()
        is_due = not end and now - state_at >= state_seconds
        if fit and is_due and (state := folder_of(fit)):
            state_at = now
            if state[RECORD] != sent:  # the node keeps it until the runner fetches it
                waiting["State"], sent = (ray.put(state),), state[RECORD]
        if waiting.keys() - {"Progress"} or now - told_at >= TELL_SECONDS:
            messages = [(number, kind, content) for kind, content in waiting.items()]
            if ray.get(mailbox.tell.remote(messages)) and not is_stopping:
                is_stopping = True
                executor.stop()
            waiting, told_at = {}, now
    return end


@cache
def _executor(terms: Terms) -> Processes:
    """One worker process, the same for all tasks of this one."""
    device = "cpu" if terms.device == "cpu" else "cuda:0"  # the first that the task may see
    # There is only one worker, so a fork server would save nothing.
    room, spawn = _room_here(terms), get_context("spawn")
    return Processes([device], terms.threads, terms.timeout, room, spawn)


def _room_here(terms: Terms) -> int:
    """How many jobs share this node."""
    here = ray.get_runtime_context().get_node_id()
    (node,) = [each for each in ray.nodes() if each["NodeID"] == here]
    return max(1, room_on(node["Resources"], terms))


def folder_of(fit: Path) -> Folder | None:
    """The files of a fit that can be gone on from; None if it cannot."""
    run = RunFolder(fit)
    try:
        if run.record.state_at is None:
            return None
        return {name: run.read(name) for name in run.checksums}
    except DamagedError:
        return None
