"""The jobs that a runner has yet to see to, on a store that it may share with other runners."""

import contextlib
from collections import deque
from collections.abc import Iterable, Mapping

from benchmarks.jobs.job import Job
from benchmarks.jobs.plan import Plan
from benchmarks.system.files import CannotWriteError, Claim


class JobQueue:
    """Gives out jobs one by one, each claimed, so that no other runner fits it meanwhile.

    A job that another runner has claimed is come back to later; one that it has seen to meanwhile
    is over. before: of each key what `Plan.fingerprint` said in the beginning. fresh: run again
    what was over then. done_elsewhere: what others have seen to, as it was found.
    """

    def __init__(self, plan: Plan, jobs: Iterable[Job], before: Mapping[str, object], fresh: bool):
        self.plan = plan
        self.waiting = deque(jobs)
        self.before = before
        self.fresh = fresh
        self.claims: dict[str, tuple[Claim, Job]] = {}
        self.done_elsewhere: list[Job] = []

    def take(self) -> Job | None:
        """A job that is this runner's now, or None if there is none to be had at present."""
        for _ in range(len(self.waiting)):
            job = self.waiting.popleft()
            claim = self.plan.store.claim(job.key)
            if claim is None:
                self.waiting.append(job)
                continue
            self.plan.store.tidy(job.key)
            status = self.plan.status(job)
            is_new = self.plan.fingerprint(job) != self.before[job.key]
            if (status.is_over and not self.fresh) or (
                is_new and (status.is_over or status.word == "failed")
            ):
                claim.release()
                self.done_elsewhere.append(job)
                continue
            self.claims[job.key] = claim, job
            return self.plan.with_what_is_stored(job)
        return None

    def release(self, job: Job) -> None:
        """The job is settled, or given up; a worker that was ended may have left half a state."""
        claim, _ = self.claims.pop(job.key)
        with contextlib.suppress(CannotWriteError):  # which is known by now
            self.plan.store.tidy(job.key)
        claim.release()

    def release_all(self) -> None:
        for _, job in list(self.claims.values()):
            self.release(job)
