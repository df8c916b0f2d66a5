"""`--dry-run`: what a run would do, take and need."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands import Command
from support.suites import TINY

from benchmarks.jobs.plan import Plan
from benchmarks.runner import dry_run
from dip.fills import FILLS

Write = Callable[..., Path]


def _dry(command: Command, suite: Path, out: Path, *options: object) -> list[str]:
    done = command("benchmarks", "run", suite, "--out", out, "--dry-run", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _said_of(what: str, lines: list[str]) -> str:
    (found,) = [line for line in lines if line.startswith(f"{what}: ")]
    return found


def _seconds(text: str) -> int:
    found = re.search(r"about (?:(\d+) min )?(\d+) s", text)
    assert found
    return int(found[1] or 0) * 60 + int(found[2])


def test_what_it_costs_comes_from_earlier_runs(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    methods = TINY["methods"][:1]
    suite = suite_file(methods=methods, iterations=[100])
    lines = _dry(command, suite, out)
    assert re.fullmatch(
        r"missing   [0-9a-f]{12} astronaut/.*/quick/0: was never run here", lines[0]
    )
    assert re.fullmatch(r"1 of 1 job to run, \d+ side by side", lines[1])
    why = "because no such method was ever timed on this device"
    assert _said_of("time", lines) == f"time: cannot be told, {why}"
    start = "disk: at most 1 MiB, besides states of fits; "
    assert re.fullmatch(re.escape(start) + r"\d+ MiB are free", _said_of("disk", lines))
    assert not out.exists()

    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    assert _dry(command, suite, out)[1:] == [
        f"0 of 1 job to run, {lines[1].split()[-4]} side by side"
    ]
    # Ten times the iterations and four times the pixels, of five images, two side by side.
    longer = suite_file(
        "longer",
        methods=[*methods, {"preset": "quick", "label": "other"}],
        iterations=[2000],
        seeds=[0, 1, 2, 3],
        size=72,
    )
    time = _said_of("time", _dry(command, longer, out, "--workers", 2))
    assert time.endswith("by earlier runs of the same methods; without other, never timed here")
    assert re.match(r"time: about (\d+ min )?\d+ s, by", time)


def test_the_estimate_is_what_runs_of_that_method_took(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results"
    suite = suite_file(methods=TINY["methods"][:1], iterations=[60])
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    (record,) = out.glob("runs/*/record.json")
    seconds = json.loads(record.read_text())["timing"]["seconds"]
    longer = suite_file(methods=TINY["methods"][:1], iterations=[6_000], seeds=[0, 1], size=72)
    text = _said_of("time", _dry(command, longer, out, "--workers", 1))
    assert _seconds(text) == pytest.approx(seconds * 100 * 4 * 2, abs=1)

    # What is there already is not counted.
    monkeypatch.setattr(Plan, "begun", lambda *_: 3_000)
    text = _said_of("time", _dry(command, longer, out, "--workers", 1))
    assert _seconds(text) == pytest.approx(seconds * 50 * 4 * 2, abs=1)


def test_a_disk_that_is_too_small_is_said(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "TRACE_BYTES", 10**15)
    disk = _said_of("disk", _dry(command, suite_file(), tmp_path / "results"))
    assert disk.endswith("are free: NOT ENOUGH")


def test_why_a_job_would_run_is_said(suite_file: Write, command: Command, tmp_path: Path) -> None:
    out = tmp_path / "results"
    assert command("benchmarks", "run", suite_file(), "--out", out).returncode == 0
    changed = [dict(method) for method in TINY["methods"]]
    changed[0]["set"] = {**changed[0]["set"], "learning_rate": 0.5}
    for changes, why in (
        ({"iterations": [2, 4, 9]}, "the stored run lacks iteration 9"),
        ({"rules": [{"es-wmv": {"window": 3}}]}, "the stored run lacks rule es-wmv[window=3]"),
        ({"methods": changed}, "method.learning_rate: 0.01, now 0.5"),
        ({"masks": [{"boxes": {"count": 1, "side": 8, "seed": 1}}]}, None),
        ({"size": 40}, "another image, size or crop"),
    ):
        suite = suite_file(**changes)
        for lines in (
            _dry(command, suite, out),
            command("benchmarks", "status", suite, "--out", out).stdout.splitlines(),
        ):
            line = next(line for line in lines if "/quick/" in line)
            if why is None:  # the hole's name tells its settings, so that this is another job
                assert line.startswith("missing  ")
            else:
                assert line.startswith("stale    ")
                assert line.partition(": ")[2].startswith(why)


def test_fills_state_their_cost_and_say_beforehand_that_memory_will_not_do(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = suite_file(methods=[{"fill": ["fsr", "mean", "biharmonic"]}])
    lines = _dry(command, suite, tmp_path / "results")
    for name in ("fsr", "biharmonic"):
        assert f"{name}: {FILLS[name].cost}" in lines
    assert not any(line.startswith(("mean: ", "NOTICE")) for line in lines)
    monkeypatch.setattr("dip.fills.fill.free_bytes", lambda: 1000)
    lines = _dry(command, suite, tmp_path / "results")
    (notice,) = [line for line in lines if line.startswith("NOTICE: ")]
    hole = "astronaut/boxes[count=1,side=8]"
    assert notice.startswith(f"NOTICE: {hole}/biharmonic/0: the fill 'biharmonic' needs about")
