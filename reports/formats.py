"""A table in three formats - CSV, Markdown and LaTeX - and its numbers as macros for prose.

A table exists twice: as numbers, which the CSV keeps at full precision, and as what people read,
with as many decimals as mean something. LaTeX needs booktabs and siunitx; numbers stand in its S
columns. `tables.tex` is a document of all tables, to look at and to copy from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.writing import write_atomically

NOTHING = "-"
TIED = "≈"
SYMBOLS = {
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "≈": r"$\approx$",
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
CITING = r"""% Numbers for prose: \dipresult{table/row/column}, also as \num{\dipresult{...}}.
\ExplSyntaxOn
\msg_set:nnn {dip} {unknown} {There~is~no~result~'#1'}
\providecommand \dipresult [1]
  {
    \cs_if_exist:cTF {dip@#1}
      {\use:c {dip@#1}}
      {\msg_expandable_error:nnn {dip} {unknown} {#1}}
  }
\ExplSyntaxOff
"""
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


@dataclass(frozen=True)
class Value:
    """A number as people read it: `22.74 ± 3.46 (30/30)`.

    half_width: of its 95 % interval. of: how many of how many. place: 1 for the best of its column,
    2 for the second. is_tied: it cannot be told from the best.
    """

    number: float
    decimals: int
    half_width: float = np.nan
    of: tuple[int, int] | None = None
    place: int = 0
    is_tied: bool = False
    has_sign: bool = False

    @property
    def shown(self) -> str:
        """The number alone, `-` if there is none."""
        return shown(self.number, self.decimals, self.has_sign)

    @property
    def spread(self) -> str:
        """Half the interval's width; empty if there is none."""
        return f"{self.half_width:.{self.decimals}f}" if np.isfinite(self.half_width) else ""

    @property
    def notes(self) -> list[str]:
        return [
            *(["{}/{}".format(*self.of)] if self.of else []),
            *([TIED] if self.is_tied else []),
        ]


Cell = str | Value


@dataclass(frozen=True)
class Table:
    """name: of its files. title: one line. about: what its numbers are, for a caption.

    numbers: the CSV. names: those of its columns that name a row. decimals: of its columns that
    prose may cite, as they are shown. panels: what people read, cells are `str` or `Value`; a wide
    table has several, one below the other.
    """

    name: str
    title: str
    numbers: pd.DataFrame
    names: tuple[str, ...]
    decimals: dict[str, int]
    panels: Sequence[pd.DataFrame]
    about: str = field(default="", kw_only=True)


def shown(number: float, decimals: int, has_sign: bool = False) -> str:
    """With so many decimals and never `-0.00`; `-` if it is none."""
    if pd.isna(number):
        return NOTHING
    if np.isinf(number):
        return "inf" if number > 0 else "-inf"
    rounded = round(float(number), decimals) + 0.0
    return f"{rounded:{'+' if has_sign and rounded else ''}.{decimals}f}"


def write(folder: Path, tables: Sequence[Table]) -> None:
    """Each as `name`.csv, .md and .tex, and for all `numbers.tex` and `tables.tex`.

    Raises CannotWriteError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        write_atomically(folder / f"{table.name}.csv", table.numbers.to_csv(index=False))
        write_atomically(folder / f"{table.name}.md", to_markdown(table))
        write_atomically(folder / f"{table.name}.tex", to_latex(table))
    write_atomically(folder / "numbers.tex", "".join(macros(tables)))
    write_atomically(folder / "tables.tex", _document(tables))


def to_markdown(table: Table) -> str:
    """Its panels as Markdown; best **bold**, second _underlined_."""
    return "\n".join(_panel_to_markdown(panel) for panel in table.panels)


def _panel_to_markdown(panel: pd.DataFrame) -> str:
    rows = [[_markdown(cell) for cell in row] for row in panel.to_numpy(object)]
    lines = [[_barred(str(name)) for name in panel.columns], ["---"] * len(panel.columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _barred(text: str) -> str:
    return text.replace("|", r"\|")


def _markdown(cell: Cell) -> str:
    if isinstance(cell, str):
        return _barred(cell)
    text = cell.shown + (f" ± {cell.spread}" if cell.spread else "")
    text = {0: text, 1: f"**{text}**", 2: f"_{text}_"}[cell.place]
    return " ".join([text, *(TIED if each is TIED else f"({each})" for each in cell.notes)])


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
        return f"{{{escape(cell)}}}" if room else escape(cell)
    assert room is not None
    if not np.isfinite(cell.number):
        return f"{{{escape(cell.shown)}}}"
    text = cell.shown + (rf" \pm {cell.spread}" if cell.spread else "")
    if cell.spread and not float(cell.spread):  # siunitx leaves a spread of zero out
        text = f"${text}$"
        zero = {0: text, 1: rf"\boldmath {text}", 2: rf"\underline{{{text}}}"}
        return f"{{{zero[cell.place]}}}"
    if cell.place == 2:
        return room.underlined(cell, rf"\num{{{text}}}")
    return rf"\bfseries {text}" if cell.place == 1 else text


def escape(text: str) -> str:
    """Text as LaTeX shows it; letters that its usual fonts lack by their number."""
    return "".join(_escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    if letter in SYMBOLS or letter in SPECIAL:
        return SYMBOLS.get(letter) or SPECIAL[letter]
    if letter.isascii() or "À" <= letter <= "ÿ":
        return letter if letter.isprintable() else " "
    return f"U+{ord(letter):04X}"


def macros(tables: Sequence[Table]) -> Iterator[str]:
    r"""Lines of `numbers.tex`: `\dipresult{table/row/column}` is a number as its table shows it."""
    yield CITING
    for table in tables:
        for row in table.numbers.to_dict("records"):
            place = "/".join([table.name, *(key(row[name]) for name in table.names)])
            for column, decimals in table.decimals.items():
                if not pd.isna(row[column]) and np.isfinite(row[column]):
                    value = shown(row[column], decimals)
                    yield (
                        f"\\expandafter\\def\\csname dip@{place}/{column}\\endcsname{{{value}}}\n"
                    )


def key(name: Any) -> str:
    """A row's name as part of a macro's; what TeX takes for more than a letter by its number."""
    return "".join(
        letter
        if letter.isascii() and letter.isprintable() and letter not in "\\{}#%~^/&$"
        else f"U+{ord(letter):04X}"
        for letter in str(name)
    )


def _document(tables: Sequence[Table]) -> str:
    parts = [
        f"\\section*{{{escape(table.title)}}}\n{escape(table.about)}\n\n\\medskip\\noindent\n\\input{{{table.name}}}\n\\clearpage\n"
        for table in tables
    ]
    return (
        f"{PREAMBLE}\\input{{numbers}}\n\\begin{{document}}\\footnotesize\n{''.join(parts)}"
        "\\end{document}\n"
    )
