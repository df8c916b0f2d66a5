r"""A suite's numbers as macros, so that prose cites what tables show: `\dip{quick/psnr}`."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from benchmarks.scoring.results import Results
from reports.tables.formats.by_method import last_column, of_standing_outputs
from reports.tables.leaderboard import score_of
from reports.tables.question import against_reference
from reports.tables.scores import ALL_HOLES
from reports.tables.table import Cell, Table, Value, seconds

NUMBERS = "numbers.tex"
CITING = r"""% Numbers for prose, also within \num{}: of each method the output that stands for it.
% A method that lacks scores has no means.
%   \dip{METHOD/psnr}          over all holes, and so for each score of the suite
%   \dip{METHOD/psnr/HOLE}     in one hole
%   \dip{METHOD/delta}         less the reference of the suite's question, with its interval:
%   \dip{METHOD/low} and \dip{METHOD/high}; with /HOLE where the question asks for each hole
%   \dip{METHOD/iterations}, \dip{METHOD/seconds}
\ExplSyntaxOn
\msg_set:nnn {dip} {unknown} {There~is~no~number~'#1'}
\providecommand \dip [1]
  {
    \cs_if_exist:cTF {dip@#1}
      {\use:c {dip@#1}}
      {\msg_expandable_error:nnn {dip} {unknown} {#1}}
  }
\ExplSyntaxOff
"""


def to_macros(results: Results, tables: Mapping[str, Table]) -> str:
    """The content of `numbers.tex`.

    Args:
        results: results of a suite.
        tables: its tables by name.
    """
    lines = []
    for parts, cell in _numbers(results, tables):
        if isinstance(cell, Value) and np.isfinite(cell.number):
            name = "/".join(map(key, parts))
            lines.append(f"\\expandafter\\def\\csname dip@{name}\\endcsname{{{cell.shown}}}\n")
    return CITING + "".join(lines)


def _numbers(
    results: Results, tables: Mapping[str, Table]
) -> Iterator[tuple[tuple[str, ...], Cell]]:
    """The parts of a name, and what tables show; means of those only that have all scores."""
    for score in results.scores:
        comparison = tables[f"comparison-{score.name}"]
        for line in of_standing_outputs(results, comparison):
            method, is_whole = line["method"], pd.notna(line["place"])
            mean = Value(line["mean"] if is_whole else np.nan, score.decimals)
            yield (method, score.name, line["column"]), mean
            if line["column"] != last_column(comparison):
                continue
            yield (method, score.name), mean
            if score == results.scores[0]:
                yield (method, "iterations"), Value(line["iterations"], 0)
                yield (method, "seconds"), seconds(line["seconds"])
    if results.question is None:
        return
    score = score_of(results)
    for line in against_reference(tables["question"], results.question):
        hole = [] if line["hole"] == ALL_HOLES else [line["hole"]]
        for name, column in {"delta": "difference", "low": "low", "high": "high"}.items():
            yield (line["method"], name, *hole), Value(line[column], score.decimals)


def key(name: str) -> str:
    """A name as part of a macro's; what TeX takes for more than a letter by its number."""
    return "".join(
        letter
        if letter.isascii() and letter.isprintable() and letter not in "\\{}#%~^/&$"
        else f"U+{ord(letter):04X}"
        for letter in name
    )
