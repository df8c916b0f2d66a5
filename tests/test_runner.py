"""The whole path on tiny suites: run, resume, interrupt, fail, diverge, score."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, TINY, Command
from PIL import Image as Pillow

from benchmarks.jobs import Job, expand
from benchmarks.scoring import COLUMNS
from benchmarks.store import Store
from benchmarks.suite import load_suite
from benchmarks.workers import Failed, Finished, Progress, run_in_processes

Write = Callable[..., Path]

REQUIRED_COLUMNS = {
    *("key", "image", "height", "width", "mask", "hole_fraction", "method", "architecture"),
    *("preset", "seed", "iteration", "output", "psnr_full", "psnr_hole", "psnr_composited"),
    *("ssim_full", "ssim_hole", "ssim_composited", "lpips_full", "lpips_hole"),
    *("lpips_composited", "loss", "seconds", "status", "parameters", "device", "precision"),
    *("engine", "threads", "workers", "git_revision"),
}


def _jobs(path: Path) -> list[Job]:
    return expand(load_suite(str(path)))


def _pictures(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.glob("runs/*/*.png")}


def test_a_run_leaves_results_and_a_second_one_fits_nothing(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = suite_file(metrics=["psnr", "ssim", "lpips"]), tmp_path / "results"
    first = command("benchmarks", "run", suite, "--out", out)
    assert first.returncode == 0, first.stderr
    assert "2 jobs, 0 done before, 2 to run" in first.stdout

    results = pd.read_csv(out / "tiny" / "results.csv")
    assert tuple(results.columns) == COLUMNS
    assert set(results.columns) >= REQUIRED_COLUMNS
    network = results[results["method"] == "quick"]
    assert list(zip(network["iteration"], network["output"], strict=True)) == [
        *((2, "raw"), (2, "averaged")),
        *((4, "raw"), (4, "averaged")),
    ]
    fill = results[results["method"] == "mean"]
    assert list(zip(fill["iteration"], fill["output"], strict=True)) == [(0, "raw")]
    assert (results["status"] == "done").all()
    assert (
        not results[[c for c in REQUIRED_COLUMNS if c.startswith(("psnr", "ssim"))]]
        .isna()
        .any(axis=None)
    )
    assert results["hole_fraction"].tolist() == pytest.approx([64 / 36**2] * 5)

    before = _pictures(out), (out / "tiny" / "results.csv").read_bytes()
    second = command("benchmarks", "run", suite, "--out", out)
    assert second.returncode == 0
    assert "2 jobs, 2 done before, 0 to run" in second.stdout
    assert (_pictures(out), (out / "tiny" / "results.csv").read_bytes()) == before

    fresh = command("benchmarks", "run", suite, "--out", out, "--fresh")
    assert "0 done before, 2 to run" in fresh.stdout
    assert _pictures(out) == before[0]  # byte-identical: same machine, same thread count

    status = command("benchmarks", "status", suite, "--out", out)
    assert status.stdout.splitlines()[-1] == "2 done"


def test_a_run_folder_holds_what_scoring_needs(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = suite_file(), tmp_path / "results"
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    job = _jobs(suite)[0]
    folder = out / "runs" / job.key
    record = json.loads((folder / "record.json").read_text())
    assert record["key"] == job.key
    assert record["trajectory"] == json.loads(json.dumps(job.trajectory))
    assert record["parameters"] > 0
    assert record["environment"]["versions"]["torch"]
    assert np.array_equal(
        np.asarray(Pillow.open(folder / "truth.png")), job.image.pixels.transpose(1, 2, 0)
    )
    assert np.array_equal(np.asarray(Pillow.open(folder / "mask.png")) == 255, job.mask[0] == 1)
    with (folder / "trace.csv").open() as file:
        trace = list(csv.DictReader(file))
    assert [int(step["iteration"]) for step in trace] == [1, 2, 3, 4]
    assert float(trace[-1]["loss"]) == record["checkpoints"][-1]["loss"]
    assert all(float(step["milliseconds"]) > 0 for step in trace)

    # Scores can be deleted and come back the same.
    results = (out / "tiny" / "results.csv").read_bytes()
    for kept in out.glob("runs/*/scores.json"):
        kept.unlink()
    assert command("benchmarks", "score", suite, "--out", out).returncode == 0
    assert (out / "tiny" / "results.csv").read_bytes() == results


def test_more_iterations_refit_and_keep_the_earlier_checkpoints(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    assert command("benchmarks", "run", suite_file(), "--out", out).returncode == 0
    before = _pictures(out)
    longer = suite_file("longer", iterations=[6])
    dry = command("benchmarks", "run", longer, "--out", out, "--dry-run").stdout.splitlines()
    assert [line.split()[0] for line in dry] == ["missing", "done"]
    assert "1 done before, 1 to run" in command("benchmarks", "run", longer, "--out", out).stdout
    after = _pictures(out)
    assert before.items() <= after.items()
    assert len(after) == len(before) + 2
    rows = pd.read_csv(out / "longer" / "results.csv")
    assert set(rows["iteration"]) == {0, 6}
    again = command("benchmarks", "run", suite_file(), "--out", out)
    assert "2 done before, 0 to run" in again.stdout


def test_number_of_workers_does_not_change_results(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite = suite_file(seeds=[0, 1, 2])
    for workers in (0, 2):
        out = tmp_path / f"by-{workers}"
        done = command("benchmarks", "run", suite, "--out", out, "--workers", workers)
        assert done.returncode == 0, done.stderr
    assert _pictures(tmp_path / "by-0") == _pictures(tmp_path / "by-2")


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_loses_only_what_was_in_flight(
    suite_file: Write, process: Command, tmp_path: Path, signal_number: int
) -> None:
    endless = {"preset": "quick", "label": "endless"}
    suite = suite_file(methods=[*TINY["methods"], endless], size=64, iterations=[100_000])
    out = tmp_path / "results"
    runner = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "run", str(suite), "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    short = suite_file("short", size=64, iterations=[3])
    done = process("benchmarks", "run", short, "--out", out)  # beside the other, on one store
    assert done.returncode == 0, done.stderr
    runner.send_signal(signal_number)
    _, errors = runner.communicate(timeout=30)
    assert runner.returncode == 130
    assert errors.strip() == "interrupted; the same command goes on from here"
    _expect_no_process_left(runner.pid)
    assert not list((out / "runs").glob(".*"))
    assert "2 done before, 0 to run" in process("benchmarks", "run", short, "--out", out).stdout


def test_workers_end_when_the_runner_is_killed(suite_file: Write, tmp_path: Path) -> None:
    suite = suite_file(methods=[{"preset": "quick"}], size=64, iterations=[100_000])
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "run", str(suite), "--out", str(tmp_path / "results")],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(8)
    process.kill()
    process.wait()
    _expect_no_process_left(process.pid)


def _expect_no_process_left(group: int) -> None:
    """All processes of the group end within 30 seconds, by themselves."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.2)
    os.killpg(group, signal.SIGKILL)
    pytest.fail("a worker outlived its runner")


def test_a_killed_worker_fails_its_job_only(suite_file: Write) -> None:
    suite = suite_file(methods=TINY["methods"], seeds=[0, 1], iterations=[4])
    method = {"preset": "quick", "label": "endless"}
    endless = suite_file("endless", methods=[method], size=64, iterations=[100_000])
    jobs = _jobs(endless) + _jobs(suite)
    outcomes: dict[str, Any] = {}
    for event in run_in_processes(jobs, devices=["cpu"], threads=1):
        if isinstance(event, Progress) and event.job is jobs[0]:
            os.kill(_child_of(os.getpid()), signal.SIGKILL)
        if not isinstance(event, Progress):
            outcomes[event.job.name] = event
    assert len(outcomes) == len(jobs)
    failed = outcomes.pop(jobs[0].name)
    assert isinstance(failed, Failed)
    assert failed.reason == "its worker was killed by signal 9"
    assert all(isinstance(event, Finished) for event in outcomes.values())


def _child_of(pid: int) -> int:
    """The worker: the child that is no resource tracker."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        parent = int(path.read_text().rpartition(")")[2].split()[1])
        words = (path.parent / "cmdline").read_bytes() if parent == pid else b""
        if b"spawn_main" in words:
            return int(path.parent.name)
    raise AssertionError("there is no worker")


def test_a_failed_job_is_said_and_the_others_are_reported(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    """A job that asks for more memory than any machine has breaks at run time only."""
    huge = {
        "preset": "quick",
        "label": "huge",
        "set": {"architecture.channels": [10**9, 4], "architecture.skip_channels": [4, 4]},
    }
    suite, out = suite_file(methods=[*TINY["methods"], huge]), tmp_path / "results"
    done = command("reports", "bench", suite, "--out", out)
    assert done.returncode == 1, done.stderr
    assert "FAILED    astronaut/boxes[count=1,side=8]/huge/0: RuntimeError" in done.stdout
    assert "1 of 3 jobs failed" in done.stderr
    summary = (out / "tiny" / "report" / "summary.md").read_text()
    assert "| huge | - | 4 | - | - | - | 0 of 1 |" in summary
    assert "| astronaut/boxes[count=1,side=8]/huge/0 | failed | RuntimeError" in summary
    status = command("benchmarks", "status", suite, "--out", out).stdout
    assert status.splitlines()[-1] == "2 done, 1 failed"
    assert set(pd.read_csv(out / "tiny" / "results.csv")["method"]) == {"quick", "mean"}


def test_a_diverged_fit_keeps_what_came_before_and_is_not_a_score(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    wild = {**TINY["methods"][0], "label": "wild"}
    wild["set"] = {**wild["set"], "learning_rate": 1e37}
    suite, out = suite_file(methods=[wild], iterations=[1, 400]), tmp_path / "results"
    done = command("reports", "bench", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    results = pd.read_csv(out / "tiny" / "results.csv")
    assert set(results["iteration"]) == {1}
    assert set(results["status"]) == {"diverged"}
    assert "| wild | - | 400 | - | - | - | 0 of 1 |" in done.stdout
    summary = (out / "tiny" / "report" / "summary.md").read_text()
    assert "| diverged | the loss is not finite at iteration" in summary
    assert "1 done before, 0 to run" in command("benchmarks", "run", suite, "--out", out).stdout


def test_missing_lpips_weights_leave_empty_scores_and_say_so(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = suite_file(metrics=["psnr", "lpips"]), tmp_path / "results"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    done = command("benchmarks", "run", suite, "--out", out)
    assert done.returncode == 0
    assert "NOTICE: lpips is empty: the LPIPS weights are missing; run `make setup`" in done.stdout
    results = pd.read_csv(out / "tiny" / "results.csv")
    assert results["lpips_full"].isna().all()
    assert results["psnr_full"].notna().all()


def test_results_that_cannot_be_written_are_an_error_at_once(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    done = command("benchmarks", "run", suite_file(), "--out", tmp_path / "file")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "results cannot be written there" in done.stderr


def test_a_damaged_record_counts_as_missing(suite_file: Write, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    job = _jobs(suite_file())[0]
    store.open_for_writing()
    store.put(job.key, {"record.json": b'{"key": '})
    assert store.read(job.key) is None
    assert not store.satisfies(job)


def test_what_an_interrupted_replacement_left_is_put_back(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    store = Store(tmp_path / "runs")
    store.open_for_writing()
    (store.root / f".replaced-abc-{dead.pid}").mkdir()
    (store.root / f".replaced-abc-{dead.pid}" / "kept").touch()
    (store.root / f".def-{dead.pid}").mkdir()
    (store.root / f".ghi-{os.getpid()}").mkdir()  # of somebody who still writes
    store.open_for_writing()
    assert (store.folder("abc") / "kept").exists()
    assert sorted(path.name for path in store.root.iterdir()) == [f".ghi-{os.getpid()}", "abc"]
