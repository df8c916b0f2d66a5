"""The answer to a suite's question: the planned comparisons with intervals and verdicts.

Each comparison has one interval, and all of them hold together. The verdict is read off the
interval, so the two cannot contradict each other. Nothing else in a report is a verdict on methods.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.intervals import Interval, decide, simultaneous
from benchmarks.scoring.results import SCORES, Results, Score
from benchmarks.scoring.statistics import difference
from benchmarks.store.asked import Asked
from benchmarks.system.text import counted
from reports.tables.scores import ABOUT_EXACT, ALL_HOLES, Column, columns, name_of
from reports.tables.table import NOTHING, Table, Value, shown

NAMED = 4  # methods that the title names; of more it says how many
NUMBERS = ("difference", "low", "high", "detectable")
OPPOSITE = {"better": "worse", "worse": "better"}


def judged(results: Results, asked: Asked) -> Table:
    """Judge the planned comparisons.

    Args:
        results: results of a suite, which may have asked another question, or none.
        asked: the question; its methods are the suite's.

    Returns:
        The table. difference: the first method less the other, in the unit of the score; low, high:
        its simultaneous bounds, empty where there are none. verdict: of the first method; empty
        where it is not judged, with the reason. detectable: the smallest true difference that so
        many images with this spread show with a chance of 80 %. images: those compared;
        planned_images: all.
    """
    (score,) = (score for score in SCORES.values() if score.column == asked.score)
    comparisons = _comparisons(results, asked, score)
    names = list(results.jobs["image"].unique())
    intervals = simultaneous([comparison.differences.reindex(names) for comparison in comparisons])
    rows = [
        _row(comparison, interval, score, asked.margin, len(names))
        for comparison, interval in zip(comparisons, intervals, strict=True)
    ]
    frame = pd.DataFrame(rows).astype(dict.fromkeys(NUMBERS, float))
    caption = _caption(asked, score, len(rows))
    if any(any(comparison.column.exact) for comparison in comparisons):
        caption += f"; {ABOUT_EXACT}"
    return Table(
        "question",
        _title(results, asked, score),
        frame,
        [_text(frame, score, has_holes=asked.holes == "each")],
        about=caption,
    )


@dataclass(frozen=True)
class _Comparison:
    """A planned comparison in one column.

    Attributes:
        names: of the method and of the other one.
        column: scores in one hole, or over all holes.
        differences: by image, positive for better; NaN where it cannot be judged.
        reason: why it cannot.
    """

    names: tuple[str, str]
    column: Column
    differences: "pd.Series[float]"
    reason: str


def _comparisons(results: Results, asked: Asked, score: Score) -> list[_Comparison]:
    """Every planned comparison, in each hole if that is asked."""
    competing = list(asked.outputs.items())
    names = _names(results, asked)
    final, jobs = results.final, results.jobs
    is_asked = final["method"].map(asked.outputs) == final["output"]
    rows, planned = final[is_asked], jobs[jobs["method"].isin(asked.outputs)]
    rows, planned = (
        frame.assign(column=frame["mask"] if asked.holes == "each" else ALL_HOLES)
        for frame in (rows, planned)
    )
    order = list(asked.outputs)
    comparisons = []
    for column in columns(competing, rows, planned, score):
        for pair in asked.planned:
            first, second = (order.index(method) for method in pair)
            better = score.sign * difference(column.compared[first], column.compared[second])
            comparisons.append(
                _Comparison(
                    (names[pair[0]], names[pair[1]]),
                    column,
                    pd.Series(better, column.images),
                    _reason(column, {names[pair[0]]: first, names[pair[1]]: second}),
                )
            )
    return comparisons


def _reason(column: Column, indices: dict[str, int]) -> str:
    """Why two methods cannot be compared in a column; empty if they can."""
    if all(column.is_whole[index] for index in indices.values()):
        return ""
    lacks = [
        f"{quoted(name)} has {column.scored[index]} of {counted(column.planned[index], 'job')}"
        for name, index in indices.items()
        if column.scored[index] < column.planned[index]
    ]
    return ", ".join(lacks) or "every hole is filled exactly by some method"


def _names(results: Results, asked: Asked) -> dict[str, str]:
    """How methods are called: with their output where networks have different ones."""
    own = {asked.outputs[method] for method in results.networks & {*asked.outputs}}
    return {
        method: name_of((method, output), results) if len(own) > 1 else method
        for method, output in asked.outputs.items()
    }


def _row(
    comparison: _Comparison, interval: Interval, score: Score, margin: float, planned_images: int
) -> dict[str, Any]:
    method, other = comparison.names
    low, high = sorted((score.sign * interval.low, score.sign * interval.high))
    return {
        "method": method,
        "other": other,
        "hole": comparison.column.name,
        "difference": score.sign * interval.mean + 0.0,
        "low": low + 0.0,
        "high": high + 0.0,
        "verdict": None if comparison.reason else decide(interval, margin),
        "detectable": interval.detectable,
        "images": interval.images,
        "planned_images": planned_images,
        "reason": comparison.reason,
    }


def _text(frame: pd.DataFrame, score: Score, *, has_holes: bool) -> pd.DataFrame:
    rows = frame.to_dict("records")
    return pd.DataFrame(
        {
            "comparison": [f"{quoted(row['method'])} less {quoted(row['other'])}" for row in rows],
            **({"hole": frame["hole"]} if has_holes else {}),
            f"Δ {score.title}": [difference_of(row, score) for row in rows],
            "verdict": [_verdict(row, score) for row in rows],
            "images": [f"{row['images']}/{row['planned_images']}" for row in rows],
        },
        dtype=object,
    )


def difference_of(row: Mapping[Any, Any], score: Score) -> Value:
    """The difference of a row of `numbers` with its interval: `+1.20 [0.40, 2.00]`."""
    interval = (row["low"], row["high"])
    return Value(row["difference"], score.decimals, interval=interval, has_sign=True)


def _verdict(row: dict[Any, Any], score: Score) -> str:
    if row["reason"]:
        return f"{NOTHING} ({row['reason']})"
    if row["verdict"] != "inconclusive" or np.isnan(row["detectable"]):
        return str(row["verdict"])
    least = with_unit(shown(row["detectable"], score.decimals), score)
    return f"inconclusive; detectable from {least}"


def against_reference(judged: Table, asked: Asked) -> list[dict[Any, Any]]:
    """The lines of `judged(...).numbers` that are of a method and the reference, in this order.

    Args:
        judged: the table.
        asked: its question.

    Returns:
        The lines. method: its name in the suite; that of the table may have an output behind it.
    """
    lines = []
    # The comparisons of a hole are in the order of `planned`, those of the next hole again.
    for line, pair in zip(judged.numbers.to_dict("records"), cycle(asked.planned), strict=False):
        method, other = pair
        if other == asked.reference:
            lines.append(line | {"method": method})
        elif method == asked.reference:
            bounds = {"difference": line["difference"], "low": line["high"], "high": line["low"]}
            turned = {name: 0.0 - bound for name, bound in bounds.items()}
            verdict = OPPOSITE.get(line["verdict"], line["verdict"])
            lines.append(line | turned | {"method": other, "verdict": verdict})
    return lines


def with_unit(number: object, score: Score) -> str:
    return f"{number} {score.unit}".rstrip()


def _title(results: Results, asked: Asked, score: Score) -> str:
    """The question in one sentence."""
    names = {method: quoted(name) for method, name in _names(results, asked).items()}
    by_other: dict[str, list[str]] = {}
    for method, other in asked.planned:
        by_other.setdefault(names[other], []).append(names[method])
    clauses = [
        f"{'is' if len(methods) == 1 else 'are'} {listed(methods)} better or worse than {other}"
        for other, methods in by_other.items()
    ]
    if len({method for method, _ in asked.planned}) == 1:
        method, _ = asked.planned[0]
        clauses = [f"is {names[method]} better or worse than {listed([*by_other])}"]
    if len(clauses) > NAMED:
        clauses = [f"which of {counted(len(asked.planned), 'pair')} of methods is the better one"]
    outputs = {asked.outputs[method] for method in results.networks & {*asked.outputs}}
    by = [score.heading, *([f"output {min(outputs)}"] if len(outputs) == 1 else [])]
    where = ", in each hole" if asked.holes == "each" else ""
    sentence = f"{', and '.join(clauses)} by {', '.join(by)}{where}?"
    return sentence[0].upper() + sentence[1:]


def quoted(name: str) -> str:
    """A name of several words or with commas in quotes: a sentence has to show where it ends."""
    return f"'{name}'" if {" ", ","} & {*name} else name


def listed(names: list[str]) -> str:
    if len(names) > NAMED:
        return f"{len(names)} methods"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _caption(asked: Asked, score: Score, comparisons: int) -> str:
    margin = with_unit(f"{asked.margin:g}", score)
    averaged = "seeds" if asked.holes == "each" else "seeds and holes"
    family = counted(comparisons, "planned comparison")
    return (
        f"Δ: mean difference over images, {averaged} averaged within an image first, with its"
        f" interval; the intervals of {family} hold together with 95 % (studentised bootstrap over"
        " images, never narrower than Student's t with Bonferroni's correction). The verdict is"
        f" read off the interval. equivalent: it lies within the margin of ±{margin}; better,"
        " worse: it does not, and leaves out 0; inconclusive: all else. detectable: the smallest"
        " true difference that so many images with this spread show with a chance of 80 %."
        " images: n of N; a method that lacks a job is not judged"
    )
