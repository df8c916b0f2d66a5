"""The scores that tables compare: of each method and output an image's mean, in each column.

A column is a hole, all holes, an iteration, a share of missing pixels or an image. Within a column
the seeds of a hole are averaged first, then the holes of an image; images are what is left.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from benchmarks.scoring.results import OUTPUTS, SCORES, Results, Score
from benchmarks.scoring.statistics import Array, between_seeds, mean_interval

PSNR = SCORES["psnr"]

Entry = tuple[str, str]  # method and output: what competes; a fill's output is `raw`


@dataclass(frozen=True)
class Column:
    """One column of a table: every entry on the same images.

    Attributes:
        name: heading of the column.
        images: names of the planned images.
        scores: (entries, images), NaN where an image has no score.
        counts: number of jobs with a score, by entry.
        planned: number of planned jobs, by entry.
        deviations: standard deviation between seeds, pooled over images and holes, by entry.
    """

    name: str
    images: tuple[str, ...]
    scores: Array
    counts: tuple[int, ...]
    planned: tuple[int, ...]
    deviations: tuple[float, ...]

    @cached_property
    def is_whole(self) -> list[bool]:
        """By entry: every job has a score; only such methods are compared and ranked."""
        return [n == planned > 0 for n, planned in zip(self.counts, self.planned, strict=True)]

    @cached_property
    def whole(self) -> list[int]:
        """Indices of the entries whose jobs all have a score."""
        return [index for index, is_whole in enumerate(self.is_whole) if is_whole]

    @cached_property
    def over_images(self) -> tuple[list[float], list[float]]:
        """By entry the mean of the images that have a score, and half its interval's width."""
        intervals = [mean_interval(row[~np.isnan(row)]) for row in self.scores]
        return [float(mean) for mean, _ in intervals], [float(half) for _, half in intervals]

    @cached_property
    def compared(self) -> Array:
        """The scores, NaN for who is not compared."""
        return np.where(np.array(self.is_whole)[:, None], self.scores, np.nan)


def entries(results: Results, rows: pd.DataFrame | None = None) -> list[Entry]:
    """In the suite's order; a method without any result has the output ``."""
    rows = results.final if rows is None else rows
    have = set(zip(rows["method"], rows["output"], strict=True))
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
    jobs_planned = planned.groupby(["column", "method"]).size()
    fits = scored.set_index([*names, "image", "mask", "seed"])[score.column]
    per_hole = fits.groupby(level=[*names, "image", "mask"]).mean()
    means = per_hole.groupby(level=[*names, "image"]).mean()
    with np.errstate(invalid="ignore"):  # infinite scores have no variance
        spreads = between_seeds(fits, names)
    arranged = []
    for name, jobs in planned.groupby("column", sort=False):
        images = tuple(jobs["image"].unique())
        at = [(name, *entry) for entry in competing]
        scores = np.full((len(competing), len(images)), np.nan)
        for index, place in enumerate(at):
            if counts.get(place, 0):
                scores[index] = means.loc[place].reindex(images)
        arranged.append(
            Column(
                str(name),
                images,
                scores,
                tuple(int(counts.get(place, 0)) for place in at),
                tuple(int(jobs_planned.get((name, method), 0)) for method, _ in competing),
                tuple(float(spreads.get(place, np.nan)) for place in at),
            )
        )
    return arranged
