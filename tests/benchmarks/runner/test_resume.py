"""A fit that was broken off goes on from its saved state, and ends as if it never had been."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from support.commands import ROOT, Command
from support.suites import TINY, jobs_of, pictures_in

from benchmarks.jobs.job import Job
from benchmarks.runner.events import Event, Finished, Halted, Progress, Resumed
from benchmarks.runner.job import recording, run_fit
from benchmarks.runner.job.run_job import run_job
from benchmarks.runner.job.task import Task
from benchmarks.store.layout import RECORD, STATE
from benchmarks.store.record import Record, Timing
from benchmarks.store.store import UNFINISHED, Store
from benchmarks.system.memory import PeakMemory

Write = Callable[..., Path]
NARROW = TINY["methods"][0]["set"]
ALONE: dict[str, Any] = {"device": "cpu", "threads": 1, "workers": 1}
METHODS = [
    {"preset": "quick", "label": "adam", "set": {**NARROW, "input_noise": 0.05}},
    {"preset": "quick", "label": "sgld", "set": {**NARROW, "sgld_noise": 2.0}},
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "runs")
    store.open_for_writing()
    return store


def _break_off(store: Store, job: Job, at: int) -> None:
    """Leave the fit unfinished after iteration `at`."""
    seen = 0

    def count(event: Event) -> None:
        nonlocal seen
        if isinstance(event, Progress):
            seen = event.iteration

    task = Task(job, "tiny", store)
    end = run_job(task, **ALONE, report=count, should_stop=lambda: seen == at)
    assert isinstance(end, Halted)
    assert end.iteration == at


def _begins_after(store: Store, job: Job, **options: Any) -> tuple[int, dict[str, bytes]]:
    """The iteration behind which the fit goes on, 0 if it does not, and its files."""
    begun = [0]

    def note(event: Event) -> None:
        if isinstance(event, Resumed):
            assert event.after or event.why  # a fit that starts again reports the reason
            begun.append(event.after)

    files = _files(Task(job, "tiny", store), **options, report=note)
    return begun[-1], files


def _files(task: Task, **options: Any) -> dict[str, bytes]:
    end = run_job(task, **{**ALONE, **options})
    assert isinstance(end, Finished), end
    return end.files


def _numbers(files: dict[str, bytes]) -> tuple[dict[str, bytes], list[list[str]], list[Any]]:
    """What has to be the same: pictures, the trace and the record, all but the time it took."""
    pictures = {name: content for name, content in files.items() if name.endswith(".png")}
    lines = [line.split(",") for line in files["trace.csv"].decode().splitlines()]
    record = Record.model_validate_json(files[RECORD])
    checkpoints = [saved.model_copy(update={"seconds": 0.0}) for saved in record.checkpoints]
    kept = [record.pixels, record.backtracked_at, checkpoints]
    return pictures, [line[:2] + line[3:] for line in lines], kept


@pytest.mark.parametrize("label", ["adam", "sgld"])
def test_a_run_that_went_on_is_the_same_to_the_last_byte(
    suite_file: Write, store: Store, label: str
) -> None:
    rules = [{"es-wmv": {"window": 4, "patience": 3}}, {"es-emv": {"warm_up": 2}}]
    suite = suite_file(methods=METHODS, iterations=[9, 20, 30], rules=rules)
    job = next(job for job in jobs_of(suite) if job.method_label == label)
    whole = _files(Task(job, "tiny"))
    for at in (1, 9, 12, 27):
        store.drop_unfinished(job.key)
        _break_off(store, job, at)
        after, files = _begins_after(store, job)
        assert after == at
        assert _numbers(files) == _numbers(whole)
        record = Record.model_validate_json(files[RECORD])
        assert [each.after for each in record.continued] == [at]


def test_a_fit_goes_on_more_than_once(
    suite_file: Write, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks: list[list[int]] = []
    timing_of = recording.timing_of

    def note(steps: Any, behind: list[int], peak: float | None) -> Timing:
        breaks.append(behind)
        return timing_of(steps, behind, peak)

    monkeypatch.setattr(recording, "timing_of", note)
    peaks = iter([0.0])
    monkeypatch.setattr(PeakMemory, "mib", lambda _: next(peaks, 100.0))
    (job,) = jobs_of(suite_file(methods=METHODS[:1], iterations=[9, 30]))
    whole = _files(Task(job, "tiny"))
    peaks = iter([500.0])
    for at in (3, 11, 12):
        _break_off(store, job, at)
    after, files = _begins_after(store, job)
    assert after == 12
    assert _numbers(files) == _numbers(whole)
    record = Record.model_validate_json(files[RECORD])
    assert [each.after for each in record.continued] == [3, 11, 12]
    assert record.timing.peak_memory_mib == 500
    assert breaks[-1] == [3, 11, 12]  # the iterations behind them are no measure
    assert record.timing.seconds == pytest.approx(record.checkpoints[-1].seconds, rel=0.01)


def test_state_is_saved_between_checkpoints_as_time_passes(
    suite_file: Write, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = jobs_of(suite_file(methods=METHODS[:1], iterations=[30]))
    saved: list[int | None] = []

    def note(event: Event) -> None:
        if not isinstance(event, Progress):
            return
        record = store.read(UNFINISHED + job.key)
        saved.append(record.state_at if record else None)

    _files(Task(job, "tiny", store), report=note)
    assert set(saved) == {None}
    monkeypatch.setattr(run_fit, "STATE_SECONDS", 0.0)
    saved.clear()
    _files(Task(job, "tiny", store), report=note)
    assert saved == [None, *range(1, 30)]


def test_a_state_that_would_give_something_else_is_not_used(
    suite_file: Write, store: Store
) -> None:
    suite = suite_file(methods=METHODS[:1], iterations=[9, 30], rules=[{"es-wmv": {"window": 4}}])
    (job,) = jobs_of(suite)
    _break_off(store, job, 12)
    others = {
        "a checkpoint that is gone by": {"iterations": (5, 30)},
        "another rule": {"rules": jobs_of(suite_file(rules=["es-emv"]))[0].rules},
    }
    for why, changes in others.items():
        assert _begins_after(store, replace(job, **changes))[0] == 0, why
        _break_off(store, job, 12)
    assert _begins_after(store, job, threads=2)[0] == 0
    torch.set_num_threads(1)
    _break_off(store, job, 12)
    state = store.unfinished(job.key).folder / STATE
    content = bytearray(state.read_bytes())
    content[len(content) // 2] ^= 1
    state.write_bytes(content)
    assert _begins_after(store, job)[0] == 0


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"other")])
def test_a_damaged_state_is_replaced_by_the_next_one(
    suite_file: Write, store: Store, damage: Callable[[Path], object]
) -> None:
    """No damaged file is linked into the next one."""
    (job,) = jobs_of(suite_file(methods=METHODS[:1], iterations=[9, 30]))
    _break_off(store, job, 12)
    for name in ("truth.png", "raw-000009.png"):
        damage(store.unfinished(job.key).folder / name)
        _break_off(store, job, 14)
        assert store.unfinished(job.key).check().state_at == 14
    assert _begins_after(store, job)[0] == 14


def test_a_state_that_cannot_be_loaded_is_no_failure(suite_file: Write, store: Store) -> None:
    """It was written by another version of this program; checksums agree."""
    (job,) = jobs_of(suite_file(methods=METHODS[:1], iterations=[9, 30]))
    whole = _files(Task(job, "tiny"))
    _break_off(store, job, 12)
    run = store.unfinished(job.key)
    files = {name: run.read(name) for name in run.checksums}
    with run.open(STATE) as file:
        state = torch.load(file, weights_only=True)
    older = BytesIO()
    torch.save({**state, "parts": {}}, older)
    other = BytesIO()
    torch.save({**state, "iteration": 13}, other)
    number = BytesIO()
    torch.save(5, number)
    contents = [each.getvalue() for each in (older, other, number)]
    for content in (*contents, b"no state", files[STATE][:-100]):
        store.put_unfinished(job.key, {**files, STATE: content})
        after, again = _begins_after(store, job)
        assert after == 0
        assert _numbers(again) == _numbers(whole)


def test_a_fit_that_was_killed_at_its_very_end_is_not_fitted_again(
    suite_file: Write, store: Store
) -> None:
    suite = suite_file(methods=METHODS[:1], iterations=[9, 30], rules=[{"es-wmv": {"window": 4}}])
    (job,) = jobs_of(suite)
    whole = _files(Task(job, "tiny", store, keep_state=True))  # its run is not stored
    after, files = _begins_after(store, job)
    assert after == 30
    assert _numbers(files) == _numbers(whole)


def test_a_run_that_holds_all_is_not_taken_for_a_state_to_go_on_from(
    suite_file: Write, command: Command, store: Store
) -> None:
    """A job that failed since, tried again: its kept state is of its end, or else it begins."""
    suite, out = suite_file(methods=METHODS[:1], iterations=[9, 30]), store.root.parent
    (job,) = jobs_of(suite)
    assert command("benchmarks", "run", suite, "--out", out, "--keep-state").returncode == 0
    log = out / "tiny" / "failures" / f"{job.key}.txt"
    log.parent.mkdir()
    log.write_text("broken\n")
    words = ("--out", out, "--retry-failed", "--keep-state")
    done = command("benchmarks", "run", suite, *words)
    assert done.returncode == 0, done.stderr
    record = store.read(job.key)
    assert record is not None
    assert record.state_at == 30
    assert not record.continued
    assert store.run(job.key).check() == record


def test_what_is_stored_counts_when_it_is_said_from_where_a_fit_goes_on(
    suite_file: Write, command: Command, store: Store
) -> None:
    out = store.root.parent
    long = suite_file(methods=METHODS[:1], iterations=[9, 20, 30])
    (job,) = jobs_of(long)
    _break_off(store, job, 22)
    assert (
        "goes on from iteration 22 of 30"
        in command("benchmarks", "status", long, "--out", out).stdout
    )
    short = suite_file("short", methods=METHODS[:1], iterations=[7])
    assert command("benchmarks", "run", short, "--out", out).returncode == 0
    # The shorter one has gone over the same iterations from the start: the state is no more.
    assert [path.name for path in store.root.iterdir()] == [job.key]
    assert "goes on" not in command("benchmarks", "status", long, "--out", out).stdout
    done = command("benchmarks", "run", long, "--out", out)
    assert "goes on" not in done.stdout
    assert command("benchmarks", "status", short, "--out", out).stdout.endswith("1 done\n")


def test_why_a_state_is_not_used_is_said(suite_file: Write, command: Command, store: Store) -> None:
    suite = suite_file(methods=METHODS[:1], iterations=[9, 30])
    (job,) = jobs_of(suite)
    _break_off(store, job, 12)
    words = ("--out", store.root.parent, "--threads", 2)
    done = command("benchmarks", "run", suite, *words)
    torch.set_num_threads(1)
    assert done.returncode == 0
    # With two threads the engine does not flush denormal numbers either.
    changed = "flags.flush_denormal: True, now False; threads: 1, now 2"
    line = f"again     {job.name} from the start, because of {changed}"
    assert line in done.stdout


def test_a_refit_goes_on_too(suite_file: Write, command: Command, store: Store) -> None:
    """Of a run that is stored, of which something in between is asked for."""
    out = store.root.parent
    long = suite_file(methods=METHODS[:1], iterations=[30])
    assert command("benchmarks", "run", long, "--out", out).returncode == 0
    between = suite_file("between", methods=METHODS[:1], iterations=[9, 30])
    (job,) = jobs_of(between)
    _break_off(store, job, 12)
    status = command("benchmarks", "status", between, "--out", out).stdout
    assert "the stored run lacks iteration 9; goes on from iteration 12 of 30" in status
    done = command("benchmarks", "run", between, "--out", out)
    assert f"goes on   {job.name} from iteration 12" in done.stdout
    assert [path.name for path in store.root.iterdir()] == [job.key]


def test_a_state_that_a_finished_run_has_overtaken_is_removed(
    suite_file: Write, command: Command, store: Store
) -> None:
    """As when a runner is killed between storing the run and removing the state."""
    suite = suite_file(methods=METHODS[:1], iterations=[9, 30])
    (job,) = jobs_of(suite)
    _break_off(store, job, 12)
    store.unfinished(job.key).folder.rename(store.root / "kept")
    assert command("benchmarks", "run", suite, "--out", store.root.parent).returncode == 0
    (store.root / "kept").rename(store.unfinished(job.key).folder)
    assert command("benchmarks", "run", suite, "--out", store.root.parent).returncode == 0
    assert [path.name for path in store.root.iterdir()] == [job.key]


def test_with_a_kept_state_more_iterations_go_on(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    short = suite_file("short", methods=METHODS, iterations=[4, 8])
    long = suite_file("long", methods=METHODS, iterations=[8, 16])
    kept, alone = tmp_path / "kept", tmp_path / "alone"
    keys = [job.key for job in jobs_of(short)]
    assert command("benchmarks", "run", short, "--out", kept, "--keep-state").returncode == 0
    assert all((kept / "runs" / key / STATE).exists() for key in keys)
    status = command("benchmarks", "status", long, "--out", kept).stdout
    assert status.count("the stored run lacks iteration 16; goes on from iteration 8 of 16") == 2
    done = command("benchmarks", "run", long, "--out", kept)
    assert done.returncode == 0
    assert done.stdout.count("goes on   ") == 2
    assert done.stdout.count(" from iteration 8") == 2
    assert command("benchmarks", "run", short, "--out", alone).returncode == 0
    assert command("benchmarks", "run", long, "--out", alone).returncode == 0
    assert pictures_in(kept) == pictures_in(alone)
    for out in (kept, alone):
        assert not list(out.glob(f"runs/*/{STATE}"))  # not asked for the second time
        assert {path.name for path in (out / "runs").iterdir()} == set(keys)


def test_a_fresh_run_does_not_go_on(suite_file: Write, command: Command, tmp_path: Path) -> None:
    suite, out = suite_file(methods=METHODS[:1], iterations=[9, 30]), tmp_path / "results"
    (job,) = jobs_of(suite)
    store = Store(out / "runs")
    store.open_for_writing()
    _break_off(store, job, 12)
    status = command("benchmarks", "status", suite, "--out", out).stdout
    assert "missing" in status
    assert "goes on from iteration 12 of 30" in status
    done = command("benchmarks", "run", suite, "--out", out, "--fresh")
    assert "goes on" not in done.stdout
    record = store.read(job.key)
    assert record is not None
    assert not record.continued
    assert [path.name for path in store.root.iterdir()] == [job.key]


def test_a_killed_runner_goes_on_behind_the_last_checkpoint(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    """The whole way: processes that are killed between two checkpoints, and run again."""
    suite = suite_file(methods=METHODS, iterations=[100, 1000])
    whole, out = tmp_path / "whole", tmp_path / "results"
    words = [sys.executable, "-m", "benchmarks", "run", str(suite), "--out", str(out)]
    runner = subprocess.Popen(words, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    store = Store(out / "runs")
    keys = [job.key for job in jobs_of(suite)]
    deadline = time.monotonic() + 60
    while not all(store.read(UNFINISHED + key) for key in keys):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(runner.pid, signal.SIGKILL)
    runner.wait()
    status = command("benchmarks", "status", suite, "--out", out).stdout
    assert status.count("missing") == 3
    assert status.count("goes on from iteration 100 of 1000") == 2
    done = command("benchmarks", "run", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    # The later of the two may say how much time is left, too.
    assert len(re.findall(r" from iteration 100(?:;|$)", done.stdout, re.M)) == 2
    assert command("benchmarks", "run", suite, "--out", whole).returncode == 0
    assert pictures_in(out) == pictures_in(whole)
    for key in keys:
        assert Store(whole / "runs").read(key) is not None
        traces = [pd.read_csv(each / "runs" / key / "trace.csv") for each in (whole, out)]
        columns = ["loss", "psnr_hole_raw", "psnr_hole_averaged"]
        pd.testing.assert_frame_equal(*(trace[columns] for trace in traces), check_exact=True)
