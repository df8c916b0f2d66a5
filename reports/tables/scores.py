"""The scores that tables compare: of each method and output an image's mean, in each column.

A column is a hole, all holes, an iteration, a share of missing pixels or an image. Within a column
the seeds of a hole are averaged first, then the holes of an image; images are what is left.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.scoring.results import OUTPUTS, SCORES, Results, Score
from benchmarks.scoring.statistics import Array, between_seeds, mean_interval

ALL_HOLES = "all holes"
PSNR = SCORES["psnr"]


def requested_scores(results: Results) -> list[Score]:
    """Those that the suite asks for, PSNR first."""
    return [score for name, score in SCORES.items() if name in results.about["metrics"]]


def holes_of(results: Results) -> str:
    """What a mean over all holes is called: by its own name where there is one hole only."""
    named = results.jobs["mask"].unique()
    return str(named[0]) if len(named) == 1 else ALL_HOLES


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

    @property
    def is_whole(self) -> list[bool]:
        """By entry: every job has a score; only such methods are compared and ranked."""
        return [n == planned > 0 for n, planned in zip(self.counts, self.of, strict=True)]

    @property
    def whole(self) -> list[int]:
        """Which entries those are."""
        return [index for index, is_whole in enumerate(self.is_whole) if is_whole]

    @property
    def over_images(self) -> tuple[list[float], list[float]]:
        """By entry the mean of the images that have a score, and half its interval's width."""
        found = [mean_interval(row[~np.isnan(row)]) for row in self.scores]
        return [float(mean) for mean, _ in found], [float(half) for _, half in found]

    @property
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


def by_hole(results: Results, score: Score) -> list[Column]:
    """A column for each hole, and one for all of them where there are several."""
    rows = results.final.assign(column=results.final["mask"])
    planned = results.jobs.assign(column=results.jobs["mask"])
    if results.jobs["mask"].nunique() > 1:
        rows = pd.concat([rows, rows.assign(column=ALL_HOLES)])
        planned = pd.concat([planned, planned.assign(column=ALL_HOLES)])
    return columns(entries(results), rows, planned, score)


def best_of(column: Column, score: Score) -> int | None:
    """Which entry's mean is best, of those that are whole."""
    means = score.sign * column.scores.mean(axis=1)
    return max(column.whole, key=lambda index: means[index], default=None)
