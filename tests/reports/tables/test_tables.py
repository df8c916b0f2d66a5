"""Tables for a paper: every number by hand from results whose effects are known."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.synthetic import filled_exactly, synthetic
from support.tables import comparisons, image_means, pairs, tables

from benchmarks.scoring.results import Results
from benchmarks.scoring.statistics import Array
from dip.errors import InputError
from reports.figures import critical_difference
from reports.tables import stopping
from reports.tables.exploratory import comparison
from reports.tables.exploratory.standings import standings
from reports.tables.formats.latex import to_latex
from reports.tables.formats.write import to_markdown
from reports.tables.scores import entries
from reports.tables.table import Table, Value

FILLS = {"mean": -5.0, "biharmonic": 1.0}


@pytest.fixture
def results() -> Results:
    return synthetic(8, {"a": 1.5, "b": 0.5}, FILLS)


def _flipped(differences: list["pd.Series[float]"]) -> Array:
    """By hand: p values from all ways to flip the signs of images, the largest t of each."""
    rows = np.array(differences)
    signs = np.array(list(itertools.product((1, -1), repeat=rows.shape[1])))

    def t(values: Array) -> Array:
        return np.abs(values.mean(-1) / values.std(-1, ddof=1))

    largest = t(rows[:, None] * signs).max(axis=0)
    return np.array([(largest >= each * (1 - 1e-9)).mean() for each in t(rows)])


def test_the_image_is_the_unit(results: Results) -> None:
    (psnr, _, lpips) = comparisons(results)
    line = psnr.numbers.set_index(["method", "output", "column"]).loc[
        ("a", "averaged", "all holes")
    ]
    by_hand = image_means(results, "a", "averaged")
    low, high = stats.t.interval(0.95, 7, by_hand.mean(), stats.sem(by_hand))
    assert line["mean"] == pytest.approx(by_hand.mean())
    assert line["half_width"] == pytest.approx((high - low) / 2)
    assert (line["images"], line["n"], line["N"]) == (8, 48, 48)
    fits = results.final.query("method == 'a' and output == 'averaged'")
    cells = fits.groupby(["image", "mask"])["psnr_hole"]
    assert line["between_seeds"] == pytest.approx(cells.var().mean() ** 0.5)
    best = lpips.numbers.query("column == 'all holes'").set_index("place")
    assert best["method"][1.0] == "a"
    assert best["mean"][1.0] == best["mean"].min()


def test_seeds_that_differ_in_number_count_as_one_image_each(results: Results) -> None:
    """A hole with one seed weighs as much as the others, and who lacks one is not ranked."""
    rows = results.rows
    lost = (rows["method"] == "a") & (rows["mask"] == "hole-0") & (rows["seed"] > 0)
    partial = dataclasses.replace(results, rows=rows[~lost])
    numbers = comparisons(partial)[0].numbers
    line = numbers.set_index(["method", "output", "column"]).loc[("a", "raw", "all holes")]
    assert line["mean"] == pytest.approx(image_means(partial, "a").mean())
    assert (line["n"], line["N"]) == (32, 48)
    assert pd.isna(line["place"])
    assert pd.isna(line["p_against_best"])
    text = to_markdown(comparisons(partial)[0])
    assert " (32/48) |" in text
    assert text.count("(48/48)") == 2  # b's outputs
    whole = numbers[numbers["place"].notna()]
    assert set(whole[whole["column"] == "all holes"]["method"]) == {"b", "mean", "biharmonic"}


def test_best_and_second_are_marked_and_who_does_not_differ_from_it(results: Results) -> None:
    table = comparisons(results)[0]
    family = []
    for name in ("hole-0", "hole-1", "all holes"):
        rows = results.final if name == "all holes" else results.final.query("mask == @name")
        part = dataclasses.replace(results, rows=rows)
        scores = [image_means(part, *entry) for entry in entries(results)]
        for first, second in itertools.combinations(range(len(scores)), 2):
            family.append((name, first, second, scores[first] - scores[second]))
    corrected = _flipped([each[3] for each in family])
    (panel,) = table.panels
    for name in ("hole-0", "hole-1", "all holes"):
        cells = list(panel[name])
        means = [cell.number for cell in cells]
        order = np.argsort(means)[::-1]
        assert [cells[index].place for index in order] == [1, 2, *[0] * (len(order) - 2)]
        for (column, first, second, *_), p in zip(family, corrected, strict=True):
            if column == name and order[0] in (first, second):
                other = second if first == order[0] else first
                assert cells[other].is_tied == (p >= 0.05)
    assert any(cell.is_tied for cell in panel["hole-0"])
    assert not all(cell.is_tied for cell in panel["hole-0"])


def test_methods_are_compared_with_the_best_and_the_reference(results: Results) -> None:
    table = pairs(results)[0]
    lines = table.numbers.set_index(["method", "output"])
    reference = image_means(results, "biharmonic")
    others = [entry for entry in entries(results) if entry[0] != "biharmonic"]
    flipped = _flipped([image_means(results, *entry) - reference for entry in others])
    for entry, corrected in zip(others, flipped, strict=True):
        line, difference = lines.loc[entry], image_means(results, *entry) - reference
        assert line["reference_difference"] == pytest.approx(difference.mean())
        assert line["reference_p"] == pytest.approx(corrected)
        assert line["reference_wins"] == (difference > 0.005).sum()
        assert line["reference_wins"] + line["reference_ties"] + line["reference_losses"] == 8
    assert pd.isna(lines.loc[("biharmonic", "raw")]["reference_p"])
    ranked = stats.rankdata([-image_means(results, *entry) for entry in entries(results)], axis=0)
    assert list(lines["rank"]) == pytest.approx(list(ranked.mean(axis=1)))
    best = lines.loc[("mean", "raw")]
    difference = image_means(results, "mean") - image_means(results, "a", "averaged")
    assert best["best_difference"] == pytest.approx(difference.mean())
    assert best["best_p"] < 0.05


def test_a_lower_lpips_is_better(results: Results) -> None:
    lines = pairs(results)[2].numbers.set_index(["method", "output"])
    line = lines.loc[("mean", "raw")]
    assert line["reference_difference"] > 0
    assert line["reference_losses"] == 8


def test_any_method_can_be_the_reference(results: Results) -> None:
    table = pairs(results, "b, raw")[0]
    line = table.numbers.set_index(["method", "output"]).loc[("mean", "raw")]
    difference = image_means(results, "mean") - image_means(results, "b")
    assert line["reference_difference"] == pytest.approx(difference.mean())
    assert "Δ vs b, raw" in to_markdown(table)
    with pytest.raises(InputError, match="`reference`: unknown method 'biharmnic'. Did you mean"):
        pairs(results, "biharmnic")


def test_with_too_few_images_no_p_is_small() -> None:
    few = synthetic(5, {"a": 30.0}, FILLS)
    table = pairs(few)[0]
    assert set(table.numbers["best_p"].dropna()) == {1.0}
    for each in (table, comparisons(few)[0]):
        assert "with fewer than 6 images p cannot fall below 0.05" in each.about
    cells = comparisons(few)[0].panels[0]["all holes"]
    assert [cell.is_tied for cell in cells if cell.place != 1] == [True] * 3
    assert standings(few)[0].ranks is None


def test_iterations_stand_side_by_side(results: Results) -> None:
    table = comparison.iterations(results, "all holes")
    assert table is not None
    (panel,) = table.panels
    assert list(panel.columns) == ["method", "output", "100", "200"]
    assert list(panel["method"]) == ["a", "a", "b", "b"]
    assert all(cell.of == (48, 48) for cell in panel["100"])
    once = synthetic(8, {"a": 1.0}, FILLS, iterations=(100,))
    assert comparison.iterations(once, "all holes") is None


def test_a_method_with_more_iterations_is_compared_at_its_own_end() -> None:
    """It is the same method otherwise: tables differ in iterations and seconds only."""
    networks_ = {"a": 1.0, "b": 0.0}
    usual = synthetic(8, networks_, FILLS)
    longer = synthetic(8, networks_, FILLS, own_iterations={"b": (600, 1200)})
    made = {table.name: table for table in tables(longer)}
    costs = ["iterations", "seconds"]
    for table in comparisons(usual):
        own = made[table.name]
        assert table.title.endswith("after 200 iterations")
        assert own.title.endswith("at each method's last iteration")
        pd.testing.assert_frame_equal(
            own.numbers.drop(columns=costs), table.numbers.drop(columns=costs)
        )
    (panel,) = made["comparison-psnr"].panels
    assert list(panel.columns)[-3:] == ["between seeds", *costs]
    assert [value.shown for value in panel["iterations"]] == [
        "200",
        "200",
        "1200",
        "1200",
        "-",
        "-",
    ]
    seconds = [value if isinstance(value, str) else value.shown for value in panel["seconds"]]
    assert seconds[::2] == ["4.0", "24.0", "< 0.001"]
    shares, counts = made["iterations"], comparison.iterations(usual, "all holes")
    assert counts is not None
    assert list(shares.panels[0].columns) == ["method", "output", "50 %", "100 %"]
    pd.testing.assert_frame_equal(
        shares.numbers.drop(columns="column"), counts.numbers.drop(columns="column")
    )
    rules = made["stopping"].numbers.query("kept == 'stop:es-wmv'")
    assert set(rules.query("method == 'b'")["iteration_median"]) == {1199}


def test_checkpoints_that_are_one_stand_in_each_column() -> None:
    """Of 2 iterations the first is what is nearest to the first and to the second of 100."""
    results = synthetic(
        8, {"a": 0, "b": 1}, FILLS, iterations=(1, 2, 100), own_iterations={"b": (1, 2)}
    )
    table = comparison.iterations(results, "all holes")
    assert table is not None
    means = table.numbers.query("method == 'b' and output == 'raw'").set_index("column")["mean"]
    assert list(means.index) == ["1 %", "2 %", "100 %"]
    assert means["1 %"] == means["2 %"] < means["100 %"]


def test_holes_are_grouped_by_what_is_missing(results: Results) -> None:
    table = comparison.missing_share(results, entries(results))
    assert table is not None
    assert list(table.panels[0].columns) == ["method", "output", "1-10 %", "30-40 %"]
    of_hole = comparisons(results)[0].numbers.query("column == 'hole-1'")
    of_share = table.numbers.query("column == '30-40 %'")
    assert list(of_share["mean"]) == pytest.approx(list(of_hole["mean"]))
    alone = synthetic(8, {}, FILLS, holes=1)
    assert comparison.missing_share(alone, entries(alone)) is None


def test_a_wide_table_has_panels_and_images_have_intervals_over_seeds(results: Results) -> None:
    table = comparison.per_image(results, entries(results), "all holes")
    assert [list(panel.columns)[2:] for panel in table.panels] == [
        [f"image-{index:03}" for index in part] for part in (range(6), range(6, 8))
    ]
    fits = results.final.query("method == 'a' and output == 'raw' and image == 'image-002'")
    seeds = fits.groupby("seed")["psnr_hole"].mean()
    low, high = stats.t.interval(0.95, 2, seeds.mean(), stats.sem(seeds))
    cell = table.panels[0]["image-002"][0]
    assert cell.number == pytest.approx(seeds.mean())
    assert cell.half_width == pytest.approx((high - low) / 2)
    assert not any(each.is_tied for each in table.panels[0]["image-002"])


def test_the_diagram_joins_who_is_not_told_apart(results: Results, tmp_path: Path) -> None:
    assert critical_difference.groups(np.array([1.0, 1.5, 2.4, 5.0, 5.1]), 1.0) == [
        (0, 1),
        (1, 2),
        (3, 4),
    ]
    assert critical_difference.groups(np.array([1.0, 1.4, 1.9]), 1.0) == [(0, 2)]
    assert critical_difference.groups(np.array([1.0, 3.0]), 1.0) == []
    who = standings(results)[0]
    assert critical_difference.critical_difference(who, tmp_path) == "critical-difference.png"
    assert (tmp_path / "critical-difference.pdf").stat().st_size > 5000
    hostile = standings(synthetic(8, {r"$x_{$ \alpha": 1.0, "$": 2.0}, FILLS))[0]
    assert critical_difference.critical_difference(hostile, tmp_path)
    few = standings(synthetic(5, {"a": 1.0}, FILLS))[0]
    assert critical_difference.critical_difference(few, tmp_path) is None


def test_scores_that_do_not_exist_are_no_table(results: Results) -> None:
    about = results.about | {"metrics": ["ssim"]}
    only = dataclasses.replace(results, about=about)
    assert [measure.name for measure in only.scores] == ["ssim"]
    assert {table.name for table in tables(only) if "-" in table.name} == {
        "comparison-ssim", "paired-ssim", "timing-a-processor",
    }  # fmt: skip


def test_a_failed_method_is_in_every_table_and_not_ranked(results: Results) -> None:
    failed = dataclasses.replace(results, rows=results.rows[results.rows["method"] != "a"])
    assert ("a", "") in entries(failed)
    by_name = {table.name: table for table in tables(failed)}
    for name, line in {
        "comparison-psnr": "| a | - | - (0/24) | - (0/24) | - (0/48) | - |",
        "architectures": "| a | - | - | - (0/48) | - | - (0/48) | - | - |",
        "stopping": "| hole-1 | a | - | - | - | - | - | - | 0 of 24 |",
    }.items():
        assert line in to_markdown(by_name[name])
    (row,) = by_name["paired-psnr"].numbers.query("method == 'a'").to_dict("records")
    assert pd.isna(row["best_p"])
    assert row["images"] == 0


def test_a_job_without_result_counts_in_its_share(results: Results) -> None:
    """Also where nobody has a result for that image and hole."""
    gone = (results.rows["image"] == "image-003") & (results.rows["mask"] == "hole-1")
    without = dataclasses.replace(results, rows=results.rows[~gone])
    table = comparison.missing_share(without, entries(without))
    assert table is not None
    lines = table.numbers.query("column == '30-40 %' and method == 'a'")
    assert list(zip(lines["n"], lines["N"], lines["images"], strict=True)) == [(21, 24, 7)] * 2
    assert lines["place"].isna().all()


def test_an_image_may_have_the_name_of_a_column(results: Results) -> None:
    named = {"image-003": "output"}
    rows, jobs = (each.replace({"image": named}) for each in (results.rows, results.jobs))
    fewer = dataclasses.replace(results, rows=rows, jobs=jobs)
    table = comparison.per_image(fewer, entries(fewer), "all holes")
    panel = table.panels[0]
    assert list(panel.columns).count("output") == 2
    assert panel.iloc[0, 1] == "raw"
    assert panel.iloc[0, 5].number == pytest.approx(image_means(results, "a")["image-003"])
    assert to_latex(table).count("output") == 3


def test_stopping_rules_are_compared_on_the_sameimage_means(results: Results) -> None:
    whole, exact = (
        stopping.stopping(each) for each in (results, filled_exactly(results, "a", "image-002"))
    )
    assert whole is not None
    assert exact is not None
    means = exact.numbers.set_index(["mask", "method", "kept"]).sort_index()
    assert set(means["exact"]["hole-0", "a"]) == {3}
    assert "24 of 24, 3 exact" in to_markdown(exact)
    rows = results.stops
    rows = rows[(rows["mask"] == "hole-0") & (rows["image"] != "image-002")]
    for method in ("a", "b"):
        kept = rows[rows["method"] == method].groupby("image")["psnr_hole"].mean()
        found = means["psnr_hole_mean"]["hole-0", method, "stop:es-wmv"]
        assert found == pytest.approx(kept.mean())


def test_a_pair_has_the_same_p_in_all_tables(results: Results) -> None:
    for grid, against in zip(comparisons(results), pairs(results), strict=True):
        last = grid.numbers.query("column == 'all holes'")
        assert list(last["p_against_best"].dropna()) == list(against.numbers["best_p"].dropna())
        assert "corrected for all 45 pairs" in against.about  # of 6 entries, in three columns


def test_without_a_question_no_table_has_a_verdict(results: Results) -> None:
    for table in tables(results):
        assert "verdict" not in [*table.numbers, *itertools.chain(*table.panels)]
        for word in ("better", "worse", "cannot tell", "images would"):
            assert word not in table.about + to_markdown(table), table.name
    for table in (*comparisons(results), *pairs(results)):
        assert "exploratory" in table.about.lower()
        assert "symmetric about zero" in table.about


def test_by_hole_has_a_column_for_each(results: Results) -> None:
    names = [column.name for column in standings(results)[0].by_hole.columns]
    assert names == ["hole-0", "hole-1", "all holes"]
    alone = synthetic(8, {}, FILLS, holes=1)
    assert [column.name for column in standings(alone)[0].by_hole.columns] == ["hole-0"]


def test_a_table_names_each_row_once(results: Results) -> None:
    for table in tables(results):
        assert not table.numbers.duplicated().any(), table.name
        assert isinstance(table, Table)
        assert all(isinstance(cell, str | Value) for panel in table.panels
                   for cell in panel.to_numpy(object).ravel()), table.name  # fmt: skip
