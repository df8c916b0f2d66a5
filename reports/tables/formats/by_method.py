"""What numbers of the tables stand for a method where it has one row, in a paper and in prose."""

from itertools import cycle, islice
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


def against_reference(results: Results, judged: Table) -> list[dict[Any, Any]]:
    """The lines of the question's numbers that are of a method and the reference.

    `method` is the name in the suite; the table's may have an output behind it.
    """
    asked = results.question
    assert asked is not None
    # The comparisons of a hole are in the order of `planned`, those of the next hole again.
    pairs = islice(cycle(asked.planned), len(judged.numbers))
    return [
        line | {"method": method}
        for line, (method, other) in zip(judged.numbers.to_dict("records"), pairs, strict=True)
        if other == asked.reference
    ]
