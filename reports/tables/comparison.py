"""Tables of methods by holes, iterations, shares of missing pixels, or images.

A cell is the mean over images with half its 95 % interval, and how many jobs are behind it. Means
of all methods share the differences between images; whether two methods differ is asked of their
differences, image by image. So a method whose interval overlaps with the best one's may well be
worse, and `≈` marks those that cannot be told from the best.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.results import OUTPUTS, Results
from benchmarks.scoring.statistics import ALPHA, Array, mean_interval
from reports.tables.scores import ABOUT_EXACT, PSNR, Entry, columns, entries, without_exact
from reports.tables.standings import Family, Standing, family
from reports.tables.table import NOTHING, Table, Value

PANEL = 6  # columns that fit beside each other
SHARES = (0.0, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0)  # missing, as papers on irregular holes
MARKS = (
    "± is half the 95 % interval of the mean over images (Student's t), n/N how many of all jobs"
    " planned have a score; who lacks one is not ranked. Best bold, second underlined; ≈: cannot be"
    " told from the best by the same images (paired t, Holm over the table; Wilcoxon)"
)


def comparison(standing: Standing, iteration: int) -> Table:
    """Methods by holes, for one score.

    Args:
        standing: how the methods stand by the score.
        iteration: the last iteration, for the title.
    """
    score = standing.score
    title = f"{score.title} after {iteration} iterations"
    return _grid(f"comparison-{score.name}", title, standing.by_hole, has_deviations=True)


def iterations(results: Results, holes: str) -> Table | None:
    """Networks by iterations, over all holes.

    Args:
        results: results of a suite.
        holes: name of the column of all holes, for the title.

    Returns:
        The table; None if there are fewer than two iterations, or no network.
    """
    rows = results.rows[(results.rows["iteration"] > 0) & results.rows["output"].isin(OUTPUTS)]
    asked = sorted(results.about["iterations"])
    competing = [entry for entry in entries(results, rows) if entry[0] in results.networks]
    if len(asked) < 2 or not competing:
        return None
    jobs = results.jobs[results.jobs["method"].isin(results.networks)]
    planned = pd.concat([jobs.assign(column=str(iteration)) for iteration in asked])
    rows = rows.assign(column=rows["iteration"].astype(str))
    shown = columns(competing, rows, planned, PSNR)
    return _grid(
        "iterations", f"{PSNR.title} at iterations, {holes}", family(PSNR, competing, shown)
    )


def missing_share(results: Results, competing: list[Entry]) -> Table | None:
    """Methods by how much of the image is missing; None if there is one share or none.

    A hole stands where its mean over images does, in whole percent: half of the pixels, drawn at
    random, are some more on one image and some less on another.
    """
    fractions = results.rows.groupby(["mask", "image"])["hole_fraction"].first()
    shares = fractions.groupby(level="mask").mean().round(2)
    labels = [f"{100 * a:g}-{100 * b:g} %" for a, b in pairwise(SHARES)]
    cut = pd.cut(shares, SHARES, labels=labels, include_lowest=True).dropna()
    if cut.nunique() < 2:
        return None
    planned = results.jobs.assign(column=results.jobs["mask"].map(cut.astype(str)))
    planned = planned[planned["column"].notna()]
    order = {label: index for index, label in enumerate(labels)}
    planned = planned.sort_values("column", key=lambda names: names.map(order), kind="stable")
    rows = results.final.assign(column=results.final["mask"].map(cut.astype(str)))
    shown = columns(competing, rows, planned, PSNR)
    title = f"{PSNR.title} by share of missing pixels, after {results.last_iteration} iterations"
    return _grid("missing-share", title, family(PSNR, competing, shown))


def per_image(results: Results, competing: list[Entry], holes: str) -> Table:
    """Methods by images, over all holes, without tests: one image says nothing about others.

    Args:
        results: results of a suite.
        competing: methods and outputs.
        holes: name of the column of all holes, for the title.

    Returns:
        The table; ± is half the 95 % interval over seeds.
    """
    final = results.final
    rows, planned = (frame.assign(column=frame["image"]) for frame in (final, results.jobs))
    shown = columns(competing, rows, planned, PSNR)
    averaged, _ = without_exact(rows[rows["psnr_hole"].notna()], PSNR)
    by_seed = averaged.groupby(["image", "method", "output", "seed"])["psnr_hole"].mean()
    seeds: dict[Any, Array] = {
        place: values.to_numpy() for place, values in by_seed.groupby(level=[0, 1, 2])
    }
    halves = [
        [
            float(mean_interval(seeds[column.name, *entry])[1])
            if is_whole and (column.name, *entry) in seeds
            else np.nan
            for entry, is_whole in zip(competing, column.is_whole, strict=True)
        ]
        for column in shown
    ]
    last = results.last_iteration
    title = f"{PSNR.title} of each image, {holes}, after {last} iterations"
    note = "± is half the 95 % interval over seeds; best bold, second underlined, without any test"
    images = family(PSNR, competing, shown, is_compared=False)
    return _grid("per-image", title, images, halves=halves, note=note)


def _grid(
    name: str,
    title: str,
    group: Family,
    *,
    halves: Sequence[Sequence[float]] | None = None,
    note: str = MARKS,
    has_deviations: bool = False,
) -> Table:
    """halves: of each column the intervals of its entries, if they are not over images."""
    score, arranged, p = group.score, group.columns, group.p_against_best
    means = [column.over_images[0] for column in arranged]
    halves = halves or [column.over_images[1] for column in arranged]
    numbers, cells = [], []
    for index, column in enumerate(arranged):
        places = {row: place + 1 for place, row in enumerate(group.order[index])}
        for row, (method, output) in enumerate(group.entries):
            number = {
                "method": method,
                "output": output,
                "column": column.name,
                "mean": means[index][row],
                "half_width": halves[index][row],
                "between_seeds": column.deviations[row],
                "images": int((~np.isnan(column.scores[row])).sum()),
                "n": column.counts[row],
                "N": column.planned[row],
                "exact": column.exact[row],
                "place": places.get(row),
                "p_against_best": p[index][row],
            }
            numbers.append(number)
            cells.append(
                Value(
                    means[index][row],
                    score.decimals,
                    halves[index][row],
                    (column.counts[row], column.planned[row]),
                    places[row] if places.get(row) in (1, 2) else 0,
                    bool(p[index][row] >= ALPHA),
                    exact=column.exact[row],
                )
            )
    frame = pd.DataFrame(numbers)
    rows = len(group.entries)
    by_column = [cells[at : at + rows] for at in range(0, len(cells), rows)]
    shown = {column.name: by_column[at] for at, column in enumerate(arranged)}
    if has_deviations:
        last = arranged[-1].deviations
        shown["between seeds"] = [Value(deviation, score.decimals) for deviation in last]
    return Table(
        name,
        title,
        frame,
        ("method", "output", "column"),
        dict.fromkeys(("mean", "half_width", "between_seeds"), score.decimals)
        | {"n": 0, "N": 0, "p_against_best": 3},
        _panels(group.entries, shown),
        about=f"{note}; {ABOUT_EXACT}" if frame["exact"].any() else note,
    )


def _panels(competing: Sequence[Entry], shown: dict[str, list[Value]]) -> list[pd.DataFrame]:
    names = list(shown)
    methods = [method for method, _ in competing]
    outputs = [output or NOTHING for _, output in competing]
    width = PANEL + (len(names) % PANEL == 1)  # no panel of a single column
    panels = []
    for at in range(0, len(names), width):
        part = names[at : at + width]
        cells = [methods, outputs, *(shown[name] for name in part)]
        panel = pd.DataFrame(dict(enumerate(cells)), dtype=object)
        panel.columns = pd.Index(["method", "output", *part])  # an image may have such a name
        panels.append(panel)
    return panels
