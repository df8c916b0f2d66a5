"""The scores that tables compare: of each method and output an image's mean, in each column.

A column is a hole, all holes, an iteration, a share of missing pixels or an image. Within a column
the seeds of a hole are averaged first, then the holes of an image; images are what is left.

A hole that is filled exactly has an infinite PSNR, which is no number to average. Where one method
does so, that hole of that image is left out for all, so that their means are of the same.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from benchmarks.scoring.results import SCORES, Results, Score
from benchmarks.scoring.statistics import Array, between_seeds, mean_interval

PSNR = SCORES["psnr"]
ALL_HOLES = "all holes"

# For a table with such jobs.
ABOUT_EXACT = (
    "exact: jobs without any error in the hole, whose PSNR is infinite; what one method fills"
    " exactly is left out of the means, ranks and tests of all"
)

Entry = tuple[str, str]  # method and output: what competes; a fill's output is `raw`


@dataclass(frozen=True)
class Column:
    """One column of a table: every entry on the same images.

    Attributes:
        name: heading of the column.
        images: names of the planned images, without those that are left out.
        scores: (entries, images), NaN where an image has no score.
        scored: number of jobs with a score, by entry; also those that are left out of means.
        counts: number of jobs in the mean, by entry.
        exact: number of jobs with an infinite score, by entry.
        planned: number of planned jobs, by entry; those of all images, also for a method that runs
            on some images only.
        deviations: standard deviation between seeds, pooled over images and holes, by entry.
        is_whole: by entry: every job has a score; only such methods are compared and ranked.
        planned_images: number of planned images.
    """

    name: str
    images: tuple[str, ...]
    scores: Array
    scored: tuple[int, ...]
    counts: tuple[int, ...]
    exact: tuple[int, ...]
    planned: tuple[int, ...]
    deviations: tuple[float, ...]
    is_whole: tuple[bool, ...]
    planned_images: int

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
        outputs = results.outputs_of(method)
        of_method = [(method, output) for output in outputs if (method, output) in have]
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
    averaged, untold = without_exact(scored, score)
    is_exact = np.isinf(scored[score.column])
    parts = (scored, averaged, scored[is_exact])
    with_score, counts, exact = (part.groupby(names).size() for part in parts)
    by_method = planned.groupby(["column", "method"])
    jobs_planned, images_planned = by_method.size(), by_method["image"].nunique()
    fits = averaged.set_index([*names, "image", "mask", "seed"])[score.column]
    per_hole = fits.groupby(level=[*names, "image", "mask"]).mean()
    means = per_hole.groupby(level=[*names, "image"]).mean()
    spreads = between_seeds(fits, names)
    arranged = []
    for name, jobs in planned.groupby("column", sort=False):
        images = list(jobs["image"].unique())
        if name not in untold:
            with_mean = averaged["image"][averaged["column"] == name]
            left_out = {*scored["image"][scored["column"] == name]} - {*with_mean}
            images = [image for image in images if image not in left_out]
        at = [(name, *entry) for entry in competing]
        planned_jobs = [
            int(jobs_planned.get((name, method), 0))
            * jobs["image"].nunique()
            // max(1, int(images_planned.get((name, method), 0)))
            for method, _ in competing
        ]
        scores = np.full((len(competing), len(images)), np.nan)
        for index, place in enumerate(at):
            if counts.get(place, 0):
                scores[index] = means.loc[place].reindex(images)
        arranged.append(
            Column(
                str(name),
                tuple(images),
                scores,
                tuple(int(with_score.get(place, 0)) for place in at),
                tuple(int(counts.get(place, 0)) for place in at),
                tuple(int(exact.get(place, 0)) for place in at),
                tuple(planned_jobs),
                tuple(float(spreads.get(place, np.nan)) for place in at),
                tuple(
                    name not in untold and with_score.get(place, 0) == n > 0
                    for place, n in zip(at, planned_jobs, strict=True)
                ),
                jobs["image"].nunique(),
            )
        )
    return arranged


def exact_holes(
    rows: pd.DataFrame, is_exact: "pd.Series[bool]", group: str
) -> tuple["pd.Series[bool]", "pd.Series[bool]"]:
    """Find the rows that no mean may have: those of a hole of an image that anything fills exactly.

    Args:
        rows: scores, with columns `image` and `mask`.
        is_exact: by row, whether its score is infinite.
        group: name of the column within which rows have means.

    Returns:
        By row, whether its hole is filled exactly by any row of its group; and whether that is so
        of all holes of its group, so that leaving them out leaves nothing.
    """
    cells = [rows[name] for name in dict.fromkeys((group, "image", "mask"))]
    is_out = is_exact.groupby(cells).transform("any")
    return is_out, is_out.groupby(rows[group]).transform("all")


def without_exact(scored: pd.DataFrame, score: Score) -> tuple[pd.DataFrame, set[str]]:
    """The rows that means are of: those of no hole of an image that any method fills exactly.

    Returns them, and the columns of which that would leave nothing: there only the exact rows
    themselves are left out, and nothing is to be told from what is left.
    """
    is_exact = np.isinf(scored[score.column])
    if not is_exact.any():
        return scored, set()
    is_out, is_untold = exact_holes(scored, is_exact, "column")
    return scored[~is_out.where(~is_untold, is_exact)], {*scored["column"][is_untold]}
