"""How methods stand: their order in each column, tests against the best, and ranks.

All of it is exploratory: none of it was planned. It is computed once for a report, and its tables
and figures all use the same standings.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.scoring.max_t import against_best
from benchmarks.scoring.results import Results, Score
from benchmarks.scoring.statistics import FEWEST_IMAGES, Array, Ranks, ranks
from dip.errors import InputError, unknown
from reports.tables.scores import ALL_HOLES, Column, Entry, columns, entries, name_of

REFERENCE = "biharmonic"  # usually the best fill
MAX_T = (
    "flipping signs (max-T), which assumes that differences between equally good methods are"
    " symmetric about zero"
)


@dataclass(frozen=True)
class Family:
    """The columns of one table. Their comparisons are corrected together.

    Attributes:
        score: the score in the columns.
        entries: methods and outputs.
        columns: the columns in the table's order.
        order: for each column, the indices of the complete entries, best first.
        p_against_best: for each column, p values by entry; NaN for entries without a test.
    """

    score: Score
    entries: list[Entry]
    columns: list[Column]
    order: list[list[int]]
    p_against_best: list[Array]


def family(
    score: Score, competing: list[Entry], shown: list[Column], *, is_compared: bool = True
) -> Family:
    """Rank the entries of each column and test each against the best.

    Args:
        score: the score in the columns.
        competing: methods and outputs.
        shown: the columns of one table.
        is_compared: whether to test.
    """
    means = [[-score.sign * mean for mean in column.over_images[0]] for column in shown]
    order = [
        sorted(column.whole, key=mean.__getitem__)
        for mean, column in zip(means, shown, strict=True)
    ]
    p = [np.full(len(competing), np.nan) for _ in shown]
    if is_compared:
        best = [ranked[0] if ranked else None for ranked in order]
        p = against_best(
            [column.compared for column in shown], [column.images for column in shown], best
        )
    return Family(score, competing, shown, order, p)


def few_images(images: int) -> str:
    """What a note on p values of so few images has to say; empty for more."""
    if images >= FEWEST_IMAGES:
        return ""
    return (
        f"; with fewer than {FEWEST_IMAGES} images p cannot fall below 0.05 (it is at least 2/2^n"
        " with n images) and is given as 1"
    )


@dataclass(frozen=True)
class Standing:
    """How methods stand by one score: in each hole and over all holes.

    An entry is complete if all its jobs have a score.

    Attributes:
        by_hole: a column for each hole, and all holes last.
        names: names of the entries in text.
        scores: (entries, images) over all holes; higher is better.
        reference: index of the entry that all are compared with; None if it is not complete.
        reference_name: its name, complete or not.
        pairs: number of pairs of complete entries, summed over columns.
        ranks: ranks of the complete entries over all holes.
    """

    by_hole: Family
    names: list[str]
    scores: Array
    reference: int | None
    reference_name: str
    pairs: int
    ranks: Ranks | None

    @property
    def score(self) -> Score:
        return self.by_hole.score

    @property
    def entries(self) -> list[Entry]:
        return self.by_hole.entries

    @property
    def column(self) -> Column:
        """The column over all holes."""
        return self.by_hole.columns[-1]

    @property
    def reference_method(self) -> str:
        """The method of the entry that all are compared with."""
        return self.entries[self.names.index(self.reference_name)][0]

    @property
    def best(self) -> int | None:
        return next(iter(self.by_hole.order[-1]), None)


def standings(results: Results, reference: str | None = None) -> list[Standing]:
    """Compute how methods stand by each score of the suite, PSNR first.

    Args:
        results: results of a suite.
        reference: name of the method that all are compared with; default: `REFERENCE` if the suite
            has it, else the suite's first method.

    Raises:
        InputError: no method has the name `reference`.
    """
    competing = entries(results)
    names = [name_of(entry, results) for entry in competing]
    if reference is not None and reference not in names:
        raise InputError(f"`reference`: {unknown('method', reference, names)}")
    named = reference or (REFERENCE if REFERENCE in names else names[0])
    rows = results.final.assign(column=results.final["mask"])
    planned = results.jobs.assign(column=results.jobs["mask"])
    if results.jobs["mask"].nunique() > 1:
        rows = pd.concat([rows, rows.assign(column=ALL_HOLES)])
        planned = pd.concat([planned, planned.assign(column=ALL_HOLES)])
    return [
        _standing(family(score, competing, columns(competing, rows, planned, score)), names, named)
        for score in results.scores
    ]


def _standing(by_hole: Family, names: list[str], reference: str) -> Standing:
    column = by_hole.columns[-1]
    scores = by_hole.score.sign * column.compared
    index = names.index(reference)
    whole = column.whole
    return Standing(
        *(by_hole, names, scores),
        reference=index if index in whole else None,
        reference_name=reference,
        pairs=sum(n * (n - 1) // 2 for n in (len(part.whole) for part in by_hole.columns)),
        ranks=ranks(scores[whole]) if whole else None,
    )
