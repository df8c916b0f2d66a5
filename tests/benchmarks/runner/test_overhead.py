"""Where the time of a command went: the parts are the whole, and every summary says it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands import Command

from benchmarks.store.accounting import READING, REPORTING, SCORING, Accounting, read_accounting
from benchmarks.store.trace import seconds_behind

Write = Callable[..., Path]


def test_the_parts_are_the_whole_and_stand_in_the_summary(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = suite_file(), tmp_path / "results"
    bench = ("reports", "bench", suite, "--out", out)
    said = command(*bench).stdout
    content = json.loads((out / "tiny" / "accounting.json").read_text())
    kept = Accounting.model_validate(content)
    outside = kept.outside_seconds
    assert kept.fitting_seconds + sum(outside.values()) == pytest.approx(kept.seconds)
    assert min(kept.fitting_seconds, *outside.values()) >= 0
    assert all(outside[part] > 0 for part in (READING, SCORING, REPORTING))
    records = [json.loads(path.read_text()) for path in out.glob("runs/*/record.json")]
    fits = [each for each in records if "fill" not in each["trajectory"]["method"]]
    fitting = sum(record["timing"]["seconds"] for record in fits)  # quick fills are the runner's
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


def test_results_without_it_are_reported_and_nothing_is_said(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    assert command("benchmarks", "run", suite_file(), "--out", out).returncode == 0
    (out / "tiny" / "accounting.json").unlink()
    assert command("reports", "build", out / "tiny").returncode == 0
    assert "Time:" not in (out / "tiny" / "report" / "summary.md").read_text()


@pytest.mark.parametrize("content", ["", "{}", "[]"])
def test_what_is_no_accounting_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "accounting.json").write_text(content)
    assert read_accounting(tmp_path) is None


def test_iterations_of_an_earlier_command_do_not_count() -> None:
    trace = b"iteration,loss,milliseconds,a,b\n1,0.5,1000.0,,\n2,0.4,200.0,,\n3,0.3,30.5,,\n"
    assert seconds_behind(trace, 0) == pytest.approx(1.2305)
    assert seconds_behind(trace, 1) == pytest.approx(0.2305)
    assert seconds_behind(trace, 3) == 0
