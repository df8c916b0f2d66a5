"""README and docs show the numbers of the published results, and say of them what is so."""

import math
import re

import pandas as pd
import pytest
import torch
from scipy import stats
from support.commands import ROOT
from support.documentation import TEXT, section
from support.needs import needs
from support.tables import comparisons, pairs, tables

import dip
from benchmarks.jobs.suite import load_suite
from benchmarks.scoring import validate
from benchmarks.scoring.results import load_results
from dip.fills import FILLS
from dip.options.networks.unet import UNetOptions
from reports.tables.formats.latex import to_latex
from reports.tables.formats.write import to_markdown


@pytest.mark.parametrize(
    "name",
    [
        "quick",
        "training",
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
    made = tables(load_results(folder))
    for own in made:
        assert to_markdown(own) == (folder / "tables" / f"{own.name}.md").read_text()
        assert to_latex(own) == (folder / "tables" / f"{own.name}.tex").read_text()
    table = pd.read_csv(folder / "tables" / "comparison-psnr.csv")
    suite = load_suite(name)
    published = list(table["method"].unique())
    methods = [label for entry in suite.methods for label, _ in entry.expand()]
    # Fills that were added after the report was published may be missing from it.
    assert published == [name for name in methods if name in published or name not in FILLS]
    holes = [mask.label for mask in suite.masks]
    assert list(table["column"].unique()) == holes + ["all holes"] * (len(holes) > 1)


def test_the_table_shown_is_the_published_one() -> None:
    shown = re.findall(r"<!-- published: (\S+) -->\n(.*?)<!-- end -->", TEXT, re.S)
    assert {path for path, _ in shown} == {
        "quick/tables/comparison-psnr.md",
        "standard-reduced/tables/comparison-psnr.md",
        "standard-reduced/tables/paired-psnr.md",
        "anchors/anchors.md",
    }
    for path, table in shown:
        assert table == (ROOT / "reports" / "published" / path).read_text(encoding="utf-8")


def test_the_comparison_shown_is_that_of_its_results() -> None:
    """What the text says of the tables of the section, from the published rows."""
    folder = ROOT / "reports" / "published" / "standard-reduced"
    results = load_results(folder)
    by_hole, against = comparisons(results)[0], pairs(results)[0]
    spread = by_hole.numbers.query("column == 'all holes' and output == 'raw'")
    spread = spread.set_index("method")["between_seeds"]
    shown = f"{spread['unet, half the channels']:.1f} dB for the U-Net, {spread['quick']:.1f} for"
    assert shown in TEXT
    verdicts = against.numbers.set_index("method")
    best = verdicts["best_verdict"]
    assert best["nearest"] == "worse"
    assert best["harmonic"] == best["biharmonic"] == "cannot tell"
    unet = verdicts["reference_verdict"]["unet, half the channels"]
    assert set(unet) == {"cannot tell"}


def test_the_macro_shown_is_one() -> None:
    (name,) = re.findall(r"\\dipresult\{([^.}]+)\}", TEXT)
    folder = ROOT / "reports" / "published" / "quick" / "tables"
    assert f"\\csname dip@{name}\\endcsname{{" in (folder / "numbers.tex").read_text()


@needs("inpainting-11")
def test_the_anchors_shown_are_recomputed_so() -> None:
    published = (ROOT / "reports" / "published" / "anchors" / "anchors.md").read_text()
    assert validate.to_markdown(validate.published_psnr()) == published


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
    shown_below = section("Claims put to the test")
    rows = [line for line in shown_below.splitlines() if line.startswith("|")][2:]
    for words, difference in differences.items():
        assert difference.isna().sum() == (words == "paper-unet")  # on one image it collapsed
        difference = difference.dropna()
        (row,) = [row for row in rows if f"{words}: " in row]
        low, high = stats.t.interval(
            0.95, len(difference) - 1, difference.mean(), stats.sem(difference)
        )
        assert f"{words}: {difference.mean():.2f} [{low:.2f}, {high:.2f}]" in row
        assert row.split("|")[-2].strip().startswith("cannot tell") == (low < 0 < high), row
    assert len(re.findall(r"\[-?\d+\.\d+, -?\d+\.\d+\]", shown_below)) == len(differences)


@pytest.mark.parametrize(("kernel", "width"), [(3, 444), (5, 572)])
def test_the_field_is_as_wide_as_shown(kernel: int, width: int) -> None:
    """That of one known pixel in the middle of a strip; channels make no difference to it."""
    assert "572 pixels wide instead of 444" in TEXT
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
    shown_below = section("When to stop")
    rows = [line.split("|")[1:-1] for line in shown_below.splitlines() if line.startswith("|")][2:]
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
    shown_below = section("Speed")
    shown = [line.split("|")[1:-1] for line in shown_below.splitlines() if line.startswith("| ")][
        2:
    ]
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
    assert (
        f"does {100 * row['share_of_peak']:.0f} % of what matrix products alone reach"
        in shown_below
    )
