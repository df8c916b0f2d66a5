"""Holes that a method fills exactly: their PSNR is infinite, and no mean has them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from support.synthetic import filled_exactly, synthetic
from support.tables import comparisons, image_means, pairs, tables

from benchmarks.scoring.results import Results
from reports.tables import stopping
from reports.tables.exploratory import comparison
from reports.tables.formats.write import to_markdown
from reports.tables.scores import entries

FILLS = {"mean": -5.0, "biharmonic": 1.0}


@pytest.fixture
def results() -> Results:
    return synthetic(8, {"a": 1.5, "b": 0.5}, FILLS)


@pytest.mark.parametrize("method", ["mean", "biharmonic", "a"])
def test_an_exact_image_is_left_out_for_all_and_counted(results: Results, method: str) -> None:
    """Means, orders, tests and ranks are those of the other images alone."""
    images = ("image-002", "image-005")
    exact = filled_exactly(results, method, *images)
    is_other = ~results.rows["image"].isin(images), ~results.jobs["image"].isin(images)
    rows, jobs = (
        frame[kept] for frame, kept in zip((results.rows, results.jobs), is_other, strict=True)
    )
    others = dataclasses.replace(results, rows=rows, jobs=jobs)
    counts = ["n", "N", "exact"]
    for make in (comparisons, pairs):
        found, expected = (make(each)[0].numbers.drop(columns=counts) for each in (exact, others))
        pd.testing.assert_frame_equal(found, expected)
    (grid, *_), (paired, *_) = comparisons(exact), pairs(exact)
    lines = grid.numbers.query("method == @method and column == 'all holes'")
    seeds = 3 if method == "a" else 1
    assert lines[counts].to_numpy().tolist()[0] == [12 * seeds, 16 * seeds, 4 * seeds]
    assert f"({12 * seeds}/{16 * seeds}, {4 * seeds} exact)" in to_markdown(grid)
    assert "(6/8" in to_markdown(paired)
    for table in (grid, paired):
        assert "left out of the means, ranks and tests of all" in table.about
        assert "inf" not in to_markdown(table)


def test_a_hole_that_is_exact_in_one_image_leaves_its_others(results: Results) -> None:
    rows = results.rows.copy()
    is_there = (rows["image"] == "image-002") & (rows["mask"] == "hole-0")
    rows.loc[is_there & (rows["method"] == "mean"), "psnr_hole"] = np.inf
    (grid, *_) = comparisons(dataclasses.replace(results, rows=rows))
    images = grid.numbers.groupby("column")["images"].unique().map(list)
    assert images.to_dict() == {"hole-0": [7], "hole-1": [8], "all holes": [8]}
    means = grid.numbers.set_index(["method", "output", "column"])["mean"]
    fewer = dataclasses.replace(results, rows=results.rows[~is_there])
    for method in ("mean", "biharmonic"):
        own = image_means(fewer, method).mean()
        assert means[method, "raw", "all holes"] == pytest.approx(own)


def test_where_all_is_exact_nothing_is_the_best(results: Results) -> None:
    """The others have their own means, and nothing is compared."""
    exact = filled_exactly(results, "mean")
    (grid, *_), (paired, *_) = comparisons(exact), pairs(exact)
    assert grid.numbers["place"].isna().all()
    by_method = grid.numbers.set_index(["method", "output", "column"])
    assert by_method["mean"]["biharmonic", "raw", "all holes"] == pytest.approx(
        image_means(results, "biharmonic").mean()
    )
    assert np.isnan(by_method["mean"]["mean", "raw", "all holes"])
    assert "- (0/16, 16 exact)" in to_markdown(grid)
    assert paired.numbers["best_p"].isna().all()
    assert "**" not in to_markdown(grid)


def test_an_image_that_is_exact_has_no_best_of_its_own(results: Results) -> None:
    exact = filled_exactly(results, "mean", "image-002")
    found = comparison.per_image(exact, entries(exact), "all holes").numbers
    assert found[found["column"] == "image-002"]["place"].isna().all()
    own = found.set_index(["method", "output", "column"])["mean"]
    assert own["biharmonic", "raw", "image-002"] == pytest.approx(
        image_means(results, "biharmonic")["image-002"]
    )
    assert found[found["column"] == "image-003"]["place"].notna().all()


def test_no_table_of_a_report_has_an_infinite_number(results: Results) -> None:
    for method in ("mean", "a"):
        for images in (("image-002",), ()):
            for table in tables(filled_exactly(results, method, *images)):
                numbers = table.numbers.select_dtypes("number").to_numpy(float)
                assert not np.isinf(numbers).any(), table.name
                assert "inf" not in to_markdown(table)


def test_an_exact_oracle_leaves_its_image_out_of_all_columns_and_is_counted(
    results: Results,
) -> None:
    rows = results.rows.copy()
    is_exact = (rows["method"] == "a") & (rows["image"] == "image-002")
    rows.loc[is_exact, "oracle_psnr_hole"] = np.inf
    found = stopping.stopping(dataclasses.replace(results, rows=rows))
    expected = stopping.stopping(filled_exactly(results, "a", "image-002"))
    assert found is not None
    assert expected is not None
    pd.testing.assert_frame_equal(found.numbers, expected.numbers)
    assert "24 of 24, 3 exact" in to_markdown(found)
    assert "jobs whose oracle has none" in found.about
