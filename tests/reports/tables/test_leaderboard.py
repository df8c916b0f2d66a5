"""The leaderboard: its order, and that every number is the mean or the answer of another table."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.synthetic import on_one_image, synthetic

from benchmarks.scoring.results import Results
from reports.commands.ending import KEPT
from reports.tables.formats.write import to_markdown
from reports.tables.leaderboard import leaderboard, standing_output
from reports.tables.question import judged

FILLS = {"mean": -5.0, "biharmonic": 1.0}
QUESTION: dict[str, Any] = {
    "score": "psnr_hole",
    "outputs": {"a": "averaged", "b": "averaged", "biharmonic": "raw"},
    "reference": "biharmonic",
    "planned": [("a", "biharmonic"), ("b", "biharmonic")],
    "holes": "mean",
    "margin": 0.3,
}


@pytest.fixture
def results() -> Results:
    return synthetic(8, {"b": 0.0, "a": 4.0}, FILLS)


def _asking(results: Results, **changes: Any) -> Results:
    about = {**results.about, "question": {**QUESTION, **changes}}
    return dataclasses.replace(results, about=about)


def _numbers(results: Results) -> pd.DataFrame:
    answer = judged(results, results.question) if results.question else None
    return leaderboard(results, answer, "biharmonic").numbers.set_index("method")


def _by_hand(results: Results, method: str, output: str, score: str) -> "pd.Series[float]":
    rows = results.final
    rows = rows[(rows["method"] == method) & (rows["output"] == output)]
    return rows.groupby(["image", "mask"])[score].mean().groupby(level="image").mean()


def test_methods_stand_by_the_score_with_their_means(results: Results) -> None:
    numbers = _numbers(_asking(results))
    assert list(numbers.index) == ["a", "biharmonic", "b", "mean"]
    for method, output in (("a", "averaged"), ("biharmonic", "raw")):
        for name, column in (("psnr", "psnr_hole"), ("lpips", "lpips_composited")):
            expected = _by_hand(results, method, output, column).mean()
            assert numbers.loc[method, name] == pytest.approx(expected)
    lower_is_better = _numbers(_asking(results, score="lpips_composited"))
    assert list(lower_is_better["lpips"]) == sorted(lower_is_better["lpips"])
    assert lower_is_better.loc["a", "difference"] < 0


def test_a_planned_comparison_is_that_of_the_question(results: Results) -> None:
    asking = _asking(results)
    assert asking.question is not None
    answer = judged(asking, asking.question).numbers.set_index("method")
    numbers = _numbers(asking)
    for name in ("difference", "low", "high", "verdict"):
        assert numbers.loc["a", name] == answer.loc["a", name]
    assert list(numbers["verdict"]) == ["better", "reference", "inconclusive", "exploratory"]


def test_other_comparisons_have_an_interval_of_their_own(results: Results) -> None:
    row = _numbers(_asking(results)).loc["mean"]
    reference = _by_hand(results, "biharmonic", "raw", "psnr_hole")
    differences = _by_hand(results, "mean", "raw", "psnr_hole") - reference
    half = 2.364624 * differences.std() / 8**0.5  # Student's t with 7 degrees of freedom
    assert row["difference"] == pytest.approx(differences.mean())
    assert row["low"] == pytest.approx(differences.mean() - half, abs=1e-5)
    assert row["high"] == pytest.approx(differences.mean() + half, abs=1e-5)


def test_the_oracle_stands_in_a_column_of_its_own(results: Results) -> None:
    numbers = _numbers(results)
    rows = results.final[(results.final["method"] == "a") & (results.final["output"] == "raw")]
    assert numbers.loc["a", "oracle"] == pytest.approx(rows["oracle_psnr_hole"].mean())
    assert numbers.loc["a", "oracle"] > numbers.loc["a", "psnr"]
    assert np.isnan(numbers.loc["biharmonic", "oracle"])


def test_without_a_question_there_are_no_verdicts(results: Results) -> None:
    table = leaderboard(results, None, "mean")
    (panel,) = table.panels
    assert "verdict" not in panel
    assert "Δ vs mean" in panel
    assert "No comparison was planned" in table.about


def test_holes_that_are_judged_one_by_one_are_counted(results: Results) -> None:
    asking = _asking(results, holes="each")
    assert asking.question is not None
    answer = judged(asking, asking.question).numbers.set_index("method")
    numbers = _numbers(asking)
    assert list(answer.loc["a", "verdict"]) == ["better", "better"]
    assert numbers.loc["a", "verdict"] == "better in each hole"
    assert {*answer.loc["b", "verdict"]} == {"inconclusive"}
    assert numbers.loc["b", "verdict"] == "inconclusive in each hole"
    about = leaderboard(asking, judged(asking, asking.question), "biharmonic").about
    assert "Each hole is judged alone; Δ is over all holes, and its interval stands alone" in about


def test_a_method_of_some_images_is_last_and_not_ranked(results: Results) -> None:
    partial = on_one_image(results, "a", "image-003")
    planned = [("b", "biharmonic")]
    table = leaderboard(_asking(partial, planned=planned), None, "biharmonic")
    numbers = table.numbers.set_index("method")
    assert list(numbers.index) == ["biharmonic", "b", "mean", "a"]
    row = numbers.loc["a"]
    assert (row["verdict"], row["n"], row["N"]) == ("not ranked", 6, 48)
    of_image = _by_hand(partial, "a", "averaged", "psnr_hole").loc["image-003"]
    reference = _by_hand(partial, "biharmonic", "raw", "psnr_hole").loc["image-003"]
    assert row["difference"] == pytest.approx(of_image - reference)
    assert np.isnan(row["low"])
    best, *_, last = to_markdown(table).splitlines()[2:]
    assert best.startswith("| biharmonic | **")
    assert last.startswith("| a | - |")  # its mean would be of another image than the others'
    assert last.endswith("| 6/48 |")
    assert "its means are of other images and not shown" in table.about


def test_a_method_that_lacks_holes_is_compared_on_those_it_has(results: Results) -> None:
    """A mean of one hole less a mean of two would be a difference of holes, not of methods."""
    is_lost = (results.rows["method"] == "a") & (results.rows["mask"] == "hole-1")
    lacking = dataclasses.replace(results, rows=results.rows[~is_lost])
    row = _numbers(_asking(lacking, planned=[("b", "biharmonic")])).loc["a"]
    of_hole = dataclasses.replace(results, rows=results.rows[results.rows["mask"] == "hole-0"])
    differences = _by_hand(of_hole, "a", "averaged", "psnr_hole") - _by_hand(
        of_hole, "biharmonic", "raw", "psnr_hole"
    )
    assert row["verdict"] == "not ranked"
    assert row["difference"] == pytest.approx(differences.mean())
    half = 2.364624 * differences.std() / 8**0.5  # Student's t with 7 degrees of freedom
    assert row["high"] == pytest.approx(differences.mean() + half, abs=1e-5)


def test_holes_that_one_fills_exactly_are_in_no_mean_and_nobody_lacks_them(
    results: Results,
) -> None:
    rows = results.rows.copy()
    is_exact = (rows["method"] == "biharmonic") & (rows["mask"] == "hole-1")
    rows.loc[is_exact, "psnr_hole"] = np.inf
    asking = _asking(dataclasses.replace(results, rows=rows), planned=[("a", "biharmonic")])
    answer = judged(asking, asking.question) if asking.question else None
    table = leaderboard(asking, answer, "biharmonic")
    numbers = table.numbers.set_index("method")
    left = dataclasses.replace(results, rows=rows[rows["mask"] == "hole-0"])
    mean = _by_hand(left, "a", "averaged", "psnr_hole").mean()
    assert numbers.loc["a", "psnr"] == pytest.approx(mean)
    assert numbers.loc["a", "oracle"] == pytest.approx(mean + 0.8)  # 1 dB above raw
    assert list(numbers["n"]) == list(numbers["N"])
    first, second, *_ = to_markdown(table).splitlines()[2:]
    assert first.startswith(f"| a | **{mean:.2f}** |")
    assert first.endswith("| 48/48 |")
    assert second.split(" | ")[1].startswith("_")


def test_no_score_is_best_of_methods_that_are_not_ranked(results: Results) -> None:
    rows = results.rows.copy()
    rows.loc[rows["image"] == "image-003", "ssim_hole"] = np.nan  # too small a hole
    lacking = dataclasses.replace(results, rows=rows)
    asking = _asking(lacking, score="ssim_hole", planned=[("a", "biharmonic")])
    answer = judged(asking, asking.question) if asking.question else None
    markdown = to_markdown(leaderboard(asking, answer, "biharmonic"))
    assert "*" not in markdown
    assert "| a | - | - | not judged | - | - | - | 200 |" in markdown


def test_a_comparison_that_was_planned_the_other_way_round_is_no_exploratory_one(
    results: Results,
) -> None:
    there, back = (
        _numbers(_asking(results, planned=[pair])).loc["a"]
        for pair in (("a", "biharmonic"), ("biharmonic", "a"))
    )
    assert (there["verdict"], back["verdict"]) == ("better", "better")
    for name in ("difference", "low", "high"):
        assert back[name] == pytest.approx(there[name])


def test_the_narrowest_terminal_has_the_verdict(results: Results) -> None:
    """Its first columns are shown, also where networks have different outputs."""
    outputs = {"a": "raw", "b": "averaged", "biharmonic": "raw"}
    about = {**results.about, "method_outputs": {"a": "raw"}}
    asking = _asking(dataclasses.replace(results, about=about), outputs=outputs)
    answer = judged(asking, asking.question) if asking.question else None
    (panel,) = leaderboard(asking, answer, "biharmonic").panels
    assert "output" in panel
    kept = ["method", "PSNR hole (dB) ↑", "Δ vs biharmonic", "verdict"]
    assert list(panel.columns[:KEPT]) == kept


def test_fills_alone_have_no_iterations() -> None:
    table = leaderboard(synthetic(8, {}, FILLS), None, "biharmonic")
    assert table.title == "Leaderboard by PSNR hole (dB)"
    assert "iterations" not in table.panels[0]


def test_a_network_without_results_is_there(results: Results) -> None:
    rows = results.rows[results.rows["method"] != "b"]
    numbers = _numbers(_asking(dataclasses.replace(results, rows=rows)))
    assert list(numbers.index) == ["a", "biharmonic", "mean", "b"]
    assert (numbers.loc["b", "verdict"], numbers.loc["b", "n"]) == ("not judged", 0)


def test_one_output_stands_for_a_method(results: Results) -> None:
    assert standing_output(results, "mean") == "raw"
    assert standing_output(results, "a") == "averaged"
    asking = _asking(
        results, outputs={"a": "raw", "biharmonic": "raw"}, planned=[("a", "biharmonic")]
    )
    assert standing_output(asking, "a") == "raw"
    assert standing_output(asking, "b") == "raw"  # compared with a by the same output
    own = dataclasses.replace(
        results, about={**results.about, "method_outputs": {"b": "mean[from=1,every=1]"}}
    )
    assert standing_output(own, "b") == "mean[from=1,every=1]"
    (panel,) = leaderboard(own, None, "biharmonic").panels
    assert dict(zip(panel["method"], panel["output"], strict=True)) == {
        **{"a": "averaged", "b": "mean[from=1,every=1]"},
        **dict.fromkeys(FILLS, "-"),
    }
    raw_alone = dataclasses.replace(results, about={**results.about, "outputs": ["raw"]})
    assert standing_output(raw_alone, "a") == "raw"
