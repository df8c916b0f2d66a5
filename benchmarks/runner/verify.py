"""Runs stored jobs again and compares: does this machine give what is stored?

Where machine, package versions, threads and flags are those of the stored run, every picture has to
be the same to the last bit. Elsewhere float32 trajectories part ways, and hole PSNR is compared.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from rich.console import Console

from benchmarks.jobs.job import Job
from benchmarks.jobs.plan import Plan, select
from benchmarks.metrics import METRICS
from benchmarks.runner.events import Event, Failed, Finished
from benchmarks.runner.executors import run_tasks
from benchmarks.runner.executors.in_process import InProcess
from benchmarks.runner.executors.processes import Processes
from benchmarks.runner.job.task import Task
from benchmarks.runner.progress import Display
from benchmarks.store.layout import RECORD
from benchmarks.store.pictures import pixels_of
from benchmarks.store.record import Record
from benchmarks.store.run_folder import RunFolder
from benchmarks.system import environment
from benchmarks.system.devices import check_device, places
from benchmarks.system.text import counted
from dip.errors import InputError

# Between one thread and two the 76 pictures of the fits of `quick` differ by up to 1.2 dB.
TOLERANCE_DB = 2.0


Word = Literal["byte-identical", "close", "wrong"]


@dataclass(frozen=True)
class Finding:
    """The result of running a job again. close: pixels differ within the tolerance."""

    job: Job
    word: Word
    text: str

    @property
    def holds(self) -> bool:
        return self.word != "wrong"


def draw(plan: Plan, pattern: str, sample: int | None, seed: int) -> list[Job]:
    """The jobs that are stored and whole, or so many of them drawn at random.

    Raises InputError if there is none.
    """
    unique = {job.key: job for job in select(plan.jobs, pattern)}
    stored = [job for job in unique.values() if plan.explain(job).is_over]
    if not stored:
        raise InputError(f"{plan.suite.name}: none of the jobs is stored; run them first")
    if sample is None or sample >= len(stored):
        return stored
    drawn = np.random.default_rng(seed).choice(len(stored), sample, replace=False)
    return [stored[index] for index in sorted(drawn)]


def verify(
    plan: Plan,
    jobs: Sequence[Job],
    workers: int | None,
    device: str,
    tolerance_db: float,
    console: Console,
) -> list[Finding]:
    """Run the jobs again, each with as many threads as it had, and say what came of it."""
    check_device(device)
    findings = []
    side_by_side = len(places(device, workers, 1)[: len(jobs)])
    with Display(jobs, side_by_side, console) as display:
        for event in _run_again(plan, jobs, workers, device):
            outcome = ""
            if isinstance(event, Failed):
                findings.append(Finding(event.job, "wrong", f"failed: {event.reason}"))
            elif isinstance(event, Finished):
                run = plan.store.run(event.job.key)
                finding = compare(event.job, run, event.files, tolerance_db)
                findings.append(finding)
                word = "ok" if finding.holds else "WRONG"
                outcome = f"{word:9} {event.job.name}: {finding.text}"
            display.show(event, outcome)
    display.say(_summary(findings))
    return findings


def _run_again(
    plan: Plan, jobs: Sequence[Job], workers: int | None, device: str
) -> Iterator[Event]:
    """Keeps nothing."""
    by_threads: dict[int, list[Task]] = {}
    for job in jobs:
        threads = plan.store.run(job.key).record.environment["threads"]
        by_threads.setdefault(threads, []).append(Task(job, plan.suite.name))
    for threads, tasks in by_threads.items():
        devices = places(device, workers, threads)[: len(tasks)]
        if workers == 0:
            yield from run_tasks(InProcess(devices[0], threads, lambda: False), tasks)
        else:
            yield from run_tasks(Processes(devices, threads), tasks)


def compare(job: Job, stored: RunFolder, files: dict[str, bytes], tolerance_db: float) -> Finding:
    """A stored run with the files of the same job run again.

    Only what the job asks for counts; the stored run may hold more.
    """
    old, new = stored.record, Record.model_validate_json(files[RECORD])
    statuses = [each.status_within(job.iterations) for each in (old, new)]
    ends = [each.last_good(job.iterations) for each in (old, new)]
    changed = environment.differences(old.environment, new.environment)
    if statuses[0] != statuses[1] or (ends[0] != ends[1] and not changed):
        was, is_now = (f"{status} at {end}" for status, end in zip(statuses, ends, strict=True))
        return Finding(job, "wrong", f"{is_now}, and was {was}")
    # Where a fit diverges a little sooner elsewhere, less is there to compare.
    names = {*new.pixels} & {*old.pixels} if changed else {*new.pixels}
    if not changed:
        others = [name for name in sorted(names) if old.pixels.get(name) != new.pixels[name]]
        if others:
            return Finding(job, "wrong", f"other pixels in {', '.join(others)}")
        text = f"{len(names)} of {len(names)} pictures the same to the last bit"
        return Finding(job, "byte-identical", text)
    psnr = METRICS["psnr"]
    differences = []
    for name in names - {"coverage.png"}:
        again, before = pixels_of(files[name]), stored.picture(name)
        truth, known = stored.truth, stored.known
        scores = [psnr.score(each, truth, known)[1] for each in (again, before)]
        is_same = np.array_equal(again, before)  # then both may be infinite
        differences.append(0.0 if is_same else scores[0] - scores[1])
    if not differences:
        word: Word = "byte-identical" if statuses[1] == "diverged" else "wrong"
        return Finding(job, word, f"{statuses[1]}, without a picture")
    largest = max(differences, key=abs)
    text = (
        f"hole PSNR of {counted(len(differences), 'picture')} within"
        f" {largest:+.2f} dB (another environment: {'; '.join(changed)})"
    )
    return Finding(job, "close" if abs(largest) <= tolerance_db else "wrong", text)


def _summary(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.word for finding in findings)
    parts = ", ".join(f"{counts[word]} {word}" for word in get_args(Word))
    return f"{counted(len(findings), 'job')} run again: {parts}"
