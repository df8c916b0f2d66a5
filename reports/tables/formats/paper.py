"""A table for a paper: a row a method, a column a hole, with caption and label.

It needs booktabs and array, and fits the text width of a two-column article in 10 points.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.results import Results, Score
from benchmarks.system.text import counted, slug
from reports.tables.formats.by_method import of_standing_outputs
from reports.tables.formats.latex import escape
from reports.tables.leaderboard import score_of, standing_output
from reports.tables.question import against_reference, with_unit
from reports.tables.scores import ALL_HOLES
from reports.tables.table import Table, shown

COLUMNS = 7  # beside each other
LINES = 45  # of small print that a page has room for
# Shares of the text width: of a number, of the room before it, and of a letter of small print.
NUMBER, ROOM, LETTER = 0.083, 0.018, 0.0105
HEAD, SENTENCE = 8, 40  # letters of a word, above a number and in a caption
WIDE = "mwMW@%&"  # as two others
MARKS = {"better": r"\dagger", "worse": r"\ddagger", "equivalent": r"\approx"}


@dataclass(frozen=True)
class _Cell:
    """A method in a column. place: 1 for the best of what is shown; verdict: of the question."""

    text: str
    is_whole: bool
    place: int = 0
    verdict: str = ""


@dataclass(frozen=True)
class _Row:
    """name: of the method, as it is shown; cells: by column."""

    name: str
    cells: dict[str, _Cell]


def to_paper(results: Results, score: Score, tables: Mapping[str, Table]) -> str:
    """LaTeX of one score: best method first, those that lack scores last.

    Args:
        results: results of a suite.
        score: one of its scores.
        tables: its tables by name.
    """
    comparison = tables[f"comparison-{score.name}"]
    columns = list(dict.fromkeys(comparison.numbers["column"]))
    lines = {
        (line["method"], line["column"]): line for line in of_standing_outputs(results, comparison)
    }
    verdicts = _verdicts(results, score, tables, columns[-1])
    rows = _rows(results, score, columns, lines, verdicts, tables["leaderboard"])
    panels = _panels(columns, [row.name for row in rows])
    caption = [
        *_what(results, score, comparison, columns, panels),
        *_marks(results, tables, rows, verdicts),
    ]
    body = "\n\n\\medskip\n".join(_tabular(panel, rows) for panel in panels)
    return (
        "% Needs booktabs and array.\n\\begin{table*}\n\\centering\\sloppy\n"
        f"\\caption[{{{escape(score.heading)}}}]{{{' '.join(caption)}}}\n\\vspace{{4pt}}\n"
        f"\\label{{tab:{slug(results.folder.name)}-{score.name}}}\n"
        f"\\footnotesize\n\\setlength{{\\tabcolsep}}{{{ROOM / 2}\\linewidth}}\n"
        f"{body}\n\\end{{table*}}\n"
    )


def _verdicts(
    results: Results, score: Score, tables: Mapping[str, Table], last: str
) -> dict[tuple[str, str], str]:
    """By method and column: how it compares with the reference, where that was planned."""
    if results.question is None or results.question.score != score.column:
        return {}
    return {
        (line["method"], last if line["hole"] == ALL_HOLES else line["hole"]): line["verdict"] or ""
        for line in against_reference(tables["question"], results.question)
    }


def _rows(
    results: Results,
    score: Score,
    columns: Sequence[str],
    lines: Mapping[tuple[str, str], Mapping[Any, Any]],
    verdicts: Mapping[tuple[str, str], str],
    leaderboard: Table,
) -> list[_Row]:
    """lines: of the comparison's numbers, by method and column."""
    methods = list(results.jobs["method"].unique())
    ranked = {
        column: sorted(
            (name for name in methods if _is_whole(lines.get((name, column)))),
            key=lambda name: lines[name, column]["place"],
        )
        for column in columns
    }
    best, board = ranked[columns[-1]], leaderboard.numbers.set_index("method")
    rows = []
    for name in [*best, *(name for name in methods if name not in best)]:
        cells = {}
        for column in columns:
            line = lines.get((name, column), {})
            place = ranked[column].index(name) + 1 if name in ranked[column] else 0
            text = shown(line.get("mean", np.nan), score.decimals)
            verdict = verdicts.get((name, column), "")
            cells[column] = _Cell(text, _is_whole(line), place, verdict)
        note = ""
        if name not in best:
            note = f" ({board.loc[name, f'{score.name}_n']}/{board.loc[name, 'N']})"
        rows.append(_Row(_named(results, name) + note, cells))
    return rows


def _is_whole(line: Mapping[Any, Any] | None) -> bool:
    """Whether it has all scores: only such methods have a place."""
    return line is not None and pd.notna(line.get("place"))


def _named(results: Results, method: str) -> str:
    """With the output that stands for a network, where networks have different ones."""
    outputs = {name: standing_output(results, name) for name in results.networks}
    has_output = method in outputs and len({*outputs.values()}) > 1
    return f"{method}, {outputs[method]}" if has_output else method


def _panels(columns: list[str], names: Sequence[str]) -> list[list[str]]:
    """Columns that stand beside each other; the last one alone, where a page cannot hold all."""
    count = -(-len(columns) // COLUMNS)
    width = -(-len(columns) // count)
    _, room = _shares(names, width)
    lines = count * sum(math.ceil(_letters(name) * LETTER / room) for name in names)
    if count > 1 and lines > LINES:
        return [columns[-1:]]
    return [columns[at : at + width] for at in range(0, len(columns), width)]


def _shares(names: Sequence[str], columns: int) -> tuple[float, float]:
    """Of the text width: what names need, and what so many columns leave for them."""
    return max(map(_letters, names)) * LETTER, 1 - columns * (NUMBER + ROOM) - ROOM / 2


def _letters(text: str) -> float:
    """How many usual letters are as wide as the text."""
    return sum(2 if letter in WIDE else 1.5 if letter.isupper() else 1 for letter in text)


def _tabular(columns: Sequence[str], rows: Sequence[_Row]) -> str:
    needed, room = _shares([row.name for row in rows], len(columns))
    if needed <= room:
        kind, names = "l", [escape(row.name) for row in rows]
    else:
        kind = rf">{{\raggedright\arraybackslash}}p{{{room:.3f}\linewidth}}"
        names = [_breakable(row.name, int(room / LETTER)) for row in rows]
    number = rf">{{\raggedleft\arraybackslash}}p{{{NUMBER}\linewidth}}"
    head = rf">{{\raggedleft\arraybackslash}}b{{{NUMBER}\linewidth}}"
    heads = [rf"\multicolumn{{1}}{{{head}}}{{{_breakable(column, HEAD)}}}" for column in columns]
    lines = [" & ".join(["method", *heads])]
    lines += [
        " & ".join([name, *(_number(row.cells[column]) for column in columns)])
        for name, row in zip(names, rows, strict=True)
    ]
    first, *rest = (rf"{line} \\" for line in lines)
    return "\n".join(
        [
            rf"\begin{{tabular}}{{@{{}}{kind}*{{{len(columns)}}}{{{number}}}}}",
            *(r"\toprule", first, r"\midrule", *rest, r"\bottomrule", r"\end{tabular}"),
        ]
    )


def _number(cell: _Cell) -> str:
    """Marks hang over the column's edge, so that numbers stand below each other."""
    text = cell.text.replace("-", "$-$") if len(cell.text) > 1 else "--"
    if not cell.is_whole and len(cell.text) > 1:
        text = rf"\textit{{{text}}}"
    text = {1: rf"\textbf{{{text}}}", 2: rf"\underline{{{text}}}"}.get(cell.place, text)
    mark = MARKS.get(cell.verdict)
    return text + (rf"\rlap{{$^{{{mark}}}$}}" if mark else "")


def _breakable(text: str, letters: int) -> str:
    """Lines may end behind a sign, and within a word that is longer than so many letters."""
    parts = []
    for part in re.findall(r"[\w.]*(?:[^\w.\s]\s*|\s+)|[\w.]+", text):
        word = part.rstrip()
        within = r"\penalty200 " if _letters(word) > letters else ""
        parts.append(within.join(map(escape, word)))
        # A line may end at a space anyway, and TeX drops the one that ends a number.
        parts.append(r"\penalty0 " if word == part else " ")
    return "".join(parts[:-1])


def _what(
    results: Results,
    score: Score,
    comparison: Table,
    columns: Sequence[str],
    panels: Sequence[Sequence[str]],
) -> list[str]:
    """Sentences of the caption: what the numbers are."""
    images = counted(results.jobs["image"].nunique(), "image")
    has_seeds = results.jobs.duplicated(["image", "mask", "method"]).any()
    within = [*(["holes"] if len(columns) > 1 else []), *(["seeds"] if has_seeds else [])]
    after = f", {results.after_last}" if results.networks else ""
    order = "higher" if score.is_better_higher else "lower"
    sentences = [
        f"{escape(score.heading)}, {order} is better{after}: mean over {images}"
        + (f", after averaging {' and '.join(within)} within an image." if within else ".")
    ]
    if sum(map(len, panels)) < len(columns):
        sentences.append(
            f"The means are over all {len(columns) - 1} holes;"
            f" {comparison.name}.tex has each of them."
        )
    outputs = {standing_output(results, name) for name in results.networks}
    if len(outputs) == 1:
        sentences.append(f"Networks show their output {_breakable(outputs.pop(), SENTENCE)}.")
    elif outputs:
        sentences.append("Networks show the output named behind them.")
    if comparison.numbers["exact"].any():
        sentences.append("Holes that a method fills without any error are left out for all.")
    return sentences


def _marks(
    results: Results,
    tables: Mapping[str, Table],
    rows: Sequence[_Row],
    verdicts: Mapping[tuple[str, str], str],
) -> list[str]:
    """Sentences of the caption: what bold, italics and marks mean."""
    sentences = ["Best bold, second underlined."]
    if any(not cell.is_whole for row in rows for cell in row.cells.values()):
        sentences.append(
            "Methods that lack scores stand last, with the number of their jobs ($n/N$);"
            " their means are in italics and not ranked."
        )
    asked = results.question
    if asked is not None and verdicts:
        margin = with_unit(f"{asked.margin:g}", score_of(results))
        # All that were planned hold together, also those with other methods than the reference.
        is_alone = len(tables["question"].numbers) == 1
        by = "an interval of" if is_alone else "intervals that hold together with"
        names = {"equivalent": rf"equivalent ($\pm${margin})"}
        marks = [
            rf"$^{mark}$ {names.get(verdict, verdict)}"
            for verdict, mark in MARKS.items()
            if verdict in verdicts.values()
        ]
        told = f": {', '.join(marks)}" if marks else ""
        sentences += [
            f"Planned comparisons with {_breakable(asked.reference, SENTENCE)} are judged by {by}"
            f" 95\\,\\%{told}.",
            "No mark: inconclusive, or not judged.",
        ]
        sentences += [escape(asked.notice)] if asked.notice else []
    return sentences
