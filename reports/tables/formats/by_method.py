"""What numbers of the tables stand for a method where it has one row, in a paper and in prose."""

from typing import Any

from benchmarks.scoring.results import Results
from reports.tables.leaderboard import standing_output
from reports.tables.table import Table


def of_standing_outputs(results: Results, comparison: Table) -> list[dict[Any, Any]]:
    """The lines of a comparison's numbers that are of the output that stands for a method."""
    outputs = {name: standing_output(results, name) for name in results.jobs["method"].unique()}
    lines = comparison.numbers.to_dict("records")
    return [line for line in lines if line["output"] == outputs[line["method"]]]


def last_column(comparison: Table) -> str:
    """All holes, or the only one."""
    return str(comparison.numbers["column"].iloc[-1])
