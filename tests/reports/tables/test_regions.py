"""PSNR by region: means by hand, the best first, and no mean of a part of the jobs."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.synthetic import filled_exactly, synthetic
from support.tables import tables

from benchmarks.scoring.results import Results
from benchmarks.scoring.statistics import mean_interval
from reports.tables.exploratory.regions import HEADINGS, regions
from reports.tables.formats.write import to_markdown
from reports.tables.table import Table, Value

FILLS = {"mean": -5.0, "biharmonic": 1.0}


@pytest.fixture
def results() -> Results:
    """With other orders in the three regions: the network is last in the one it has drawn over."""
    made = synthetic(8, {"a": 1.5}, FILLS)
    draw = np.random.default_rng(1)
    rows = made.rows.assign(
        psnr_composited=lambda rows: rows["psnr_hole"] + 3 + draw.normal(0, 0.1, len(rows)),
        psnr_full=lambda rows: rows["psnr_hole"] + np.where(rows["method"] == "a", -9, 3),
    )
    return replace(made, rows=rows)


def _table(results: Results) -> Table:
    (table,) = (table for table in tables(results) if table.name == "regions")
    return table


def _by_hand(results: Results, method: str, output: str, region: str) -> "pd.Series[float]":
    """Of each image: seeds within a hole first, then holes."""
    rows = results.rows[(results.rows["method"] == method) & (results.rows["output"] == output)]
    last = rows[rows["iteration"] == rows["iteration"].max()]
    holes = last.groupby(["image", "mask"])[f"psnr_{region}"].mean()
    return holes.groupby(level="image").mean()


def test_means_are_those_by_hand(results: Results) -> None:
    numbers = _table(results).numbers
    assert {(row["method"], row["output"]) for row in numbers.to_dict("records")} == {
        *(("mean", "raw"), ("biharmonic", "raw"), ("a", "raw"), ("a", "averaged")),
        *(entry for entry in [("a", "stop:es-wmv")] if "stop:es-wmv" in set(numbers["output"])),
    }
    for row in numbers.to_dict("records"):
        if row["output"].startswith("stop:"):
            continue
        for region in HEADINGS:
            images = _by_hand(results, row["method"], row["output"], region)
            mean, half = mean_interval(images.to_numpy()[None])
            assert row[f"{region}_mean"] == pytest.approx(images.mean())
            assert row[f"{region}_mean"] == pytest.approx(float(np.squeeze(mean)))
            assert row[f"{region}_half_width"] == pytest.approx(float(np.squeeze(half)))
            assert row[f"{region}_n"] == row["N"] == (8 * 2 if row["method"] != "a" else 8 * 2 * 3)


def test_the_best_in_the_hole_comes_first(results: Results) -> None:
    table = _table(results)
    means = list(table.numbers["hole_mean"])
    assert means == sorted(means, reverse=True)
    assert list(table.numbers["method"])[-1] == "mean"
    (panel,) = table.panels
    assert list(panel["method"]) == list(table.numbers["method"])
    for region, heading in HEADINGS.items():
        cells: list[Value] = list(panel[heading])
        ours = table.numbers[f"{region}_mean"]
        np.testing.assert_array_equal([cell.number for cell in cells], ours)
        best, second = ours.sort_values(ascending=False).index[:2]
        assert [index for index, cell in enumerate(cells) if cell.place == 1] == [best]
        assert [index for index, cell in enumerate(cells) if cell.place == 2] == [second]
    # What a network does to known pixels shows in one region only.
    assert table.numbers["full_mean"].idxmax() != table.numbers["hole_mean"].idxmax()


def test_a_method_with_missing_jobs_has_no_mean_and_no_place(results: Results) -> None:
    rows = results.rows
    lost = (rows["method"] == "biharmonic") & (rows["image"] == "image-003")
    lacking = replace(results, rows=rows[~lost])
    table = _table(lacking)
    (panel,) = table.panels
    row = panel[panel["method"] == "biharmonic"].iloc[0]
    for heading in HEADINGS.values():
        assert math.isnan(row[heading].number)
        assert row[heading].of == (14, 16)
        assert row[heading].place == 0
    assert "| - (14/16) |" in to_markdown(table)
    numbers = table.numbers.set_index("method")
    assert numbers.loc["biharmonic", [f"{region}_mean" for region in HEADINGS]].isna().all()
    assert list(table.numbers["method"])[-1] == "biharmonic"  # behind those that are ranked
    whole = panel[panel["method"] != "biharmonic"]
    assert all(cell.of in ((16, 16), (48, 48)) for cell in whole["hole"])


def test_a_region_without_any_score_is_empty() -> None:
    """As of results that were scored in the hole alone."""
    made = synthetic(8, {}, FILLS)
    table = _table(made)
    assert table.numbers["composited_mean"].isna().all()
    assert table.numbers["hole_mean"].notna().all()


def test_what_is_filled_exactly_is_left_out_of_means_and_said(results: Results) -> None:
    exact = filled_exactly(results, "mean", "image-000")
    table = _table(exact)
    assert "exact: jobs without any error" in table.about
    assert "(14/16, 2 exact)" in to_markdown(table)
    ours = table.numbers.set_index(["method", "output"])["hole_mean"]
    by_hand = _by_hand(results, "biharmonic", "raw", "hole").drop("image-000").mean()
    assert ours["biharmonic", "raw"] == pytest.approx(by_hand)


def test_the_regions_are_named_and_their_order_stays(results: Results) -> None:
    table = regions(results, [("mean", "raw"), ("a", "raw")])
    assert list(table.panels[0].columns) == [
        *("method", "output", "hole", "composited", "uncomposited")
    ]
    assert [row["method"] for row in table.numbers.to_dict("records")] == ["a", "mean"]
    assert table.title == "PSNR (dB) ↑ by region, after 200 iterations"
    for words in ("missing pixels only", "known pixels put back", "as the output came"):
        assert words in table.about
