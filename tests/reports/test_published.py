"""README and docs show the numbers of the published results, and say of them what is so."""

import re
import warnings
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest
import torch
from scipy import stats
from support import averages
from support.commands import ROOT
from support.documentation import PAGES, TEXT, section
from support.needs import needs
from support.tables import tables

import dip
from benchmarks.jobs.suite import load_suite
from benchmarks.scoring import validate
from benchmarks.scoring.intervals import simultaneous
from benchmarks.scoring.results import Results, load_results
from benchmarks.store.asked import Asked
from benchmarks.store.layout import PACK
from dip.fills import FILLS
from dip.options.networks.unet import UNetOptions
from reports.publishing.catalogue import load_catalogue
from reports.publishing.pages import BLOCK, filled
from reports.publishing.state import (
    CURRENT,
    PARTIAL,
    PRESENT,
    STALE,
    UNKNOWN,
    state_of,
)
from reports.tables.formats.numbers import to_macros
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
OUTDATED = dict.fromkeys(("article-reduced", "stopping"), SHRUNK)


CATALOGUE = load_catalogue(PUBLISHED)
SUITES = [name for name, entry in CATALOGUE.items() if (PUBLISHED / name / PACK).exists()]


@pytest.mark.parametrize("name", SUITES)
def test_published_results_can_be_read(name: str) -> None:
    """Those that are outdated say so, with the suite that they were made with beside them."""
    folder = PUBLISHED / name
    results = load_results(folder)
    kept = folder / "suite.yaml"
    assert results.about["notices"][:1] == ([OUTDATED[name]] if kept.exists() else [])
    suite = load_suite(str(kept) if kept.exists() else str(CATALOGUE[name].suite))
    methods = [label for entry in suite.methods for label, _ in entry.expand()]
    published = list(results.jobs["method"].unique())
    # Fills that were added after the results were made may be missing from them.
    assert published == [name for name in methods if name in published or name not in FILLS]
    assert list(results.jobs["mask"].unique()) == [mask.label for mask in suite.masks]


def test_published_results_have_no_pictures_that_licences_forbid() -> None:
    for name, entry in CATALOGUE.items():
        if entry.suite is None or load_suite(entry.suite).dataset == "scikit-image":
            continue
        assert not (entry.figures or entry.pictures), name
        for path in (PUBLISHED / name).rglob("*"):
            assert path.suffix in (".zip", ".md"), path
            if path.suffix == ".zip":
                with ZipFile(path) as archive:
                    assert not any(member.endswith(".png") for member in archive.namelist())


def test_published_results_are_small() -> None:
    sizes = [path.stat().st_size for path in PUBLISHED.rglob("*") if path.is_file()]
    assert sum(sizes) < 8 * 2**20


def test_every_published_file_is_of_a_result_that_is_listed() -> None:
    of_suites = {name for name, entry in CATALOGUE.items() if entry.suite is not None}
    of_commands = {
        path for entry in CATALOGUE.values() for pattern in entry.files
        for path in PUBLISHED.glob(pattern)
    }  # fmt: skip
    for path in PUBLISHED.iterdir():
        is_listed = path.name in of_suites or path in of_commands
        is_listed |= any(path in file.parents for file in of_commands)
        assert is_listed or path.name == "published.yaml", path


def test_the_evidence_is_shown_where_the_list_says() -> None:
    """On each page there is a block of the result, or a link to it, if it is made."""
    for name, entry in CATALOGUE.items():
        for page in entry.evidence:
            text = (ROOT / page).read_text(encoding="utf-8")
            is_shown = re.search(rf"published/{name}\b|<!-- \w+: {name}[ /]", text)
            is_made = name in SUITES or any(any(PUBLISHED.glob(each)) for each in entry.files)
            assert is_shown or not is_made, (name, page)


def test_what_is_stale_is_reported() -> None:
    """Reported only: what a page shows of it is held to the results as they are."""
    for name, entry in CATALOGUE.items():
        state = state_of(name, entry, PUBLISHED)
        if state.word not in (CURRENT, PRESENT):
            warnings.warn(f"{name}: {state.word} {state.detail}", stacklevel=1)
        assert state.detail or state.word not in (STALE, PARTIAL, UNKNOWN)  # which say why


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_show_what_published_results_say(page: Path) -> None:
    """`dip-bench published --docs` writes the blocks."""
    text = page.read_text(encoding="utf-8")
    assert filled(text, PUBLISHED) == text


def test_there_are_blocks() -> None:
    assert len(BLOCK.findall(TEXT)) >= 8
    assert TEXT.count("\n<!-- end -->") == len(BLOCK.findall(TEXT))


def test_the_portraits_have_the_scores_that_are_told() -> None:
    results = load_results(PUBLISHED / "portraits")
    (board, *_) = tables(results)
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
    article, field = (
        load_results(PUBLISHED / name) for name in ("article-reduced", "receptive-field")
    )
    assert {*judged(article, _asked("article-reduced")).numbers["verdict"].dropna()} == {
        INCONCLUSIVE
    }
    of_field = _answer(field)
    assert list(of_field["verdict"]) == [INCONCLUSIVE] * 2
    first = of_field.iloc[0]
    assert f"5x5 is {first['difference']:.1f} dB ahead on average" in TEXT
    assert -0.3 < first["low"] < 0  # the interval just holds 0
    board = next(table for table in tables(field) if table.name == "leaderboard").numbers
    psnr = board.set_index("method")["psnr"]
    is_network = psnr.index.str.startswith("unet of two levels")
    assert psnr[is_network].max() < psnr[~is_network].min() - 3


def test_what_is_said_of_networks_and_the_biharmonic_fill() -> None:
    results = load_results(PUBLISHED / "standard-reduced")
    answer = _answer(results)
    (worse,) = answer[answer["verdict"] != INCONCLUSIVE].to_dict("records")
    assert (worse["method"], worse["verdict"]) == ("unet, half the channels", "worse")
    assert worse["hole"] == "bernoulli[missing=0.5]"
    open_ones = answer[answer["verdict"] == INCONCLUSIVE]
    in_boxes = open_ones[open_ones["hole"].str.startswith("boxes")].set_index("method")
    ahead = f"where `quick` is {in_boxes.loc['quick', 'difference']:.1f} dB ahead on average"
    assert ahead in TEXT
    least, most = open_ones["detectable"].min(), open_ones["detectable"].max()
    assert f"here those of {least:.1f} to {most:.1f} dB" in TEXT


def _answer(results: Results) -> pd.DataFrame:
    return next(table for table in tables(results) if table.name == "question").numbers


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
    reach = pd.read_csv(PUBLISHED / "receptive-field" / "coverage-per-image.csv")
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
    results = load_results(PUBLISHED / "stopping").rows
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
