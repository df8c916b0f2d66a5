"""The scores that tables compare: of each method and output an image's mean, in each column.

A column is a hole, all holes, an iteration, a share of missing pixels or an image. Within a column
the seeds of a hole are averaged first, then the holes of an image; images are what is left. What a
report says of how methods stand is computed here, once: its tables and figures are given it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from benchmarks.scoring.results import OUTPUTS, SCORES, Results, Score
from benchmarks.scoring.statistics import (
    Array,
    Ranks,
    against_best,
    between_seeds,
    mean_interval,
    ranks,
)
from dip.errors import InputError, unknown

ALL_HOLES = "all holes"
REFERENCE = "biharmonic"  # the best of the fills that need no network, as a rule
PSNR = SCORES["psnr"]


Entry = tuple[str, str]  # method and output: what competes; a fill's output is `raw`


@dataclass(frozen=True)
class Column:
    """One column of a table: every entry on the same images.

    images: those planned. scores: (entries, images), NaN where an image has no score. counts, of:
    how many jobs have a score, of how many planned, by entry. deviations: by entry, the standard
    deviation between seeds, pooled over images and holes.
    """

    name: str
    images: tuple[str, ...]
    scores: Array
    counts: tuple[int, ...]
    of: tuple[int, ...]
    deviations: tuple[float, ...]

    @cached_property
    def is_whole(self) -> list[bool]:
        """By entry: every job has a score; only such methods are compared and ranked."""
        return [n == planned > 0 for n, planned in zip(self.counts, self.of, strict=True)]

    @cached_property
    def whole(self) -> list[int]:
        """Which entries those are."""
        return [index for index, is_whole in enumerate(self.is_whole) if is_whole]

    @cached_property
    def over_images(self) -> tuple[list[float], list[float]]:
        """By entry the mean of the images that have a score, and half its interval's width."""
        found = [mean_interval(row[~np.isnan(row)]) for row in self.scores]
        return [float(mean) for mean, _ in found], [float(half) for _, half in found]

    @cached_property
    def compared(self) -> Array:
        """The scores, NaN for who is not compared."""
        return np.where(np.array(self.is_whole)[:, None], self.scores, np.nan)


def entries(results: Results, rows: pd.DataFrame | None = None) -> list[Entry]:
    """In the suite's order; a method without any result has the output ``."""
    found = results.final if rows is None else rows
    have = set(zip(found["method"], found["output"], strict=True))
    named: list[Entry] = []
    for method in results.jobs["method"].unique():
        of_method = [(method, output) for output in OUTPUTS if (method, output) in have]
        named += of_method or [(method, "")]
    return named


def name_of(entry: Entry, results: Results) -> str:
    """`biharmonic`, `quick, averaged`."""
    method, output = entry
    return f"{method}, {output}" if output and method in results.networks else method


def columns(
    competing: list[Entry], rows: pd.DataFrame, planned: pd.DataFrame, score: Score
) -> list[Column]:
    """rows: scored, planned: jobs; both name the column in `column`, in the order of `planned`."""
    names = ["column", "method", "output"]
    scored = rows[rows[score.column].notna()]
    counts = scored.groupby(names).size()
    of = planned.groupby(["column", "method"]).size()
    fits = scored.set_index([*names, "image", "mask", "seed"])[score.column]
    per_hole = fits.groupby(level=[*names, "image", "mask"]).mean()
    means = per_hole.groupby(level=[*names, "image"]).mean()
    with np.errstate(invalid="ignore"):  # infinite scores have no variance
        spreads = between_seeds(fits, names)
    found = []
    for name, jobs in planned.groupby("column", sort=False):
        images = tuple(jobs["image"].unique())
        at = [(name, *entry) for entry in competing]
        scores = np.full((len(competing), len(images)), np.nan)
        for index, place in enumerate(at):
            if counts.get(place, 0):
                scores[index] = means.loc[place].reindex(images)
        found.append(
            Column(
                str(name),
                images,
                scores,
                tuple(int(counts.get(place, 0)) for place in at),
                tuple(int(of.get((name, method), 0)) for method, _ in competing),
                tuple(float(spreads.get(place, np.nan)) for place in at),
            )
        )
    return found


@dataclass(frozen=True)
class Family:
    """Columns that stand in one table, and whose comparisons are corrected together.

    order: of each column the entries that are whole, best first. p_against_best: of each column by
    entry; NaN for who is not compared, and throughout where nobody is.
    """

    score: Score
    entries: list[Entry]
    columns: list[Column]
    order: list[list[int]]
    p_against_best: list[Array]


def family(
    score: Score, competing: list[Entry], found: list[Column], *, is_compared: bool = True
) -> Family:
    """The columns with who is best in each, and who cannot be told from that."""
    means = [[-score.sign * mean for mean in column.over_images[0]] for column in found]
    order = [
        sorted(column.whole, key=mean.__getitem__)
        for mean, column in zip(means, found, strict=True)
    ]
    p = [np.full(len(competing), np.nan) for _ in found]
    if is_compared:
        best = [each[0] if each else None for each in order]
        p = against_best([column.compared for column in found], best)
    return Family(score, competing, found, order, p)


@dataclass(frozen=True)
class Standing:
    """How methods stand by one score: in each hole, and over all holes.

    scores: over all holes, with more for better. reference: None where it is not whole. pairs: how
    many are compared in all columns. ranks: over all holes, of those that are whole.
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
        """Over all holes; its name is what tables call them."""
        return self.by_hole.columns[-1]

    @property
    def best(self) -> int | None:
        return next(iter(self.by_hole.order[-1]), None)


def standings(results: Results, reference: str | None = None) -> list[Standing]:
    """How methods stand by each score that the suite asks for, PSNR first.

    Args:
        results: of a suite.
        reference: the method that all are compared with; by default `REFERENCE`, or the suite's
            first method.

    Raises:
        InputError: the reference is none of the methods.
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
        pairs=sum(n * (n - 1) // 2 for n in (len(each.whole) for each in by_hole.columns)),
        ranks=ranks(scores[whole]) if whole else None,
    )
