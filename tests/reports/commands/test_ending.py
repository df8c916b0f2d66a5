"""What is printed at the end: whole and plain where it is read by programs, and what fits else."""

import io
import re
from pathlib import Path

import pandas as pd
from rich.console import Console

from reports.build import Report
from reports.commands.ending import show
from reports.tables.table import Table, Value

HEADS = ["method", "PSNR hole (dB) ↑", "Δ vs biharmonic", "verdict", "SSIM hole ↑", "seconds"]
ROWS: list[list[str | Value]] = [
    [
        "net[channels=8x5] [red]",
        Value(30.14, 2, place=1),
        Value(0.2, 2, interval=(-0.75, 1.49), has_sign=True),
        "inconclusive",
        Value(0.9, 3),
        Value(33.8, 1),
    ],
    ["biharmonic", Value(29.94, 2), "-", "reference", Value(0.92, 3), "< 0.001"],
]


def _printed(width: int, *, is_terminal: bool) -> str:
    panel = pd.DataFrame(dict(enumerate(zip(*ROWS, strict=True))), dtype=object)
    panel.columns = pd.Index(HEADS)
    table = Table("leaderboard", "Leaderboard", pd.DataFrame(), [panel])
    sentence = "a is better than b, " + "as a long sentence says " * 5 + "here."
    file = io.StringIO()
    console = Console(
        file=file,
        force_terminal=is_terminal,
        color_system="standard" if is_terminal else None,
        width=width,
        highlight=False,
    )
    show(Report(Path("summary.md"), table, [sentence], ["Asked after 1 of 2."]), console)
    return file.getvalue()


def test_where_there_is_no_terminal_each_row_is_one_whole_line() -> None:
    printed = _printed(20, is_terminal=False)
    assert "\x1b" not in printed
    notice, sentence, _, title, head, _, *rows = printed.splitlines()
    assert (notice, title) == ("Asked after 1 of 2.", "Leaderboard")
    assert sentence.startswith("- a is better than b")
    assert sentence.endswith("here.")
    assert all(name in head for name in HEADS)
    assert [row.split("  ")[0] for row in rows] == ["net[channels=8x5] [red]", "biharmonic"]
    assert "+0.20 [-0.75, 1.49]" in rows[0]


def test_a_terminal_shows_what_it_has_room_for_in_colours() -> None:
    wide, narrow = (_printed(width, is_terminal=True) for width in (150, 95))
    assert "\x1b[33minconclusive" in wide
    assert re.search(r"\x1b\[1m *30\.14", wide)
    assert "No room here" not in wide
    assert "[red]" in narrow
    assert "inconclusive" in narrow
    assert "No room here for: seconds; the summary has them." in narrow
