"""The whole path on tiny suites: run, resume, fail, diverge, score."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.commands import Command, Ran
from support.needs import needs_lpips
from support.suites import HUGE, TINY, jobs_of, pictures_in

from benchmarks.metrics import lpips_weights
from benchmarks.scoring.results import COLUMNS
from dip.options import OUTPUTS

Write = Callable[..., Path]

REQUIRED_COLUMNS = {
    *("key", "image", "height", "width", "mask", "hole_fraction", "method", "architecture"),
    *("preset", "seed", "iteration", "output", "psnr_full", "psnr_hole", "psnr_composited"),
    *("ssim_full", "ssim_hole", "ssim_composited", "lpips_full", "lpips_hole"),
    *("lpips_composited", "loss", "seconds", "status", "parameters", "device", "precision"),
    *("engine", "threads", "workers", "git_revision"),
}


def _broken(*_: object, **__: object) -> None:
    raise RuntimeError("broken today")


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
    scores = [c for c in COLUMNS if c.startswith(("psnr", "ssim", "lpips"))]
    assert len(scores) == 9
    can_be_had = scores if lpips_weights.missing() is None else scores[:6]
    assert not results[can_be_had].isna().any(axis=None)
    assert results["hole_fraction"].tolist() == pytest.approx([64 / 36**2] * 5)

    before = pictures_in(out), (out / "tiny" / "results.csv").read_bytes()
    second = command("benchmarks", "run", suite, "--out", out)
    assert second.returncode == 0
    assert "2 jobs, 2 done before, 0 to run" in second.stdout
    assert (pictures_in(out), (out / "tiny" / "results.csv").read_bytes()) == before

    fresh = command("benchmarks", "run", suite, "--out", out, "--fresh")
    assert "0 done before, 2 to run" in fresh.stdout
    assert pictures_in(out) == before[0]  # byte-identical: same machine, same thread count

    status = command("benchmarks", "status", suite, "--out", out)
    assert status.stdout.splitlines()[-1] == "2 done"
    words = r"done      [0-9a-f]{12} [^ ]*/quick/0: run 20\d\d-[^ ]*( at |$)"
    assert re.match(words, status.stdout, re.M)


def test_more_iterations_refit_and_keep_the_earlier_checkpoints(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    assert command("benchmarks", "run", suite_file(), "--out", out).returncode == 0
    before = pictures_in(out)
    longer = suite_file("longer", iterations=[6])
    dry = command("benchmarks", "run", longer, "--out", out, "--dry-run").stdout.splitlines()
    assert [line.split()[0] for line in dry] == ["stale", "done", "1", "time:", "disk:"]
    assert dry[0].endswith("the stored run lacks iteration 6")
    assert "1 done before, 1 to run" in command("benchmarks", "run", longer, "--out", out).stdout
    after = pictures_in(out)
    assert before.items() <= after.items()
    assert len(after) == len(before) + 2
    rows = pd.read_csv(out / "longer" / "results.csv")
    assert set(rows["iteration"]) == {0, 6}
    again = command("benchmarks", "run", suite_file(), "--out", out)
    assert "2 done before, 0 to run" in again.stdout


def test_a_failed_job_is_said_and_the_others_are_reported(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    """A job that asks for more memory than any machine has breaks at run time only."""
    suite, out = suite_file(methods=[*TINY["methods"], HUGE]), tmp_path / "results"
    done = command("reports", "bench", suite, "--out", out, "--workers", 1)
    assert done.returncode == 1, done.stderr
    assert "FAILED    astronaut/boxes[count=1,side=8]/huge/0: out of memory: " in done.stdout
    assert "memory ran out: use fewer --workers" in done.stdout
    log = out / "tiny" / "failures" / f"{jobs_of(suite)[2].key}.txt"
    assert "Traceback (most recent call last):" in log.read_text()
    assert "1 of 3 jobs have no result: astronaut/boxes[count=1,side=8]/huge/0;" in done.stderr
    summary = (out / "tiny" / "report" / "summary.md").read_text()
    assert re.search(r"^\| huge \| - \|.*\| 0/1 \|$", summary, re.M)
    assert "huge lacks 1 of 1 score and is not ranked." in summary
    assert "| astronaut/boxes[count=1,side=8]/huge/0 | failed | out of memory: " in summary
    status = command("benchmarks", "status", suite, "--out", out).stdout
    assert status.splitlines()[-1] == "2 done, 1 failed"
    assert set(pd.read_csv(out / "tiny" / "results.csv")["method"]) == {"quick", "mean"}


def test_a_diverged_fit_keeps_what_came_before_and_is_not_a_score(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    wild = {**TINY["methods"][0], "label": "wild"}
    wild["set"] = {**wild["set"], "learning_rate": 100}
    suite, out = suite_file(methods=[wild], iterations=[1, 40, 400]), tmp_path / "results"
    done = command("reports", "bench", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    results = pd.read_csv(out / "tiny" / "results.csv")
    assert set(results["iteration"]) == {1}
    assert set(results["status"]) == {"diverged"}
    assert re.search(r"^wild +- .* 0/1 *$", done.stdout, re.M)
    summary = (out / "tiny" / "report" / "summary.md").read_text()
    assert (
        "| diverged | the fit has collapsed (a loss above its first) since iteration 2 |" in summary
    )
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


def test_only_selected_jobs_run(suite_file: Write, command: Command, tmp_path: Path) -> None:
    suite, out = suite_file(seeds=[0, 1]), tmp_path / "results"
    done = command("benchmarks", "run", suite, "--out", out, "-k", "quick/1")
    assert done.returncode == 0
    assert "1 job, 0 done before, 1 to run" in done.stdout
    assert set(pd.read_csv(out / "tiny" / "results.csv")["seed"]) == {1}
    jobs = pd.read_csv(out / "tiny" / "jobs.csv")
    assert jobs["status"].tolist() == ["missing", "done", "missing"]


def test_a_failure_after_a_stored_run_is_not_hidden(
    ran: Ran, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = ran()
    with monkeypatch.context() as patch:
        patch.setattr("benchmarks.runner.job.run_fit.run_fit", _broken)
        patch.setattr("benchmarks.runner.job.run_job._fill", _broken)
        done = command("reports", "bench", suite, "--out", out, "--fresh")
        assert done.returncode == 1
        status = command("benchmarks", "status", suite, "--out", out).stdout
        assert status.splitlines()[-1] == "2 failed"
        assert "RuntimeError: broken today" in status
        assert pd.read_csv(out / "tiny" / "results.csv").empty
        assert "lacks 1 of 1 score and is not ranked." in done.stdout
    again = command("benchmarks", "run", suite, "--out", out)
    assert again.returncode == 1
    assert "0 to run, 2 failed before (--retry-failed runs them again)" in again.stdout
    again = command("benchmarks", "run", suite, "--out", out, "--retry-failed")
    assert again.returncode == 0
    assert "0 done before, 2 to run" in again.stdout
    status = command("benchmarks", "status", suite, "--out", out).stdout
    assert status.splitlines()[-1] == "2 done"


@pytest.mark.parametrize(
    ("output", "summary", "rows"), [("averaged", "1 done, 1 stale", 1), ("raw", "2 stale", 0)]
)
def test_a_run_whose_output_has_another_definition_is_run_again(
    ran: Ran,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    output: str,
    summary: str,
    rows: int,
) -> None:
    """A fill has no averaged output, so a new version of it leaves the fill's run valid."""
    suite, out = ran()
    monkeypatch.setattr(OUTPUTS[output], "version", 3)
    status = command("benchmarks", "status", suite, "--out", out).stdout
    assert "quick/0: the stored run has outputs of another version" in status
    assert status.splitlines()[-1] == summary
    assert command("benchmarks", "score", suite, "--out", out).returncode == 0
    assert len(pd.read_csv(out / "tiny" / "results.csv")) == rows
    again = command("benchmarks", "run", suite, "--out", out, "--workers", 0)
    assert f"{rows} done before, {2 - rows} to run" in again.stdout
    assert "goes on" not in again.stdout
    assert again.returncode == 0
    status = command("benchmarks", "status", suite, "--out", out).stdout
    assert status.splitlines()[-1] == "2 done"


def test_a_failure_from_before_a_run_was_stored_does_not_count(ran: Ran, command: Command) -> None:
    """As when a runner is killed between storing the run and removing the log."""
    suite, out = ran()
    log = out / "tiny" / "failures" / f"{jobs_of(suite)[0].key}.txt"
    log.parent.mkdir()
    log.write_text("broken\n")
    assert "1 failed" in command("benchmarks", "status", suite, "--out", out).stdout
    os.utime(log, (1, 1))
    assert command("benchmarks", "status", suite, "--out", out).stdout.endswith("2 done\n")


def test_a_failure_that_was_not_selected_does_not_count(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = suite_file(), tmp_path / "results"

    with monkeypatch.context() as patch:
        patch.setattr("benchmarks.runner.job.run_fit.run_fit", _broken)
        patch.setattr("benchmarks.runner.job.run_job._fill", _broken)
        assert command("benchmarks", "run", suite, "--out", out, "-k", "quick").returncode == 1
    assert command("benchmarks", "run", suite, "--out", out, "-k", "mean").returncode == 0


def test_two_names_of_one_trajectory_are_fitted_once_and_both_reported(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    method = TINY["methods"][0]
    methods = [{**method, "label": "one"}, {**method, "label": "two"}]
    suite, out = suite_file(methods=methods), tmp_path / "results"
    done = command("reports", "bench", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "2 jobs, 0 done before, 1 to run" in done.stdout
    assert len(list((out / "runs").iterdir())) == 1
    (table,) = (out / "tiny" / "report" / "tables").glob("timing-*.md")
    timing = table.read_text()
    assert "| one |" in timing
    assert "| two |" in timing

    (out / "runs" / jobs_of(suite)[0].key / "raw-000004.png").write_bytes(b"damaged")
    assert command("benchmarks", "score", suite, "--out", out).returncode == 0
    status = command("benchmarks", "status", suite, "--out", out).stdout
    assert status.endswith("2 missing\n")


@needs_lpips
def test_scores_that_are_kept_survive_missing_weights(
    ran: Ran, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = ran(metrics=["lpips"])
    before = (out / "tiny" / "results.csv").read_bytes()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    for again in ("run", "score"):
        done = command("benchmarks", again, suite, "--out", out)
        assert "NOTICE" not in done.stdout
        assert (out / "tiny" / "results.csv").read_bytes() == before


@pytest.mark.parametrize("content", ["[]", "null", '{"raw-000004.png": {"psnr 1": null}}', "{"])
def test_kept_scores_that_are_none_are_computed_again(
    ran: Ran, command: Command, content: str
) -> None:
    suite, out = ran()
    results = (out / "tiny" / "results.csv").read_bytes()
    for kept in out.glob("runs/*/scores.json"):
        kept.write_text(content)
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    assert (out / "tiny" / "results.csv").read_bytes() == results


def test_commands_that_only_look_do_so_where_there_is_nothing(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "none", tmp_path / "file"):
        assert command("benchmarks", "status", suite_file(), "--out", out).returncode == 0
        done = command("benchmarks", "run", suite_file(), "--out", out, "--dry-run")
        assert done.returncode == 0
    assert not (tmp_path / "none").exists()
