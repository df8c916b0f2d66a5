"""Tables of results, with the standings that they show."""

from benchmarks.scoring.results import Results
from reports.build import all_tables
from reports.tables import comparison, paired
from reports.tables.standings import standings
from reports.tables.table import Table


def tables(results: Results) -> list[Table]:
    """All of them."""
    return all_tables(results, standings(results))


def comparisons(results: Results) -> list[Table]:
    """By holes, one for each score."""
    return [comparison.comparison(each, results.last_iteration) for each in standings(results)]


def pairs(results: Results, reference: str | None = None) -> list[Table]:
    """Paired with the best and the reference, one for each score."""
    return [paired.paired(each) for each in standings(results, reference)]
