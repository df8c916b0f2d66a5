"""The page on fills says of the published results what they show."""

import json
import re

import pandas as pd
import pytest
from support.commands import ROOT
from support.tables import tables

from benchmarks.scoring.results import Results, load_results
from benchmarks.timing import fills
from dip.fills import FILLS

PUBLISHED = ROOT / "reports" / "published"
PAGE = (ROOT / "docs" / "fills.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())


@pytest.fixture(scope="module")
def eleven() -> Results:
    return load_results(PUBLISHED / "fills-11")


def _hole(results: Results, column: str = "psnr_hole") -> pd.DataFrame:
    """Images by methods."""
    return results.rows.pivot_table(index="image", columns="method", values=column)


def test_every_fill_is_on_the_page_with_its_picture() -> None:
    for name in FILLS:
        assert f"(../reports/published/fills/{name}.webp)" in PAGE
        assert (PUBLISHED / "fills" / f"{name}.webp").is_file()
        assert re.search(rf"^\| [^|]*`{name}`[^|]* \| [^|]+ \| [^|]+ \|$", PAGE, re.M)


def test_every_fill_was_run_on_the_papers_images(eleven: Results) -> None:
    assert {*eleven.rows["method"]} == {*FILLS, "DIP", "Papyan et al."}
    assert eleven.pictures == {"DIP", "Papyan et al."}
    assert (eleven.rows.groupby("method").size() == 11).all()


def test_what_the_page_says_of_the_papers_images(eleven: Results) -> None:
    hole = _hole(eleven)
    behind = hole["DIP"] - hole["patch-gaussian"]
    assert [*behind.index[behind > 0]] == ["montage"]
    assert f"it is {behind['montage']:.1f} dB behind" in WORDS
    mean = {name: (hole[name] - hole["DIP"]).mean() for name in ("patch-gaussian", "fsr")}
    assert f"inconclusive ({mean['patch-gaussian']:+.2f} dB)" in WORDS
    assert f"`fsr` ({mean['fsr']:+.2f} dB), which is ahead on five images" in WORDS
    assert (hole["fsr"] > hole["DIP"]).sum() == 5


def test_what_the_page_says_of_composited_scores(eleven: Results) -> None:
    composited = _hole(eleven, "psnr_composited")
    means = composited.mean()
    said = f"Composited, `patch-gaussian` has {means['patch-gaussian']:.2f} dB"
    assert f"{said} and DIP {means['DIP']:.2f}" in WORDS
    ten = composited.drop("montage").mean()
    assert (
        f"`patch-gaussian` has {ten['patch-gaussian']:.2f} dB composited, DIP's pictures"
        f" {ten['DIP']:.2f} and `fsr` {ten['fsr']:.2f}"
    ) in WORDS
    assert f"(here {_hole(eleven, 'psnr_full').mean()['DIP']:.2f}, because" in WORDS


def test_what_fills_cost_is_what_was_measured() -> None:
    folder = PUBLISHED / "timing-fills" / "amd-epyc"
    table = pd.read_csv(folder / fills.TABLE)
    described = json.loads((folder / fills.ENVIRONMENT).read_text(encoding="utf-8"))
    assert fills.page_of(table, described) == (folder / fills.PAGE).read_text(encoding="utf-8")
    assert {*table["size"]} == {*fills.SIZES}
    assert {*table["hole"]} == {*fills.HOLES}
    assert (table["outcome"] == "done").all()
    cases = table.set_index(["fill", "size", "hole"]).sort_index()
    told = [
        f"`{name}` {'took ' if name == 'biharmonic' else ''}{case['seconds']:.0f} s and"
        f" {case['peak_memory_mib'] / 1024:.1f} GiB"
        for name in ("biharmonic", "plug-and-play", "exemplar", "fsr")
        for case in [cases.loc[name, 1024, "90 %"]]
    ]
    assert f"90 % missing, {', '.join(told)}." in WORDS
    seconds = cases.loc["fsr", 1024]["seconds"]
    assert (
        f"5 % of scattered pixels cost {seconds['5 %']:.0f} s, 50 % {seconds['50 %']:.0f} s, a box"
        f" of a quarter of the image {seconds['box']:.0f} s"
    ) in WORDS


def test_what_the_page_says_of_the_development_crops() -> None:
    results = load_results(PUBLISHED / "development")
    answer = next(table for table in tables(results) if table.name == "question").numbers
    judged = answer.set_index(["method", "hole"])
    for hole in ("half missing", "medium strokes"):
        row = judged.loc["patch-gaussian", hole]
        assert row["verdict"] == "better"
        shown = f"{row['difference']:+.2f} dB [{row['low']:.2f}, {row['high']:.2f}]"
        assert shown in WORDS
        assert judged.loc["exemplar", hole]["verdict"] == "worse"
    assert {*judged.loc["quick"]["verdict"]} == {"inconclusive"}
    assert {*answer[answer["hole"] == "large box"]["verdict"]} == {"inconclusive"}
    board = next(table for table in tables(results) if table.name == "leaderboard").numbers
    lowest = board[board["complete"]].nsmallest(2, "lpips")["method"]
    assert {*lowest} == {"quick", "exemplar"}
    best = board.set_index("method").loc["fsr-best", "difference"]
    assert f"is {-best:.1f} dB worse" in WORDS
