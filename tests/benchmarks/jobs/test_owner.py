"""A results folder is of one suite's file: two of one name do not overwrite each other's."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image as Pillow
from support.commands import Command, Done

from benchmarks.jobs.owner import BEGINNINGS, noted_owner
from benchmarks.store.layout import OWNER

Write = Callable[..., Path]


@pytest.fixture
def photos(tmp_path: Path) -> Write:
    """Writes a suite of a fill over a photo, `FOLDER/photos.yaml`."""
    Pillow.linear_gradient("L").resize((24, 24)).save(tmp_path / "a.png")

    def write(folder: str, fill: str = "mean") -> Path:
        path = tmp_path / folder / "photos.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"dataset: {{folder: ../}}\nmasks: [{{boxes: {{count: 1, side: 8}}}}]\n"
            f"methods: [{{fill: {fill}}}]\niterations: [1]\nmetrics: [psnr]\n"
        )
        return path

    return write


@pytest.fixture
def call(command: Command, tmp_path: Path) -> Callable[..., Done]:
    """Runs a command on the results in `tmp_path / "results"`."""
    return lambda *words: command("benchmarks", *words, "--out", tmp_path / "results")


def _methods(out: Path) -> list[str]:
    return list(pd.read_csv(out / "photos" / "results.csv")["method"].unique())


def test_another_suite_of_the_same_name_is_refused_by_every_command(
    photos: Write, call: Callable[..., Done], tmp_path: Path
) -> None:
    one, two, out = photos("one"), photos("two", "nearest"), tmp_path / "results"
    assert call("run", one).returncode == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    said = (
        f"error: {out}/photos: holds the results of {one}, not of {two}; rename one of the suites,"
        " or use another --out\n"
    )
    for words in (("run",), ("run", "--dry-run"), ("bench",), ("status",), ("score",), ("verify",)):
        done = call(words[0], two, *words[1:])
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == said
    assert call("report", two).stderr == said
    assert "nothing to remove" in call("gc", "--yes").stdout
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert call("status", one).stdout.endswith("1 done\n")


def test_a_suite_that_was_moved_takes_its_results_along(
    photos: Write, call: Callable[..., Done], tmp_path: Path
) -> None:
    one, elsewhere = photos("one"), tmp_path / "elsewhere.d" / "photos.yaml"
    assert call("run", one).returncode == 0
    elsewhere.parent.mkdir()
    shutil.copy(one, elsewhere)
    assert "holds the results of" in call("status", elsewhere).stderr  # a copy is another one
    one.unlink()
    assert call("run", elsewhere).stdout.startswith("photos: 1 job, 1 done before, 0 to run")
    assert noted_owner(tmp_path / "results" / "photos") == str(elsewhere)


@pytest.mark.parametrize("kept", ["jobs.csv", "results.csv"])
def test_another_suite_does_not_take_over_what_a_suite_that_is_gone_has_left(
    photos: Write, call: Callable[..., Done], tmp_path: Path, kept: str
) -> None:
    one, two, folder = photos("one"), photos("two", "nearest"), tmp_path / "results" / "photos"
    assert call("run", one).returncode == 0
    one.rename(one.with_name("renamed.yaml"))
    (folder / {"jobs.csv": "results.csv", "results.csv": "jobs.csv"}[kept]).unlink()
    before = (folder / kept).read_bytes()
    for words in (("run",), ("status",), ("report",)):
        done = call(words[0], two)
        assert done.returncode == 2
        assert done.stderr == (
            f"error: {folder}: holds the results of {one}, which no longer exists; use another"
            " --out, or remove the folder\n"
        )
    assert (folder / kept).read_bytes() == before
    more = two.read_text().replace("nearest}", "nearest}, {fill: mean}")
    two.write_text(more)
    done = call("run", two)  # it has all that was done
    assert done.returncode == (0 if kept == "jobs.csv" else 2), done.stderr


def test_one_file_may_have_several_ways_to_it(
    photos: Write, call: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = photos("one")
    assert call("run", one).returncode == 0
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "photos.yaml").symlink_to(one)
    (tmp_path / "three").symlink_to(one.parent, target_is_directory=True)
    (tmp_path / "four").mkdir()
    (tmp_path / "four" / "photos.yaml").hardlink_to(one)
    monkeypatch.chdir(one.parent)
    for suite in ("two/photos.yaml", "three/photos.yaml", "four/photos.yaml"):
        assert call("status", tmp_path / suite).returncode == 0
    for suite in ("photos.yaml", "../one/photos.yaml"):
        assert call("status", suite).returncode == 0


def test_a_suite_of_the_project_is_known_by_its_name(
    call: Callable[..., Done], suite_file: Write, tmp_path: Path
) -> None:
    assert call("run", "quick", "-k", "mean/0").returncode == 0
    assert noted_owner(tmp_path / "results" / "quick") == "quick"
    done = call("run", suite_file("quick"))
    assert done.returncode == 2
    assert "holds the results of the project's own suite 'quick', not of" in done.stderr


@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_stranger_s_file_is_refused_before_anything_is_run(
    photos: Write, call: Callable[..., Done], tmp_path: Path, name: str
) -> None:
    suite, folder = photos("one"), tmp_path / "results" / "photos"
    folder.mkdir(parents=True)
    (folder / name).write_text("key,value\n1,2\n")
    (folder / "notes.md").write_text("mine")
    for word in ("run", "score", "status"):
        done = call(word, suite)
        assert done.returncode == 2
        assert done.stderr == (
            f"error: {folder / name}: was not written by this program; move it away, rename the"
            " suite or use another --out\n"
        )
    assert {path.name for path in folder.iterdir()} == {name, "notes.md"}
    (folder / name).unlink()
    assert call("run", suite).returncode == 0
    assert (folder / "notes.md").read_text() == "mine"


def test_results_without_a_note_are_taken_over(
    photos: Write, call: Callable[..., Done], tmp_path: Path
) -> None:
    """As earlier versions left them, or with a note that says nothing."""
    suite, out = photos("one"), tmp_path / "results"
    assert call("run", suite).returncode == 0
    note = out / "photos" / OWNER
    table = out / "photos" / "jobs.csv"
    for content in (None, "", "{", "[]"):
        note.unlink()
        if content is not None:
            note.write_text(content)
        table.write_text(table.read_text(), encoding="utf-8-sig")  # as a spreadsheet saves it
        assert call("run", photos("two", "nearest")).returncode == 0
        assert _methods(out) == ["nearest"]
        note.unlink()
        assert call("score", suite).returncode == 0
        assert _methods(out) == ["mean"]
