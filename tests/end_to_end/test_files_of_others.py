"""Somebody's own files, in every folder that commands write to, are the same after all of them."""

import os
from pathlib import Path

import pytest
import yaml
from PIL import Image as Pillow
from support.commands import Command

from benchmarks.timing import command as timing_command
from benchmarks.timing.session import Session

NAMES = (
    *("notes.md", ".notes", "tables.md", "index.htm", "results.csv.bak", ".summary.md-partial"),
    *("trace.csv", "photo-20261130.png"),  # as files of some runs are called
)


def _put(*folders: Path) -> dict[Path, str]:
    """Files and links in those folders, with what they hold."""
    found = {}
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            if folder.name == "photos" and name.endswith(".png"):
                continue  # it is one of the photos
            path = folder / name
            path.write_text(f"mine: {path}")
            found[path] = path.read_text()
        (folder / "link.md").symlink_to("notes.md")
        (folder / "mine" / "empty").mkdir(parents=True)
    return found


def _expect_untouched(found: dict[Path, str]) -> None:
    for path, content in found.items():
        assert path.read_text() == content
    for folder in {path.parent for path in found}:
        assert (folder / "link.md").is_symlink()
        assert (folder / "mine" / "empty").is_dir()


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Two fills over a photo."""
    (tmp_path / "photos").mkdir()
    Pillow.linear_gradient("L").resize((24, 24)).save(tmp_path / "photos" / "a.png")
    content = {
        "dataset": {"folder": "photos"},
        "masks": [{"boxes": {"count": 1, "side": 8}}],
        "methods": [{"fill": "mean"}, {"fill": "nearest"}],
        "iterations": [1],
        "metrics": ["psnr"],
    }
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_commands_leave_them_as_they_are(suite: Path, command: Command, tmp_path: Path) -> None:
    out, paper, verdict = (tmp_path / name for name in ("results", "paper", "verdict"))
    folder = out / "mine"
    report = folder / "report"
    mine = _put(
        *(tmp_path / "photos", out, out / "runs", folder, folder / "failures", report),
        *(report / "tables", report / "figures", report / "jobs", paper, paper / "tables", verdict),
    )

    def call(*words: object) -> None:
        done = command("reports", *words)
        assert done.returncode == 0, done.stderr
        _expect_untouched(mine)

    call("run", suite, "--out", out)
    runs = [path for path in (out / "runs").iterdir() if len(path.name) == 64]
    mine |= _put(*runs)
    call("run", suite, "--out", out, "--fresh")
    call("score", suite, "--out", out)
    call("report", folder)
    mine |= _put(report / "jobs" / runs[0].name)
    call("report", suite, "--out", out)  # over the one before
    call("report", folder, folder, "--label", "a", "--label", "b", "--out", paper)
    call("report", folder, folder, "--label", "b", "--label", "c", "--out", paper)
    for _ in range(2):
        call("compare", folder, folder, "--out", verdict)
    suite.unlink()
    (folder / "jobs.csv").unlink()
    call("gc", "--out", out, "--yes")
    assert {path for path in runs if path.is_dir()} == {*runs}


def test_a_file_in_the_way_is_named_before_anything_is_written(
    suite: Path, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    folder = out / "mine"
    assert command("reports", "run", suite, "--out", out).returncode == 0
    two = (folder, folder, "--label", "a", "--label", "b", "--out", tmp_path / "paper")
    for words, path, more in (
        (("report", folder), folder / "report" / "summary.md", ", use --force or"),
        (("compare", *two[:2], *two[-2:]), tmp_path / "paper" / "verdict.md", ", use --force or"),
        (("report", *two), tmp_path / "paper" / "summary.md", ", use --force or"),
        (("masks", "scikit-image", "-o", tmp_path / "a.png"), tmp_path / "a.png", ""),
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
        done = command("reports", *words)
        said = f"{path}: was not written by this program; move it away{more} name another folder"
        if words[0] == "masks":
            said = f"--out {path}: is there already; name another file, or add --force"
        assert (done.returncode, done.stderr) == (2, f"error: {said}\n")
        assert path.read_text() == "mine"
        assert not [*path.parent.glob("tables*"), *path.parent.glob(".dip-bench-partial*")]
        assert command("reports", *words, "--force").returncode == 0
        assert path.read_bytes() != b"mine"
        path.unlink()


def test_a_report_with_a_file_in_the_way_keeps_the_scores(
    suite: Path, command: Command, tmp_path: Path
) -> None:
    report = tmp_path / "results" / "mine" / "report"
    (report / "tables").mkdir(parents=True)
    (report / "tables" / "comparison-psnr.md").write_text("mine")
    done = command("reports", "bench", suite, "--out", tmp_path / "results")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "report/tables/comparison-psnr.md: was not written by this program; move it away or name"
        " another folder\n"
    )
    assert [path.name for path in report.rglob("*") if path.is_file()] == ["comparison-psnr.md"]
    assert (report.parent / "results.csv").exists()


def test_a_link_to_a_picture_is_not_replaced_in_silence(command: Command, tmp_path: Path) -> None:
    (tmp_path / "kept.png").write_bytes(b"mine")
    for target in ("kept.png", "nowhere.png"):
        link = tmp_path / "link.png"
        link.symlink_to(target)
        done = command("reports", "masks", "scikit-image", "-o", link)
        assert done.returncode == 2
        assert link.is_symlink()
        link.unlink()
    assert (tmp_path / "kept.png").read_bytes() == b"mine"


def test_timings_are_refused_before_they_are_measured(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing_command.environment, "device_name", lambda _: "a device")
    monkeypatch.setattr(Session, "__enter__", lambda _: pytest.fail("it has begun"))
    mine = tmp_path / "timing" / "a-device" / "timing.md"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = command("reports", "timing", "--out", tmp_path)
    assert done.returncode == 2
    assert f"{mine}: was not written by this program" in done.stderr
    assert os.listdir(mine.parent) == ["timing.md"]  # noqa: PTH208 - names


@pytest.mark.usefixtures("baselines")
def test_the_gate_removes_its_own_results_only(
    regress: Command, command: Command, gated: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "results" / "regress"
    mine = _put(folder, folder / "runs", folder / "gated", folder / "gated" / "report")
    assert regress("-k", "/mean/").returncode == 0
    other = gated.with_name("other.yaml")
    other.write_text(gated.read_text().replace("fill: mean", "fill: nearest"))
    assert command("reports", "run", other, "--out", folder, "-k", "nearest").returncode == 0
    (run,) = (folder / "runs" / key for key in _keys(folder / "other"))
    assert command("reports", "report", folder / "gated").returncode == 0
    assert regress("-k", "/mean/").returncode == 0
    _expect_untouched(mine)
    assert (run / "record.json").exists()
    assert not (folder / "gated" / "report" / "summary.md").exists()


def _keys(folder: Path) -> set[str]:
    import pandas as pd

    return {*pd.read_csv(folder / "results.csv")["key"]}


def test_a_baseline_replaces_none_but_a_baseline(
    bless: Command, checkout: str, tmp_path: Path
) -> None:
    for name in ("gated.csv", "gated.json"):
        (tmp_path / "baselines").mkdir(exist_ok=True)
        path = tmp_path / "baselines" / name
        path.write_text("mine")
        done = bless()
        assert done.returncode == 2
        assert (
            f"{path}: was not written by this program; move it away, or name other" in done.stderr
        )
        assert path.read_text() == "mine"
        path.unlink()
    assert checkout
