"""README and docs keep what they promise: every command that they show runs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image as Pillow
from support.commands import ROOT, Command, Ran
from support.documentation import CLUSTER, COMMANDS, PAGES, TEXT, blocks
from support.suites import TINY
from torch.nn import Module

from benchmarks.jobs.question import Question
from benchmarks.jobs.suite import Suite
from benchmarks.metrics import lpips_weights
from benchmarks.regression import gate
from benchmarks.regression.significance import FEWEST_SEEDS
from datasets import load_images, load_manifest
from dip.__main__ import main as dip_main
from dip.fills import FILLS
from dip.networks.imported import build_imported
from dip.options import Method
from reports.page import screenshots
from reports.publishing import catalogue, pages

MAKE = [line for line in COMMANDS if line.startswith("make ")]
ALL_FILLS = [name for name, fill in FILLS.items() if not fill.slow]  # of `fill: all`
PUBLISHED_QUICK = "reports/published/quick/results.zip"
DIP = [line for line in COMMANDS if line.startswith("dip ")]
BENCH = [line for line in COMMANDS if line.startswith("dip-bench ") and line not in CLUSTER]


def _make(*words: str, out: Path | str = "results") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *words, f"PYTHON={sys.executable}", f"OUT={out}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))},
    )


def test_every_command_is_one_that_is_tested_here() -> None:
    assert set(COMMANDS) == {*MAKE, *BENCH, *DIP, *CLUSTER}
    assert len(CLUSTER) == 4  # which `test_cluster.py` and `test_slurm.py` run


@pytest.mark.parametrize("line", MAKE)
def test_make_knows_its_targets(line: str) -> None:
    """Each is only planned here; bench and report run for real below, test runs this."""
    done = _make(*shlex.split(line)[1:], "--dry-run")
    assert done.returncode == 0, done.stderr
    assert " -m " in done.stdout


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize("line", BENCH)
def test_dip_bench_commands_run(
    line: str,
    suite_file: Callable[..., Path],
    command: Command,
    process: Command,
    ran: Ran,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a tiny suite where the one that is shown would take long."""
    words = shlex.split(line)[1:]
    if words[0] in ("data", "masks"):
        _data_command_runs(words, command, tmp_path, monkeypatch)
        return
    if words[0] == "timing" and "--fill" in words:
        words[words.index("--budget") + 1] = "0.05"  # minutes
        done = command("reports", *words, "--size", 16, "--out", tmp_path)
        assert done.returncode == 0, done.stderr
        return
    if words[0] in ("pack", "unpack", "audit") or "quick.zip" in words:
        _archive_command_runs(words, ran, command, tmp_path, monkeypatch)
        return
    if "--pictures" in words:
        _fills_are_drawn(words, command, tmp_path)
        return
    if "list" in words or "--dry-run" in words:
        assert command("reports", *words).returncode == 0
        return
    if words[0] == "regress":
        monkeypatch.setattr(gate, "BASELINE_SEEDS", FEWEST_SEEDS)
        regress = request.getfixturevalue("regress")  # of a suite with the one network `quick`
        done = regress(*(word.replace("/skip/", "/quick/") for word in words[1:]))
        assert done.returncode == 0, done.stderr
        return
    if words[0] == "published":
        _published_command_runs(words, command, tmp_path, monkeypatch)
        return
    if words[0] == "screenshots":
        _screenshots_are_taken(words, suite_file, command, process, tmp_path)
        return
    names = (Path(word).stem for word in words)
    name = next((name for name in names if name in ("quick", "my-photos", "regression")), "quick")
    suite, out = suite_file(name), tmp_path / "results"
    if words[0] not in ("run", "bench"):
        ran(name=name)
    elsewhere = tmp_path / "elsewhere" / name
    if {f"reports/published/{name}", f"results/regress/{name}"} & {*words}:
        shutil.copytree(out / name, elsewhere)
    tiny = {
        name: str(suite),
        f"{name}.yaml": str(suite),
        f"results/{name}": str(out / name),
        f"reports/published/{name}": str(elsewhere),
        f"results/regress/{name}": str(elsewhere),
    }
    words = [tiny.get(word, word) for word in words]
    if words[0] == "open":
        assert command("reports", "report", words[1], "--out", out).returncode == 0
        monkeypatch.setattr("typer.launch", lambda _: 0)
    is_of_folders = words[0] in ("report", "compare")
    done = command("reports", *words, *([] if is_of_folders else ["--out", out]))
    assert done.returncode == 0, done.stderr


def _published_command_runs(
    words: list[str], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On copies, since it writes to what is published and to these pages."""
    published = shutil.copytree(catalogue.FOLDER, tmp_path / "published")
    monkeypatch.setattr(catalogue, "FOLDER", published)
    copies = [Path(shutil.copy(page, tmp_path)) for page in PAGES]
    monkeypatch.setattr(pages, "pages", lambda: copies)
    done = command("reports", *words, "--out", tmp_path / "results")
    assert done.returncode == 0, done.stderr
    if "--docs" in words:
        assert done.stdout == "Pages changed: none\n"


def _archive_command_runs(
    words: list[str], ran: Ran, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder that has the archive, once it was packed."""
    suite, out = ran(name="quick")
    monkeypatch.chdir(tmp_path)
    if "quick.zip" in words:
        assert command("reports", "pack", suite, "--out", out).returncode == 0
    of_results: list[object] = []
    if PUBLISHED_QUICK in words:  # `quick` is where it goes
        words = [str(ROOT / word) if word == PUBLISHED_QUICK else word for word in words]
    elif "quick" in words:
        words = [str(suite) if word == "quick" else word for word in words]
        of_results = ["--out", out]
    done = command("reports", *words, *of_results)
    assert done.returncode == 0, done.stderr


def _screenshots_are_taken(
    words: list[str],
    suite_file: Callable[..., Path],
    command: Command,
    process: Command,
    tmp_path: Path,
) -> None:
    """Of a report that has such a job."""
    if screenshots.chromium() is None:
        pytest.skip("Chromium is not here (Debian's package `chromium`)")
    suite, out = suite_file("quick"), tmp_path / "results"
    assert command("reports", "bench", suite, "--out", out).returncode == 0
    # A process of its own: a test of the page may have its browser open in this one.
    words = [str(out / "quick") if word == "results/quick" else word for word in words]
    done = process("reports", *words, "--out", tmp_path / "screenshots")
    assert done.returncode == 0, done.stderr
    taken = {path.name for path in (tmp_path / "screenshots").glob("*.png")}
    kept = (ROOT / "reports" / "published" / "quick" / "screenshots").glob("*.png")
    assert taken > {path.name for path in kept}  # two of them


def _fills_are_drawn(words: list[str], command: Command, tmp_path: Path) -> None:
    """One picture for each fill, nearly the published ones."""
    done = command("reports", *words[:-1], tmp_path)
    assert done.returncode == 0, done.stderr
    published = ROOT / words[-1]
    drawn = {path.name for path in tmp_path.glob("*.webp")}
    assert drawn == {path.name for path in published.glob("*.webp")}
    for name in drawn:
        with Pillow.open(tmp_path / name) as ours, Pillow.open(published / name) as theirs:
            assert ours.size == theirs.size
            differences = np.asarray(ours, dtype=int) - np.asarray(theirs, dtype=int)
            assert (abs(differences) > 16).mean() < 0.02  # another WebP encoder, other letters


def _data_command_runs(
    words: list[str], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetching from where the files are, if they are."""
    is_fetch = words[:2] == ["data", "fetch"]
    if is_fetch:
        manifest = load_manifest(words[2])
        if not manifest.is_here:
            pytest.skip(f"{words[2]} is not here; fetch, or set DIP_MIRROR")
        folder = manifest.path(next(iter(manifest.files))).parent
        monkeypatch.setenv("DIP_MIRROR", str(folder.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = [str(tmp_path / Path(word).name) if word.endswith(".png") else word for word in words]
    done = command("reports", *words)
    assert done.returncode == 0, done.stderr
    if is_fetch:
        assert (tmp_path / "cache" / "dip-bench" / "datasets" / words[2]).is_dir()
    if words[0] == "masks":
        published = ROOT / "reports" / "published" / "holes.png"
        with Pillow.open(tmp_path / "holes.png") as ours, Pillow.open(published) as theirs:
            assert ours.size == theirs.size
            differences = np.any(np.asarray(ours) != np.asarray(theirs), axis=-1)
            assert differences.mean() < 0.01  # letters may be drawn a little differently


@pytest.mark.usefixtures("one_thread", "photo_and_mask")
@pytest.mark.parametrize("line", DIP)
def test_dip_commands_run(line: str) -> None:
    """Of a few iterations, if any, and of an image set that is here, if it is."""
    words = shlex.split(line)[1:]
    manifest = load_manifest("seed-examples")
    fetched = "~/.cache/dip-bench/datasets/seed-examples/"
    if fetched in line and not manifest.is_here:
        pytest.skip("seed-examples is not here; fetch, or set DIP_MIRROR")
    words = [
        str(manifest.path(word.removeprefix(fetched))) if word.startswith(fetched) else word
        for word in words
    ]
    short = [] if "--fill" in words else ["--iterations", "2", "--max-side", "160"]
    assert dip_main([*words, *short]) == 0
    written = [words[words.index(flag) + 1] for flag in ("-o", "--compare") if flag in words]
    assert all(Path(path).exists() for path in written)


@pytest.fixture
def photo_and_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the page has them: `photo.jpg` and `mask.png`, where the commands are given."""
    (coffee,) = load_images("scikit-image", ["coffee"], size=400)
    Pillow.fromarray(coffee.pixels.transpose(1, 2, 0)).save(tmp_path / "photo.jpg")
    mask = np.full((400, 400), 255, np.uint8)
    mask[150:190, 200:260] = 0
    Pillow.fromarray(mask).save(tmp_path / "mask.png")
    monkeypatch.chdir(tmp_path)


def test_make_bench_and_make_report(suite_file: Callable[..., Path], tmp_path: Path) -> None:
    suite, out = suite_file(masks=TINY["masks"]), tmp_path / "results"
    first = _make("bench", f"SUITE={suite}", out=out)
    assert first.returncode == 0, first.stderr
    assert "0 done before, 2 to run" in first.stdout
    report = out / "tiny" / "report" / "summary.md"
    page = report.with_name("index.html")
    *_, where, next_step = first.stdout.strip().splitlines()
    assert where == f"Report: {page}"
    assert next_step == f"To see it: dip-bench open {suite} --out {out}"
    assert "<h1>" in page.read_text()
    assert "\nLeaderboard by PSNR hole (dB), after 4 iterations\n" in first.stdout
    summary = report.read_text()
    report.unlink()
    assert "0 to run" in _make("bench", f"SUITE={suite}", out=out).stdout
    assert report.read_text() == summary
    report.unlink()
    assert _make("report", f"SUITE={suite}", out=out).returncode == 0
    assert report.read_text() == summary


def test_make_help_lists_the_targets() -> None:
    listed = set(re.findall(r"make (\w+)", _make("help").stdout))
    targets = (
        "help setup dev lock bench report published regress timing anchors test numeric check clean"
    )
    assert listed == set(targets.split())


def _labels(suite: Suite) -> list[str]:
    return [label for entry in suite.methods for label, _ in entry.expand()]


def test_the_suite_shown_is_one() -> None:
    in_readme, _, in_fills, entry, in_suites, question, outputs = blocks("yaml")
    content = {**yaml.safe_load(in_suites), "name": "shown", "file": "shown.yaml"}
    suite = Suite.model_validate(content)
    assert len(_labels(suite)) == 8 + len(ALL_FILLS)
    assert suite.asked is not None
    with_defaults = Question.model_validate(yaml.safe_load(question)["question"])
    assert suite.question == with_defaults.model_copy(update={"compare": None})
    readme = Suite.model_validate({**content, **yaml.safe_load(in_readme)})
    assert len(_labels(readme)) == 2 + len(ALL_FILLS)
    fills = Suite.model_validate({**content, "question": None, **yaml.safe_load(in_fills)})
    assert _labels(fills) == [
        *(*ALL_FILLS, "fsr", "exemplar", "patch-gaussian"),
        *("telea-5", "navier-stokes[radius=1]", "navier-stokes[radius=2]", "DIP"),
    ]
    asking = Suite.model_validate({**content, **yaml.safe_load(outputs)})
    assert [each.label for each in asking.outputs_for(asking.methods[1])] == [
        *("averaged", "clean", "mean[from=7000,every=50]")
    ]
    with_import = Suite.model_validate({**content, "methods": yaml.safe_load(entry)})
    ((label, method),) = with_import.methods[0].expand()
    assert list(readme.methods[-1].expand()) == [(label, method)]
    assert label == "LR-ASPP"
    assert isinstance(method, Method)
    assert isinstance(build_imported(method.architecture), Module)


def test_the_workflow_shown_runs_commands_that_are_shown() -> None:
    (workflow,) = (each for each in blocks("yaml") if "jobs:" in each)
    (job,) = yaml.safe_load(workflow)["jobs"].values()
    setup, regress = [step["run"] for step in job["steps"] if "run" in step]
    assert setup == "make setup TORCH_BACKEND=cpu"
    assert f"`{setup}`" in TEXT
    assert regress.removeprefix(".venv/bin/") in COMMANDS
    (upload,) = [step["with"] for step in job["steps"] if "with" in step]
    folder = f"results/{gate.FOLDER}/{gate.SUITE}"
    assert upload["path"] == f"{folder}/verdict.*"
    assert all(fnmatch(name, "verdict.*") for name in gate.VERDICTS)


@pytest.mark.usefixtures("photo_and_mask")
def test_the_python_shown_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for page in PAGES:
        names: dict[str, Any] = {}
        for block in blocks("python", page.read_text(encoding="utf-8")):
            exec(compile(block, page.name, "exec"), names)  # noqa: S102 - our own page
    lines = capsys.readouterr().out.splitlines()
    assert lines.pop(0) == "restored (400, 400) RGB"
    with Pillow.open("restored.png") as restored:
        assert restored.size == (400, 400)
    fits = [line for line in lines if line.startswith("Checkpoint(")]
    assert [re.findall(r"iteration (\d+), loss 0\.\d{5}, 3x64x64", line) for line in fits] == [
        ["50"],
        ["100"],
    ]
    first, *later = [line.split()[0] for line in lines if line not in fits]
    assert 1 < int(first) <= 61  # one after the saved iteration
    assert later == [*(str(n) for n in range(int(first) + 1, 81)), "es-wmv[window=20]", "10", "20"]


def test_links_and_pictures_exist() -> None:
    """Also the headings that links lead to."""
    for page in PAGES:
        links = re.findall(r"\]\((?!https?:)([^)#]*)(#[^)]+)?\)", page.read_text(encoding="utf-8"))
        for link, heading in links:
            target = (page.parent / link).resolve() if link else page
            assert target.exists(), (page.name, link)
            assert target.is_relative_to(ROOT)
            if heading:
                heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
                assert heading in {_anchor(head) for head in heads}, (page.name, link, heading)


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return "#" + re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_readme_is_a_first_page() -> None:
    assert len(PAGES[0].read_text(encoding="utf-8").splitlines()) <= 200
    named = re.findall(r"\(docs/([\w-]+\.md)", PAGES[0].read_text(encoding="utf-8"))
    assert {page.name for page in PAGES[1:]} <= {*named}


def test_the_lock_has_hashes_and_no_address() -> None:
    names: list[set[str]] = []
    for name in ("requirements.lock", "requirements-dev.lock"):
        lock = (ROOT / name).read_text()
        assert "://" not in lock
        pinned = re.findall(r"^[a-z].*==.*$", lock, re.M)
        assert len(pinned) > 20
        assert all(line.endswith("\\") for line in pinned)  # a hash follows
        names.append({line.partition("==")[0] for line in pinned})
    assert not names[0] & names[1]  # what both need stands in the first
    assert {"ray", "pytest"} <= names[1]


@pytest.mark.slow
def test_make_bench_on_quick(tmp_path: Path) -> None:
    """The promise, in a tenth of the iterations: no empty score, and nothing fitted twice."""
    content = yaml.safe_load((ROOT / "benchmarks/suites/quick.yaml").read_text())
    content["iterations"] = [max(1, iterations // 10) for iterations in content["iterations"]]
    for entry in content["methods"]:
        if "iterations" in entry:
            entry["iterations"] //= 10
    suite = tmp_path / "quick.yaml"
    suite.write_text(yaml.safe_dump(content))
    words = ("bench", f"SUITE={suite}")
    first = _make(*words, out=tmp_path)
    assert first.returncode == 0, first.stderr
    results = pd.read_csv(tmp_path / "quick" / "results.csv")
    assert len(results) == 11 * 5 * 2 + 10 * len(ALL_FILLS)  # too short for the stopping rules
    scores = [c for c in results if c.startswith(("psnr", "ssim", "lpips"))]
    assert len(scores) == 9
    if lpips_weights.missing() is None:
        assert not results[scores].isna().any(axis=None)
    assert f"{11 + 10 * len(ALL_FILLS)} done before, 0 to run" in _make(*words, out=tmp_path).stdout
