"""The README keeps what it promises: its commands run, its table is the published one."""

import math
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT, TINY, Command, needs
from PIL import Image as Pillow
from scipy import stats
from torch.nn import Module

import dip
from benchmarks import anchors, weights
from benchmarks.fills import FILLS
from benchmarks.suite import Suite, load_suite
from datasets import load_manifest
from dip.networks.foreign import imported
from dip.options import Method, UNetOptions
from reports import grids, paired
from reports.build import all_tables
from reports.formats import to_latex, to_markdown
from reports.results import load_results

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()
]
MAKE = [line for line in COMMANDS if line.startswith("make ")]
PYTHON = [line for line in COMMANDS if line.startswith("python -m ")]


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
    assert [*dict.fromkeys(COMMANDS)] == COMMANDS
    assert set(COMMANDS) == {*MAKE, *PYTHON}


@pytest.mark.parametrize("line", MAKE)
def test_make_knows_its_targets(line: str) -> None:
    """Each is only planned here; bench and report run for real below, test runs this."""
    done = _make(*shlex.split(line)[1:], "--dry-run")
    assert done.returncode == 0, done.stderr
    assert " -m " in done.stdout


@pytest.mark.parametrize("line", PYTHON)
def test_python_commands_run(
    line: str,
    suite_file: Callable[..., Path],
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a tiny suite where the one that is shown would take long."""
    module, *words = shlex.split(line)[2:]
    if module == "datasets":
        _datasets_command_runs(words, command, tmp_path, monkeypatch)
        return
    if "list" in words or "--dry-run" in words:
        assert command(module, *words).returncode == 0
        return
    names = (Path(word).stem for word in words)
    name = next((name for name in names if name in ("quick", "my-photos")), "quick")
    suite, out = suite_file(name), tmp_path / "results"
    if words[0] != "run":
        assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    elsewhere = tmp_path / "elsewhere" / name
    if f"reports/published/{name}" in words:
        shutil.copytree(out / name, elsewhere)
    tiny = {
        name: str(suite),
        f"{name}.yaml": str(suite),
        f"results/{name}": str(out / name),
        f"reports/published/{name}": str(elsewhere),
    }
    words = [tiny.get(word, word) for word in words]
    done = command(module, *words, *([] if module == "reports" else ["--out", out]))
    assert done.returncode == 0, done.stderr


def _datasets_command_runs(
    words: list[str], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetching from where the files are, if they are."""
    if words[0] == "fetch":
        manifest = load_manifest(words[1])
        if not manifest.is_here:
            pytest.skip(f"{words[1]} is not here; fetch, or set DIP_MIRROR")
        folder = manifest.path(next(iter(manifest.files))).parent
        monkeypatch.setenv("DIP_MIRROR", str(folder.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = [str(tmp_path / Path(word).name) if word.endswith(".png") else word for word in words]
    done = command("datasets", *words)
    assert done.returncode == 0, done.stderr
    if words[0] == "fetch":
        assert (tmp_path / "cache" / "dip-bench" / "datasets" / words[1]).is_dir()
    if words[0] == "preview":
        published = ROOT / "reports" / "published" / "holes.png"
        with Pillow.open(tmp_path / "holes.png") as ours, Pillow.open(published) as theirs:
            assert ours.size == theirs.size
            differences = np.any(np.asarray(ours) != np.asarray(theirs), axis=-1)
            assert differences.mean() < 0.01  # letters may be drawn a little differently


def test_make_bench_and_make_report(suite_file: Callable[..., Path], tmp_path: Path) -> None:
    suite, out = suite_file(masks=TINY["masks"]), tmp_path / "results"
    first = _make("bench", f"SUITE={suite}", out=out)
    assert first.returncode == 0, first.stderr
    assert "0 done before, 2 to run" in first.stdout
    report = out / "tiny" / "report" / "summary.md"
    assert first.stdout.strip().endswith(f"Report: {report}")
    headline = (report.parent / "tables" / "comparison-psnr.md").read_text()
    assert headline in first.stdout
    summary = report.read_text()
    report.unlink()
    assert "0 to run" in _make("bench", f"SUITE={suite}", out=out).stdout
    assert report.read_text() == summary
    report.unlink()
    assert _make("report", f"SUITE={suite}", out=out).returncode == 0
    assert report.read_text() == summary


def test_make_help_lists_the_targets() -> None:
    listed = set(re.findall(r"make (\w+)", _make("help").stdout))
    targets = "help setup lock bench report timing anchors test check clean"
    assert listed == set(targets.split())


def test_the_suite_shown_is_one() -> None:
    import yaml

    whole, entry = re.findall(r"```yaml\n(.*?)```", README, re.S)
    content = {**yaml.safe_load(whole), "name": "shown", "file": "shown.yaml"}
    suite = Suite.model_validate(content)
    assert len([label for entry in suite.methods for label, _ in entry.expand()]) == 5 + len(FILLS)
    with_import = Suite.model_validate({**content, "methods": yaml.safe_load(entry)})
    ((label, method),) = with_import.methods[0].expand()
    assert label == "LR-ASPP"
    assert isinstance(method, Method)
    assert isinstance(imported(method.architecture), Module)


def test_the_python_shown_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.S):
        exec(compile(block, "README.md", "exec"), names)  # noqa: S102 - our own page
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["50", "100", "es-wmv[window=20]", "10", "20"]
    assert all(line.endswith("torch.Size([3, 64, 64])") for line in lines)


@pytest.mark.parametrize(
    "name",
    [
        "quick",
        "standard-reduced",
        "architectures",
        "article-reduced",
        "receptive-field",
        "stopping",
    ],
)
def test_published_reports_are_those_of_their_results(name: str) -> None:
    """All but pictures, and what is measured in them; their methods are the suite's."""
    folder = ROOT / "reports" / "published" / name
    found, _ = all_tables(load_results(folder), None)
    for each in found:
        assert to_markdown(each) == (folder / "tables" / f"{each.name}.md").read_text()
    table = pd.read_csv(ROOT / "reports" / "published" / name / "tables" / "comparison-psnr.csv")
    suite = load_suite(name)
    methods = [label for entry in suite.methods for label, _ in entry.expand()]
    assert list(table["method"].unique()) == methods
    holes = [mask.label for mask in suite.masks]
    assert list(table["column"].unique()) == holes + ["all holes"] * (len(holes) > 1)


def test_the_table_shown_is_the_published_one() -> None:
    shown = re.findall(r"<!-- published: (\S+) -->\n(.*?)<!-- end -->", README, re.S)
    assert [path for path, _ in shown] == [
        "quick/tables/comparison-psnr.md",
        "standard-reduced/tables/comparison-psnr.md",
        "standard-reduced/tables/paired-psnr.md",
        "anchors/anchors.md",
    ]
    for path, table in shown:
        assert table == (ROOT / "reports" / "published" / path).read_text(encoding="utf-8")


def test_the_comparison_shown_is_that_of_its_results() -> None:
    """Each table of the section, from the published rows; and what the text says of them."""
    folder = ROOT / "reports" / "published" / "standard-reduced"
    results = load_results(folder)
    comparison, against = grids.comparison(results)[0], paired.paired(results)[0]
    for table in (comparison, against):
        assert to_markdown(table) == (folder / "tables" / f"{table.name}.md").read_text()
        assert to_latex(table) == (folder / "tables" / f"{table.name}.tex").read_text()
    spread = comparison.numbers.query("column == 'all holes' and output == 'raw'")
    spread = spread.set_index("method")["between_seeds"]
    shown = f"{spread['unet, half the channels']:.1f} dB for the U-Net, {spread['quick']:.1f} for"
    assert shown in README
    verdicts = against.numbers.set_index("method")
    best = verdicts["best_verdict"]
    assert best["nearest"] == "worse"
    assert best["harmonic"] == best["biharmonic"] == "cannot tell"
    unet = verdicts["reference_verdict"]["unet, half the channels"]
    assert set(unet) == {"cannot tell"}


def test_the_macro_shown_is_one() -> None:
    (name,) = re.findall(r"\\dipresult\{([^.}]+)\}", README)
    folder = ROOT / "reports" / "published" / "quick" / "tables"
    assert f"\\csname dip@{name}\\endcsname{{" in (folder / "numbers.tex").read_text()


@needs("inpainting-11")
def test_the_anchors_shown_are_recomputed_so() -> None:
    published = (ROOT / "reports" / "published" / "anchors" / "anchors.md").read_text()
    assert anchors.to_markdown(anchors.published_psnr()) == published


def test_the_claims_shown_are_measured_so() -> None:
    """Each interval of the table of claims, from the published results; each verdict by it."""
    published = ROOT / "reports" / "published"
    tables = {
        name: pd.read_csv(published / name / "results.csv")
        for name in ("article-reduced", "receptive-field")
    }

    def scores(
        method: str,
        iteration: int = 1500,
        column: str = "psnr_hole",
        suite: str = "article-reduced",
    ) -> "pd.Series[float]":
        rows = tables[suite]
        chosen = rows["method"].eq(method) & rows["iteration"].eq(iteration)
        return rows[chosen & rows["output"].eq("raw")].set_index("image")[column]

    def two_levels(kernel: int) -> "pd.Series[float]":
        return scores(f"unet of two levels[decoder_kernel={kernel}]", suite="receptive-field")

    reach = pd.read_csv(published / "receptive-field" / "tables" / "coverage-per-image.csv")

    def deep(kernel: int, measure: str) -> "pd.Series[float]":
        rows = reach[reach["method"] == f"unet of two levels[decoder_kernel={kernel}]"]
        assert (rows["uncovered"] > 0).all() == (kernel == 3)
        values = rows.set_index("image")[[f"{measure}_beyond", f"{measure}_within"]]
        return values[f"{measure}_beyond"] - values[f"{measure}_within"]

    def vivid(kernel: int) -> "pd.Series[float]":
        rows = reach[reach["method"] == f"unet of two levels[decoder_kernel={kernel}]"]
        return 100 * rows.set_index("image")["vivid_beyond"].dropna()

    unet, mean = scores("unet"), scores("mean", iteration=0)
    losses = scores("unet", 250, "loss") / scores("unet", column="loss")
    differences = {
        "both reach every hole pixel": unet - scores("unet, decoder 3x3"),
        "3x3 leaves more of them out of reach": two_levels(5) - two_levels(3),
        "with 3x3, which does not reach there": deep(3, "psnr"),
        "with 9x9, which reaches all of it": deep(9, "psnr"),
        "the one less the other": deep(3, "psnr") - deep(9, "psnr"),
        "in percent, with 3x3 less with 9x9": vivid(3) - vivid(9),
        "from 250 iterations on": unet - scores("unet", 250),
        "from 500": unet - scores("unet", 500),
        "from 1000": unet - scores("unet", 1000),
        "the known pixels, from 250": 10 * losses.map(math.log10),
        "a third of it every 500 iterations": scores("unet, schedule") - unet,
        "0.01 instead of 0.1": scores("unet, learning rate 0.01") - unet,
        "0.001 instead of 0.1": scores("unet, learning rate 0.001") - unet,
        "LR-ASPP": scores("LR-ASPP, learned input") - mean,
        "paper-unet": scores("paper-unet, learned input") - mean,
        "skip": scores("skip, learned input") - mean,
        "the author's own": unet - mean,
        "one instead of two": scores("unet, batch of 1") - unet,
        "applied": scores("unet, weight decay") - unet,
    }
    (section,) = re.findall(r"## Claims put to the test\n(.*?)\n## ", README, re.S)
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    for words, difference in differences.items():
        assert difference.isna().sum() == (words == "paper-unet")  # on one image it collapsed
        difference = difference.dropna()
        (row,) = [row for row in rows if f"{words}: " in row]
        low, high = stats.t.interval(
            0.95, len(difference) - 1, difference.mean(), stats.sem(difference)
        )
        assert f"{words}: {difference.mean():.2f} [{low:.2f}, {high:.2f}]" in row
        assert row.split("|")[-2].strip().startswith("cannot tell") == (low < 0 < high), row
    assert len(re.findall(r"\[-?\d+\.\d+, -?\d+\.\d+\]", section)) == len(differences)


@pytest.mark.parametrize(("kernel", "width"), [(3, 444), (5, 572)])
def test_the_field_is_as_wide_as_shown(kernel: int, width: int) -> None:
    """That of one known pixel in the middle of a strip; channels make no difference to it."""
    assert "572 pixels wide instead of 444" in README
    options = UNetOptions(channels=(1,) * 6, decoder_kernel=kernel)
    mask = torch.zeros(1, 33, 1000)
    mask[0, 16, 500] = 1
    reached = dip.coverage(dip.build_network(options, 3, 3, (33, 1000)), mask)
    columns = reached[0].any(dim=0).nonzero()
    assert columns.max() - columns.min() + 1 == width


def test_the_stopping_rules_shown_are_measured_so() -> None:
    """Each cell of the table of rules, from the published results."""
    results = pd.read_csv(ROOT / "reports" / "published" / "stopping" / "results.csv")
    kept = {
        "oracle": ("", "raw"),
        "averaged": ("", "averaged"),
        "`es-wmv`": ("", "stop:es-wmv"),
        "`es-emv`": ("", "stop:es-emv"),
        "`held-out`": (", 5 % held out", "stop:held-out"),
    }
    columns = [
        (method, mask)
        for method in ("quick", "unet, half the channels")
        for mask in ("bernoulli[missing=0.5]", "boxes[count=3,side=10]")
    ]
    (section,) = re.findall(r"## When to stop\n(.*?)\n## ", README, re.S)
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("|")][2:]
    assert [cells[0].strip() for cells in rows] == list(kept)
    distinct = []
    for cells, (suffix, output) in zip(rows, kept.values(), strict=True):
        for cell, (method, mask) in zip(cells[1:], columns, strict=True):
            of_mask = results[results["mask"] == mask]
            last = of_mask[(of_mask["method"] == method) & (of_mask["iteration"] == 2000)]
            last = last[last["output"] == "raw"].set_index("image")
            chosen = of_mask[of_mask["method"] == method + suffix]
            chosen = chosen[chosen["output"] == output]
            if not output.startswith("stop:"):
                chosen = chosen[chosen["iteration"] == 2000]
            chosen = chosen.set_index("image")
            column = "oracle_psnr_hole" if cells[0].strip() == "oracle" else "psnr_hole"
            gain = chosen[column] - last["psnr_hole"]
            assert len(gain) == 6
            low, high = stats.t.interval(0.95, 5, gain.mean(), stats.sem(gain))
            shown = f"{gain.mean():.2f} [{low:.2f}, {high:.2f}]".replace("-0.00 [", "0.00 [")
            if output.startswith("stop:"):
                shown += f" at {chosen['iteration'].median():.0f}"
            assert cell.strip() == shown
            if not low < 0 < high:
                distinct.append((cells[0].strip(), method))
    # What the sentence below the table says.
    assert distinct == [
        *[("oracle", "quick")] * 2,
        *[("oracle", "unet, half the channels")] * 2,
        ("averaged", "unet, half the channels"),
    ]


def test_the_speed_shown_is_measured_so() -> None:
    """Each cell of the table of ratios, and the share of the peak, from the published run."""
    published = ROOT / "reports" / "published" / "timing"
    runs = [
        pd.read_csv(published / name / "timing.csv")
        for name in ("intel-xeon-amx", "intel-xeon-amx-512")
    ]
    largest = runs[1][runs[1]["table"] == "fit"]
    timed = pd.concat([runs[0], largest])
    fast = timed[(timed["engine"] == "fast") & timed["ratio"].notna()]
    (section,) = re.findall(r"## Speed\n(.*?)\n## ", README, re.S)
    shown = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ")][2:]
    cases = [
        ("sweep", "lemsky-unet", 128),
        ("sweep", "lemsky-unet-single", 128),
        ("sweep", "dip-random50", 128),
        ("fit", "dip-random50", 512),
    ]
    for (words, *cells), (table, preset, size) in zip(shown, cases, strict=True):
        assert f"`{preset}`" in words
        assert f"{size}x{size}" in words
        rows = fast[(fast["table"] == table) & (fast["preset"] == preset) & (fast["size"] == size)]
        for cell, precision in zip(cells, ("float32", "bfloat16"), strict=True):
            (row,) = rows[rows["precision"] == precision].to_dict("records")
            assert cell.strip() == "{ratio:.2f} [{ratio_low:.2f}, {ratio_high:.2f}]".format(**row)
    (row,) = fast[
        (fast["table"] == "sweep")
        & (fast["preset"] == "dip-random50")
        & (fast["precision"] == "float32")
    ].to_dict("records")
    assert f"does {100 * row['share_of_peak']:.0f} % of what matrix products alone reach" in section


def test_links_and_pictures_exist() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_the_wheel_holds_dip_only(tmp_path: Path) -> None:
    from zipfile import ZipFile

    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("dip_bench-*.whl")
    names = ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"dip", "dip_bench"}
    assert "dip/presets/quick.yaml" in names


def test_the_lock_has_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pinned = re.findall(r"^[a-z].*==.*$", lock, re.M)
    assert len(pinned) > 50
    assert all(line.endswith("\\") for line in pinned)  # a hash follows


@pytest.mark.slow
def test_make_bench_on_quick(tmp_path: Path) -> None:
    """The promise itself, at full length: no empty score, and nothing fitted twice."""
    first = _make("bench", out=tmp_path)
    assert first.returncode == 0, first.stderr
    results = pd.read_csv(tmp_path / "quick" / "results.csv")
    assert len(results) == 8 * (4 * 2 + 2) + 4 * len(FILLS)
    scores = [c for c in results if c.startswith(("psnr", "ssim", "lpips"))]
    assert len(scores) == 9
    if weights.missing() is None:
        assert not results[scores].isna().any(axis=None)
    assert f"{8 + 4 * len(FILLS)} done before, 0 to run" in _make("bench", out=tmp_path).stdout
