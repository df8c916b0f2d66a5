"""The table of what seeds do: within an image, and to all images alike."""

import dataclasses

import pandas as pd
import pytest
from support.synthetic import synthetic

from benchmarks.scoring.results import Results
from benchmarks.scoring.seeds import seed_effects
from reports.tables.exploratory.seeds import seeds
from reports.tables.exploratory.standings import standings
from reports.tables.formats.write import to_markdown
from reports.tables.table import Table

FILLS = {"mean": -5.0}


def _table(results: Results) -> Table:
    table = seeds(results, standings(results)[0])
    assert table is not None
    return table


def _shifted(results: Results, by: dict[int, float]) -> Results:
    """The same, with seeds that shift all images alike."""
    rows = results.rows.copy()
    rows["psnr_hole"] += rows["seed"].map(by) * (rows["method"] == "a")
    return dataclasses.replace(results, rows=rows)


def test_what_a_seed_does_to_all_images_stands_apart() -> None:
    results = _shifted(synthetic(8, {"a": 1.0, "b": 1.0}, FILLS), {0: 0.0, 1: 4.0, 2: -4.0})
    table = _table(results)
    lines = table.numbers.set_index(["method", "output"])
    assert list(lines.index) == [
        (name, output) for name in ("a", "b") for output in ("raw", "averaged")
    ]
    fits = results.final.query("method == 'a' and output == 'raw'")
    expected = seed_effects(fits.set_index(["image", "mask", "seed"])["psnr_hole"])
    line = lines.loc[("a", "raw")]
    assert line["main"] == pytest.approx(expected.main)
    assert (line["by_image"], line["rest"]) == pytest.approx((expected.by_image, expected.rest))
    cells = fits.groupby(["image", "mask"])["psnr_hole"]
    assert line["between_seeds"] == pytest.approx(cells.var().mean() ** 0.5)
    assert line["main"] > 3 > 1 > lines.loc[("b", "raw")]["main"]
    assert "< 0.001" in to_markdown(table)


def test_seeds_of_each_image_have_their_spread_only() -> None:
    results = synthetic(8, {"a": 1.0}, FILLS)
    rows, jobs = (
        frame.assign(seed=frame["seed"] + 10 * frame["image"].str[-3:].astype(int))
        for frame in (results.rows, results.jobs)
    )
    own = dataclasses.replace(results, rows=rows, jobs=jobs)
    line = _table(own).numbers.iloc[0]
    assert line["between_seeds"] == pytest.approx(_table(results).numbers["between_seeds"][0])
    assert line[["main", "by_image", "rest", "p"]].isna().all()
    assert "| - | - | - | - |" in to_markdown(_table(own))


def test_one_seed_says_nothing_of_seeds() -> None:
    results = synthetic(8, {"a": 1.0}, FILLS, seeds=1)
    assert seeds(results, standings(results)[0]) is None


def test_a_method_without_results_is_left_out() -> None:
    results = synthetic(8, {"a": 1.0, "b": 1.0}, FILLS)
    lost = dataclasses.replace(results, rows=results.rows[results.rows["method"] != "a"])
    assert pd.unique(_table(lost).numbers["method"]).tolist() == ["b"]
