"""What `bench` and `report` print at the end: findings, and the leaderboard."""

from collections.abc import Sequence

import pandas as pd
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as Grid
from rich.text import Text

from reports.build import Report
from reports.tables.table import TIED, Cell, Value

STYLES = {"better": "green", "worse": "red", "equivalent": "cyan", "inconclusive": "yellow"}
KEPT = 4  # columns that stay in the narrowest terminal: method, score, difference, verdict


def show(report: Report, console: Console) -> None:
    """Print a report's findings and its first table.

    A terminal that is too narrow shows the first columns of the table. Elsewhere the table is
    whole, a line for each row.
    """
    for line in report.notices:
        console.print(Text(line, "bold"))
    for sentence in report.findings:
        _line(console, Text(f"- {sentence}"))
    for panel in report.table.panels:
        console.print()
        _line(console, Text(report.table.title, "bold"))
        _print(panel, console)
    if report.table.about:
        _line(console, Text(f"{report.table.about}.", "dim"))


def _line(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=not console.is_terminal)


def _print(panel: pd.DataFrame, console: Console) -> None:
    if not console.is_terminal:
        grid = _grid(panel)
        Console(file=console.file, width=_width(grid, console)).print(grid)
        return
    columns = panel.shape[1]
    while columns > KEPT and _width(_grid(panel.iloc[:, :columns]), console) > console.width:
        columns -= 1
    console.print(_grid(panel.iloc[:, :columns]))
    if left_out := list(panel.columns[columns:]):
        console.print(
            Text(f"No room here for: {', '.join(left_out)}; the summary has them.", "dim")
        )


def _width(grid: Grid, console: Console) -> int:
    return Measurement.get(console, console.options.update(width=10_000), grid).maximum


def _grid(panel: pd.DataFrame) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    columns: list[Sequence[Cell]] = [list(panel.iloc[:, at]) for at in range(panel.shape[1])]
    for name, cells in zip(panel.columns, columns, strict=True):
        is_number = any(isinstance(cell, Value) for cell in cells)
        grid.add_column(Text(str(name)), justify="right" if is_number else "left", overflow="fold")
    for row in zip(*columns, strict=True):
        grid.add_row(*map(_text, row))
    return grid


def _text(cell: Cell) -> Text:
    """A cell without markup, so that a name in brackets stays as it is."""
    if isinstance(cell, str):
        return Text(cell, STYLES.get(cell, ""))
    styles = {1: "bold", 2: "underline"}
    notes = (note if note == TIED else f"({note})" for note in cell.notes)
    return Text(" ".join([cell.text, *notes]), styles.get(cell.place, ""))
