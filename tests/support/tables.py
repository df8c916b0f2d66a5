"""Tables of results, for tests."""

import pandas as pd

from benchmarks.scoring.results import Results
from reports.build import all_tables
from reports.tables.exploratory import comparison, paired
from reports.tables.exploratory.standings import standings
from reports.tables.table import Table


def tables(results: Results) -> list[Table]:
    """All tables."""
    return all_tables(results, standings(results))


def comparisons(results: Results) -> list[Table]:
    """The tables of methods by holes, one for each score."""
    return [comparison.comparison(standing, results) for standing in standings(results)]


def pairs(results: Results, reference: str | None = None) -> list[Table]:
    """The tables of comparisons with the best and the reference, one for each score."""
    return [paired.paired(standing) for standing in standings(results, reference)]


def image_means(results: Results, method: str, output: str = "raw") -> "pd.Series[float]":
    """By hand: seeds within a hole first, then holes."""
    final = results.final
    rows = final[(final["method"] == method) & (final["output"] == output)]
    holes = rows.groupby(["image", "mask"])["psnr_hole"].mean()
    return holes.groupby(level="image").mean()
