"""README and docs show the numbers of the published results, and say of them what is so."""

import re

import pandas as pd
import pytest
import torch
from scipy import stats
from support import averages
from support.commands import ROOT
from support.documentation import TEXT, section
from support.needs import needs
from support.tables import comparisons, tables

import dip
from benchmarks.jobs.suite import load_suite
from benchmarks.scoring import validate
from benchmarks.scoring.intervals import simultaneous
from benchmarks.scoring.results import load_results
from benchmarks.store.asked import Asked
from dip.fills import FILLS
from dip.options.networks.unet import UNetOptions
from reports.findings import findings
from reports.tables.formats.latex import to_latex
from reports.tables.formats.numbers import to_macros
from reports.tables.formats.write import to_markdown
from reports.tables.question import judged

PUBLISHED = ROOT / "reports" / "published"
INCONCLUSIVE = "inconclusive"
OF_OLD = (
    "Outdated: made with the suite that stands beside this page as suite.yaml, when the average of"
    " outputs still held the untrained network"
)
SHRUNK = (
    f"{OF_OLD}, every picture was shrunk to 48 pixels, and all images shared their seeds. The suite"
    " of this name has changed since."
)
OUTDATED = dict.fromkeys(("training", "architectures"), f"{OF_OLD}.") | dict.fromkeys(
    ("standard-reduced", "article-reduced", "receptive-field", "stopping"), SHRUNK
)


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
    results = load_results(folder)
    for own in tables(results):
        assert to_markdown(own) == (folder / "tables" / f"{own.name}.md").read_text()
        assert to_latex(own) == (folder / "tables" / f"{own.name}.tex").read_text()
    table = pd.read_csv(folder / "tables" / "comparison-psnr.csv")
    kept = folder / "suite.yaml"  # of outdated results, whose suite has changed since
    suite = load_suite(str(kept) if kept.exists() else name)
    assert results.about["notices"][:1] == ([OUTDATED[name]] if kept.exists() else [])
    published = list(table["method"].unique())
    methods = [label for entry in suite.methods for label, _ in entry.expand()]
    # Fills that were added after the report was published may be missing from it.
    assert published == [name for name in methods if name in published or name not in FILLS]
    holes = [mask.label for mask in suite.masks]
    assert list(table["column"].unique()) == holes + ["all holes"] * (len(holes) > 1)


def test_the_table_shown_is_the_published_one() -> None:
    shown = re.findall(r"<!-- published: (\S+) -->\n(.*?)<!-- end -->", TEXT, re.S)
    assert {path for path, _ in shown} == {
        "quick/tables/leaderboard.md",
        "standard-reduced/tables/comparison-psnr.md",
        "anchors/anchors.md",
        "fills-11/tables/leaderboard.md",
        "fills-11/tables/regions.md",
        "development/tables/leaderboard.md",
        "development/tables/comparison-psnr.md",
    }
    for path, table in shown:
        assert table == (ROOT / "reports" / "published" / path).read_text(encoding="utf-8")


def test_the_findings_shown_are_the_published_ones() -> None:
    ((name, shown),) = re.findall(r"<!-- findings: (\S+) -->\n(.*?)<!-- end -->", TEXT, re.S)
    results = load_results(PUBLISHED / name)
    board, answer, *_ = tables(results)
    assert shown == "".join(f"- {text}\n" for text in findings(results, board, answer))
    assert shown in (PUBLISHED / name / "summary.md").read_text(encoding="utf-8")


def test_the_portraits_have_the_scores_that_are_told() -> None:
    results = load_results(PUBLISHED / "portraits")
    (board, *_) = tables(results)
    text = (PUBLISHED / "portraits" / "tables" / "leaderboard.md").read_text(encoding="utf-8")
    assert to_markdown(board) == text
    psnr = board.numbers.set_index("method")["psnr"]
    assert f"`quick` has {psnr['quick']:.2f} dB in the hole and the biharmonic fill" in TEXT
    assert f"\n{psnr['biharmonic']:.2f} dB: the fill is ahead by" in TEXT
    (by_image,) = (table for table in tables(results) if table.name == "per-image")
    own = by_image.numbers.query("output != 'raw' or method == 'biharmonic'")
    own = own.pivot_table(index="column", columns="method", values="mean")
    less = own["biharmonic"] - own["quick"]
    cat, astronaut = less["chelsea"], -less["astronaut"]
    ahead = f"{cat:.2f} dB on the cat, the network by {astronaut:.2f} dB on the astronaut"
    assert ahead in TEXT


def test_the_verdicts_shown_are_those_of_their_results() -> None:
    """Of the suites' questions, put to the published results."""
    standard, article, field = (
        load_results(PUBLISHED / name)
        for name in ("standard-reduced", "article-reduced", "receptive-field")
    )
    networks = [name for name in standard.jobs["method"].unique() if name in standard.networks]
    answers = {
        "standard-reduced": judged(
            standard,
            Asked(
                score="psnr_hole",
                outputs={**dict.fromkeys(networks, "averaged"), "biharmonic": "raw"},
                reference="biharmonic",
                planned=tuple((name, "biharmonic") for name in networks),
                holes="mean",
                margin=0.3,
            ),
        ),
        "article-reduced": judged(article, _asked("article-reduced")),
        "receptive-field": judged(field, _asked("receptive-field")),
    }
    shown = re.findall(r"<!-- judged: (\S+) -->\n(.*?)<!-- end -->", TEXT, re.S)
    assert dict(shown) == {name: to_markdown(answer) for name, answer in answers.items()}
    verdicts = {name: answer.numbers["verdict"].dropna() for name, answer in answers.items()}
    assert set(verdicts["standard-reduced"]) == set(verdicts["article-reduced"]) == {INCONCLUSIVE}
    assert list(verdicts["receptive-field"]) == ["better", INCONCLUSIVE]
    by_hole = comparisons(standard)[0].numbers.query("column == 'all holes' and output == 'raw'")
    spread = by_hole.set_index("method")["between_seeds"]
    between = f"{spread['unet, half the channels']:.1f} dB for the U-Net, {spread['quick']:.1f} for"
    assert between in TEXT


def _asked(suite: str) -> Asked:
    asked = load_suite(suite).asked
    assert asked is not None
    return asked


def test_a_method_that_is_far_worse_on_every_image_is_called_worse() -> None:
    """Nine decibels on average, on six of six images: asked alone, as one planned comparison."""
    results = load_results(PUBLISHED / "article-reduced")
    method = "unet, learning rate 0.001"
    asked = Asked(
        score="psnr_hole",
        outputs={"unet": "raw", method: "raw"},
        reference="unet",
        planned=((method, "unet"),),
        holes="mean",
        margin=0.3,
    )
    (row,) = judged(results, asked).numbers.to_dict("records")
    assert row["verdict"] == "worse"
    assert f"{row['difference']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" in TEXT


def test_the_depths_of_the_hole_shown_are_measured_so() -> None:
    reach = pd.read_csv(PUBLISHED / "receptive-field" / "tables" / "coverage-per-image.csv")
    differences = []
    for kernel in (3, 9):
        rows = reach[reach["method"] == f"unet of two levels[decoder_kernel={kernel}]"]
        assert (rows["uncovered"] > 0).all() == (kernel == 3)
        differences.append((rows["psnr_beyond"] - rows["psnr_within"]).to_numpy())
    for kernel, interval in zip((3, 9), simultaneous(differences), strict=True):
        shown = f"{interval.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}] with {kernel}x"
        assert shown in TEXT


def test_the_macros_shown_are_numbers() -> None:
    names = re.findall(r"\\dip\{([^}]+)\}", TEXT)
    assert len(names) == 4
    results = load_results(PUBLISHED / "quick")
    macros = to_macros(results, {table.name: table for table in tables(results)})
    for name in names:
        assert f"\\csname dip@{name}\\endcsname{{" in macros


@needs("inpainting-11")
def test_the_anchors_shown_are_recomputed_so() -> None:
    published = (ROOT / "reports" / "published" / "anchors" / "anchors.md").read_text()
    assert validate.to_markdown(validate.published_psnr()) == published


def test_the_averages_shown_are_measured_so() -> None:
    measured = pd.read_csv(PUBLISHED / "averages" / "averages.csv")
    fits = measured.groupby(["method", "image", "mask"]).ngroups
    assert f"means of [{fits} fits]" in TEXT
    means = measured.pivot_table(index="iteration", columns="average", values="psnr_hole")
    means = means[list(averages.WEIGHTS)]
    for iteration, row in means.iterrows():
        assert f"| {iteration} | {' | '.join(f'{mean:.2f}' for mean in row)} |" in TEXT
    assert (means["decay that grows"] >= means.max(axis=1) - 0.011).all()


def test_the_averages_are_what_they_are_called() -> None:
    follow = averages.Averages()
    outputs = torch.rand(30, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    for iteration, output in enumerate(outputs, 1):
        follow(iteration, output, output)
    powers = 0.99 ** torch.arange(29, -1, -1.0)
    corrected = (powers[:, None, None, None] * outputs).sum(0) / powers.sum()
    torch.testing.assert_close(follow.values["bias-corrected"], corrected)
    powers[1:] *= 0.01
    plain = (powers[:, None, None, None] * outputs).sum(0)
    torch.testing.assert_close(follow.values["decay 0.99"], plain)
    assert torch.equal(follow.values["raw"], outputs[-1])


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
