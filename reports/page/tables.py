"""A report's table as the page shows it: it sorts, follows the filters, and has no empty column."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.tables.table import NOTHING, Cell, Table, Value

# Columns that name what the filters choose, with the name of the filter.
NAMED = {"method": "method", "image": "image", "hole": "mask"}
NUMBER = re.compile(r"(< )?([+-]?\d+(?:\.\d+)?)( %)?")  # of a cell that is text: `0.012`, `< 0.001`


@dataclass(frozen=True)
class Head:
    """A column. stays: it is in view while the others scroll sideways."""

    title: str
    is_number: bool
    stays: bool


@dataclass(frozen=True)
class Row:
    """cells: with the number that each is sorted by, as HTML has it, or None.

    names: by filter, what the row is of.
    """

    cells: list[tuple[Cell, str | None]]
    names: dict[str, str]


@dataclass(frozen=True)
class Panel:
    heads: list[Head]
    rows: list[Row]


def panels(table: Table) -> Iterator[Panel]:
    """The panels of a table, without the columns that have nothing in any row."""
    for panel in table.panels:
        titles = [str(title) for title in panel.columns]
        columns = [list(panel.iloc[:, index]) for index in range(len(titles))]
        shown = [index for index, cells in enumerate(columns) if not all(map(_is_empty, cells))]
        named = {NAMED[title]: titles.index(title) for title in titles if title in NAMED}
        stays = named.get("method", 0)
        yield Panel(
            [Head(titles[index], _is_number(columns[index]), index == stays) for index in shown],
            [
                Row(
                    [(columns[index][at], _sorted_by(columns[index][at])) for index in shown],
                    {name: str(columns[index][at]) for name, index in named.items()},
                )
                for at in range(len(panel))
            ],
        )


def _is_empty(cell: Cell) -> bool:
    if isinstance(cell, Value):
        return pd.isna(cell.number) and not cell.of
    return cell in ("", NOTHING)


def _is_number(cells: list[Any]) -> bool:
    """Whether a column is set as numbers are: at the right."""
    return any(isinstance(cell, Value) for cell in cells) or all(
        _is_empty(cell) or NUMBER.fullmatch(cell) for cell in cells
    )


def _sorted_by(cell: Cell) -> str | None:
    """The number of a cell, as JavaScript reads it; None where it has none."""
    if isinstance(cell, Value):
        if pd.isna(cell.number):
            return None
        if np.isinf(cell.number):
            return "Infinity" if cell.number > 0 else "-Infinity"
        return repr(float(cell.number))
    found = NUMBER.fullmatch(cell)
    if not found:
        return None
    # What is less than `0.001` comes before what is rounded to it, as 0.0006 is.
    return repr(float(found[2]) / (2 if found[1] else 1))
