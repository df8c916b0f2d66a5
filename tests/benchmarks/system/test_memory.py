"""Where memory is little it is said, before fits and when one runs out of it."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from support.commands import Command
from support.suites import jobs_of

from benchmarks.runner.events import Failed
from benchmarks.runner.executors.processes import how_it_ended
from benchmarks.runner.progress import Display
from benchmarks.system import memory
from benchmarks.system.memory import little_memory

Write = Callable[..., Path]
GIB = 2**30


def test_little_is_less_than_two_gibibytes_for_each_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: 4 * GIB)
    assert little_memory(0) == little_memory(1) == little_memory(2) == ""
    advice = "if a fit runs out, use fewer --workers, or a smaller size or crop"
    assert little_memory(4) == f"memory: 1.0 GiB free for each of 4 workers; {advice}"
    monkeypatch.setattr(memory, "free_bytes", lambda: GIB // 2)
    assert little_memory(1) == f"memory: 0.5 GiB free for one worker; {advice}"
    monkeypatch.setattr(memory, "free_bytes", lambda: None)
    assert little_memory(100) == ""


def test_a_run_and_a_dry_run_say_that_it_is_little(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = suite_file(methods=[{"fill": "total-variation"}], images=["astronaut", "coffee"])
    words = ("benchmarks", "run", suite, "--out", tmp_path / "results", "--workers", 2)

    def said(*options: str) -> list[str]:
        done = command(*words, "--device", "cpu", *options)
        assert done.returncode == 0, done.stderr
        return [line for line in done.stdout.splitlines() if "memory" in line]

    monkeypatch.setattr(memory, "free_bytes", lambda: 4 * GIB)
    assert said("--dry-run") == []
    monkeypatch.setattr(memory, "free_bytes", lambda: GIB)
    assert said("--dry-run") == [little_memory(2)]
    assert said() == [f"NOTICE: {little_memory(2)}"]


@pytest.mark.parametrize(
    ("reason", "is_memory"),
    [
        ("out of memory: CUDA out of memory.", True),
        (how_it_ended(-9), True),
        (how_it_ended(-11), False),
        ("RuntimeError: no [more] memory", False),
    ],
)
def test_after_a_fit_ran_out_the_summary_says_what_to_do(
    suite_file: Write, reason: str, is_memory: bool
) -> None:
    job, *_ = jobs = jobs_of(suite_file())
    with Display(jobs, 1, Console(file=StringIO())) as display:
        display.show(Failed(job, reason, ""))
    advice = "; memory ran out: use fewer --workers, or a smaller size or crop"
    assert display.summary().endswith("1 failed, 1 not begun" + (advice if is_memory else ""))
