r"""A suite's numbers as macros, so that prose cites what tables show: `\dip{quick/psnr}`."""

from collections.abc import Iterator, Mapping

import numpy as np

from benchmarks.scoring.results import Results
from reports.tables.formats.by_method import last_column, of_standing_outputs
from reports.tables.leaderboard import score_of
from reports.tables.question import against_reference
from reports.tables.scores import ALL_HOLES
from reports.tables.table import Table, shown

NUMBERS = "numbers.tex"
CITING = r"""% Numbers for prose, also within \num{}: of each method the output that stands for it.
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
    for parts, number, decimals in _numbers(results, tables):
        if np.isfinite(number):
            name, value = "/".join(map(key, parts)), shown(number, decimals)
            lines.append(f"\\expandafter\\def\\csname dip@{name}\\endcsname{{{value}}}\n")
    return CITING + "".join(lines)


def _numbers(
    results: Results, tables: Mapping[str, Table]
) -> Iterator[tuple[tuple[str, ...], float, int]]:
    """The parts of a name, its number and how many decimals that has."""
    for score in results.scores:
        comparison = tables[f"comparison-{score.name}"]
        for line in of_standing_outputs(results, comparison):
            yield (line["method"], score.name, line["column"]), line["mean"], score.decimals
            if line["column"] != last_column(comparison):
                continue
            yield (line["method"], score.name), line["mean"], score.decimals
            if score == results.scores[0]:
                seconds = line["seconds"]
                yield (line["method"], "iterations"), line["iterations"], 0
                if seconds >= 0.0005:  # less is no number in a table, either
                    yield (line["method"], "seconds"), seconds, 1 if seconds >= 1 else 3
    if results.question is None:
        return
    score = score_of(results)
    for line in against_reference(tables["question"], results.question):
        hole = [] if line["hole"] == ALL_HOLES else [line["hole"]]
        for name, column in {"delta": "difference", "low": "low", "high": "high"}.items():
            yield (line["method"], name, *hole), line[column], score.decimals


def key(name: str) -> str:
    """A name as part of a macro's; what TeX takes for more than a letter by its number."""
    return "".join(
        letter
        if letter.isascii() and letter.isprintable() and letter not in "\\{}#%~^/&$"
        else f"U+{ord(letter):04X}"
        for letter in name
    )
