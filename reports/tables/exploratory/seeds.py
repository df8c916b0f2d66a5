"""The table of what seeds do: how far fits lie apart that differ in their seed only.

Where all images have the same seeds, what a seed does to all of them alike stands in a column of
its own: it is in no interval over images, and more images do not average it out.
"""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.results import Results
from benchmarks.scoring.seeds import seed_effects
from reports.tables.exploratory.paired import as_p
from reports.tables.exploratory.standings import Standing
from reports.tables.table import Table, Value

EFFECTS = ("main", "by_image", "rest", "p")
DEVIATIONS = {
    "between_seeds": "within an image and hole",
    "main": "common to all images",
    "by_image": "seed x image",
    "rest": "seed x image x hole",
}


def seeds(results: Results, standing: Standing) -> Table | None:
    """One row per network and output with the standard deviations between its seeds.

    Args:
        results: results of a suite.
        standing: how the methods stand by the score.

    Returns:
        The table, None if no network has two seeds. between_seeds: within an image and hole; main,
        by_image, rest, p: as of `seed_effects`, empty where each image has seeds of its own.
    """
    score, column = standing.score, standing.column
    jobs = results.jobs[results.jobs["method"].isin(results.networks)]
    by_image = jobs.groupby("image")["seed"].agg(frozenset)
    is_common = by_image.nunique() == 1
    levels = ["method", "output", "image", "mask", "seed"]
    fits = results.final.set_index(levels)[score.column].sort_index()
    rows: list[dict[str, Any]] = []
    for entry, deviation in zip(standing.entries, column.deviations, strict=True):
        if np.isnan(deviation):  # a fill, or no image and hole with two seeds
            continue
        method, output = entry
        row = {"method": method, "output": output, "between_seeds": deviation}
        effects = seed_effects(fits.loc[entry]) if is_common else None
        rows.append(row | {name: getattr(effects, name, np.nan) for name in EFFECTS})
    if not rows:
        return None
    frame = pd.DataFrame(rows)
    panel: dict[str, Any] = {"method": frame["method"], "output": frame["output"]}
    panel |= {
        heading: [Value(number, score.decimals) for number in frame[name]]
        for name, heading in DEVIATIONS.items()
    }
    panel |= {"p (common)": frame["p"].map(as_p)}
    return Table(
        "seeds",
        f"{score.heading}: standard deviations between seeds, {column.name}",
        frame,
        [pd.DataFrame(panel, dtype=object)],
        about="standard deviations of a single fit: between seeds of the same image and hole, and"
        " their parts. common to all images: what a seed does to every image alike, which is in no"
        " interval over images; p: of that part against seed x image (F test). There are no parts"
        " where each image has seeds of its own, or where there is one image",
    )
