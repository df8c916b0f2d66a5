"""A table as LaTeX.

LaTeX needs booktabs and siunitx; numbers stand in its S columns. `tables.tex` is a document of all
tables, to look at and to copy from.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports.tables.table import Cell, Table, Value

SYMBOLS = {
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "≈": r"$\approx$",
    "Δ": r"$\Delta$",
}
SPECIAL = {
    **{mark: "\\" + mark for mark in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}
PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage{textcomp,booktabs,siunitx}
\usepackage[a4paper,landscape,margin=1cm]{geometry}
"""

# Within S columns bold is that of the text around.
SETUP = (
    r"\sisetup{mode=text,reset-text-series=false,text-series-to-math=true,"
    r"separate-uncertainty=true,table-align-uncertainty=true,retain-explicit-plus=true}"
)


def to_latex(table: Table) -> str:
    """Its panels as booktabs tabulars; best bold, second underlined."""
    about = "".join(f"% {line}\n" for line in (table.title, table.about) if line)
    panels = "\n\\par\\medskip\\noindent\n".join(_panel_to_latex(panel) for panel in table.panels)
    return f"{about}% Needs booktabs and siunitx.\n{{{SETUP}%\n{panels}}}\n"


def _panel_to_latex(panel: pd.DataFrame) -> str:
    columns = [list(panel.iloc[:, index]) for index in range(len(panel.columns))]
    has_value = [any(isinstance(cell, Value) for cell in column) for column in columns]
    has_notes = [
        any(cell.notes for cell in column if isinstance(cell, Value)) for column in columns
    ]
    kinds, heads = [], []
    rooms: list[_Room | None] = []
    for name, column, is_number, is_noted in zip(
        panel.columns, columns, has_value, has_notes, strict=True
    ):
        rooms.append(_Room.of(column) if is_number else None)
        kind = rooms[-1].column if rooms[-1] else "l"
        kinds.append(kind + (NOTE_COLUMN if is_noted else ""))
        width = 2 if is_noted else 1
        head = escape(str(name))
        heads.append(rf"\multicolumn{{{width}}}{{c}}{{{head}}}" if is_number else head)
    lines = [" & ".join(heads)]
    for row in panel.to_numpy(object):
        cells = []
        for cell, room, is_noted in zip(row, rooms, has_notes, strict=True):
            cells.append(_latex(cell, room))
            if is_noted:
                notes = cell.notes if isinstance(cell, Value) else []
                cells.append(r"\,".join(escape(note) for note in notes))
        lines.append(" & ".join(cells))
    head, *rows = (line + r" \\" for line in lines)
    body = "\n".join([r"\toprule", head, r"\midrule", *rows, r"\bottomrule"])
    return f"\\begin{{tabular}}{{{' '.join(kinds)}}}\n{body}\n\\end{{tabular}}"


NOTE_COLUMN = r"@{\;}>{\scriptsize}l"


@dataclass(frozen=True)
class _Room:
    """What the longest number of a column takes: a sign, digits before the point and of spreads."""

    has_sign: bool
    whole: int
    decimals: int
    spread: int

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> "_Room":
        values = [each for each in cells if isinstance(each, Value) and np.isfinite(each.number)]
        return cls(
            any(each.shown[0] in "+-" for each in values),
            max((_whole(each.shown) for each in values), default=1),
            max((each.decimals for each in values), default=0),
            max((_whole(each.spread) for each in values if each.spread), default=0),
        )

    @property
    def column(self) -> str:
        sign = "+" if self.has_sign else ""
        uncertainty = f"({self.spread + self.decimals})" if self.spread else ""
        return f"S[table-format={sign}{self.whole}.{self.decimals}{uncertainty}]"

    def underlined(self, cell: Value, text: str) -> str:
        """siunitx cannot underline, so that the number is set as text, in the same room."""
        sign = "$-$" if self.has_sign and cell.shown[0] not in "+-" else ""
        before = sign + "0" * (self.whole - _whole(cell.shown))
        after = f"${{}}\\pm{{}}$0.{'0' * self.decimals}" if self.spread and not cell.spread else ""
        left, right = (f"\\phantom{{{each}}}" if each else "" for each in (before, after))
        return f"{{{left}\\underline{{{text}}}{right}}}"


def _whole(number: str) -> int:
    return len(number.lstrip("+-").partition(".")[0])


def _latex(cell: Cell, room: _Room | None) -> str:
    """room: of its column, if that is one of numbers."""
    if isinstance(cell, str):
        text = escape(cell)
        return f"{{{text}}}" if room else text
    assert room is not None
    if not np.isfinite(cell.number):
        return f"{{{escape(cell.shown)}}}"
    if cell.interval is not None:
        return _with_interval(cell)
    text = cell.shown + (rf" \pm {cell.spread}" if cell.spread else "")
    if cell.spread and not float(cell.spread):  # siunitx leaves a spread of zero out
        text = f"${text}$"
        zero = {0: text, 1: rf"\boldmath {text}", 2: rf"\underline{{{text}}}"}
        return f"{{{zero[cell.place]}}}"
    if cell.place == 2:
        return room.underlined(cell, rf"\num{{{text}}}")
    return rf"\bfseries {text}" if cell.place == 1 else text


def _with_interval(cell: Value) -> str:
    r"""`{\num{+1.20} [\num{0.40}, \num{2.00}]}`: as text, with minus signs instead of hyphens."""
    text = re.sub(r"[+-]?[\d.]+", lambda number: rf"\num{{{number[0]}}}", cell.text)
    return f"{{{text}}}"


def escape(text: str) -> str:
    """Text as LaTeX shows it; letters that its usual fonts lack by their number."""
    return "".join(_escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    if letter in SYMBOLS or letter in SPECIAL:
        return SYMBOLS.get(letter) or SPECIAL[letter]
    if letter.isascii() or "À" <= letter <= "ÿ":
        return letter if letter.isprintable() else " "
    return f"U+{ord(letter):04X}"


def to_document(tables: Sequence[Table]) -> str:
    parts = [
        f"\\section*{{{escape(table.title)}}}\n{escape(table.about)}\n\n\\medskip\\noindent\n\\input{{{table.name}}}\n\\clearpage\n"
        for table in tables
    ]
    return f"{PREAMBLE}\\begin{{document}}\\footnotesize\n{''.join(parts)}\\end{{document}}\n"
