"""Tables of methods by holes, iterations, shares of missing pixels, or images.

A cell is the mean over images with half its 95 % interval, and how many jobs are behind it. All
methods share the images, so intervals that overlap say nothing about two methods: their scores are
compared image by image, and `≈` marks those whose p value against the best is 0.05 or more. These
marks are exploratory.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.results import Results
from benchmarks.scoring.statistics import ALPHA, Array, mean_interval
from reports.tables.exploratory.standings import MAX_T, Family, Standing, family, few_images
from reports.tables.scores import ABOUT_EXACT, PSNR, Entry, columns, entries, without_exact
from reports.tables.table import NOTHING, Table, Value, seconds

PANEL = 6  # columns that fit beside each other
COSTS = ("iterations", "seconds")  # of an entry's fits
SHARES = (0.0, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0)  # missing, as papers on irregular holes
MARKS = (
    "± is half the 95 % interval of the mean over images (Student's t), n/N how many of all jobs"
    " planned have a score; a method that lacks one is not ranked. Best bold, second underlined."
    " Exploratory: ≈ is a p value of at least 0.05 against the best on the same images, corrected"
    f" for all pairs of the table by {MAX_T}"
)


def comparison(standing: Standing, results: Results) -> Table:
    """Methods by holes, for one score, with the iterations and seconds of each method's fits.

    Args:
        standing: how the methods stand by the score.
        results: results of the same suite.

    Returns:
        The table. seconds: until the last iteration, median over fits.
    """
    score = standing.score
    title = f"{score.title} {results.after_last}"
    costs = _costs(standing.entries, results)
    return _grid(f"comparison-{score.name}", title, standing.by_hole, costs, has_deviations=True)


def _costs(competing: Sequence[Entry], results: Results) -> pd.DataFrame:
    """Of each entry the last iteration, and the seconds until then, median over fits.

    A fill has no iterations; what has no result has neither.
    """
    medians = results.final.groupby(["method", "output"])["seconds"].median()
    has_result = [entry in medians.index for entry in competing]
    iterations = [
        results.last_of(method) if method in results.networks and has else np.nan
        for (method, _), has in zip(competing, has_result, strict=True)
    ]
    seconds = [float(medians.get(entry, np.nan)) for entry in competing]
    return pd.DataFrame(dict(zip(COSTS, (iterations, seconds), strict=True)))


def iterations(results: Results, holes: str) -> Table | None:
    """Networks by iterations, over all holes.

    Where methods have iterations of their own, a column is a share of each method's.

    Args:
        results: results of a suite.
        holes: name of the column of all holes, for the title.

    Returns:
        The table; None if there are fewer than two iterations, or no network.
    """
    rows = results.requested[results.requested["iteration"] > 0]
    asked = sorted(results.about["iterations"])
    competing = [entry for entry in entries(results, rows) if entry[0] in results.networks]
    if len(asked) < 2 or not competing:
        return None
    jobs = results.jobs[results.jobs["method"].isin(results.networks)]
    if results.own_iterations:
        names = _shares(asked)
        rows = pd.concat(
            [
                rows[
                    rows["iteration"] == rows["method"].map(_nearest(results, count / asked[-1]))
                ].assign(column=name)
                for count, name in zip(asked, names, strict=True)
            ]
        )
        at = "shares of each method's iterations"
    else:
        names = [str(iteration) for iteration in asked]
        rows = rows.assign(column=rows["iteration"].astype(str))
        at = "iterations"
    planned = pd.concat([jobs.assign(column=name) for name in names])
    shown = columns(competing, rows, planned, PSNR)
    return _grid("iterations", f"{PSNR.title} at {at}, {holes}", family(PSNR, competing, shown))


def _shares(asked: Sequence[int]) -> list[str]:
    """In percent of the last, with a decimal, or with as many as make them differ."""
    for decimals in itertools.count(1):
        names = [f"{round(100 * count / asked[-1], decimals):.12g} %" for count in asked]
        if len({*names}) == len(names):
            break
    return names


def _nearest(results: Results, share: float) -> dict[str, int]:
    """The checkpoint of each network that is nearest to a share of its iterations."""
    return {
        method: min(
            results.iterations_of(method),
            key=lambda iteration: abs(iteration - share * results.last_of(method)),
        )
        for method in results.networks
    }


def missing_share(results: Results, competing: list[Entry]) -> Table | None:
    """Methods by how much of the image is missing.

    A hole stands where its mean over images does, in whole percent: half of the pixels, drawn at
    random, are some more on one image and some less on another.

    Args:
        results: results of a suite.
        competing: methods and outputs.

    Returns:
        The table; None if there are fewer than two shares.
    """
    fractions = results.rows.groupby(["mask", "image"])["hole_fraction"].first()
    shares = fractions.groupby(level="mask").mean().round(2)
    labels = [f"{100 * a:g}-{100 * b:g} %" for a, b in itertools.pairwise(SHARES)]
    cut = pd.cut(shares, SHARES, labels=labels, include_lowest=True).dropna()
    if cut.nunique() < 2:
        return None
    planned = results.jobs.assign(column=results.jobs["mask"].map(cut.astype(str)))
    planned = planned[planned["column"].notna()]
    order = {label: index for index, label in enumerate(labels)}
    planned = planned.sort_values("column", key=lambda names: names.map(order), kind="stable")
    rows = results.final.assign(column=results.final["mask"].map(cut.astype(str)))
    shown = columns(competing, rows, planned, PSNR)
    title = f"{PSNR.title} by share of missing pixels, {results.after_last}"
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
    title = f"{PSNR.title} of each image, {holes}, {results.after_last}"
    note = "± is half the 95 % interval over seeds; best bold, second underlined, without any test"
    images = family(PSNR, competing, shown, is_compared=False)
    return _grid("per-image", title, images, halves=halves, note=note)


def _grid(
    name: str,
    title: str,
    group: Family,
    costs: pd.DataFrame | None = None,
    *,
    halves: Sequence[Sequence[float]] | None = None,
    note: str = MARKS,
    has_deviations: bool = False,
) -> Table:
    """costs: of each entry, `COSTS`; halves: of each column the intervals of its entries, if they
    are not over images.
    """
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
            if costs is not None:
                number |= {name: costs[name].iloc[row] for name in COSTS}
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
    if note == MARKS:
        note += few_images(max(len(column.images) for column in arranged))
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
        _panels(group.entries, shown, costs),
        about=f"{note}; {ABOUT_EXACT}" if frame["exact"].any() else note,
    )


def _panels(
    competing: Sequence[Entry], shown: dict[str, list[Value]], costs: pd.DataFrame | None
) -> list[pd.DataFrame]:
    """costs: of each entry, `COSTS`; narrow columns, for which the last panel has room."""
    names = list(shown)
    methods = [method for method, _ in competing]
    outputs = [output or NOTHING for _, output in competing]
    width = PANEL + (len(names) % PANEL == 1)  # no panel of a single column
    panels = []
    for at in range(0, len(names), width):
        part = names[at : at + width]
        cells = [methods, outputs, *(shown[name] for name in part)]
        if costs is not None and at + width >= len(names):
            part += COSTS
            cells.append([Value(number, 0) for number in costs["iterations"]])
            cells.append([seconds(number) for number in costs["seconds"]])
        panel = pd.DataFrame(dict(enumerate(cells)), dtype=object)
        panel.columns = pd.Index(["method", "output", *part])  # an image may have such a name
        panels.append(panel)
    return panels
