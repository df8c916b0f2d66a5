"""Results that were finished before, perhaps on another machine, and kept without their pictures.

A job whose rows are kept is not fitted again.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from benchmarks.jobs.job import OVER, Job
from benchmarks.metrics import METRICS
from benchmarks.store.layout import JOBS, RESULTS, SUITE
from benchmarks.store.pack import read_records
from benchmarks.store.record import Record
from benchmarks.system.environment import nested_differences
from dip.errors import InputError
from dip.options import Method

Row = dict[str, str]  # a line of results.csv, as it is written there
STOP = "stop:"  # begins the output that a stopping rule chose


class _About(BaseModel):
    """What is read of suite.json; earlier versions have no specification."""

    model_config = ConfigDict(extra="allow")

    metrics: list[str]
    iterations: list[int]
    environments: list[dict[str, Any]]
    method_iterations: dict[str, list[int]] = {}
    question: dict[str, Any] | None = None
    specification: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Kept:
    """What an unpacked archive holds.

    Attributes:
        statuses: by key, the status of a job and its reason.
        rows: by key, the rows of a job.
        records: by key; archives of earlier versions have none.
        about: suite.json.
    """

    statuses: Mapping[str, tuple[str, str]]
    rows: Mapping[str, Sequence[Row]]
    records: Mapping[str, Record]
    about: Mapping[str, Any]

    def has(self, job: Job, metrics: Sequence[str]) -> bool:
        """Whether a job's rows are here as they would be computed today.

        Args:
            job: the job as its suite asks for it.
            metrics: names of the scores that its suite asks for.

        Returns:
            True if the trajectory is the same, which its key says, it was followed to the same
            iterations by the same rules, and outputs and metrics have the versions of today.
        """
        word, _ = self.statuses.get(job.key, ("", ""))
        if word not in OVER:
            return False
        outputs = {label: output.version for label, output in job.stored_outputs.items()}
        scores = {name: METRICS[name].version for name in metrics}
        specified = self.about.get("specification", {})
        return (
            outputs.items() <= specified.get("outputs", {}).items()
            and scores.items() <= specified.get("metrics", {}).items()
            and {*metrics} <= {*self.about["metrics"]}
            and self._iterations(job) == sorted(job.iterations)
            and self._has_followed(job)
            and self._has_scores(job, word, metrics)
        )

    def _iterations(self, job: Job) -> list[int]:
        """The checkpoints that were asked for of a job's method, ascending."""
        if not isinstance(job.method, Method):
            return [0]
        label = next((row["method"] for row in self.rows.get(job.key, ())), job.method_label)
        return sorted(self.about.get("method_iterations", {}).get(label, self.about["iterations"]))

    def _has_followed(self, job: Job) -> bool:
        if record := self.records.get(job.key):
            return all(map(record.has_followed, job.rules))
        outputs = {row["output"] for row in self.rows.get(job.key, ())}
        return all(STOP + rule.label in outputs for rule in job.rules)

    def _has_scores(self, job: Job, word: str, metrics: Sequence[str]) -> bool:
        """Whether each output at each checkpoint has all scores that can be computed here.

        Those of a job that diverged end before it did, which only its record tells.
        """
        record = self.records.get(job.key)
        if word != "done" and record is None:
            return False
        end = record.last_good(job.iterations) if record else max(job.iterations)
        size = job.image.height, job.image.width
        columns = [
            f"{name}_{METRICS[name].region}"
            for name in metrics
            if METRICS[name].unavailable(*size) is None
        ]
        rows = {
            (int(row["iteration"]), row["output"])
            for row in self.rows.get(job.key, ())
            if all(row.get(column) for column in columns)
        }
        labels = {"raw", *(output.label for output in job.outputs)}
        return {(n, label) for n in job.iterations if n <= end for label in labels} <= rows

    def rows_of(self, job: Job) -> list[Row]:
        """A job's rows under the names that its suite has today."""
        outputs = {"raw", *(output.label for output in job.outputs)}
        outputs |= {STOP + rule.label for rule in job.rules}
        names = {
            "image": job.image.name,
            "mask": job.mask_label,
            "method": job.method_label,
            "preset": job.preset,
        }
        return [row | names for row in self.rows.get(job.key, ()) if row["output"] in outputs]

    def question_of(self, key: str) -> str:
        """The hash of the question when a fit began; empty if that is not known."""
        if record := self.records.get(key):
            return record.question
        asked = self.about.get("question") or {}
        return "" if asked.get("asked_after") else str(asked.get("sha256", ""))

    def changes(self, job: Job, metrics: Sequence[str]) -> list[str]:
        """Say what has changed since the rows of a job were kept.

        Args:
            job: a job that `has` denies, as its suite asks for it today.
            metrics: names of the scores that its suite asks for.

        Returns:
            Differences in words; none if the archive has no such job, or no specification.
        """
        specified = self.about.get("specification", {})
        if job.key in self.statuses:
            return [
                *_versions(specified.get("outputs", {}), job.stored_outputs),
                *_versions(specified.get("metrics", {}), {name: METRICS[name] for name in metrics}),
            ]
        images, masks = specified.get("images", {}), specified.get("masks", {})
        before = dict(specified.get("methods", {}).get(job.method_label, {}))
        hole = f"{job.image.name}/{job.mask_label}"
        if not before or hole not in masks:
            return []
        now = {name: part for name, part in job.trajectory.items() if name in before}
        # Keys leave out the version of what has had one only.
        before["versions"] = dict.fromkeys(now["versions"], 1) | before["versions"]
        changes = nested_differences(before, now)
        changes += ["another image, size or crop"] * (images[job.image.name] != job.image.sha256)
        return changes + ["another hole"] * (masks[hole] != job.trajectory["mask"])


def _versions(before: Mapping[str, int], now: Mapping[str, Any]) -> list[str]:
    """Differences between versions of outputs or metrics, by name."""
    return [
        f"{name}: version {before[name]}, now {part.version}"
        for name, part in now.items()
        if name in before and before[name] != part.version
    ]


def read_kept(folder: Path) -> Kept:
    """Read what `benchmarks.store.pack.unpack` has written of a suite.

    Args:
        folder: the suite's folder.

    Raises:
        InputError: a file is not as it was written.
    """
    try:
        about = _About.model_validate_json((folder / SUITE).read_bytes()).model_dump()
        with (folder / JOBS).open(encoding="utf-8", newline="") as file:
            jobs = list(csv.DictReader(file))
        rows: dict[str, list[Row]] = {}
        first: dict[str, tuple[str, ...]] = {}  # two jobs of different names can share a run
        with (folder / RESULTS).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                name = tuple(row[part] for part in ("image", "mask", "method", "seed"))
                if first.setdefault(row["key"], name) == name:
                    rows.setdefault(row["key"], []).append(row)
    except (OSError, ValueError, KeyError, csv.Error) as error:
        what = str(error).partition("\n")[0]
        raise InputError(f"its results cannot be read ({what})") from None
    statuses = {job["key"]: (job["status"], job["reason"]) for job in jobs}
    return Kept(statuses, rows, read_records(folder), about)
