"""The jobs that a runner has yet to see to, on a store that it may share with other runners."""

import contextlib
from collections import deque
from collections.abc import Sequence

from benchmarks.jobs.job import Job
from benchmarks.jobs.plan import Plan, Status
from benchmarks.system.files import CannotWriteError, Claim
from dip.fills import Fill
from dip.options import Method


def is_quick(job: Job) -> bool:
    """Whether the runner does this job itself, because it is cheaper than a worker.

    That is a published picture, or a fill of a small image; `quick_pixels` holds for its defaults.
    """
    if isinstance(job.method, Fill):
        return job.method.has_defaults and job.mask.size <= job.method.quick_pixels
    return not isinstance(job.method, Method)


class JobQueue:
    """Hands out jobs and claims each, so that no two runners fit the same job at the same time.

    A job that another runner has claimed goes back to the end of the queue. It is dropped once the
    other runner has finished it.

    Attributes:
        quick: fills that the runner computes itself.
        fits: all other jobs.
        statuses: by key, as read at the start, updated for jobs that other runners finish.
        fresh: whether to also run jobs that were done at the start.
        done_elsewhere: jobs that other runners were seen to have finished.
    """

    def __init__(self, plan: Plan, jobs: Sequence[Job], statuses: dict[str, Status], fresh: bool):
        self.plan = plan
        self.quick = deque(job for job in jobs if is_quick(job))
        self.fits = deque(job for job in jobs if not is_quick(job))
        self.statuses = statuses
        self.fresh = fresh
        self.claims: dict[str, tuple[Claim, Job]] = {}
        self.done_elsewhere: list[Job] = []

    @property
    def waiting(self) -> list[Job]:
        return [*self.quick, *self.fits]

    def take(self, jobs: deque[Job]) -> Job | None:
        """Claim a job and return it; None if no job can be claimed now.

        jobs: `quick` or `fits`.
        """
        for _ in range(len(jobs)):
            job = jobs.popleft()
            claim = self.plan.store.claim(job.key)
            if claim is None:
                jobs.append(job)
                continue
            self.plan.store.tidy(job.key)
            if self._is_done_elsewhere(job):
                claim.release()
                self.done_elsewhere.append(job)
                continue
            self.claims[job.key] = claim, job
            return self.plan.with_what_is_stored(job)
        return None

    def _is_done_elsewhere(self, job: Job) -> bool:
        """Whether another runner has finished the job since the statuses were read."""
        before = self.statuses[job.key]
        if not self.plan.has_changed(job, before):
            return before.is_over and not self.fresh
        status = self.statuses[job.key] = self.plan.status(job)
        return status.is_over or status.word == "failed"

    def release(self, job: Job) -> None:
        """The job is settled, or given up; a worker that was ended may have left half a state."""
        claim, _ = self.claims.pop(job.key)
        with contextlib.suppress(CannotWriteError):  # which is known by now
            self.plan.store.tidy(job.key)
        claim.release()

    def release_all(self) -> None:
        for _, job in list(self.claims.values()):
            self.release(job)
