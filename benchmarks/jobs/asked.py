"""Whether a suite's question was asked before its fits were made.

Each fit's record has the hash of the question as the fit began. A fit whose record has another
hash, or none, may have been looked at before the question was asked. A fit that is made again keeps
the hash of the first: its trajectory is the same, and may be known.
"""

import hashlib
import json
from collections.abc import Iterable

from benchmarks.jobs.job import Job, specification
from benchmarks.jobs.plan import Plan
from benchmarks.store.asked import PARTS_OF_HISTORY, Asked
from dip.options import Method


def question_sha256(asked: Asked, jobs: Iterable[Job]) -> str:
    """Hash a question with everything that decides what its answer is about.

    Component versions are left out: a corrected component is no other question.

    Args:
        asked: the resolved question.
        jobs: those of its suite.

    Returns:
        SHA-256 of the question, its images, its holes and how its methods are set and how long they
        are fitted.
    """
    jobs = list(jobs)
    described = specification(jobs)
    iterations = {job.method_label: max(job.iterations) for job in jobs}
    methods = {
        label: {**described["methods"][label], "iterations": iterations[label], "versions": None}
        for label in asked.outputs
    }
    question = asked.model_dump(mode="json", exclude=PARTS_OF_HISTORY)
    content = {
        "question": question | {"planned": sorted(question["planned"])},
        "images": described["images"],
        "holes": sorted({job.mask_label for job in jobs}),
        "methods": methods,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def asked_by(plan: Plan) -> Asked | None:
    """The question of a plan's suite with its hash and its history, None if it asks none."""
    asked = plan.suite.asked
    if asked is None:
        return None
    sha256 = question_sha256(asked, plan.jobs)
    keys = {job.key for job in plan.jobs if isinstance(job.method, Method)}
    stored = [question for key in keys if (question := plan.question_of(key)) is not None]
    history = {
        "sha256": sha256,
        "fits": len(stored),
        "asked_after": sum(question != sha256 for question in stored),
    }
    return asked.model_copy(update=history)


def question_of_fit(plan: Plan, job: Job, asked: Asked | None) -> str:
    """The hash for the record of a job that is about to run; empty without a question.

    Args:
        plan: the plan of the suite.
        job: one of its jobs.
        asked: the question of the suite with its hash.

    Returns:
        That of the stored run, if there is one that is to be replaced; else that of `asked`.
    """
    before = plan.question_of(job.key)
    if before is not None:
        return before
    return asked.sha256 if asked else ""
