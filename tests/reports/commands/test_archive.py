"""`dip-bench pack`, `unpack`, and `report` of an archive."""

import hashlib
import re
from pathlib import Path

import pytest
from support.commands import ROOT, Command, Ran

from benchmarks.scoring.results import load_results


@pytest.fixture
def archive(ran: Ran, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a tiny suite, where the command is given."""
    _, out = ran()
    monkeypatch.chdir(tmp_path)
    done = command("reports", "pack", "tiny.yaml", "--out", out)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "tiny.zip"
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert done.stdout == f"Archive: tiny.zip, 1 MiB, SHA-256 {sha256}\n"
    return path


def test_an_archive_is_unpacked_beside_itself(archive: Path, command: Command) -> None:
    done = command("reports", "unpack", archive.name)
    assert done.stdout == "Results: tiny/tiny\nTo report them: dip-bench report tiny/tiny\n"
    assert len(load_results(archive.parent / "tiny" / "tiny").jobs) == 2
    again = command("reports", "unpack", archive.name)
    assert again.returncode == 2
    assert "tiny: is there already" in again.stderr
    assert command("reports", "unpack", archive.name, "-o", "other").returncode == 0
    assert Path("other/tiny").is_dir()


def test_an_archive_is_reported(archive: Path, command: Command) -> None:
    done = command("reports", "report", archive.name, "--out", "there")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Report: there/tiny/report/index.html\n")


def test_files_of_others_are_not_packed_over(archive: Path, command: Command) -> None:
    words = ("reports", "pack", archive.parent / "results" / "tiny", "-o")
    before = archive.read_bytes()
    assert command(*words, archive).returncode == 0  # an archive is ours
    assert archive.read_bytes() == before
    archive.write_text("of somebody else")
    refused = command(*words, archive)
    assert refused.returncode == 2
    assert re.search(r"tiny\.zip: was not written by this program; .*--force", refused.stderr)
    assert command(*words, archive, "--force").returncode == 0
    assert archive.read_bytes() == before
    assert command(*words, "tiny.tar").returncode == 2


def test_pictures_of_no_job_are_refused(archive: Path, command: Command) -> None:
    done = command("reports", "pack", archive.parent / "results" / "tiny", "--pictures", "barbara")
    assert done.returncode == 2
    assert "--pictures: no job's name holds 'barbara'" in done.stderr


def test_a_published_result_is_reported_outside_of_the_repository(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = ROOT / "reports" / "published" / "quick"
    before = {*published.rglob("*")}
    monkeypatch.chdir(tmp_path)
    done = command("reports", "report", published)
    assert done.returncode == 0, done.stderr
    report = tmp_path / "results" / "published" / "quick" / "quick" / "report"
    assert (report / "index.html").is_file()
    assert {*published.rglob("*")} == before
    again = command("reports", "report", published)
    assert again.returncode == 2
    assert "is there already" in again.stderr
