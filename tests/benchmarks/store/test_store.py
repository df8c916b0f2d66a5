"""The store: checksums, and that nothing half-written or damaged is ever taken for a run."""

import csv
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow
from support.commands import ROOT, Command, Ran
from support.suites import TINY, jobs_of, pictures_in

from benchmarks.store.run_folder import (
    DamagedError,
    RunFolder,
    foreign_files,
    remove_run,
    write_run,
)
from benchmarks.store.store import Store
from benchmarks.system.files import CannotWriteError

Write = Callable[..., Path]
A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def test_a_record_that_is_none_is_damaged(suite_file: Write, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    job = jobs_of(suite_file())[0]
    store.open_for_writing()
    store.put(job.key, {"record.json": b'{"key": '})
    assert store.read(job.key) is None
    assert "is of another version" in store.damage(job.key)


def test_what_dead_runners_left_is_put_back_or_removed(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    store.open_for_writing()
    for name in (f".replaced-{A}", f".partial-{B}", f".partial-unfinished-{C}"):
        write_run(store.root / name, {"kept": b"1"})
    (store.root / f".lock-{A}").touch()
    claim = store.claim(C)  # of somebody who still writes
    assert claim is not None
    store.open_for_writing()
    assert (store.folder(A) / "kept").exists()
    left = {f".lock-{C}", f".partial-unfinished-{C}", A}
    assert {path.name for path in store.root.iterdir()} == left
    claim.release()
    store.open_for_writing()
    assert {path.name for path in store.root.iterdir()} == {A}


def test_a_run_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    store.open_for_writing()
    store.put(A, {"file": b"1"})

    def breaks(_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(
        CannotWriteError, match=r"a run cannot be written \(No space left on device\)"
    ):
        store.put(A, {"file": b"2", "more": breaks})
    assert store.run(A).read("file") == b"1"
    assert [path.name for path in store.root.iterdir()] == [A]


def test_a_run_that_cannot_be_put_in_place_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "runs")
    store.open_for_writing()
    store.put(A, {"file": b"1"})
    rename = Path.rename

    def breaks(path: Path, target: Path) -> Path:
        if path.name.startswith(".partial-"):
            raise OSError(5, "Input/output error")
        return rename(path, target)

    with monkeypatch.context() as patch, pytest.raises(CannotWriteError):
        patch.setattr(Path, "rename", breaks)
        store.put(A, {"file": b"2"})
    assert store.run(A).read("file") == b"1"
    assert [path.name for path in store.root.iterdir()] == [A]


def test_the_run_of_another_job_is_none_of_this_one(ran: Ran, command: Command) -> None:
    suite, out = ran(seeds=[0, 1], methods=TINY["methods"][:1])
    first, second = (out / "runs" / job.key for job in jobs_of(suite))
    shutil.rmtree(second)
    shutil.copytree(first, second)
    status = command("benchmarks", "status", suite, "--out", out).stdout
    assert "is the run of another job" in status
    assert status.endswith("1 damaged, 1 done\n")


def test_a_file_that_is_no_longer_listed_is_damage(ran: Ran, command: Command) -> None:
    """Checksums cut off at the end of a line."""
    suite, out = ran("--keep-state")
    sums = out / "runs" / jobs_of(suite)[0].key / "SHA256SUMS"
    lines = sums.read_text().splitlines(keepends=True)
    for name in ("trace.csv", "raw-000004.png", "truth.png", "state.pt"):
        sums.write_text("".join(each for each in lines if not each.endswith(f" {name}\n")))
        status = command("benchmarks", "status", suite, "--out", out).stdout
        assert status.startswith("damaged ")
        assert f"does not list {name}" in status


def test_a_run_that_may_not_be_read_is_no_damage(
    ran: Ran, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = ran(methods=TINY["methods"][:1])

    read_bytes = Path.read_bytes

    def forbidden(path: Path) -> bytes:
        if path.name == "SHA256SUMS":
            raise PermissionError(13, "Permission denied", path.name)
        return read_bytes(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", forbidden)
        done = command("benchmarks", "run", suite, "--out", out)
    assert done.returncode == 2
    assert done.stderr == "error: [Errno 13] Permission denied: 'SHA256SUMS'\n"
    assert command("benchmarks", "status", suite, "--out", out).stdout.endswith("1 done\n")


def test_results_that_cannot_be_written_are_an_error_at_once(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    done = command("benchmarks", "run", suite_file(), "--out", tmp_path / "file")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "results cannot be written there" in done.stderr


def test_a_run_folder_holds_what_scoring_needs(ran: Ran, command: Command) -> None:
    suite, out = ran()
    job = jobs_of(suite)[0]
    folder = out / "runs" / job.key
    record = json.loads((folder / "record.json").read_text())
    assert record["key"] == job.key
    assert record["trajectory"] == json.loads(json.dumps(job.trajectory))
    assert record["parameters"] > 0
    assert np.array_equal(
        np.asarray(Pillow.open(folder / "truth.png")), job.image.pixels.transpose(1, 2, 0)
    )
    assert np.array_equal(np.asarray(Pillow.open(folder / "mask.png")) == 255, job.mask[0] == 1)
    with (folder / "trace.csv").open() as file:
        trace = list(csv.DictReader(file))
    assert [int(step["iteration"]) for step in trace] == [1, 2, 3, 4]
    assert float(trace[-1]["loss"]) == record["checkpoints"][-1]["loss"]
    assert all(float(step["milliseconds"]) > 0 for step in trace)
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=folder, check=False).returncode == 0
    listed = {line.split()[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert listed == {path.name for path in folder.iterdir()} - {"SHA256SUMS", "scores.json"}

    # Scores can be deleted and come back the same.
    results = (out / "tiny" / "results.csv").read_bytes()
    for kept in out.glob("runs/*/scores.json"):
        kept.unlink()
    assert command("benchmarks", "score", suite, "--out", out).returncode == 0
    assert (out / "tiny" / "results.csv").read_bytes() == results


def test_a_record_says_where_a_run_comes_from(ran: Ran) -> None:
    suite, out = ran()
    fit, fill = (Store(out / "runs").read(job.key) for job in jobs_of(suite))
    assert fit is not None
    assert fill is not None
    about = fit.environment
    git = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    revision = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    assert about["git_revision"] == revision
    assert about["git_dirty"] in ((True, False) if revision else (None,))
    assert about["versions"]["torch"]
    assert (about["threads"], about["workers"]) == (1, 1)
    assert about["flags"] == {
        "deterministic_algorithms": False,
        "flush_denormal": True,
        "float32_matmul_precision": "highest",
    }
    assert about["cpu_capability"]
    assert "flags" not in fill.environment  # it needs no torch
    assert about["started"] <= about["finished"]
    assert (fit.suite, fit.job) == ("tiny", "astronaut/boxes[count=1,side=8]/quick/0")
    assert fit.trajectory["image"] == jobs_of(suite)[0].image.sha256
    outputs = ("raw-000002", "averaged-000002", "raw-000004", "averaged-000004")
    assert set(fit.pixels) == {f"{output}.png" for output in outputs}


def test_a_flipped_bit_anywhere_is_found_and_reaches_no_table(ran: Ran, command: Command) -> None:
    """At 100 random places; of kept scores it is enough that they are computed again."""
    unet = {"preset": "lemsky-unet", "set": {"architecture.channels": [4, 4]}}
    suite, out = ran("--keep-state", rules=[{"es-wmv": {"window": 2}}], methods=[unet])
    store, (job,), table = Store(out / "runs"), jobs_of(suite), out / "tiny" / "results.csv"
    results, folder = table.read_bytes(), store.folder(job.key)
    whole = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    assert {"coverage.png", "state.pt"} <= {path.name for path in whole}
    draw = np.random.default_rng(6)

    def flip(path: Path) -> str:
        content = bytearray(whole[path])
        place, bit = draw.integers(len(content)), int(draw.integers(8))
        content[place] ^= 1 << bit
        path.write_bytes(content)
        return f"{path.name}: byte {place}, bit {bit}"

    for path in draw.choice(list(whole), 100):
        what = flip(path)
        assert bool(store.damage(job.key)) == (path.name != "scores.json"), what
        path.write_bytes(whole[path])
    for path in whole:  # and the commands, of each file
        what = flip(path)
        status = command("benchmarks", "status", suite, "--out", out).stdout
        done = command("benchmarks", "score", suite, "--out", out)
        assert done.returncode == 0, what
        if path.name == "scores.json":
            assert status.startswith("done "), what
            assert table.read_bytes() == results, what
        else:
            assert status.startswith("damaged "), what
            assert "is set aside" in done.stdout, what
            assert pd.read_csv(table).empty, what
            assert set(pd.read_csv(table.parent / "jobs.csv")["status"]) == {"missing"}, what
            (store.root / f"damaged-{job.key}").rename(folder)
        path.write_bytes(whole[path])
    assert command("benchmarks", "score", suite, "--out", out).returncode == 0
    assert table.read_bytes() == results


def test_a_damaged_run_is_set_aside_and_run_again(ran: Ran, command: Command) -> None:
    suite, out = ran()
    before = pictures_in(out)
    key = jobs_of(suite)[0].key
    for name in ("raw-000004.png", "SHA256SUMS", "record.json", "trace.csv"):
        path = out / "runs" / key / name
        if name == "trace.csv":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:-9])  # cut off
        done = command("benchmarks", "run", suite, "--out", out)
        assert done.returncode == 0
        assert "NOTICE: astronaut/boxes[count=1,side=8]/quick/0: its run was damaged" in done.stdout
        assert "1 done before, 1 to run" in done.stdout
        assert (out / "runs" / f"damaged-{key}").is_dir()
        restored = {name: pixels for name, pixels in pictures_in(out).items() if "dam" not in name}
        assert restored == before


def test_what_others_put_into_a_run_outlives_it(tmp_path: Path) -> None:
    """Runs are replaced, set aside twice and removed."""
    store = Store(tmp_path / "runs")
    store.open_for_writing()
    notes = []

    def note(folder: Path) -> None:
        notes.append(f"note {len(notes)}")
        (folder / "notes.md").write_text(notes[-1])

    for content in (b"1", b"2", b"3"):
        store.put(A, {"file": content})
        note(store.folder(A))
        store.put(A, {"file": content * 2})
        assert store.run(A).read("file") == content * 2
        (store.folder(A) / "file").write_bytes(b"damaged")
        assert store.set_aside_damaged(A)
    store.put_unfinished(A, {"state.pt": b"1"})
    note(store.unfinished(A).folder)
    store.drop_unfinished(A)
    store.put_unfinished(A, {"state.pt": b"2"})
    store.tidy(A)
    assert store.unfinished(A).read("state.pt") == b"2"
    for path in [*store.root.iterdir()]:
        store.remove(path.name)
    left = [path for path in store.root.rglob("*") if path.is_file()]
    assert sorted(path.read_text() for path in left) == notes


def test_a_name_that_a_run_could_have_does_not_make_a_file_part_of_it(tmp_path: Path) -> None:
    """Only where the checksums cannot be read do names say whose a file is."""
    folder, names = tmp_path / "run", ("photo-20261130.png", "state.pt", "trace.csv")
    write_run(folder, {"truth.png": b"1"})
    for name in names:
        (folder / name).write_text("mine")
    assert [path.name for path in foreign_files(folder)] == [*names]
    remove_run(folder)
    assert sorted(path.name for path in folder.iterdir()) == [*names]
    (folder / "notes.md").write_text("mine")
    assert [path.name for path in foreign_files(folder)] == ["notes.md"]


def test_what_is_no_run_is_not_replaced_by_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    store.open_for_writing()
    store.folder(A).write_text("mine")
    store.folder(B).symlink_to(tmp_path)
    for key in (A, B):
        with pytest.raises(CannotWriteError, match="was not written by this program; move it away"):
            store.put(key, {"file": b"1"})
        store.remove(key)
    assert store.folder(A).read_text() == "mine"
    assert store.folder(B).is_symlink()


def test_names_in_checksums_lead_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_run(folder, {"file": b"1"})
    (tmp_path / "secret").write_bytes(b"1")
    listed = (folder / "SHA256SUMS").read_text()
    (folder / "SHA256SUMS").write_text(listed.replace("file", "../secret"))
    with pytest.raises(DamagedError, match="SHA256SUMS: is damaged"):
        RunFolder(folder).check()


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_elsewhere_takes_no_room_twice_where_there_are_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    write_run(tmp_path / A, {"kept": b"1", "damaged": b"2"})
    (tmp_path / A / "damaged").write_bytes(b"3")

    def refuse(*_: object) -> None:
        raise OSError("no links here")

    if not has_links:
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    run = RunFolder(tmp_path / A)
    run.link("kept", tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere").read_bytes() == b"1"
    assert (tmp_path / "elsewhere").samefile(tmp_path / A / "kept") == has_links
    with pytest.raises(DamagedError, match="damaged: is not what was written"):
        run.link("damaged", tmp_path / "never")
    with pytest.raises(DamagedError, match="is not one of this run's files"):
        run.link("../../etc/passwd", tmp_path / "never")
    assert not (tmp_path / "never").exists()
