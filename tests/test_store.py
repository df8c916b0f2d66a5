"""Run folders: what is in them, and that nothing half-written is ever taken for one."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Command, jobs_of, pictures_in
from PIL import Image as Pillow

from benchmarks.store import Store

Write = Callable[..., Path]


def test_a_damaged_record_counts_as_missing(suite_file: Write, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    job = jobs_of(suite_file())[0]
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
    (store.root / f".ghi-{os.getppid()}").mkdir()  # of somebody who still writes
    store.open_for_writing()
    assert (store.folder("abc") / "kept").exists()
    assert sorted(path.name for path in store.root.iterdir()) == [f".ghi-{os.getppid()}", "abc"]


def test_a_full_disk_is_one_line_and_leaves_earlier_runs(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results"
    assert command("benchmarks", "run", suite_file(), "--out", out).returncode == 0
    before = pictures_in(out)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    done = command("benchmarks", "run", suite_file(seeds=[5]), "--out", out)
    assert done.returncode == 2
    assert "a run cannot be written (No space left on device)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert pictures_in(out) == before
    assert not list((out / "runs").glob(".*"))


def test_results_that_cannot_be_written_are_an_error_at_once(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    done = command("benchmarks", "run", suite_file(), "--out", tmp_path / "file")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "results cannot be written there" in done.stderr


def test_a_run_folder_holds_what_scoring_needs(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = suite_file(), tmp_path / "results"
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    job = jobs_of(suite)[0]
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
