"""Writes tables as CSV, Markdown and LaTeX."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from benchmarks.scoring.results import Results
from benchmarks.system.files import write_atomically
from benchmarks.system.text import markdown_table
from reports.tables.formats.latex import to_document, to_latex
from reports.tables.formats.numbers import NUMBERS, to_macros
from reports.tables.formats.paper import to_paper
from reports.tables.table import TIED, Cell, Table

DOCUMENT = "tables.tex"


def write(folder: Path, tables: Sequence[Table]) -> None:
    """Write each table as `name`.csv, .md and .tex, and a document of all of them.

    Raises:
        CannotWriteError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        write_atomically(folder / f"{table.name}.csv", table.numbers.to_csv(index=False))
        write_atomically(folder / f"{table.name}.md", to_markdown(table))
        write_atomically(folder / f"{table.name}.tex", to_latex(table))
    write_atomically(folder / DOCUMENT, to_document(tables))


def write_for_a_paper(
    folder: Path, results: Results, tables: Mapping[str, Table], *, has_numbers: bool
) -> None:
    """Write the table of each score for a paper, and `numbers.tex`, if that is asked for.

    Args:
        folder: where the tables are.
        results: results of a suite.
        tables: its tables by name.
        has_numbers: whether numbers are written as macros.

    Raises:
        CannotWriteError: a file cannot be written.
    """
    for score in results.scores:
        paper = to_paper(results, score, tables)
        write_atomically(folder / f"paper-{score.name}.tex", paper)
    if has_numbers:
        write_atomically(folder / NUMBERS, to_macros(results, tables))


def to_markdown(table: Table) -> str:
    """Its panels as Markdown; best **bold**, second _underlined_."""
    return "\n".join(_panel_to_markdown(panel) for panel in table.panels)


def _panel_to_markdown(panel: pd.DataFrame) -> str:
    rows = ([_markdown(cell) for cell in row] for row in panel.to_numpy(object))
    return markdown_table([str(name) for name in panel.columns], rows)


def _markdown(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    text = {0: cell.text, 1: f"**{cell.text}**", 2: f"_{cell.text}_"}[cell.place]
    return " ".join([text, *(TIED if each is TIED else f"({each})" for each in cell.notes)])
