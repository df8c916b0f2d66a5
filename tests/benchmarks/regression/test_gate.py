"""`dip-bench regress`: real fits of a tiny suite, held to a baseline."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.commands import Command

from benchmarks.metrics import METRICS
from benchmarks.regression.baseline import read_baseline, write_baseline
from benchmarks.system.files import Claim
from dip.options.networks.skip import SkipOptions


def test_the_same_tree_gives_the_same_scores_and_all_files(
    regress: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    done = regress()
    assert done.returncode == 0, done.stderr
    assert "# here against baseline: the same (6 identical)" in done.stdout
    assert "baseline: 000000000000" in done.stdout
    assert "the first, & only" in done.stdout
    verdict = json.loads((out / "regress" / "gated" / "verdict.json").read_text())
    assert verdict["exit_code"] == 0
    assert {row["verdict"] for row in verdict["rows"]} == {"identical"}
    assert (out / "regress" / "gated" / "verdict.md").read_text() in done.stdout
    assert not (out / "runs").exists()  # nothing of it is anybody else's
    again = regress()
    assert "4 jobs, 0 done before, 4 to run" in again.stdout


def test_a_pattern_runs_a_part(regress: Command) -> None:
    done = regress("-k", "/mean/")
    assert done.returncode == 0
    assert "the same (2 identical)" in done.stdout
    wrong = regress("-k", "nothing")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)


def test_a_fill_that_changes_is_an_alarm_with_annotations(
    regress: Command, baselines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    side, about = read_baseline("gated", baselines)
    side.scores.loc[side.scores["method"] == "mean", "psnr_hole"] += 0.01
    kept = {"because": about.because, "revision": about.revision}
    write_baseline("gated", side, **kept, folder=baselines)
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = regress("--github", "-k", "/mean/")
    assert done.returncode == 1
    assert (
        "::error title=regression gate::mean, raw, hole PSNR (dB): worse, -0.010 ± 0.005"
        in done.stdout
    )
    assert "**worse**" in summary.read_text()
    xml = (tmp_path / "results" / "regress" / "gated" / "verdict.xml").read_text()
    assert 'failures="1"' in xml


def test_another_version_is_not_comparable(
    regress: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SkipOptions, "version", 2)
    done = regress()
    assert done.returncode == 4
    assert "- **not comparable: quick: versions.skip: 1, now 2**" in done.stdout


def test_a_fit_that_fails_is_worse(regress: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr("dip.Fit", broken)
    done = regress()
    assert done.returncode == 1
    assert "- **FAILED: astronaut/boxes[count=1,side=8]/quick/0**" in done.stdout
    assert regress("-k", "/quick/").returncode == 1


def test_what_is_asked_wrongly_is_one_line(gated: Path, command: Command, tmp_path: Path) -> None:
    for words, said in (
        ((), "there is no baseline; `dip-bench regress --bless"),
        (("--bless",), "--because: say why"),
        (("--bless", "--because", " "), "--because: say why"),
        (("--bless", "--because", "x", "-k", "mean"), "a baseline is of all jobs"),
        (("--because", "x"), "--because goes with --bless"),
        (("--seeds", "0"), "--seeds"),
        (("--bless", "--because", "x", "--github"), "--github"),
    ):
        done = command(
            *("benchmarks", "regress", gated, "--baselines", tmp_path / "none"),
            *("--out", tmp_path / "r", *words),
        )
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert said in done.stderr
    assert not (tmp_path / "r" / "regress" / "runs").exists()


def test_seeds_of_each_image_are_no_gates(
    suite_file: Callable[..., Path], command: Command, tmp_path: Path
) -> None:
    suite = suite_file(seeds="per-image")
    done = command("benchmarks", "regress", suite, "--out", tmp_path / "r")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "tiny.yaml: seeds: the gate takes means over images of one seed" in done.stderr
    assert "write a list of seeds, or use --seeds" in done.stderr
    counted = command("benchmarks", "regress", suite, "--out", tmp_path / "r", "--seeds", 2)
    assert "there is no baseline" in counted.stderr


def test_two_gates_do_not_meet_in_one_folder(regress: Command, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "regress"
    folder.mkdir(parents=True)
    claim = Claim(folder / ".gate")
    assert claim.take()
    done = regress()
    claim.release()
    assert (done.returncode, "another gate is at work there" in done.stderr) == (2, True)
    assert regress("-k", "/mean/").returncode == 0


def test_a_metric_that_is_not_here_is_not_passed_over(
    regress: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = replace(METRICS["ssim"], missing=lambda: "planted")
    monkeypatch.setitem(METRICS, "ssim", lacking)
    done = regress("--github")
    assert done.returncode == 4
    assert "- **not comparable: quick, mean: here has no hole SSIM**" in done.stdout
    assert (
        "::error title=regression gate::not comparable: quick, mean: here has no hole SSIM"
        in done.stdout
    )
