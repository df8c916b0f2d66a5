"""The table of planned comparisons: intervals by hand, and verdicts that are read off them."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.synthetic import Effects, synthetic
from support.tables import tables

from benchmarks.scoring.intervals import simultaneous
from benchmarks.scoring.results import Results
from benchmarks.store.asked import Asked
from reports.tables.formats.latex import to_latex
from reports.tables.formats.write import to_markdown
from reports.tables.question import judged

FILLS = {"mean": -5.0, "biharmonic": 1.0}
ASKED: dict[str, Any] = {
    "score": "psnr_hole",
    "outputs": {"a": "averaged", "b": "averaged", "mean": "raw"},
    "reference": "mean",
    "planned": [("a", "mean"), ("b", "mean"), ("a", "b")],
    "holes": "mean",
    "margin": 0.3,
}


def _asked(**changes: Any) -> Asked:
    return Asked.model_validate({**ASKED, **changes})


@pytest.fixture
def results() -> Results:
    return synthetic(8, {"a": 1.5, "b": 0.5}, FILLS)


def _images(results: Results, method: str, output: str, **where: str) -> "pd.Series[float]":
    """By hand: seeds within a hole first, then holes."""
    rows = results.final
    for column, value in {"method": method, "output": output, **where}.items():
        rows = rows[rows[column] == value]
    return rows.groupby(["image", "mask"])["psnr_hole"].mean().groupby(level="image").mean()


def _lines(results: Results, asked: Asked) -> pd.DataFrame:
    return judged(results, asked).numbers.set_index(["method", "other", "hole"])


def _check(lines: pd.DataFrame, by_hand: dict[tuple[str, str, str], "pd.Series[float]"]) -> None:
    """by_hand: the differences of all planned comparisons, in their order."""
    assert list(lines.index) == list(by_hand)
    rows = list(by_hand.values())
    for (_, line), row, expected in zip(
        lines.iterrows(), rows, simultaneous(np.array(rows)), strict=True
    ):
        assert line["difference"] == pytest.approx(row.mean())
        assert (line["low"], line["high"]) == pytest.approx((expected.low, expected.high))
        assert line["detectable"] == pytest.approx(expected.detectable)
        assert (line["images"], line["planned_images"]) == (len(row), 8)


def _by_hand(
    results: Results, hole: str = "all holes", **where: str
) -> dict[tuple[str, str, str], "pd.Series[float]"]:
    a, b = (_images(results, name, "averaged", **where) for name in ("a", "b"))
    mean = _images(results, "mean", "raw", **where)
    return {("a", "mean", hole): a - mean, ("b", "mean", hole): b - mean, ("a", "b", hole): a - b}


def test_each_planned_comparison_has_an_interval_of_the_family(results: Results) -> None:
    lines = _lines(results, _asked())
    _check(lines, _by_hand(results))
    assert lines.loc[("a", "mean", "all holes")]["verdict"] == "better"


def test_each_hole_is_a_comparison_of_its_own_if_that_is_asked(results: Results) -> None:
    asked = _asked(holes="each")
    by_hand = [_by_hand(results, mask, mask=mask) for mask in ("hole-0", "hole-1")]
    _check(_lines(results, asked), {**by_hand[0], **by_hand[1]})
    (panel,) = judged(results, asked).panels
    assert list(panel["hole"]) == ["hole-0"] * 3 + ["hole-1"] * 3


@pytest.fixture
def close() -> Results:
    """The methods are as good as each other."""
    return synthetic(8, {"a": 1.0, "b": 1.0}, FILLS)


def test_the_verdict_is_read_off_the_interval(close: Results) -> None:
    between = _lines(close, _asked()).loc[("a", "b", "all holes")]
    assert between["verdict"] == "inconclusive"
    assert between["low"] < 0 < between["high"]
    widest = max(abs(between["low"]), abs(between["high"])) + 0.01
    assert _lines(close, _asked(margin=widest)).loc[("a", "b", "all holes")]["verdict"] == (
        "equivalent"
    )
    swapped = _asked(planned=[("mean", "a"), ("b", "mean"), ("a", "b")])
    assert _lines(close, swapped).loc[("mean", "a", "all holes")]["verdict"] == "worse"


def test_an_inconclusive_comparison_says_what_would_have_been_seen(close: Results) -> None:
    table = judged(close, _asked())
    line = table.numbers.set_index(["method", "other"]).loc[("a", "b")]
    detectable = f"inconclusive; detectable from {line['detectable']:.2f} dB |"
    assert detectable in to_markdown(table)
    shown = f"| {line['difference']:+.2f} [{line['low']:.2f}, {line['high']:.2f}] | inconclusive; "
    assert shown in to_markdown(table)
    assert "80 %" in table.about
    assert "±0.3 dB" in table.about
    assert "3 planned comparisons" in table.about


def test_a_lower_lpips_is_better_and_keeps_its_sign(results: Results) -> None:
    about = {"score": "lpips_composited", "margin": 0.01}
    line = _lines(results, _asked(**about)).loc[("a", "mean", "all holes")]
    assert line["difference"] < 0
    assert line["low"] < line["difference"] < line["high"] < 0
    assert line["verdict"] == "better"


def test_a_method_that_lacks_jobs_is_not_judged(results: Results) -> None:
    rows = results.rows
    is_lost = (rows["method"] == "b") & (rows["image"] == "image-003") & (rows["seed"] == 1)
    partial = dataclasses.replace(results, rows=rows[~is_lost])
    table = judged(partial, _asked())
    lines = table.numbers.set_index(["method", "other"])
    for pair in (("b", "mean"), ("a", "b")):
        assert pd.isna(lines.loc[pair]["verdict"])
        assert lines.loc[pair]["reason"] == "b has 46 of 48 jobs"
        assert np.isnan(lines.loc[pair]["low"])
    assert "| - | - (b has 46 of 48 jobs) | 0/8 |" in to_markdown(table)
    # They count in the family, which was planned.
    judged_one = _by_hand(results)["a", "mean", "all holes"].to_numpy()
    expected, *_ = simultaneous([judged_one, *np.full((2, 8), np.nan)])
    assert lines.loc[("a", "mean")]["low"] == pytest.approx(expected.low)
    assert expected.low < simultaneous([judged_one])[0].low


def test_what_one_of_them_fills_exactly_is_left_out_for_all(results: Results) -> None:
    rows = results.rows.copy()
    is_there = (rows["method"] == "mean") & (rows["image"] == "image-002")
    rows.loc[is_there, "psnr_hole"] = np.inf
    exact = dataclasses.replace(results, rows=rows)
    table = judged(exact, _asked())
    lines = table.numbers.set_index(["method", "other"])
    by_hand = _by_hand(results)
    _check(
        lines.set_index("hole", append=True),
        {key: differences.drop("image-002") for key, differences in by_hand.items()},
    )
    assert "left out of the means" in table.about
    assert "7/8" in to_markdown(table)
    # A method that is not part of the question changes nothing in its answer.
    rows = results.rows.copy()
    rows.loc[rows["method"] == "biharmonic", "psnr_hole"] = np.inf
    other = dataclasses.replace(results, rows=rows)
    pd.testing.assert_frame_equal(
        judged(other, _asked()).numbers, judged(results, _asked()).numbers
    )
    rows = results.rows.copy()
    rows.loc[rows["method"] == "mean", "psnr_hole"] = np.inf
    table = judged(dataclasses.replace(results, rows=rows), _asked())
    assert set(table.numbers["reason"]) == {"every hole is filled exactly by some method"}
    assert "inf" not in to_markdown(table)


def test_the_table_is_whole_in_latex(results: Results) -> None:
    latex = to_latex(judged(results, _asked()))
    assert "U+" not in latex  # a letter that LaTeX lacks
    row = _lines(results, _asked()).loc[("a", "mean", "all holes")]
    numbers = (rf"\num{{{row[name]:.2f}}}" for name in ("low", "high"))
    assert rf"{{\num{{{row['difference']:+.2f}}} [{', '.join(numbers)}]}} & better & 8/8" in latex


def test_one_image_gives_no_interval() -> None:
    table = judged(synthetic(1, {"a": 1.0, "b": 1.0}, FILLS), _asked())
    assert set(table.numbers["verdict"]) == {"inconclusive"}
    assert table.numbers["low"].isna().all()
    assert "nan" not in to_markdown(table)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {},
            "Are a and b better or worse than mean, and is a better or worse than b by PSNR hole"
            " (dB), output averaged?",
        ),
        (
            {"planned": [("a", "mean"), ("a", "b")]},
            "Is a better or worse than mean and b by PSNR hole (dB), output averaged?",
        ),
        (
            {"planned": [("a", "b")], "holes": "each", "score": "ssim_hole"},
            "Is a better or worse than b by SSIM hole, output averaged, in each hole?",
        ),
        (
            {"planned": [("a", "b")], "outputs": {"a": "averaged", "b": "raw"}},
            "Is 'a, averaged' better or worse than 'b, raw' by PSNR hole (dB)?",
        ),
    ],
)
def test_the_title_is_the_question(
    changes: dict[str, Any], sentence: str, results: Results
) -> None:
    assert judged(results, _asked(**changes)).title == sentence


def test_names_of_several_words_stand_in_quotes() -> None:
    names = ("unet, narrow", "skip")
    asked = _asked(outputs=dict.fromkeys(names, "raw"), planned=[names])
    table = judged(synthetic(6, dict.fromkeys(names, 1.0), FILLS), asked)
    assert table.title.startswith("Is 'unet, narrow' better or worse than skip by")
    assert list(table.panels[0]["comparison"]) == ["'unet, narrow' less skip"]


def test_many_methods_are_counted_in_the_title() -> None:
    networks = {f"n{index}": float(index) for index in range(6)}
    results = synthetic(6, networks, {"mean": 0.0}, effects=Effects(seed=0.1))
    against = {
        "outputs": {**dict.fromkeys(networks, "raw"), "mean": "raw"},
        "planned": [(name, "mean") for name in networks],
    }
    title = judged(results, _asked(**against)).title
    assert title.startswith("Are 6 methods better or worse than mean by")


def test_the_answer_follows_the_leaderboard_in_a_report(results: Results) -> None:
    asking = dataclasses.replace(
        results, about={**results.about, "question": _asked().model_dump(mode="json")}
    )
    assert [table.name for table in tables(asking)[:2]] == ["leaderboard", "question"]
    assert "question" not in {table.name for table in tables(results)}
