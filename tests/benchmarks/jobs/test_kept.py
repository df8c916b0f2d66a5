"""Kept rows: whether they stand for a job as its suite asks for it today."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.commands import Ran
from support.suites import TINY

from benchmarks.jobs.job import Job
from benchmarks.jobs.kept import Kept, read_kept
from benchmarks.jobs.plan import make_plan
from benchmarks.metrics import METRICS
from benchmarks.scoring.tables import write_results
from benchmarks.store.layout import JOBS, RESULTS, SUITE
from benchmarks.store.pack import pack, unpack
from dip.options import parse_output, parse_rule

METRIC_NAMES = ["psnr", "ssim"]


@pytest.fixture
def kept(ran: Ran, tmp_path: Path) -> tuple[Path, Kept]:
    """A tiny suite, and its results without pictures."""
    suite, out = ran()
    pack(out / "tiny", tmp_path / "tiny.zip", whole=())
    return suite, read_kept(unpack(tmp_path / "tiny.zip", tmp_path / "unpacked"))


def _fit(suite: Path, tmp_path: Path) -> Job:
    return next(job for job in make_plan(str(suite), tmp_path / "elsewhere").jobs if job.preset)


def test_kept_rows_stand_for_the_jobs_that_they_are_of(
    kept: tuple[Path, Kept], tmp_path: Path
) -> None:
    suite, rows = kept
    plan = make_plan(str(suite), tmp_path / "elsewhere", kept=rows)
    assert all(plan.is_kept(job) for job in plan.jobs)
    statuses = [plan.explain(job) for job in plan.jobs]
    assert {(s.word, s.reason) for s in statuses} == {("done", "kept without its pictures")}
    without = replace(plan, kept=None)
    assert not any(map(without.is_kept, plan.jobs))


def test_the_results_of_kept_rows_are_the_same_to_the_last_digit(
    kept: tuple[Path, Kept], tmp_path: Path
) -> None:
    suite, rows = kept
    plan = make_plan(str(suite), tmp_path / "elsewhere", kept=rows)
    write_results(plan, say=print)
    for name in (RESULTS, JOBS, SUITE):
        assert (plan.folder / name).read_text() == (tmp_path / "results/tiny" / name).read_text()


@pytest.mark.parametrize(
    "changes",
    [
        {"iterations": (2,)},
        {"iterations": (2, 4, 8)},
        {"rules": (parse_rule({"es-wmv": {"window": 3}}),)},
        {"outputs": (parse_output("clean"),)},
        {"seed": 1},
    ],
)
def test_a_job_that_asks_for_something_else_has_no_kept_rows(
    kept: tuple[Path, Kept], changes: dict[str, Any], tmp_path: Path
) -> None:
    suite, rows = kept
    job = _fit(suite, tmp_path)
    assert rows.has(job, METRIC_NAMES)
    assert not rows.has(replace(job, **changes), METRIC_NAMES)


def test_versions_are_those_of_today(
    kept: tuple[Path, Kept], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, rows = kept
    job = _fit(suite, tmp_path)
    assert not rows.has(job, [*METRIC_NAMES, "lpips"])  # which was not asked for
    monkeypatch.setitem(METRICS, "ssim", replace(METRICS["ssim"], version=7))
    assert not rows.has(job, METRIC_NAMES)
    assert rows.changes(job, METRIC_NAMES) == ["ssim: version wang-1, now 7"]
    assert rows.has(job, ["psnr"])


def test_another_label_is_no_other_job(
    kept: tuple[Path, Kept], suite_file: Callable[..., Path], tmp_path: Path
) -> None:
    _, rows = kept
    method, fill = TINY["methods"]
    renamed = suite_file(methods=[{**method, "label": "named otherwise"}, fill])
    job = _fit(renamed, tmp_path)
    assert rows.has(job, METRIC_NAMES)
    assert {row["method"] for row in rows.rows_of(job)} == {"named otherwise"}


def test_rows_without_a_score_that_can_be_computed_are_none(
    kept: tuple[Path, Kept], tmp_path: Path
) -> None:
    """As those of a machine without the weights of LPIPS."""
    suite, whole = kept
    job = _fit(suite, tmp_path)
    rows = {key: [row | {"ssim_hole": ""} for row in own] for key, own in whole.rows.items()}
    assert not replace(whole, rows=rows).has(job, METRIC_NAMES)
    assert replace(whole, rows=rows).has(job, ["psnr"])


def test_a_diverged_fit_needs_its_rows_or_a_record_without_any(
    kept: tuple[Path, Kept], tmp_path: Path
) -> None:
    suite, whole = kept
    job = _fit(suite, tmp_path)
    record = whole.records[job.key]
    late = record.model_copy(update={"diverged_at": 3, "noticed_at": 4})
    early = record.model_copy(update={"diverged_at": 1, "noticed_at": 2})
    statuses = {**whole.statuses, job.key: ("diverged", "")}
    first = {job.key: [row for row in whole.rows[job.key] if row["iteration"] == "2"]}
    for own, rows, expected in (
        (late, first, True),
        (late, {}, False),
        (early, {}, True),
        (None, {}, False),
    ):
        records = {job.key: own} if own else {}
        diverged = replace(whole, statuses=statuses, rows=rows, records=records)
        assert diverged.has(job, METRIC_NAMES) == expected
