"""Findings: sentences that say what the tables say, and claim nothing more."""

import dataclasses
import math
import re
from typing import Any

import pytest
from support.synthetic import on_one_image, synthetic

from benchmarks.scoring.results import Results
from reports.findings import findings
from reports.tables.leaderboard import leaderboard
from reports.tables.question import judged

FILLS = {"mean": -5.0, "biharmonic": 1.0}
QUESTION: dict[str, Any] = {
    "score": "psnr_hole",
    "reference": "biharmonic",
    "holes": "mean",
    "margin": 0.3,
}


def _asking(results: Results, *planned: tuple[str, str], **changes: Any) -> Results:
    methods = {method for pair in planned for method in pair}
    outputs = {
        method: "averaged" if method in results.networks else "raw" for method in sorted(methods)
    }
    question = {**QUESTION, "planned": planned, "outputs": outputs, **changes}
    return dataclasses.replace(results, about={**results.about, "question": question})


def _sentences(results: Results) -> list[str]:
    answer = judged(results, results.question) if results.question else None
    return findings(results, leaderboard(results, answer, "biharmonic"), answer)


def _text(results: Results, first: str, second: str, score: str = "psnr_hole") -> str:
    """A comparison's numbers as the table of the question has them."""
    assert results.question is not None
    numbers = judged(results, results.question).numbers.set_index(["method", "other"])
    row = numbers.loc[(first, second)]
    decimals, unit = (2, " dB") if score == "psnr_hole" else (3, "")
    mean, low, high = (f"{row[name]:.{decimals}f}" for name in ("difference", "low", "high"))
    return f"{'+' if row['difference'] > 0 else ''}{mean}{unit} [{low}, {high}]"


@pytest.fixture
def results() -> Results:
    return synthetic(8, {"a": 4.0, "b": 1.0}, FILLS)


def test_the_first_sentence_says_what_was_compared(results: Results) -> None:
    assert _sentences(results)[0] == (
        "Compared: 2 networks (a and b, after 200 iterations) and 2 fills without a network,"
        " on 8 images of 48x64 pixels with the holes hole-0 and hole-1. The score is PSNR in the"
        " hole."
    )
    own = synthetic(8, {"a": 4.0, "b": 1.0}, FILLS, own_iterations={"b": (500,)})
    assert "2 networks (a after 200 iterations, b after 500) and" in _sentences(own)[0]


def test_planned_comparisons_are_told_with_their_intervals(results: Results) -> None:
    pairs = ("a", "biharmonic"), ("mean", "biharmonic"), ("b", "biharmonic")
    asking = _asking(results, *pairs)
    a, mean, b = (_text(asking, *pair) for pair in pairs)
    assert re.fullmatch(
        rf"a is better than biharmonic \({re.escape(a)}\)\."
        rf" mean is worse than biharmonic \({re.escape(mean)}\)\."
        rf" No clear difference between b and biharmonic: inconclusive \({re.escape(b)};"
        r" a true difference of \d\.\d\d dB is found with 8 images in 4 of 5 tests\)\."
        r" In brackets: 95 % intervals, wide enough for all 3 to hold at once\."
        r" The suite stated these comparisons before its fits\.",
        _sentences(asking)[1],
    )


def test_equivalence_is_told_with_its_margin(results: Results) -> None:
    asking = _asking(results, ("a", "b"), margin=12.5)
    assert _sentences(asking)[1] == (
        f"a and b are equivalent within ±12.5 dB ({_text(asking, 'a', 'b')})."
        " In brackets: its 95 % interval. The suite stated this comparison before its fits."
    )


def test_where_less_is_better_the_numbers_stay_as_they_are(results: Results) -> None:
    asking = _asking(results, ("a", "mean"), score="lpips_composited", margin=0.001)
    sentence = _sentences(asking)[1]
    assert _sentences(asking)[0].endswith("LPIPS of the composited image, where less is better.")
    numbers = _text(asking, "a", "mean", "lpips_composited")
    assert numbers.startswith("-")
    assert sentence.startswith(f"a is better than mean ({numbers}). In")


def test_each_hole_is_named_where_each_is_judged(results: Results) -> None:
    better = _sentences(_asking(results, ("a", "mean"), holes="each"))[1]
    assert "a is better than mean in hole-0 (+" in better
    assert "; a is better than mean in hole-1 (+" in better


def test_of_many_comparisons_it_says_how_many() -> None:
    networks = {f"n{index}": 6.0 + index for index in range(6)}
    results = synthetic(8, networks, FILLS)
    asking = _asking(results, *((name, "mean") for name in networks))
    assert asking.question is not None
    differences = judged(asking, asking.question).numbers["difference"]
    low, high = differences.min(), differences.max()
    sentences = _sentences(asking)
    assert sentences[1] == (
        "In 6 of 6 planned comparisons the method is better than mean (mean differences"
        f" +{low:.2f} to +{high:.2f} dB). Verdicts are read off 95 % intervals, wide enough for all"
        " 6 to hold at once. The suite stated these comparisons before its fits."
    )
    assert "6 networks (after 200 iterations) and" in sentences[0]
    start = "Median time of one job: networks 4.0 to 4.0 s; biharmonic, the best fill, "
    assert sentences[2].startswith(start)
    assert "on a processor." in sentences[2]


def test_without_a_question_nothing_is_called_better(results: Results) -> None:
    sentences = " ".join(_sentences(results))
    assert "No comparison was planned, so nothing here is a verdict. Best means: a " in sentences
    assert "better" not in sentences
    assert "inconclusive" not in sentences


def test_what_is_not_judged_and_not_ranked_is_told(results: Results) -> None:
    lost = results.rows[(results.rows["method"] == "a") & (results.rows["image"] == "image-000")]
    lacking = dataclasses.replace(results, rows=results.rows.drop(lost.index))
    sentences = _sentences(_asking(lacking, ("a", "biharmonic"), ("b", "biharmonic")))
    assert "Not judged: 1 of 2 planned comparisons (a has 42 of 48 jobs)." in sentences[1]
    assert sentences[2].endswith("a lacks 6 of 48 scores and is not ranked.")


def test_without_two_images_there_is_no_interval_and_none_is_spoken_of() -> None:
    results = synthetic(1, {"a": 4.0}, FILLS)
    sentence = _sentences(_asking(results, ("a", "biharmonic"), ("a", "mean")))[1]
    assert sentence.endswith(
        "dB). One image gives no interval. The suite stated these comparisons before its fits."
    )
    assert "[" not in sentence


def test_a_fill_that_is_not_ranked_is_not_called_the_best(results: Results) -> None:
    lost = (results.rows["method"] == "biharmonic") & (results.rows["image"] == "image-000")
    lacking = dataclasses.replace(results, rows=results.rows[~lost])
    assert "; mean, the best fill, " in _sentences(lacking)[2]


def test_where_all_holes_are_filled_exactly_nobody_lacks_anything(results: Results) -> None:
    rows = results.rows.copy()
    rows.loc[rows["method"] == "biharmonic", "psnr_hole"] = math.inf
    exact = _asking(dataclasses.replace(results, rows=rows), ("a", "biharmonic"))
    _, answer, costs = _sentences(exact)
    why = "every hole is filled exactly by some method"
    assert answer == f"Not judged: 1 of 1 planned comparison ({why})."
    assert "lacks" not in costs
    assert costs.endswith(
        "No method is ranked, because each hole is filled exactly by some method."
    )


def test_results_without_any_row_have_findings(results: Results) -> None:
    _, answer, gaps = _sentences(dataclasses.replace(results, rows=results.rows.iloc[:0]))
    assert answer == "No comparison was planned, so nothing here is a verdict."
    assert gaps.startswith("a lacks 48 of 48 scores and is not ranked. b lacks")


def test_a_method_of_some_images_is_told(results: Results) -> None:
    partial = on_one_image(results, "a", "image-003")
    sentences = _sentences(_asking(partial, ("b", "biharmonic")))
    assert sentences[2].endswith("a ran on 1 of 8 images only and is not ranked.")


def test_a_question_that_came_late_is_not_called_planned(results: Results) -> None:
    asking = _asking(results, ("a", "mean"), ("b", "mean"), fits=2, asked_after=1)
    assert _sentences(asking)[1].endswith("wide enough for all 2 to hold at once.")


def _with_pictures(results: Results, *methods: str) -> Results:
    """The same, as if those fills were pictures that others have published."""
    rows = results.rows.copy()
    theirs = rows["method"].isin(methods)
    rows.loc[theirs, "seconds"] = math.nan
    rows.loc[theirs, "device"] = "not run here"
    about = {**results.about, "pictures": list(methods)}
    return dataclasses.replace(results, rows=rows, about=about)


def test_published_pictures_are_neither_networks_nor_fills(results: Results) -> None:
    sentences = _sentences(_with_pictures(results, "biharmonic"))
    assert sentences[0].startswith(
        "Compared: 2 networks (a and b, after 200 iterations), 1 fill without a network and the"
        " published pictures of biharmonic, on 8 images"
    )
    assert "; mean, the best fill, " in sentences[2]
    assert ", on a processor." in sentences[2]
    both = _sentences(_with_pictures(results, "biharmonic", "mean"))
    assert " and the published pictures of mean and biharmonic, on 8 images" in both[0]
    assert "best fill" not in both[2]


def test_where_nothing_is_fitted_the_times_are_those_of_fills() -> None:
    fills = synthetic(8, {}, FILLS)
    asking = _asking(fills, ("mean", "biharmonic"), margin=1.0)
    compared, answer, costs = _sentences(asking)
    assert compared.startswith("Compared: 2 fills without a network, on 8 images")
    assert answer.endswith("Only fits record when a question was asked; nothing was fitted.")
    assert "before its fits" not in answer
    assert costs.startswith("Median time of one job: biharmonic ")
    assert costs.endswith(", on a processor.")


def test_only_published_pictures_have_no_times() -> None:
    theirs = _with_pictures(synthetic(8, {}, FILLS), *FILLS)
    compared, answer = _sentences(theirs)
    assert compared.startswith("Compared: the published pictures of mean and biharmonic, on 8")
    assert answer.startswith("No comparison was planned")
