"""Whether the runs are as they were written, and what they say of where they were made."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL.Image import DecompressionBombError

from benchmarks.jobs.job import OVER, key_of
from benchmarks.scoring.results import Results
from benchmarks.store.layout import RUNS
from benchmarks.store.pack import read_records
from benchmarks.store.pictures import pixels_sha256
from benchmarks.store.record import Record
from benchmarks.store.run_folder import RunFolder
from benchmarks.store.store import Store
from benchmarks.system.environment import NOT_RUN, nested_differences
from benchmarks.system.text import counted
from datasets import Image
from dip.errors import InputError
from reports.audit.finding import Finding, note, some, wrong
from reports.page.contents import name_of

# What is raised for files that somebody has written by hand, and given the right checksums.
MALFORMED = (KeyError, IndexError, TypeError, ValueError, SyntaxError, DecompressionBombError)


@dataclass(frozen=True)
class Runs:
    """The runs of a suite's jobs, by key.

    Attributes:
        whole: those that are here and as they were written.
        damaged: keys of the others that are here.
        records: of all that have one that can be read, and of those whose archive has it only.
        findings: what was found on reading them.
    """

    whole: dict[str, RunFolder]
    damaged: set[str]
    records: dict[str, Record]
    findings: list[Finding]


def read_runs(results: Results) -> Runs:
    """Read every byte of the runs of all jobs."""
    runs = Runs({}, set(), {}, [])
    try:
        packed = read_records(results.folder)
    except InputError as error:
        packed = {}
        runs.findings.append(Finding(str(error).removeprefix(f"{results.folder}/")))
    store = Store(results.folder.resolve().parent / RUNS)
    damaged: list[str] = []
    gone: list[str] = []
    left_out: list[str] = []
    for job in results.jobs.drop_duplicates("key").to_dict("records"):
        key, name = str(job["key"]), name_of(job)
        run = store.run(key)
        if run.folder.exists():
            if record := store.read(key):
                runs.records[key] = record
            if what := _damage(run, packed.get(key)):
                damaged.append(f"{name}: {what}")
                runs.damaged.add(key)
            else:
                runs.whole[key] = run
        elif key in packed:
            runs.records[key] = packed[key]
            if key_of(packed[key].trajectory) != key:
                damaged.append(f"{name}: its record in the archive is of another job")
            left_out.append(name)
        elif job["status"] in OVER:
            gone.append(f"{name}: its run is gone, {RUNS}/{key}")
    if gone and not runs.records:
        runs.findings.append(
            Finding(f"{counted(len(gone), 'job')}: no run and no record, so nothing can be checked")
        )
        gone = []
    runs.findings.extend([*wrong(damaged, "damaged runs"), *wrong(gone, "runs that are gone")])
    if left_out:
        runs.findings.append(
            note(
                f"the archive has the records only of {counted(len(left_out), 'job')}, whose scores"
                f" cannot be computed again: {some(left_out)}"
            )
        )
    return runs


def _damage(run: RunFolder, packed: Record | None) -> str:
    """What of a run is not as it was written; empty if nothing. packed: the archive's record."""
    try:
        if key_of(run.record.trajectory) != run.record.key:
            return "record.json: describes another job than the one of its key"
        record = run.check()
        if Image("truth", run.truth).sha256 != record.trajectory["image"]:
            return "truth.png: is not the image that its record names"
        if (
            hashlib.sha256(run.known.astype(np.uint8)[None].tobytes()).hexdigest()
            != record.trajectory["mask"]
        ):
            return "mask.png: is not the hole that its record names"
        for name, sha256 in record.pixels.items():
            if pixels_sha256(run.picture(name)) != sha256:
                return f"{name}: is not the picture that its record names"
        if packed not in (None, record):
            return "record.json: the archive has another record of it"
    except (OSError, *MALFORMED) as error:
        return str(error).removeprefix(f"{run.folder}/").removeprefix(f"{run.folder}: ")
    return ""


def origins(runs: Runs) -> Iterator[Finding]:
    """Notes on the code and the machines that the runs were made with."""
    records = [each for each in runs.records.values() if each.environment.get("device") != NOT_RUN]
    changed = [
        record
        for record in records
        if record.environment.get("git_dirty") or any(each.git_dirty for each in record.continued)
    ]
    if changed:
        yield note(
            f"{len(changed)} of {counted(len(runs.records), 'run')} were made with uncommitted"
            " changes"
        )
    for what in ("device", "versions"):
        first, *others = [record.environment.get(what) for record in records] or [None]
        differing = {each: None for other in others for each in nested_differences(first, other)}
        if differing:
            found = some([each.removeprefix(": ") for each in differing])
            yield note(f"runs differ in the {what} they were made with: {found}")
