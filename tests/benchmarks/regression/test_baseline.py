"""Baselines of the gate: who may write one, what is in it, and what is none."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.commands import Command
from support.suites import BASELINE_SEEDS

from benchmarks.metrics import METRICS
from benchmarks.regression import gate
from benchmarks.system import environment
from dip.errors import InputError


def test_a_baseline_has_every_fit_and_says_what_it_is_of(baselines: Path) -> None:
    scores = pd.read_csv(baselines / "gated.csv")
    assert len(scores) == BASELINE_SEEDS * 2 + 1
    assert scores.notna().all().to_dict() == {name: name != "lpips_hole" for name in scores}
    about = json.loads((baselines / "gated.json").read_text())
    assert about["because"] == "the first, & only"
    assert about["specification"]["methods"]["quick"]["versions"]["skip"] == 1
    assert about["environments"][0]["versions"]["torch"]


@pytest.mark.usefixtures("checkout")
def test_few_seeds_are_no_baseline(bless: Command) -> None:
    done = bless("--seeds", 9)
    assert (done.returncode, "--seeds 9: a baseline has 10 at least" in done.stderr) == (2, True)


@pytest.mark.parametrize("change", ["none", "a file", "a new file", "no checkout"])
def test_only_a_committed_tree_is_blessed(
    change: str, bless: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    done = bless()
    environment.git_revision.cache_clear()
    if change == "none":
        assert done.returncode == 0, done.stderr
        about = json.loads((tmp_path / "baselines" / "gated.json").read_text())
        assert about["revision"] == git("rev-parse", "HEAD").strip()
        return
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "baselines").exists()
    said = {"a file": "M file", "a new file": "?? new", "no checkout": "no git checkout"}
    assert said[change] in done.stderr


@pytest.mark.usefixtures("checkout")
def test_a_blessing_that_was_broken_off_goes_on_and_nothing_half_is_written(
    bless: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise InputError("planted")

    with monkeypatch.context() as context:
        context.setattr(gate, "write_baseline", broken)
        assert bless().returncode == 2
    assert not (tmp_path / "baselines").exists()
    done = bless()
    assert done.returncode == 0, done.stderr
    assert "11 jobs, 11 done before, 0 to run" in done.stdout


def test_blessing_again_says_what_has_changed(bless: Command, baselines: Path) -> None:
    done = bless("--because", "again")
    assert done.returncode == 0
    assert "# here against baseline: the same (6 identical)" in done.stdout
    assert json.loads((baselines / "gated.json").read_text())["because"] == "again"


def test_a_baseline_of_an_earlier_version_still_counts(regress: Command, baselines: Path) -> None:
    """Its file also held times."""
    path = baselines / "gated.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "speed": {"logs": {}}}))
    assert regress("-k", "/mean/").returncode == 0


def test_a_damaged_baseline_is_one_line_and_may_be_blessed_over(
    baselines: Path, regress: Command, bless: Command, tmp_path: Path
) -> None:
    csv, about = baselines / "gated.csv", baselines / "gated.json"
    content = json.loads(about.read_text())
    changed: list[Any] = [
        *({**content, "revision": None}, {**content, "specification": {"methods": []}}),
        *({**content, "environments": ["x"]}, []),
        {key: value for key, value in content.items() if key != "because"},
    ]
    texts = [*map(json.dumps, changed), "<<<<<<< ours"]
    damages = [(about, text) for text in texts] + [(csv, csv.read_text()[:-200]), (about, None)]
    for path, text in damages:
        whole = path.read_text()
        path.unlink() if text is None else path.write_text(text)
        done = regress()
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), text
        assert "gated" in done.stderr
        assert not (tmp_path / "results" / "regress").exists()  # before anything is fitted
        if text is not None:
            path.write_text(whole)
    about.write_text("[]")
    done = bless("--because", "anew")
    assert done.returncode == 0, done.stderr
    assert "The new baseline is compared with none before" in done.stdout
    assert regress("-k", "/mean/").returncode == 0


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize("lacking", ["a commit", "a metric"])
def test_a_baseline_of_a_changed_tree_or_with_gaps_is_refused(
    lacking: str, bless: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes that were there only while fits ran."""
    if lacking == "a commit":
        monkeypatch.setattr(environment, "git_revision", lambda: ("0" * 40, True))
    else:
        gone = replace(METRICS["ssim"], missing=lambda: "planted")
        monkeypatch.setitem(METRICS, "ssim", gone)
    done = bless()
    said = {"a commit": "fits of a changed tree", "a metric": "hole SSIM has gaps"}
    assert (done.returncode, said[lacking] in done.stderr) == (2, True)
    assert not (tmp_path / "baselines").exists()
