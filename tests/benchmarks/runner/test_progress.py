"""What a person sees while jobs run."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support.suites import TINY

from benchmarks.jobs.job import Job, expand
from benchmarks.jobs.suite import load_suite
from benchmarks.runner.events import Failed, Halted, Progress, Resumed, Started
from benchmarks.runner.job.run_job import run_job
from benchmarks.runner.job.task import Task
from benchmarks.runner.progress import Display, TimeLeft
from dip.system.text import duration

ALONE: dict[str, Any] = {"device": "cpu", "threads": 1, "workers": 1}


@pytest.fixture
def jobs(suite_file: Callable[..., Path]) -> list[Job]:
    """Two fits of 100 iterations, and three fills, of which two are quick."""
    methods = [*TINY["methods"], {"fill": "nearest"}, {"fill": "total-variation"}]
    suite = suite_file(methods=methods, seeds=[0, 1], iterations=[100])
    return expand(load_suite(str(suite)))


def _show(jobs: list[Job], terminal: bool, width: int = 170) -> str:
    screen = StringIO()
    console = Console(file=screen, force_terminal=terminal, width=width)
    with Display(jobs, 2, console) as display:
        display.show(Started(jobs[0], place=1))
        display.show(Progress(jobs[0], 10, 0.5))
        time.sleep(0.05)
        display.show(Progress(jobs[0], 60, 0.25))
        if display.bars:
            display.bars.refresh()
        for fill in jobs[2:]:
            display.show(run_job(Task(fill, ""), **ALONE))
        display.show(Started(jobs[1], place=0))
        display.show(Resumed(jobs[1], after=40))
        display.show(Failed(jobs[1], "RuntimeError: no [more] memory", ""))
        display.show(Halted(jobs[0], 70))
    console.print(display.summary(), markup=False)
    return screen.getvalue()


def test_plain_output_is_one_whole_line_for_each_event(jobs: list[Job]) -> None:
    lines = _show(jobs, terminal=False).splitlines()
    assert [line.partition(";")[0] for line in lines] == [
        "[2/5] done      2 quick jobs",
        f"[3/5] done      {jobs[4].name}",
        f"[3/5] goes on   {jobs[1].name} from iteration 40",
        f"[4/5] FAILED    {jobs[1].name}: RuntimeError: no [more] memory",
        f"[4/5] halted    {jobs[0].name}: its state is saved at iteration 70",
        "Ran 5 jobs in 0 s: 3 done, 1 failed, 1 halted on their way",
    ]
    assert lines[0].partition(";")[2].startswith(" about ")


def test_a_terminal_shows_each_worker_with_its_job_loss_pace_and_time_left(
    jobs: list[Job],
) -> None:
    screen = _show(jobs, terminal=True)
    assert "worker 2  astronaut/boxes[count=1,side=8]/quick/0" in screen
    assert "60/100" in screen
    assert re.search(r"loss 0\.25000, [\d.e+]+ it/s, \d+ s left", screen)
    assert "FAILED    astronaut/boxes[count=1,side=8]/quick/1: RuntimeError" in screen


def test_numbers_come_before_names_in_a_narrow_terminal(jobs: list[Job]) -> None:
    screen = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", _show(jobs, terminal=True, width=80))
    assert re.search(r"worker 2  astro[^ ]*…\s+60/100 loss 0\.25000, [^\n]* left", screen)


def test_a_plain_line_comes_every_half_minute_while_nothing_ends(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = StringIO()
    with Display(jobs, 1, Console(file=screen, width=170)) as display:
        display.show(Progress(jobs[0], 10, 0.5))
        assert not screen.getvalue()
        monkeypatch.setattr("benchmarks.runner.progress.LINE_SECONDS", 0.0)
        display.show(Progress(jobs[0], 60, 0.25))
    assert f"running   {jobs[0].name}, iteration 60 of 100, loss 0.25000, " in screen.getvalue()


def test_a_slow_fill_is_shown_in_per_cent(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    fill = jobs[4]  # total-variation, which takes a worker
    screen = StringIO()
    with Display(jobs, 2, Console(file=screen, force_terminal=True, width=170)) as display:
        display.show(Started(fill, place=1))
        display.show(Progress(fill, 42, None))
        assert display.bars is not None
        display.bars.refresh()
    shown = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", screen.getvalue())
    assert re.search(rf"worker 2  {re.escape(fill.name)} .*42/100 %", shown)
    assert "loss" not in shown

    plain = StringIO()
    with Display(jobs, 2, Console(file=plain, width=170)) as display:
        display.show(Started(fill, place=1))
        display.show(Progress(fill, 42, None))
        assert not plain.getvalue()
        monkeypatch.setattr("benchmarks.runner.progress.LINE_SECONDS", 0.0)
        display.show(Progress(fill, 65, None))
    assert plain.getvalue() == f"[0/5] running   {fill.name}, 65 %\n"


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


def test_a_job_that_was_lost_counts_as_a_whole_again(jobs: list[Job]) -> None:
    left = TimeLeft(workers=1)
    for job in jobs[:2]:
        left.add(job)
    left.progress(jobs[0], 0, now=0.0)
    left.progress(jobs[0], 60, now=60.0)
    assert left.seconds() == pytest.approx(40 + 100)
    left.again(jobs[0])
    assert left.seconds() == pytest.approx(100 + 100)
    left.progress(jobs[0], 50, now=100.0)  # from its state
    assert left.seconds() == pytest.approx(50 + 100)
    for job in jobs[:2]:
        left.over(job)
    assert left.seconds() is None


def test_a_job_that_is_given_more_iterations_leaves_nothing_behind(jobs: list[Job]) -> None:
    left = TimeLeft(workers=1)
    left.add(jobs[0])
    more = replace(jobs[0], iterations=(100, 200))  # as its stored run has
    left.progress(more, 0, now=0.0)
    left.progress(more, 100, now=100.0)
    assert left.seconds() == pytest.approx(100)
    left.over(more)
    assert left.seconds() is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.4, "4 s"), (83, "1 min 23 s"), (119.7, "2 min 0 s"), (7380, "2 h 3 min")],
)
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
