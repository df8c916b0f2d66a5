"""Writes tables as CSV, Markdown and LaTeX."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.system.files import write_atomically
from benchmarks.system.text import markdown_table
from reports.tables.formats.latex import macros, to_document, to_latex
from reports.tables.table import TIED, Cell, Table

FOR_ALL = ("numbers.tex", "tables.tex")


def write(folder: Path, tables: Sequence[Table]) -> None:
    """Each as `name`.csv, .md and .tex, and those `FOR_ALL`: their numbers, and a document.

    Raises CannotWriteError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        write_atomically(folder / f"{table.name}.csv", table.numbers.to_csv(index=False))
        write_atomically(folder / f"{table.name}.md", to_markdown(table))
        write_atomically(folder / f"{table.name}.tex", to_latex(table))
    for name, content in zip(FOR_ALL, ("".join(macros(tables)), to_document(tables)), strict=True):
        write_atomically(folder / name, content)


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
