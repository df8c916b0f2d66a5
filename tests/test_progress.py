"""What a person sees while jobs run."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.jobs import Job, expand
from benchmarks.progress import Display, TimeLeft, duration
from benchmarks.suite import load_suite
from benchmarks.workers import Failed, Finished, Progress


@pytest.fixture
def jobs(suite_file: Callable[..., Path]) -> list[Job]:
    """Two fits of 100 iterations and a fill."""
    return expand(load_suite(str(suite_file(seeds=[0, 1], iterations=[100]))))


def _show(jobs: list[Job], terminal: bool) -> str:
    screen = StringIO()
    console = Console(file=screen, force_terminal=terminal, width=150)
    with Display(jobs, 1, console) as display:
        display.show(Progress(jobs[0], 10, 0.5))
        display.show(Progress(jobs[0], 60, 0.25))
        if display.bars:
            display.bars.refresh()
        display.show(Finished(jobs[0], {}))
        display.show(Failed(jobs[1], "RuntimeError: no [more] memory", ""))
    return screen.getvalue()


def test_plain_output_is_one_whole_line_for_each_job(jobs: list[Job]) -> None:
    lines = _show(jobs, terminal=False).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"[1/3] done      {jobs[0].name}; about ")
    assert lines[1].startswith(f"[2/3] FAILED    {jobs[1].name}: RuntimeError: no [more] memory; ")


def test_a_terminal_shows_names_whole_with_loss_and_position(jobs: list[Job]) -> None:
    screen = _show(jobs, terminal=True)
    assert "astronaut/boxes[count=1,side=8]/quick/0" in screen
    assert "60/100" in screen
    assert "loss 0.25000" in screen
    assert "FAILED    astronaut/boxes[count=1,side=8]/quick/1: RuntimeError" in screen


def test_the_time_left_follows_the_pace_of_each_method(jobs: list[Job]) -> None:
    left = TimeLeft(workers=1)
    for job in jobs:
        left.add(job)
    assert left.seconds() is None
    left.progress(jobs[0], 10, now=100.0)
    left.progress(jobs[0], 60, now=150.0)  # a second per iteration
    assert left.seconds() == pytest.approx(40 + 100)
    left.over(jobs[0])
    assert left.seconds() == pytest.approx(100)
    left.workers = 2
    assert left.seconds() == pytest.approx(100)  # one fit is not shared between workers


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.4, "4 s"), (83, "1 min 23 s"), (119.7, "2 min 0 s"), (7380, "2 h 3 min")],
)
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
