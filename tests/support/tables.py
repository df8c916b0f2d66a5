"""Tables of results, for tests."""

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
