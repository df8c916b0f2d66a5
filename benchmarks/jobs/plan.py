"""A suite with its jobs and the places of its results, and how far each job is."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.jobs.job import OVER, Job, expand
from benchmarks.jobs.kept import Kept
from benchmarks.jobs.owner import check_owner, note_owner, owner_of
from benchmarks.jobs.suite import Suite, load_suite
from benchmarks.store.layout import CHECKSUMS, FAILURES, JOBS
from benchmarks.store.record import Record
from benchmarks.store.run_folder import DamagedError, RunFolder
from benchmarks.store.store import DAMAGED, UNFINISHED, Store
from benchmarks.system.environment import nested_differences, revision_words
from benchmarks.system.files import write_atomically
from dip.errors import InputError
from dip.options import Method

if TYPE_CHECKING:
    import pandas as pd


class Status(NamedTuple):
    """The state of a job.

    Attributes:
        word: `done`; `diverged`; `failed`: the last attempt failed; `damaged`: the files of its run
            have changed; `stale`: its run does not match the suite; or `missing`.
        reason: one line for the user, or empty.
        version: changes whenever the job runs or fails.
    """

    word: str
    reason: str = ""
    version: tuple[str, int] = ("", 0)

    @property
    def is_over(self) -> bool:
        return self.word in OVER


@dataclass(frozen=True)
class Plan:
    """A suite with its jobs and the places of its results.

    Attributes:
        suite: the suite.
        jobs: its jobs.
        store: where runs are.
        folder: of the suite's results.
        owner: how the suite's file is noted there.
        kept: results that were finished before and need no run.
    """

    suite: Suite
    jobs: list[Job]
    store: Store
    folder: Path
    owner: str
    kept: Kept | None = None

    def failure(self, job: Job) -> Path:
        """Where the log of a failed job is."""
        return self.folder / FAILURES / f"{job.key}.txt"

    def _log_of(self, job: Job) -> str:
        """How the log is named behind the reason of a failure."""
        return f" ({self.failure(job)})"

    def status(self, job: Job) -> Status:
        """How far the job is, by what its run says of itself, or by its kept rows."""
        status = self._status_of_run(job)
        if not status.is_over and self.kept and self.kept.has(job, self.suite.metrics):
            return Status(*self.kept.statuses[job.key], version=status.version)
        return status

    def is_kept(self, job: Job) -> bool:
        """Whether the job has no finished run here, and its rows were kept."""
        return self.status(job).is_over and not self._status_of_run(job).is_over

    def question_of(self, key: str) -> str | None:
        """The hash of the question when a fit began; None if it was never made."""
        if record := self.store.read(key):
            return record.question
        if self.kept and key in self.kept.rows:
            return self.kept.question_of(key)
        return None

    def _status_of_run(self, job: Job) -> Status:
        run = self.store.run(job.key)
        version = self._version(job, run)
        if reason := self._failed_since(job):
            return Status("failed", reason + self._log_of(job), version)
        try:
            return status_of(run.record, job)._replace(version=version)
        except DamagedError as error:
            word, reason = ("damaged", str(error)) if run.folder.exists() else ("missing", "")
            return Status(word, reason, version)

    def has_changed(self, job: Job, status: Status) -> bool:
        """Whether the job has run or failed since its status was read."""
        return self._version(job, self.store.run(job.key)) != status.version

    def _version(self, job: Job, run: RunFolder) -> tuple[str, int]:
        sha256, failed_at = "", 0
        with contextlib.suppress(DamagedError):
            sha256 = run.sha256
        with contextlib.suppress(OSError):
            failed_at = self.failure(job).stat().st_mtime_ns
        return sha256, failed_at

    def explain(self, job: Job) -> Status:
        """The same after reading every byte of the run, with all that can be said."""
        word, reason, _ = self.status(job)
        is_claimed = self.store.is_claimed(job.key)
        if self.is_kept(job):
            return Status(word, "; ".join(filter(None, (reason, "kept without its pictures"))))
        if word in OVER and not is_claimed and (damage := self.store.damage(job.key)):
            return Status("damaged", damage)
        if word == "missing" and job.name in self._formerly:
            word, reason = "stale", "; ".join(changes(self._formerly[job.name], job))
        more = ""
        if is_claimed:
            more = "a runner is at it"
        elif word in OVER and (record := self.store.read(job.key)):
            more = _origin(record)
        elif after := self.begun(job):
            more = f"goes on from iteration {after} of {max(job.iterations)}"
        elif (self.store.root / (DAMAGED + job.key)).exists():
            more = "its run was damaged and is set aside"
        elif word == "missing":
            more = "was never run here"
        return Status(word, "; ".join(filter(None, (reason, more))))

    def with_what_is_stored(self, job: Job) -> Job:
        """A run that is replaced keeps what others refer to: checkpoints, rules and outputs."""
        record = self.store.read(job.key)
        if record is None or not isinstance(job.method, Method):
            return job
        return replace(
            job,
            iterations=tuple(sorted({*job.iterations, *record.iterations})),
            rules=tuple(dict.fromkeys((*job.rules, *record.rules))),
            outputs=tuple(dict.fromkeys((*job.outputs, *record.outputs))),
        )

    def begun(self, job: Job) -> int:
        """The iteration that a fit can go on from, in the environment it was in; 0 for none."""
        whole = self.with_what_is_stored(job)
        stored = [self.store.read(name) for name in (UNFINISHED + job.key, job.key)]
        return max((state_for(each, whole) or 0 for each in stored if each), default=0)

    @cached_property
    def _formerly(self) -> dict[str, Record]:
        """Runs of this suite under other keys, by the names of their jobs."""
        present = {job.key for job in self.jobs}
        records = (self.store.read(key) for key in self.store.stored() if key not in present)
        return {
            record.job: record for record in records if record and record.suite == self.suite.name
        }

    def _failed_since(self, job: Job) -> str:
        """Why the job failed, if it did so after the run that is stored, if one is."""
        try:
            log = self.failure(job)
            reason = log.read_text(encoding="utf-8").splitlines()[0]
            stored = self.store.folder(job.key) / CHECKSUMS
            is_newer = not stored.exists() or stored.stat().st_mtime < log.stat().st_mtime
        except (OSError, IndexError):
            return ""
        return reason if is_newer else ""

    def statuses(self) -> dict[str, Status]:
        """How far each job is, by its key."""
        return {job.key: self.status(job) for job in self.jobs}

    def table(self, statuses: Mapping[str, Status]) -> "pd.DataFrame":
        """All jobs with their statuses."""
        import pandas as pd

        columns = ["key", "image", "mask", "method", "preset", "seed", "status", "reason"]
        rows = [
            (
                *(job.key, job.image.name, job.mask_label, job.method_label, job.preset, job.seed),
                statuses[job.key].word,
                # Where the log lies on this machine is not a result.
                statuses[job.key].reason.removesuffix(self._log_of(job)),
            )
            for job in self.jobs
        ]
        return pd.DataFrame(rows, columns=columns)

    def write_table(self, statuses: Mapping[str, Status]) -> None:
        """Write jobs.csv, which also tells what runs are still referred to.

        The folder is noted to be this suite's; raises InputError if it has become another's.
        """
        note_owner(self.folder, self.owner, self.suite)
        write_atomically(self.folder / JOBS, self.table(statuses).to_csv(index=False))


def status_of(record: Record, job: Job) -> Status:
    """The status of a job whose run has this record."""
    if not holds(record, job):
        return Status("stale", _lacking(record, job))
    if record.status_within(job.iterations) == "diverged":
        since = f"{record.diverged_because} since iteration {record.diverged_at}"
        return Status("diverged", since)
    if record.backtracked_at:
        first, *more = record.backtracked_at
        also = f", and {len(more)} times after" if more else ""
        return Status("done", f"went back to earlier weights at iteration {first}{also}")
    return Status("done")


def make_plan(suite: str, out: Path, seeds: int | None = None, kept: Kept | None = None) -> Plan:
    """Check everything and begin nothing.

    Args:
        suite: a suite's name or file.
        out: the folder of results.
        seeds: so many, from 0, instead of the suite's.
        kept: results that were finished before.

    Raises:
        InputError, DatasetError: the suite cannot be run as it is.
    """
    loaded, owner = load_suite(suite), owner_of(suite)
    if seeds is not None:
        loaded = loaded.model_copy(update={"seeds": list(range(seeds))})
    check_owner(out / loaded.name, owner, loaded)
    return plan_of(loaded, out, owner, kept)


def plan_of(suite: Suite, out: Path, owner: str, kept: Kept | None = None) -> Plan:
    """The same of a suite that was read, whosever results its folder holds."""
    return Plan(suite, expand(suite), Store(out / "runs"), out / suite.name, owner, kept)


def select(jobs: Iterable[Job], pattern: str) -> list[Job]:
    """The jobs whose name holds the pattern; raises InputError if none does."""
    chosen = [job for job in jobs if pattern in job.name]
    if not chosen:
        raise InputError(
            f"no job's name holds '{pattern}'; `dip-bench status SUITE` lists the names"
        )
    return chosen


def line(job: Job, status: Status) -> str:
    """How a job is listed."""
    said = f"{status.word:9} {job.key[:12]} {job.name}"
    return f"{said}: {status.reason}" if status.reason else said


def sort_out(
    statuses: Mapping[str, Status], jobs: Iterable[Job], *, fresh: bool, retry_failed: bool
) -> tuple[list[Job], list[Job], list[Job]]:
    """The jobs that are over, those that are left out because they failed, and those to run."""
    over, failed, todo = [], [], []
    for job in {job.key: job for job in jobs}.values():
        status = statuses[job.key]
        if status.is_over and not fresh:
            over.append(job)
        elif status.word == "failed" and not (fresh or retry_failed):
            failed.append(job)
        else:
            todo.append(job)
    return over, failed, todo


def _origin(record: Record) -> str:
    about = record.environment
    where = f" at {revision_words(about['git_revision'], about['git_dirty'])}"
    return f"run {about['finished']}{where if about['git_revision'] else ''}"


def _lacking(record: Record, job: Job) -> str:
    """What a stored run does not hold that the job asks for."""
    outputs = job.stored_outputs
    if not record.has_outputs_of_today(outputs.values()):
        return "the stored run has outputs of another version"
    end = record.last_good(job.iterations)
    absent = sorted({n for n in job.iterations if n <= end} - record.iterations)
    unfollowed = [rule.label for rule in job.rules if not record.has_followed(rule)]
    unseen = [label for label, output in outputs.items() if not record.has_output(output)]
    return "the stored run lacks " + " and ".join(
        f"{kind} {', '.join(map(str, some))}"
        for kind, some in (("iteration", absent), ("rule", unfollowed), ("output", unseen))
        if some
    )


def changes(former: Record, job: Job) -> list[str]:
    """What is not as it was when the job was run, an entry for each setting."""
    named = {"image": "another image, size or crop", "mask": "another hole"}
    found = nested_differences(former.trajectory, job.trajectory)
    return [named.get(each.partition(":")[0], each) for each in found]


def holds(record: Record, job: Job) -> bool:
    """Whether a run of that record holds every checkpoint, rule and output of the job."""
    if not _has_followed(record, job):
        return False
    end = record.last_good(job.iterations)
    return {iteration for iteration in job.iterations if iteration <= end} <= record.iterations


def state_for(record: Record, job: Job) -> int | None:
    """The iteration of the run's state, if the job can go on from there and miss nothing.

    It may be the job's last one, of a fit that was killed at its very end.
    """
    after = record.state_at
    if after is None or after > max(job.iterations):
        return None
    has_all = {n for n in job.iterations if n <= after} <= record.iterations
    return after if has_all and _has_followed(record, job) else None


def _has_followed(record: Record, job: Job) -> bool:
    """Whether every rule and output that the job asks for followed the fit, as they are today."""
    outputs = job.stored_outputs.values()
    return all(map(record.has_followed, job.rules)) and all(map(record.has_output, outputs))
