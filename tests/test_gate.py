"""`python -m benchmarks regress` and `compare`: real fits of a tiny suite, held to a baseline."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import NARROW, Command

from benchmarks import InputError, environment
from benchmarks.metrics import METRICS
from benchmarks.regression import gate, speed
from benchmarks.regression.baseline import read_baseline, write_baseline
from benchmarks.writing import Claim
from dip.options import SkipOptions

Write = Callable[..., Path]
SEEDS = 4  # of the baseline; the suite's has three


@pytest.fixture(autouse=True)
def _timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timing takes half a minute; `test_speed.py` has it."""
    monkeypatch.setattr(
        speed, "session", lambda: {preset: [0.3, 0.31, 0.29] for preset in speed.ITERATIONS}
    )


@pytest.fixture
def _committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a checkout without changes, which this one may have."""
    monkeypatch.setattr(environment, "git_revision", lambda: ("0" * 40, False))
    monkeypatch.setattr(gate, "_committed", lambda: "0" * 40)


@pytest.fixture
def suite(suite_file: Write) -> Path:
    methods = [{"preset": "quick", "set": NARROW["quick"]}, {"fill": "mean"}]
    return suite_file("gated", methods=methods, seeds=[0, 1, 2], iterations=[4], rules=[])


@pytest.fixture
def baselines(suite: Path, command: Command, tmp_path: Path, _committed: None) -> Path:
    folder = tmp_path / "baselines"
    done = command(
        *("benchmarks", "regress", suite, "--bless", "--because", "the first, & only"),
        *("--seeds", SEEDS, "--baselines", folder, "--out", tmp_path / "results"),
    )
    assert done.returncode == 0, done.stderr
    assert f"Baseline: {folder / 'gated.csv'}" in done.stdout
    return folder


def test_a_baseline_has_every_fit_and_says_what_it_is_of(baselines: Path, tmp_path: Path) -> None:
    scores = pd.read_csv(baselines / "gated.csv")
    assert len(scores) == SEEDS * 2 + 1
    assert scores.notna().all().to_dict() == {name: name != "lpips_hole" for name in scores}
    about = json.loads((baselines / "gated.json").read_text())
    assert about["because"] == "the first, & only"
    assert about["revision"] == "0" * 40
    assert about["specification"]["methods"]["quick"]["versions"]["skip"] == 1
    assert about["environments"][0]["versions"]["torch"]
    assert len(about["speed"]["logs"]["quick"]) == speed.SESSIONS
    assert not list((tmp_path / "results").glob("regress-*"))  # its runs are of no more use


def test_the_same_tree_gives_the_same_scores_and_all_files(
    suite: Path, baselines: Path, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    words = ("benchmarks", "regress", suite, "--baselines", baselines, "--out", out)
    done = command(*words)
    assert done.returncode == 0, done.stderr
    assert "# here against baseline: the same (6 identical)" in done.stdout
    assert "baseline: 000000000000" in done.stdout
    assert "the first, & only" in done.stdout
    verdict = json.loads((out / "regress" / "gated" / "verdict.json").read_text())
    assert verdict["exit_code"] == 0
    assert {row["verdict"] for row in verdict["rows"]} == {"identical"}
    assert (out / "regress" / "gated" / "verdict.md").read_text() in done.stdout
    assert not (out / "runs").exists()  # nothing of it is anybody else's
    again = command(*words)
    assert "4 jobs, 0 done before, 4 to run" in again.stdout


def test_a_pattern_runs_a_part_and_times_nothing(
    suite: Path,
    baselines: Path,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speed, "session", lambda: pytest.fail("timed"))
    words = ("benchmarks", "regress", suite, "--baselines", baselines, "--out", tmp_path / "r")
    done = command(*words, "-k", "/mean/")
    assert done.returncode == 0
    assert "the same (2 identical)" in done.stdout
    wrong = command(*words, "-k", "nothing")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)


def test_a_fill_that_changes_is_an_alarm_with_annotations(
    suite: Path,
    baselines: Path,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    side, about = read_baseline("gated", baselines)
    side.scores.loc[side.scores["method"] == "mean", "psnr_hole"] += 0.01
    kept = {"because": about.because, "revision": about.revision, "speed": about.speed}
    write_baseline("gated", side, **kept, folder=baselines)
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = command(
        *("benchmarks", "regress", suite, "--baselines", baselines, "--out", tmp_path / "r"),
        "--github",
    )
    assert done.returncode == 1
    assert "::error title=mean worse::mean, raw, hole PSNR (dB): worse, -0.01 ± 0.01" in done.stdout
    assert "**worse**" in summary.read_text()
    xml = (tmp_path / "r" / "regress" / "gated" / "verdict.xml").read_text()
    assert 'failures="1"' in xml


def test_another_version_is_not_comparable(
    suite: Path,
    baselines: Path,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SkipOptions, "version", 2)
    done = command(
        "benchmarks", "regress", suite, "--baselines", baselines, "--out", tmp_path / "r"
    )
    assert done.returncode == 4
    assert "- not comparable: quick: versions.skip: 1, now 2" in done.stdout


def test_a_fit_that_fails_is_worse(
    suite: Path,
    baselines: Path,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr("dip.fit", broken)
    done = command(
        "benchmarks", "regress", suite, "--baselines", baselines, "--out", tmp_path / "r"
    )
    assert done.returncode == 1
    assert "- **FAILED: astronaut/boxes[count=1,side=8]/quick/0**" in done.stdout
    alone = command(
        *("benchmarks", "regress", suite, "--baselines", baselines, "--out", tmp_path / "r"),
        *("-k", "/quick/"),
    )
    assert alone.returncode == 1


def test_what_is_asked_wrongly_is_one_line(suite: Path, command: Command, tmp_path: Path) -> None:
    for words, said in (
        ((), "there is no baseline; `python -m benchmarks regress --bless"),
        (("--bless",), "--because: say why"),
        (("--bless", "--because", " "), "--because: say why"),
        (("--bless", "--because", "x", "-k", "mean"), "a baseline is of all jobs"),
        (("--because", "x"), "--because goes with --bless"),
        (("--seeds", "0"), "--seeds"),
        (("--bless", "--because", "x", "--github"), "--github"),
    ):
        done = command(
            *("benchmarks", "regress", suite, "--baselines", tmp_path / "none"),
            *("--out", tmp_path / "r", *words),
        )
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert said in done.stderr
    assert not (tmp_path / "r" / "regress" / "runs").exists()


@pytest.mark.usefixtures("_committed")
def test_one_seed_is_no_baseline(suite: Path, command: Command, tmp_path: Path) -> None:
    done = command(
        *("benchmarks", "regress", suite, "--bless", "--because", "x", "--seeds", 1),
        *("--baselines", tmp_path / "b", "--out", tmp_path / "r"),
    )
    assert (done.returncode, "one seed says nothing" in done.stderr) == (2, True)


@pytest.mark.parametrize("change", ["none", "a file", "a new file", "no checkout"])
def test_only_a_committed_tree_is_blessed(
    change: str,
    suite: Path,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    monkeypatch.setattr(environment, "ROOT", checkout)

    def git(*words: str) -> str:
        who = ("-c", "user.name=n", "-c", "user.email=e")
        command = ["git", "-C", str(checkout), *who, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    if change == "no checkout":
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    else:
        git("init")
        (checkout / "file").write_text("1")
        git("add", ".")
        git("commit", "-m", "why")
        {"a file": checkout / "file", "a new file": checkout / "new"}.get(
            change, tmp_path / "elsewhere"
        ).write_text("2")
    environment.git_revision.cache_clear()
    done = command(
        *("benchmarks", "regress", suite, "--bless", "--because", "x", "--seeds", 2),
        *("--baselines", tmp_path / "b", "--out", tmp_path / "r"),
    )
    environment.git_revision.cache_clear()
    if change == "none":
        assert done.returncode == 0, done.stderr
        about = json.loads((tmp_path / "b" / "gated.json").read_text())
        assert about["revision"] == git("rev-parse", "HEAD").strip()
        return
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "b").exists()
    said = {"a file": "M file", "a new file": "?? new", "no checkout": "no git checkout"}
    assert said[change] in done.stderr


@pytest.mark.usefixtures("_committed")
def test_a_blessing_that_was_broken_off_goes_on_and_nothing_half_is_written(
    suite: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> speed.Logs:
        raise InputError("planted")

    words = (
        *("benchmarks", "regress", suite, "--bless", "--because", "x", "--seeds", 2),
        *("--baselines", tmp_path / "b", "--out", tmp_path / "r"),
    )
    with monkeypatch.context() as context:
        context.setattr(speed, "session", broken)
        assert command(*words).returncode == 2
    assert not (tmp_path / "b").exists()
    done = command(*words)
    assert done.returncode == 0, done.stderr
    assert "3 jobs, 3 done before, 0 to run" in done.stdout


def test_blessing_again_says_what_has_changed(
    suite: Path, baselines: Path, command: Command, tmp_path: Path
) -> None:
    done = command(
        *("benchmarks", "regress", suite, "--bless", "--because", "again", "--seeds", 3),
        *("--baselines", baselines, "--out", tmp_path / "r"),
    )
    assert done.returncode == 0
    assert "# here against baseline: the same (6 identical)" in done.stdout
    assert json.loads((baselines / "gated.json").read_text())["because"] == "again"


def test_two_gates_do_not_meet_in_one_folder(
    suite: Path, baselines: Path, command: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "results" / "regress"
    folder.mkdir(parents=True)
    claim = Claim(folder / ".gate")
    assert claim.take()
    words = ("benchmarks", "regress", suite, "--baselines", baselines, "--out", folder.parent)
    done = command(*words)
    claim.release()
    assert (done.returncode, "another gate is at work there" in done.stderr) == (2, True)
    assert command(*words).returncode == 0


def _damage(folder: Path, kind: str) -> None:
    csv, about = folder / "gated.csv", folder / "gated.json"
    content = json.loads(about.read_text())
    changes: dict[str, Any] = {
        "list": [],
        "key gone": {key: value for key, value in content.items() if key != "because"},
        "null": {**content, "revision": None},
        "specification": {**content, "specification": {"methods": []}},
        "environments": {**content, "environments": ["x"]},
        "speed": {**content, "speed": {"logs": []}},
    }
    if kind in changes:
        about.write_text(json.dumps(changes[kind]))
    elif kind == "no json":
        about.write_text("<<<<<<< ours")
    elif kind == "json gone":
        about.unlink()
    else:
        csv.write_text(csv.read_text()[:-200])


KINDS = ["list", "key gone", "null", "specification", "environments", "speed"]


@pytest.mark.parametrize("kind", [*KINDS, "no json", "json gone", "csv cut off"])
def test_a_damaged_baseline_is_one_line_and_may_be_blessed_over(
    kind: str, suite: Path, baselines: Path, command: Command, tmp_path: Path
) -> None:
    _damage(baselines, kind)
    words = ("benchmarks", "regress", suite, "--baselines", baselines, "--out", tmp_path / "r")
    done = command(*words)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "gated" in done.stderr
    assert not (tmp_path / "r" / "regress").exists()  # before anything is fitted
    if kind == KINDS[0]:
        done = command(*words, "--bless", "--because", "anew", "--seeds", 3)
        assert done.returncode == 0, done.stderr
        assert "The new baseline is compared with none before" in done.stdout
        assert command(*words).returncode == 0


def test_a_baseline_of_a_changed_tree_is_refused(
    suite: Path,
    command: Command,
    tmp_path: Path,
    _committed: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Changes that were there only while fits ran."""
    monkeypatch.setattr(environment, "git_revision", lambda: ("0" * 40, True))
    done = command(
        *("benchmarks", "regress", suite, "--bless", "--because", "x", "--seeds", 2),
        *("--baselines", tmp_path / "b", "--out", tmp_path / "r"),
    )
    assert (done.returncode, "fits of a changed tree" in done.stderr) == (2, True)
    assert not (tmp_path / "b").exists()


def test_a_baseline_with_gaps_is_refused(
    suite: Path,
    command: Command,
    tmp_path: Path,
    _committed: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lacking = replace(METRICS["ssim"], missing=lambda: "planted")
    monkeypatch.setitem(METRICS, "ssim", lacking)
    done = command(
        *("benchmarks", "regress", suite, "--bless", "--because", "x", "--seeds", 2),
        *("--baselines", tmp_path / "b", "--out", tmp_path / "r"),
    )
    assert (done.returncode, "hole SSIM has gaps" in done.stderr) == (2, True)


def test_a_metric_that_is_not_here_is_not_passed_over(
    suite: Path,
    baselines: Path,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lacking = replace(METRICS["ssim"], missing=lambda: "planted")
    monkeypatch.setitem(METRICS, "ssim", lacking)
    words = ("--baselines", baselines, "--out", tmp_path / "r")
    done = command("benchmarks", "regress", suite, *words, "--github")
    assert done.returncode == 4
    assert "- not comparable: quick, mean: here has no hole SSIM" in done.stdout
    assert "::error title=quick is not comparable::here has no hole SSIM" in done.stdout


def test_timing_that_breaks_does_not_lose_the_verdict(
    suite: Path,
    baselines: Path,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> speed.Logs:
        raise InputError("planted")

    monkeypatch.setattr(speed, "session", broken)
    words = ("--baselines", baselines, "--out", tmp_path / "r")
    done = command("benchmarks", "regress", suite, *words)
    assert done.returncode == 0
    assert "Not compared: planted." in done.stdout
    json.loads((tmp_path / "r" / "regress" / "gated" / "verdict.json").read_text())


def test_any_two_folders_are_compared(
    suite: Path, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    """At the iterations that both have; a result is identical to itself."""
    more = suite_file(
        "more",
        methods=[
            {"preset": "quick", "set": {**NARROW["quick"], "learning_rate": 0.3}},
            {"fill": "mean"},
        ],
        **{"seeds": [0, 1, 2], "iterations": [4, 6], "rules": []},
    )
    out = tmp_path / "results"
    for each in (suite, more):
        assert command("benchmarks", "run", each, "--out", out).returncode == 0
    a, b = out / "gated", out / "more"
    same = command("benchmarks", "compare", a, a)
    assert same.returncode == 0
    assert f"# {a} against {a}: the same (6 identical)" in same.stdout
    done = command("benchmarks", "compare", a, b, "--out", tmp_path / "verdict")
    assert done.returncode == 4
    assert "- not comparable: quick: method.learning_rate: 0.01, now 0.3" in done.stdout
    assert "- iteration 4" in done.stdout
    diverged = b / "jobs.csv"  # later than at the iteration that is compared
    diverged.write_text(diverged.read_text().replace(",done,", ",diverged,"))
    assert ": 0 of 3, in " in command("benchmarks", "compare", a, b).stdout
    assert json.loads((tmp_path / "verdict" / "verdict.json").read_text())["exit_code"] == 4


def test_folders_without_anything_in_common_are_one_line(
    suite: Path, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    other = suite_file("other", methods=[{"fill": "nearest"}], iterations=[4])
    later = suite_file("later", methods=[{"fill": "nearest"}], iterations=[5])
    out = tmp_path / "results"
    for each in (suite, other, later):
        assert command("benchmarks", "run", each, "--out", out).returncode == 0
    for words, said in (
        ((out / "gated", out / "other"), "nothing was compared"),
        ((out / "gated", out / "later"), "no iteration count in common"),
        ((out / "gated", out / "nowhere"), "holds no results"),
    ):
        done = command("benchmarks", "compare", *words)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert said in done.stderr
