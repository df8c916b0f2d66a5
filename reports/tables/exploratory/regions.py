"""PSNR in the hole, with known pixels put back, and as the output came: never mixed, side by side.

Papers print one of the three, often without saying which; with half of the pixels missing they
differ by 3 dB.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.scoring.results import Results
from reports.tables.scores import ABOUT_EXACT, PSNR, Entry, columns
from reports.tables.table import NOTHING, Table, Value

HEADINGS = {"hole": "hole", "composited": "composited", "full": "uncomposited"}


def regions(results: Results, competing: Sequence[Entry]) -> Table:
    """One row a method and output, the best in the hole first; one column a region.

    Args:
        results: results of a suite that has PSNR.
        competing: methods and outputs.

    Returns:
        The table; ± is half the 95 % interval over images. Its numbers are of the methods whose
        jobs all have a score.
    """
    rows = results.final.assign(column="all")
    planned = results.jobs.assign(column="all")
    entries = [*competing]
    numbers = pd.DataFrame(entries, columns=["method", "output"])
    shown: dict[str, list[Value]] = {}
    has_exact = False
    for region, heading in HEADINGS.items():
        score = replace(PSNR, column=f"psnr_{region}")
        (column,) = columns(entries, rows, planned, score)
        means, halves = (np.where(column.is_whole, each, np.nan) for each in column.over_images)
        numbers[f"{region}_mean"], numbers[f"{region}_half_width"] = means, halves
        numbers[f"{region}_n"], numbers["N"] = column.counts, column.planned
        has_exact |= any(column.exact)
        best = sorted(column.whole, key=lambda row: -means[row])
        shown[heading] = [
            Value(
                float(means[row]),
                PSNR.decimals,
                float(halves[row]),
                (column.counts[row], column.planned[row]),
                best.index(row) + 1 if row in best[:2] else 0,
                exact=column.exact[row],
            )
            for row in range(len(entries))
        ]
    order = numbers["hole_mean"].sort_values(ascending=False, na_position="last").index
    panel = pd.DataFrame(
        {
            "method": [method for method, _ in entries],
            "output": [output or NOTHING for _, output in entries],
            **shown,
        },
        dtype=object,
    )
    about = (
        "hole: missing pixels only; composited: the whole image, known pixels put back;"
        " uncomposited: the whole image as the output came. ± is half the 95 % interval over"
        " images; best bold, second underlined, without any test"
    )
    return Table(
        "regions",
        "PSNR (dB) ↑ by region" + (f", {results.after_last}" if results.networks else ""),
        numbers.loc[order].reset_index(drop=True),
        [panel.loc[order].reset_index(drop=True)],
        about=f"{about}; {ABOUT_EXACT}" if has_exact else about,
    )
