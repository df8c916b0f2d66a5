"""Runs jobs on the nodes of a Ray cluster, one Ray task each: the runner's side.

The runner reads image and mask and sends them with the task; Ray's task sends the files of the run
back, and the store is this machine's alone. A node that is lost takes nothing with it but the
minutes since a fit there has last sent its state: another node takes its jobs over.
"""

import contextlib
import itertools
import json
import pickle
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.jobs.job import Job
from benchmarks.runner.events import (
    Event,
    Failed,
    Finished,
    Halted,
    Lost,
    Progress,
    Refused,
    Resumed,
    Started,
)
from benchmarks.runner.job.task import Task
from benchmarks.store.store import UNFINISHED
from benchmarks.system.environment import REVISION, cpu_count, git_revision, revision_words
from benchmarks.system.files import CannotWriteError
from benchmarks.system.text import counted
from dip.errors import InputError

try:
    import ray
    from ray.exceptions import (
        GetTimeoutError,
        ObjectLostError,
        RayError,
        RayTaskError,
        RuntimeEnvSetupError,
        TaskCancelledError,
    )
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ImportError:
    raise InputError(
        "`executor` ray: Ray is not installed here (make dev, or pip install ray, as on every node)"
    ) from None

from benchmarks.runner.executors.ray_cluster.connection import connect, hearing, in_one_line
from benchmarks.runner.executors.ray_cluster.node import (
    Folder,
    Mailbox,
    Message,
    Terms,
    folder_of,
    room_on,
)
from benchmarks.runner.executors.ray_cluster.ship_code import copy_code, fit_of

STATE_SECONDS = 300.0  # between states that a fit sends; they are a minute old at most
GONE_SECONDS = 30.0  # to wait for the head; after a minute Ray would end this process
LOSSES = 3  # nodes that a job may lose before it has failed
NODES_SECONDS = 10.0  # between looks at what nodes there are


@dataclass
class _Sent:
    """A job that Ray has been given. losses: nodes that it was lost with."""

    task: Task
    number: int
    losses: int = 0
    has_state: bool = False
    place: int | None = None  # where it runs, once it has begun


class Cluster:
    """The nodes of a Ray cluster that this machine is one of.

    As many jobs run side by side as nodes have CPUs, or shares of a GPU, for; `workers` at most.
    Raises InputError if there is no such cluster, or it has no room for a job.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        address: str,
        device: str,
        threads: int,
        timeout: float | None = None,
        workers: int,
        workers_per_gpu: int | None = None,
        state_seconds: float = STATE_SECONDS,
    ):
        self.address = address
        self.workers = workers
        self.sent: dict[Any, _Sent] = {}  # by Ray's reference to what they will return
        self.given = 0
        self.is_stopping = False
        revision = git_revision()
        with hearing(), tempfile.TemporaryDirectory() as folder:
            names = copy_code(Path(folder), jobs)
            env = {"working_dir": folder, "env_vars": {REVISION: json.dumps(revision)}}
            connect(address, env)
        try:
            node = ray.get_runtime_context().get_node_id()
            here = NodeAffinitySchedulingStrategy(node, soft=False)
            mailbox = ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=here)
            self.mailbox: Any = mailbox.remote()
            self._ask("empty", seconds=None)  # the actor may take long to start
            kind = _kind(device, ray.cluster_resources().get("GPU", 0) >= 1, workers_per_gpu)
            self.terms = Terms(kind, threads, workers_per_gpu or 1, timeout, state_seconds)
            self._look_at_nodes()
            if not self.side_by_side:
                needs = f"{threads} CPUs" if threads > 1 else "a CPU"
                more = " and a GPU" if kind == "cuda" else ""
                has = counted(len(self.nodes), "node")
                raise InputError(f"`address` {address}: none of its {has} has {needs}{more}")
        except BaseException:
            ray.shutdown()
            raise
        share = 1 / self.terms.per_gpu if kind == "cuda" else 0
        fit = fit_of(revision_words(*revision) or "one outside git", names)
        self.fit = ray.remote(num_cpus=threads, num_gpus=share, max_retries=0)(fit)

    @property
    def about(self) -> str:
        """What there is, in a line."""
        count = sum(room_on(each, self.terms) > 0 for each in self._resources)
        where = f"{'CPUs' if self.terms.device == 'cpu' else 'GPUs'} of {counted(count, 'node')}"
        jobs = counted(self.side_by_side, "job")
        return f"Ray at {self.address}: {jobs} at a time on the {where}"

    @property
    def side_by_side(self) -> int:
        return min(self.workers, sum(room_on(each, self.terms) for each in self._resources))

    @property
    def spare_cores(self) -> int:
        here = ray.get_runtime_context().get_node_id()
        taken = sum(
            node["Resources"].get("CPU", 0) for node in self.nodes if node["NodeID"] == here
        )
        return max(0, cpu_count() - int(taken))

    @property
    def has_room(self) -> bool:
        if time.monotonic() - self.looked_at >= NODES_SECONDS:
            self._look_at_nodes()
        return len(self.sent) < max(1, self.side_by_side)  # without a node one waits for it

    @property
    def is_busy(self) -> bool:
        return bool(self.sent)

    def _look_at_nodes(self) -> None:
        self.nodes = self._ask("nodes")
        self.looked_at = time.monotonic()

    def give(self, task: Task) -> None:
        self._give(_Sent(task, 0))

    def _give(self, sent: _Sent) -> None:
        self.given += 1
        sent.number, sent.place = self.given, None
        task = replace(sent.task, store=None, resume=sent.task.resume or sent.has_state)
        content = pickle.dumps((task, _states(sent), self.terms))
        with self._connected():
            reference = self.fit.remote(self.mailbox, sent.number, content)
        self.sent[reference] = sent

    @property
    def _resources(self) -> list[dict[str, float]]:
        return [node["Resources"] for node in self.nodes]

    def events(self, seconds: float) -> list[Event]:
        if not self.sent:
            time.sleep(seconds)
            return []
        with self._connected():
            # Do not fetch results here: they may be large, and are fetched one by one.
            ready, _ = ray.wait([*self.sent], timeout=seconds, fetch_local=False)
        told = self._ask("empty")  # read messages before the results that end the jobs
        return [*self._told(told), *(event for each in ready for event in self._ended(each))]

    def _told(self, messages: Iterable[Message]) -> Iterator[Event]:
        """What nodes have told of jobs that they are still to fit."""
        tasks = {sent.number: sent for sent in self.sent.values()}
        for number, kind, content in messages:
            if (sent := tasks.get(number)) is None:
                continue
            job = sent.task.job
            match kind:
                case "Started":
                    taken = {sent.place for sent in self.sent.values()}
                    sent.place = next(each for each in itertools.count() if each not in taken)
                    yield Started(job, sent.place)
                case "Resumed":
                    yield Resumed(job, *content)
                case "Progress":
                    yield Progress(job, *content)
                case "State":
                    # The state may be on a node that has just been lost.
                    with contextlib.suppress(ObjectLostError, GetTimeoutError), hearing():
                        state: Any = ray.get(content[0], timeout=GONE_SECONDS)
                        yield from self._keep(sent, state)

    def _keep(self, sent: _Sent, state: Folder) -> Iterator[Refused]:
        """Store a state that a node has sent."""
        assert sent.task.store is not None
        try:
            sent.task.store.put_unfinished(sent.task.job.key, state)
            sent.has_state = True
        except CannotWriteError as error:
            yield Refused(sent.task.job, str(error))

    def _ended(self, reference: Any) -> Iterator[Event]:
        sent = self.sent.pop(reference)
        ends = {each.__name__: each for each in (Finished, Failed, Halted, Refused)}
        try:
            with hearing():
                kind, content, state = ray.get(reference)
            if state:
                yield from self._keep(sent, state)
            yield ends[kind](sent.task.job, *content)
        except TaskCancelledError:  # it had not begun
            yield self._halted(sent)
        except RayError as error:
            yield self._lost(sent, error)

    def _lost(self, sent: _Sent, error: RayError) -> Event:
        """The node is gone, has killed what was on it, or cannot run anything."""
        job = sent.task.job
        sent.losses += 1
        if self.is_stopping:
            return self._halted(sent)
        # A job cannot do that: it runs in a process of its own.
        cannot_run = isinstance(error, RayTaskError | RuntimeEnvSetupError)
        how = "its node cannot run it" if cannot_run else "it was lost with its node"
        reason = f"{how} ({in_one_line(error)})"
        if sent.losses < LOSSES:
            self._look_at_nodes()
            self._give(sent)
            return Lost(job, reason)
        if cannot_run:
            return Refused(job, f"{job.name}: {reason}, nor could {LOSSES - 1} before")
        return Failed(job, f"{reason}, as with {LOSSES - 1} before", str(error))

    def _halted(self, sent: _Sent) -> Halted:
        """With the state that is stored of it, which may be of an earlier run."""
        store, key = sent.task.store, sent.task.job.key
        goes_on = sent.task.resume or sent.has_state
        record = store.read(UNFINISHED + key) if store and goes_on else None
        return Halted(sent.task.job, (record and record.state_at) or 0)

    def stop(self) -> None:
        self.is_stopping = True
        self._ask("stop")
        with self._connected():
            for reference, sent in self.sent.items():
                if sent.place is None:  # else it is told by the mailbox, and saves its state
                    ray.cancel(reference)

    def close(self) -> None:
        ray.shutdown()  # what still runs for this runner ends with it
        self.sent.clear()

    def _ask(self, what: str, seconds: float | None = GONE_SECONDS) -> Any:
        """Call the mailbox; it is on this machine, so it should answer soon."""
        with self._connected():
            return ray.get(getattr(self.mailbox, what).remote(), timeout=seconds)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[None]:
        """Raises InputError where the cluster as a whole is gone."""
        try:
            with hearing():
                yield
        except (RayError, OSError, ValueError) as error:
            raise InputError(
                f"`address` {self.address}: the cluster is gone ({in_one_line(error)}); finished"
                " runs are stored, and the same command goes on from them"
            ) from None


def _kind(device: str, has_gpu: bool, per_gpu: int | None) -> str:
    """cpu or cuda; raises InputError."""
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"`device` {device}: with `executor` ray, auto, cpu or cuda; Ray chooses")
    if device == "cuda" and not has_gpu:
        raise InputError("`device` cuda: no node of the cluster has a GPU")
    kind = "cuda" if has_gpu and device != "cpu" else "cpu"
    if kind == "cpu" and per_gpu is not None:
        raise InputError(f"`workers_per_gpu` {per_gpu}: no GPU is used; use `workers`")
    return kind


def _states(sent: _Sent) -> dict[str, dict[str, bytes]] | None:
    """Folders of the job's fit that can be gone on from; None if it is to keep no state."""
    store, key = sent.task.store, sent.task.job.key
    if store is None:
        return None
    fits = [store.unfinished(key).folder] if sent.task.resume or sent.has_state else []
    fits += [store.folder(key)] if sent.task.resume else []
    found = {fit.name: folder_of(fit) for fit in fits}
    return {name: files for name, files in found.items() if files is not None}
