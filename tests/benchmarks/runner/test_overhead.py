"""Where the time of a command went: the parts are the whole, and every summary says it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands import Command
from support.suites import jobs_of

from benchmarks.runner import overhead
from benchmarks.runner.events import Failed, Started
from benchmarks.runner.overhead import FITS, READING, REPORTING, SCORING, Accounting, Clock
from benchmarks.store.trace import seconds_behind

Write = Callable[..., Path]


@pytest.mark.parametrize("workers", [0, 1])
def test_the_parts_are_the_whole_and_stand_in_the_summary(
    suite_file: Write, command: Command, tmp_path: Path, workers: int
) -> None:
    suite, out = suite_file(), tmp_path / "results"
    bench = ("reports", "bench", suite, "--out", out, "--workers", workers)
    said = command(*bench).stdout
    content = json.loads((out / "tiny" / "accounting.json").read_text())
    kept = Accounting.model_validate(content)
    outside = kept.outside_seconds
    assert kept.fitting_seconds + sum(outside.values()) == pytest.approx(kept.seconds)
    assert min(kept.fitting_seconds, *outside.values()) >= 0
    assert all(outside[part] > 0 for part in (READING, SCORING, REPORTING))
    assert (outside["starting workers"] > 0) == (workers > 0)
    records = [json.loads(path.read_text()) for path in out.glob("runs/*/record.json")]
    fitting = sum(record["timing"]["seconds"] for record in records)
    assert kept.fitting_seconds == pytest.approx(fitting, abs=1e-5)  # the trace's rounding
    report = out / "tiny" / "report" / "summary.md"
    summary = report.read_text()
    assert f"\n{kept.line}\n" in said
    assert f"\n{kept.line}. " in summary

    # What fits nothing leaves it as it is.
    assert re.search(r"\nTime: \d+ s, nothing fitted: ", command(*bench).stdout)
    assert report.read_text() == summary
    run = command("benchmarks", "run", suite, "--out", out)
    assert re.search(r"\nTime: \d+ s, nothing fitted", run.stdout)
    assert command("benchmarks", "score", suite, "--out", out).returncode == 0
    assert command("reports", "build", out / "tiny").returncode == 0
    assert report.read_text() == summary


@pytest.mark.parametrize("content", [None, "", "{}", "[]"])
def test_results_without_it_are_reported_and_nothing_is_said(
    suite_file: Write, command: Command, tmp_path: Path, content: str | None
) -> None:
    out = tmp_path / "results"
    assert command("benchmarks", "run", suite_file(), "--out", out).returncode == 0
    kept = out / "tiny" / "accounting.json"
    kept.unlink()
    if content is not None:
        kept.write_text(content)
    assert command("reports", "build", out / "tiny").returncode == 0
    assert "Time:" not in (out / "tiny" / "report" / "summary.md").read_text()


def test_a_job_that_failed_was_worked_at_from_its_start_to_its_end(
    suite_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(overhead.time, "monotonic", lambda: now)
    job = jobs_of(suite_file())[0]
    clock = Clock()
    now = 1.0
    clock.lap(READING)
    clock.gives(job)
    now = 3.0
    clock.hears(Started(job, 0), workers=2)
    now = 13.0
    clock.hears(Failed(job, "took too long", ""), workers=2)
    now = 14.0
    clock.lap(FITS)
    now = 20.0
    clock.lap(SCORING)
    assert clock.accounting().line == (
        "Time: 20 s on 2 workers, 75 % of it outside fitting: 1.0 s reading,"
        " 1.0 s starting workers, 7.0 s storing and waiting, 6.0 s scoring"
    )


def test_iterations_of_an_earlier_command_do_not_count() -> None:
    trace = b"iteration,loss,milliseconds,a,b\n1,0.5,1000.0,,\n2,0.4,200.0,,\n3,0.3,30.5,,\n"
    assert seconds_behind(trace, 0) == pytest.approx(1.2305)
    assert seconds_behind(trace, 1) == pytest.approx(0.2305)
    assert seconds_behind(trace, 3) == 0
