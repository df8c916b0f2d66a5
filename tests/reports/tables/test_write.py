"""Formats: LaTeX compiles, and every format has the numbers of the CSV."""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
from support.commands import ROOT
from support.latex import needs_latex, run_latex
from support.synthetic import synthetic
from support.tables import tables

from benchmarks.store.asked import Asked
from reports.compare import side_by_side
from reports.tables import networks
from reports.tables import stopping as stopping_rules
from reports.tables.formats.latex import escape, to_latex
from reports.tables.formats.write import to_markdown, write
from reports.tables.question import judged
from reports.tables.table import Table, Value, shown
from reports.tables.timing import timed_alone

HOSTILE = r"50% & #1_{x}^2 ~\end{tabular} <a> |b| "
METRICS = ("psnr", "ssim", "lpips")  # those of `synthetic`
BY_METRIC = {f"{kind}-{name}" for kind in ("comparison", "paired") for name in METRICS}
CELL = r"[*_]*(-?[\d.]+)(?: ± ([\d.]+))?[*_]*(?: \((.*?)\))?( ≈)?"


def compile_all(folder: Path) -> str:
    """Run LaTeX over `tables.tex`, twice as one does; returns its log."""
    for _ in range(2):
        done = run_latex(folder, "tables.tex")
        assert done.returncode == 0, done.stdout[-3000:]
    assert (folder / "tables.pdf").stat().st_size > 10_000
    return (folder / "tables.log").read_text(errors="replace")


@needs_latex
def test_every_table_compiles_also_with_hostile_names(tmp_path: Path) -> None:
    results = synthetic(
        7, {HOSTILE: 2.0, "été, 日本 [x=1,y=2]": 1.0}, {"mean": -5, "biharmonic": 1}
    )
    rows = results.rows
    rows.loc[rows["method"] == "mean", "psnr_hole"] = math.inf
    lost = (rows["method"] != HOSTILE) | (rows["image"] != "image-003") | (rows["seed"] != 1)
    partial = type(results)(results.folder, rows[lost], results.jobs, results.about)
    made = tables(partial)
    assert {table.name for table in made} == {
        *BY_METRIC,
        "leaderboard",
        *("iterations", "missing-share", "per-image", "regions", "architectures", "stopping"),
        *("seeds", "timing-a-processor"),
    }
    asked = Asked(
        score="psnr_hole",
        outputs={HOSTILE: "averaged", "biharmonic": "raw"},
        reference="biharmonic",
        planned=((HOSTILE, "biharmonic"),),
        holes="each",
        margin=0.3,
    )
    made += [judged(results, asked)]
    others = side_by_side({"one & 1": partial, "two_2": results})
    alone = timed_alone(ROOT / "reports" / "published" / "timing" / "intel-xeon-amx")
    write(tmp_path, [*made, *others, *(t for t in alone if t.name != "timing-a-processor")])
    log = compile_all(tmp_path)
    assert "Undefined control sequence" not in log
    assert "undefined on input line" not in log


def test_the_numbers_of_all_formats_are_those_of_the_csv(tmp_path: Path) -> None:
    """Cell by cell, read back from the files."""
    results = synthetic(8, {"a": 2.0, "b": 1.5}, {"mean": -5, "biharmonic": 1.0}, holes=3)
    made = {table.name: table for table in tables(results)}
    write(tmp_path, list(made.values()))
    cells = 0
    for name in ("comparison-psnr", "comparison-lpips", "iterations", "per-image"):
        numbers = pd.read_csv(tmp_path / f"{name}.csv")
        decimals = 3 if name == "comparison-lpips" else 2
        markdown = _parsed_markdown((tmp_path / f"{name}.md").read_text())
        latex = _parsed_latex((tmp_path / f"{name}.tex").read_text())
        for row in numbers.to_dict("records"):
            place = (row["method"], row["output"], str(row["column"]))
            spread = "" if pd.isna(row["half_width"]) else f"{row['half_width']:.{decimals}f}"
            expected = (f"{row['mean']:.{decimals}f}", spread, f"{row['n']}/{row['N']}")
            assert markdown[place] == latex[place] == expected
            cells += 1
    assert cells == 6 * 4 * 2 + 4 * 2 + 6 * 8


Cells = dict[tuple[str, str, str], tuple[str, str, str]]


def _parsed_markdown(text: str) -> Cells:
    found: Cells = {}
    for panel in text.split("\n\n"):
        head, _, *rows = [line.strip("| ").split(" | ") for line in panel.strip().splitlines()]
        for method, output, *cells in rows:
            for column, cell in zip(head[2:], cells, strict=True):
                match = re.fullmatch(CELL, cell)
                if match and match[3]:
                    found[method, output, column] = (match[1], match[2] or "", match[3])
    return found


def _parsed_latex(text: str) -> Cells:
    found: Cells = {}
    for panel in re.findall(r"\\toprule\n(.*?)\\bottomrule", text, re.S):
        head, *rows = [
            line.removesuffix(r" \\").split(" & ")
            for line in panel.splitlines()
            if line.endswith(r"\\")
        ]
        names = [re.sub(r"\\multicolumn\{(\d)\}\{c\}\{(.*)\}", r"\1\2", each) for each in head[2:]]
        for method, output, *cells in rows:
            rest = iter(cells)
            for name in names:
                cell, notes = next(rest), next(rest) if name[0] == "2" else ""
                number = re.search(r"(-?[\d.]+)(?: \\pm ([\d.]+))?", cell)
                if number and notes:
                    of = notes.split(r"\,")[0]
                    found[method, output, name[1:]] = (number[1], number[2] or "", of)
    return found


def test_marks_are_bold_underlined_and_tied() -> None:
    cells = [
        Value(22.74, 2, 3.46, (30, 30), place=1),
        Value(22.1, 2, 2.6, (10, 10), place=2, is_tied=True),
        Value(-0.001, 2),
        Value(math.nan, 2, of=(0, 3)),
        Value(math.inf, 2),
        Value(0.5, 2, 0.001, has_sign=True),
        "text | more",
        Value(-1.2, 2, interval=(-2.0, 0.4), has_sign=True),
    ]
    table = Table("t", "T", pd.DataFrame(), [pd.DataFrame({"a": cells}, dtype=object)])
    assert to_markdown(table).splitlines()[2:] == [
        "| **22.74 ± 3.46** (30/30) |",
        "| _22.10 ± 2.60_ (10/10) ≈ |",
        "| 0.00 |",
        "| - (0/3) |",
        "| inf |",
        "| +0.50 ± 0.00 |",
        r"| text \| more |",
        "| -1.20 [-2.00, 0.40] |",
    ]
    lines = to_latex(table).splitlines()
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert body == [
        r"\bfseries 22.74 \pm 3.46 & 30/30 \\",
        r"{\phantom{$-$}\underline{\num{22.10 \pm 2.60}}} & 10/10\,$\approx$ \\",
        r"0.00 &  \\",
        r"{-} & 0/3 \\",
        r"{inf} &  \\",
        r"{$+0.50 \pm 0.00$} &  \\",
        r"{text \textbar{} more} &  \\",
        r"{\num{-1.20} [\num{-2.00}, \num{0.40}]} &  \\",
    ]
    assert r"S[table-format=+2.2(3)]@{\;}>{\scriptsize}l" in to_latex(table)


def test_numbers_are_rounded_as_they_are_shown() -> None:
    assert shown(-0.004, 2) == "0.00"
    assert shown(0.004, 2, has_sign=True) == "0.00"
    assert shown(-1.5, 2, has_sign=True) == "-1.50"
    assert shown(np.nan, 2) == "-"
    assert shown(-math.inf, 1) == "-inf"


def test_letters_that_latex_lacks_are_named() -> None:
    assert escape("é日") == "éU+65E5"
    assert escape("a\tb") == "a b"
    assert escape("Δ ±1 ↑") == r"$\Delta$ $\pm$1 $\uparrow$"


def test_tables_without_anything_are_left_out() -> None:
    results = synthetic(7, {}, {"mean": -5, "biharmonic": 1}, holes=1)
    assert networks.architectures(results, "all holes") is None
    assert stopping_rules.stopping(results) is None
    assert {table.name for table in tables(results)} == {
        *BY_METRIC,
        "leaderboard",
        "per-image",
        "regions",
    }
