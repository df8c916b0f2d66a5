"""The audit finds each way in which results can be other than they should be, in one line."""

import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.commands import Command, Done, Ran
from support.suites import TINY

from benchmarks.scoring import score
from benchmarks.store.layout import CHECKSUMS, RECORD, RESULTS, SCORES, SUITE
from benchmarks.store.pictures import pixels_of, png
from benchmarks.store.run_folder import RunFolder
from benchmarks.system.files import to_json
from dip.fills import FILLS

NAME = r"astronaut/boxes\[count=1,side=8\]/quick/\d+"
FILL = r"astronaut/boxes\[count=1,side=8\]/mean/0"
QUESTION = {"reference": "mean", "margin": 0.3}


@pytest.fixture
def folder(ran: Ran) -> Path:
    """The results of a suite with a question."""
    return ran(question=QUESTION)[1] / "tiny"


@pytest.fixture
def audit(command: Command) -> Callable[[Path], list[str]]:
    """The lines of what is wrong; the exit code and the line at the end agree with them."""

    def run(path: Path) -> list[str]:
        return found(command("reports", "audit", path))

    return run


Audit = Callable[[Path], list[str]]


def found(done: Done) -> list[str]:
    *lines, summary = done.stdout.splitlines()
    assert all(line.startswith(("WRONG ", "NOTE  ")) for line in lines)
    wrong = [line.removeprefix("WRONG ") for line in lines if line.startswith("WRONG")]
    assert done.returncode == bool(wrong), done.stderr
    count = {0: "nothing wrong", 1: "1 finding"}.get(len(wrong), f"{len(wrong)} findings")
    assert summary.endswith(f": {count}")
    return wrong


def one_line(lines: list[str], expected: str) -> None:
    (line,) = lines
    assert re.fullmatch(expected, line), line


def run_of(folder: Path, method: str) -> Path:
    jobs = pd.read_csv(folder / "jobs.csv")
    return folder.parent / "runs" / str(jobs[jobs["method"] == method]["key"].item())


def seal(run: Path) -> None:
    """Write the checksums of a run again, as somebody does who has changed a file of it."""
    names = [line.split("  ")[1] for line in (run / CHECKSUMS).read_text().splitlines()]
    lines = [f"{hashlib.sha256((run / name).read_bytes()).hexdigest()}  {name}" for name in names]
    (run / CHECKSUMS).write_text("".join(f"{line}\n" for line in lines))


def edit_json(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(to_json(content))


def edit_score(folder: Path) -> None:
    path = folder / RESULTS
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[0, "psnr_hole"] = "99.5"
    table.to_csv(path, index=False)


def test_nothing_is_wrong_with_what_was_just_run(
    folder: Path, audit: Audit, command: Command
) -> None:
    assert command("reports", "report", folder).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in folder.parent.rglob("*")}
    assert audit(folder) == []
    assert {path: path.stat().st_mtime_ns for path in folder.parent.rglob("*")} == before
    summary = command("reports", "audit", folder).stdout.splitlines()[-1]
    rows = len(pd.read_csv(folder / RESULTS))
    assert summary == f"tiny: 2 of 2 jobs done, 2 runs read, {rows} rows checked: nothing wrong"


def test_a_folder_without_results_is_bad_input(command: Command, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", tmp_path / "none.zip"):
        assert command("reports", "audit", path).returncode == 2


def test_a_flipped_bit_is_found(folder: Path, audit: Audit) -> None:
    path = run_of(folder, "quick") / "raw-000002.png"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    one_line(audit(folder), rf"{NAME}: raw-000002\.png: is not what was written")


def test_a_missing_picture_and_a_missing_run_are_found(folder: Path, audit: Audit) -> None:
    (run_of(folder, "quick") / "raw-000002.png").unlink()
    one_line(audit(folder), rf"{NAME}: raw-000002\.png: No such file or directory")
    shutil.rmtree(run_of(folder, "quick"))
    one_line(audit(folder), rf"{NAME}: its run is gone, runs/\w{{64}}")


def test_results_of_another_suite_are_one_line(
    folder: Path, audit: Audit, suite_file: Callable[..., Path], command: Command, tmp_path: Path
) -> None:
    other = suite_file("other", images=["camera"], methods=[{"fill": "mean"}])
    assert command("reports", "run", other, "--out", tmp_path / "elsewhere").returncode == 0
    shutil.copy(tmp_path / "elsewhere" / "other" / RESULTS, folder / RESULTS)
    one_line(audit(folder), r"results\.csv has camera/.*, which jobs\.csv lacks; score again")


def test_an_edited_score_is_found(folder: Path, audit: Audit) -> None:
    edit_score(folder)
    expected = rf"results\.csv: {NAME}, raw, iteration 2: psnr_hole is 99\.5, its picture has \d+.*"
    one_line(audit(folder), expected)


def test_an_edited_score_is_found_though_it_is_kept_beside_the_run(
    folder: Path, audit: Audit, command: Command, tmp_path: Path
) -> None:
    run = RunFolder(run_of(folder, "quick"))
    kept = json.loads((run.folder / SCORES).read_text())["scores"]
    kept["raw-000004.png"]["ssim wang-1"][1] = 0.999
    (run.folder / SCORES).write_text(score._sealed(run, kept))
    done = command("reports", "run", tmp_path / "tiny.yaml", "--out", folder.parent)
    assert done.returncode == 0, done.stderr
    expected = (
        rf"results\.csv: {NAME}, raw, iteration 4: ssim_hole is 0\.999, its picture has 0\..*"
    )
    one_line(audit(folder), expected)


def test_missing_and_invented_rows_are_found(folder: Path, audit: Audit) -> None:
    table = pd.read_csv(folder / RESULTS, dtype=str, keep_default_na=False)
    table[1:].to_csv(folder / RESULTS, index=False)
    one_line(audit(folder), rf"results\.csv: {NAME}, raw, iteration 2: is missing")
    more = pd.concat([table, table[-1:].assign(iteration="3")])
    more.to_csv(folder / RESULTS, index=False)
    one_line(audit(folder), rf"results\.csv: {FILL}, raw, iteration 3: is too much")


def test_a_question_that_was_changed_in_its_answer_is_found(folder: Path, audit: Audit) -> None:
    edit_json(folder / SUITE, lambda about: about["question"].update(margin=0.1))
    one_line(audit(folder), r"question: suite\.json has margin: 0\.1, its suite has 0\.3")


def test_a_question_that_was_changed_afterwards_is_found(
    folder: Path, audit: Audit, suite_file: Callable[..., Path], command: Command
) -> None:
    suite = suite_file(question=QUESTION | {"margin": 0.1})
    assert command("reports", "score", suite, "--out", folder.parent).returncode == 0
    one_line(audit(folder), "question: changed after 1 of 1 fits were made")
    edit_json(folder / SUITE, lambda about: about["question"].update(asked_after=0))
    told = r"; suite\.json says 0 of 1"
    one_line(audit(folder), f"question: changed after 1 of 1 fits were made{told}")


def test_other_iterations_than_the_suite_has_are_found(folder: Path, audit: Audit) -> None:
    edit_json(folder / SUITE, lambda about: about.update(iterations=[2]))
    one_line(audit(folder), r"suite\.json: iterations is \[2\], its suite has \[2, 4\]")


def test_a_sealed_record_of_another_trajectory_is_found(folder: Path, audit: Audit) -> None:
    run = run_of(folder, "quick")
    edit_json(run / RECORD, lambda record: record["trajectory"].update(seed=7))
    seal(run)
    expected = rf"{NAME}: record\.json: describes another job than the one of its key"
    one_line(audit(folder), expected)


def test_a_sealed_record_with_other_times_is_found(folder: Path, audit: Audit) -> None:
    run = run_of(folder, "quick")
    edit_json(run / RECORD, lambda record: record["timing"].update(milliseconds_median=0.5))
    seal(run)
    expected = (
        rf"results\.csv: {NAME}, raw, iteration 2: milliseconds_median is [\d.]+, its run has 0\.5"
        r" \(and \d more of this job\)"
    )
    one_line(audit(folder), expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("raw-000002.png", r"raw-000002\.png: is not the picture that its record names"),
        ("truth.png", r"truth\.png: is not the image that its record names"),
        ("mask.png", r"mask\.png: is not the hole that its record names"),
    ],
)
def test_a_sealed_picture_is_found(folder: Path, audit: Audit, name: str, expected: str) -> None:
    path = run_of(folder, "quick") / name
    path.write_bytes(png(pixels_of(path.read_bytes()) ^ np.uint8(255)))
    seal(path.parent)
    one_line(audit(folder), f"{NAME}: {expected}")


def test_another_version_of_a_component_is_found(
    folder: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FILLS, "mean", dataclasses.replace(FILLS["mean"], version=2))
    one_line(audit(folder), r"1 of 2 jobs: versions\.mean: 1, now 2")


def test_jobs_that_are_not_done_are_listed(
    ran: Ran, audit: Audit, suite_file: Callable[..., Path], command: Command
) -> None:
    _, out = ran()
    suite = suite_file(images=["astronaut", "camera"])
    assert command("reports", "score", suite, "--out", out).returncode == 0
    one_line(audit(out / "tiny"), r"2 of 4 jobs missing: camera/.*/quick/0, camera/.*/mean/0")


def test_a_suite_that_has_lost_a_job_is_found(folder: Path, audit: Audit) -> None:
    for name in ("jobs.csv", RESULTS):
        table = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
        table[table["method"] != "quick"].to_csv(folder / name, index=False)
    edit_json(folder / SUITE, lambda about: about.update(question=None))
    first, second = audit(folder)
    assert re.fullmatch(rf"jobs\.csv lacks 1 of 2 jobs: {NAME}", first)
    assert second == "question: asked in one only of suite.json and its suite"


def test_a_table_of_the_report_that_was_edited_is_found(
    folder: Path, audit: Audit, command: Command
) -> None:
    assert command("reports", "report", folder).returncode == 0
    path = folder / "report" / "tables" / "leaderboard.md"
    path.write_text(path.read_text().replace("1", "7"))
    one_line(audit(folder), r"report/tables/leaderboard\.md: is not the table that results\.csv.*")


def test_an_archive_is_audited(
    folder: Path, audit: Audit, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.zip"
    assert command("reports", "pack", folder, "-o", path).returncode == 0
    assert audit(path) == []
    content = path.read_bytes()
    picture = (run_of(folder, "quick") / "raw-000002.png").read_bytes()
    path.write_bytes(content.replace(picture, picture[:-1] + b"?"))
    assert path.read_bytes() != content
    one_line(audit(path), rf"{NAME}: raw-000002\.png: No such file or directory")
    at = content.index(b"tiny/results.csv") + len("tiny/results.csv") + 20
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    one_line(audit(path), r"tiny/results\.csv is not what was packed")


def test_jobs_without_their_runs_are_a_note(folder: Path, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "some.zip"
    assert command("reports", "pack", folder, "-o", path, "--pictures", "mean").returncode == 0
    done = command("reports", "audit", path)
    assert found(done) == []
    told = f"records only of 1 job, whose scores cannot be computed again: {NAME}\n"
    assert re.search(told, done.stdout)
    assert "1 run read, 1 row checked" in done.stdout


def test_many_findings_of_a_kind_are_counted(ran: Ran, audit: Audit) -> None:
    _, out = ran(seeds=list(range(7)), iterations=[1], methods=TINY["methods"][:1])
    for path in out.glob("runs/*/mask.png"):
        path.unlink()
    lines = audit(out / "tiny")
    assert len(lines) == 6
    assert lines[-1] == "damaged runs: and 2 more"


def test_sealed_nonsense_is_found(folder: Path, audit: Audit) -> None:
    run = run_of(folder, "quick")
    (run / "trace.csv").write_text("nonsense\n1,2\n")
    edit_json(run_of(folder, "mean") / RECORD, lambda record: record.update(environment={}))
    seal(run)
    seal(run_of(folder, "mean"))
    first, second = audit(folder)
    assert re.fullmatch(rf"{NAME}: its run cannot be scored again \(.*\)", first)
    assert re.fullmatch(rf"{FILL}: its run cannot be scored again \(KeyError\('device'\)\)", second)


def test_what_cannot_be_checked_without_its_images_is_a_note(
    suite_file: Callable[..., Path], audit: Audit, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (3, 36, 36), dtype=np.uint8)
    (tmp_path / "photos" / "noise.png").write_bytes(png(pixels))
    changes = {"dataset": {"folder": "photos"}, "images": None, "methods": [{"fill": "mean"}]}
    out, path = tmp_path / "results", tmp_path / "tiny.zip"
    assert command("reports", "run", suite_file(**changes), "--out", out).returncode == 0
    assert audit(out / "tiny") == []
    assert "1 row checked" in command("reports", "audit", out / "tiny").stdout
    assert command("reports", "pack", out / "tiny", "-o", path).returncode == 0
    done = command("reports", "audit", path)  # of which nobody knows where its images are
    assert found(done) == []
    assert "NOTE  its images are not here, so jobs, scores and question" in done.stdout
    assert done.stdout.endswith("1 run read, 0 rows checked: nothing wrong\n")
