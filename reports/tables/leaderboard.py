"""The leaderboard: one row a method, best first, with the answer to the suite's question."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.results import Results, Score
from benchmarks.scoring.statistics import Array, mean_interval
from benchmarks.store.asked import Asked
from benchmarks.system.text import counted
from reports.tables.question import against_reference, difference_of
from reports.tables.scores import (
    ABOUT_EXACT,
    ALL_HOLES,
    PSNR,
    Entry,
    columns,
    exact_holes,
    without_exact,
)
from reports.tables.table import NOTHING, Cell, Table, Value, seconds

AVERAGED = "averaged"
ORACLE = "oracle_psnr_hole"
BOUNDS = ("difference", "low", "high")
NONE = np.array([])
REFERENCE = "reference"
EXPLORATORY = "exploratory"
NOT_RANKED = "not ranked"
NOT_JUDGED = "not judged"


def standing_output(results: Results, method: str) -> str:
    """The output that stands for a method where each method has one row.

    Args:
        results: results of a suite.
        method: label of a method.

    Returns:
        `raw` for a fill. For a network its own `output:`, else the question's, else `averaged`,
        else the first that the suite scores.
    """
    outputs = results.outputs_of(method)
    asked = results.question
    wanted = [results.method_outputs.get(method), AVERAGED]
    if asked is not None:
        of_networks = [asked.outputs[other] for other in asked.outputs if other in results.networks]
        wanted[1:1] = [asked.outputs.get(method), *of_networks]
    return next((output for output in wanted if output in outputs), outputs[0])


def score_of(results: Results) -> Score:
    """The score of the suite's question; hole PSNR, or its first, where nothing is asked."""
    if results.question is None:
        return results.scores[0]
    return next(score for score in results.scores if score.column == results.question.score)


def leaderboard(results: Results, answer: Table | None, reference: str) -> Table:
    """Rank the methods by the question's score, hole PSNR where nothing is asked.

    Args:
        results: results of a suite.
        answer: `question.judged` of the same results; None where nothing is asked.
        reference: name of the method that all are compared with where nothing is asked.

    Returns:
        The table. psnr, ssim, ...: means over images, seeds and holes averaged within an image
        first; psnr_n, ...: number of jobs with that score. difference: to the reference, on the
        holes of images that both have, in the unit of the score; low, high: of a planned comparison
        its simultaneous interval, of others, and where each hole is judged, the 95 % interval of
        this comparison alone. oracle: hole PSNR of the best iteration, picked with the truth. n:
        number of jobs with the score that ranks; N: number of jobs of a method on all images;
        complete: whether it is ranked, as all have a score that is a number. Complete methods come
        first, best first.
    """
    asked, score = results.question, score_of(results)
    if asked is not None:
        reference = asked.reference
    frame = _numbers(results, score, reference)
    for method, answers in _verdicts(answer, asked).items():
        frame.loc[frame["method"] == method, list(answers)] = list(answers.values())
    if asked is None:
        frame = frame.drop(columns="verdict")
    order = np.lexsort((-score.sign * frame[score.name], ~frame["complete"]))
    frame = frame.iloc[order].reset_index(drop=True)
    has_networks = bool(results.networks)  # fills have no iterations
    return Table(
        "leaderboard",
        ", ".join([f"Leaderboard by {score.heading}", *([results.after_last] * has_networks)]),
        frame,
        [_text(frame, results, score, reference)],
        about=_about(frame, results, score, reference),
    )


def _numbers(results: Results, score: Score, reference: str) -> pd.DataFrame:
    """A row for each method, in the suite's order, as if nothing had been planned."""
    methods = list(results.jobs["method"].unique())
    competing = [(method, standing_output(results, method)) for method in methods]
    rows = results.final.assign(column=ALL_HOLES).astype({ORACLE: float})
    planned = results.jobs.assign(column=ALL_HOLES)
    by_score = {own.name: columns(competing, rows, planned, own)[0] for own in results.scores}
    # Of the same holes as PSNR, beside which it stands.
    told = rows[~exact_holes(rows, rows[PSNR.column] == np.inf, "column")[0]]
    (oracle,) = columns(competing, told, planned, replace(PSNR, name="oracle", column=ORACLE))
    ranked, at_reference = by_score[score.name], methods.index(reference)
    less = {}
    if ranked.is_whole[at_reference]:
        less = _less_reference(rows, score, competing, competing[at_reference])
    costs = results.final.groupby(["method", "output"])["seconds"].median()
    numbers = []
    for index, (method, output) in enumerate(competing):
        is_network, n = method in results.networks, ranked.scored[index]
        word = EXPLORATORY if ranked.is_whole[index] else NOT_RANKED
        numbers.append(
            {
                "method": method,
                "output": output if is_network else "",
                **{name: column.over_images[0][index] for name, column in by_score.items()},
                "oracle": oracle.over_images[0][index],
                **{f"{name}_n": column.scored[index] for name, column in by_score.items()},
                **_difference(less.get(method, NONE)),
                "verdict": REFERENCE if index == at_reference else word,
                "iterations": results.last_of(method) if is_network and n else np.nan,
                "seconds": costs.get((method, output), np.nan),
                "n": n,
                "N": ranked.planned[index],
                "exact": ranked.exact[index],
                "complete": ranked.is_whole[index],
            }
        )
    return pd.DataFrame(numbers)


def _less_reference(
    rows: pd.DataFrame, score: Score, competing: Sequence[Entry], reference: Entry
) -> dict[str, Array]:
    """By method, its differences to the reference by image, on the holes that both have."""
    told, _ = without_exact(rows[rows[score.column].notna()], score)
    cells = told.groupby(["method", "output", "image", "mask"])[score.column].mean()
    entries = {*zip(told["method"], told["output"], strict=True)} - {reference}
    return {
        entry[0]: (cells[entry] - cells[reference]).dropna().groupby("image").mean().to_numpy()
        for entry in competing
        if entry in entries
    }


def _difference(by_image: Array) -> dict[str, float]:
    """The mean with an interval of its own."""
    mean, half = map(float, mean_interval(by_image))
    return {"difference": mean, "low": mean - half, "high": mean + half}


def _verdicts(answer: Table | None, asked: Asked | None) -> dict[str, dict[str, Any]]:
    """By method, what the planned comparison with the reference came to.

    Where holes are judged one by one, only the verdicts, counted.
    """
    if answer is None or asked is None:
        return {}
    rows: dict[str, list[dict[Any, Any]]] = {}
    for line in against_reference(answer, asked):
        rows.setdefault(line["method"], []).append(line)
    verdicts: dict[str, dict[str, Any]] = {}
    for method, own in rows.items():
        words = Counter(NOT_JUDGED if row["reason"] else row["verdict"] for row in own)
        if asked.holes == "each" and len(own) > 1:
            word = ", ".join(f"{word} ({count})" for word, count in words.items())
            verdicts[method] = {"verdict": word if len(words) > 1 else f"{min(words)} in each hole"}
        else:
            verdicts[method] = {"verdict": min(words)} | {name: own[0][name] for name in BOUNDS}
    return verdicts


def _text(frame: pd.DataFrame, results: Results, score: Score, reference: str) -> pd.DataFrame:
    rows = frame.to_dict("records")
    others = [own for own in results.scores if own.name != score.name]
    text: dict[str, Sequence[Cell]] = {"method": list(frame["method"])}
    text |= {score.title: _scores(rows, score)}
    text |= {
        f"Δ vs {reference}": [
            NOTHING if row["method"] == reference else difference_of(row, score) for row in rows
        ]
    }
    if results.question:
        text |= {"verdict": list(frame["verdict"])}
    text |= {own.title: _scores(rows, own) for own in others}
    if frame["oracle"].notna().any():
        oracle = [row["oracle"] if row["complete"] else np.nan for row in rows]
        text |= {f"oracle {PSNR.title}": [Value(number, PSNR.decimals) for number in oracle]}
    if len({*frame["output"]} - {""}) > 1:
        text["output"] = [output or NOTHING for output in frame["output"]]
    if results.networks:
        text |= {"iterations": [Value(row["iterations"], 0) for row in rows]}
    text |= {
        "seconds": [seconds(row["seconds"]) for row in rows],
        "jobs": [f"{row['n']}/{row['N']}" for row in rows],
    }
    return pd.DataFrame(text, dtype=object)


def _scores(rows: Sequence[dict[Any, Any]], score: Score) -> list[Cell]:
    """Means; the best and the second are marked of the methods whose jobs all have the score.

    A method that is not ranked has none: its mean would be of other images. A mean over fewer jobs
    than that of the score that ranks says so.
    """
    ranked = {
        row["method"]: score.sign * row[score.name]
        for row in rows
        if row["complete"] and row[f"{score.name}_n"] == row["N"]
    }
    best = sorted({*ranked.values()}, reverse=True)
    if np.isnan(best).any():  # that of a method that fills all holes exactly
        best = []
    places = {mean: place for place, mean in enumerate(best[:2], 1)}
    return [
        Value(
            row[score.name] if row["complete"] else np.nan,
            score.decimals,
            of=(row[f"{score.name}_n"], row["N"])
            if row["complete"] and row[f"{score.name}_n"] < row["N"]
            else None,
            place=places.get(ranked.get(row["method"], np.nan), 0),
        )
        for row in rows
    ]


def _about(frame: pd.DataFrame, results: Results, score: Score, reference: str) -> str:
    images = counted(results.jobs["image"].nunique(), "image")
    asked = results.question
    margin = f"{asked.margin:g} {score.unit}".rstrip() if asked else ""
    outputs = {*frame["output"]} - {""}
    lacks = frame["n"] < frame["N"]
    sentences = [
        f"Means over {images}; seeds and holes are averaged within an image first",
        "Best bold, second underlined" if frame["complete"].sum() > 1 else "",
        f"Δ: mean difference to {reference} on the same images, with its 95 % interval",
        f"Verdicts are read off intervals that hold together (equivalent: within ±{margin})"
        if asked
        else "No comparison was planned: each interval stands alone, and no claim rests on it",
        "Each hole is judged alone; Δ is over all holes, and its interval stands alone"
        if asked and asked.holes == "each" and results.jobs["mask"].nunique() > 1
        else "",
        f"{EXPLORATORY}: not planned, so the interval stands alone and no claim rests on it"
        if asked
        else "",
        f"Networks: {min(outputs)} output" if len(outputs) == 1 else "",
        "oracle: the best iteration of each fit, picked with the truth, which no method can do"
        if frame["oracle"].notna().any()
        else "",
        "seconds: median over fits",
        ABOUT_EXACT if frame["exact"].any() else "",
        f"{NOT_RANKED}: lacks scores, so its means are of other images and not shown"
        if lacks.any()
        else "",
        "No method is ranked: each hole is filled exactly by some method"
        if not (lacks | frame["complete"]).all()
        else "",
    ]
    return ". ".join(filter(None, sentences))
