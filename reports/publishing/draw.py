"""Draws a published result: `summary.md`, and those of its figures that are kept.

The text needs rows only, so that a checkout is enough to draw it. Figures need the runs: where
these are gone, the figures stay as they are.
"""

from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from PIL import Image as Pillow

from benchmarks.scoring.results import Results
from benchmarks.system.files import write_atomically
from dip.system.files import replacing
from reports.build import SUMMARY, all_tables, draw
from reports.findings import findings
from reports.publishing.catalogue import Entry
from reports.summary import contents, summary
from reports.tables import coverage
from reports.tables.exploratory.standings import standings
from reports.tables.table import Table

FIGURES = "figures"
COVERAGE = "coverage-per-image.csv"  # measured in pictures, so that it cannot be drawn from rows
KEPT = ".webp"
QUALITY = 85  # of WebP: a sheet takes a quarter of its PNG


def tables_of(results: Results) -> list[Table]:
    """Every table that rows are enough for, the leaderboard first, then the question's answer."""
    return all_tables(results, standings(results))


def findings_of(results: Results) -> list[str]:
    """The findings of a suite's results, in sentences."""
    board, *others = tables_of(results)
    answer = next((table for table in others if table.name == "question"), None)
    return findings(results, board, answer)


def text_of(results: Results, folder: Path) -> str:
    """The summary of a published result as today's code writes it.

    Args:
        results: its results.
        folder: where its figures and what was measured in its pictures are.
    """
    tables = tables_of(results)
    if (folder / COVERAGE).exists():
        reach = coverage.coverage(pd.read_csv(folder / COVERAGE), results)
        tables += [reach] if reach else []
    figures = sorted((path.name for path in (folder / FIGURES).glob(f"*{KEPT}")), key=_in_order)
    archive = f"reports/published/{folder.name}"
    return summary(contents(results, tables, findings_of(results), figures, archive=archive))


def draw_figures(results: Results, folder: Path, entry: Entry) -> None:
    """Draw the figures of a published result that are kept.

    Args:
        results: its results. Figures leave out what needs a run that is not here.
        folder: the folder of the published result.
        entry: which figures are kept.
    """
    with TemporaryDirectory() as partial:
        measured = coverage.per_image(results)
        draw(results, standings(results)[0], measured, Path(partial))
        for path in Path(partial).iterdir():
            if path.suffix in (".png", KEPT) and any(fnmatch(path.stem, p) for p in entry.figures):
                _to_webp(path, folder / FIGURES / f"{path.stem}{KEPT}")
    if not measured.empty:
        write_atomically(folder / COVERAGE, measured.to_csv(index=False))


def remove_figures(folder: Path) -> None:
    """Remove figures that are of other rows."""
    for path in (folder / FIGURES).glob(f"*{KEPT}"):
        path.unlink()


def has_figure(folder: Path, pattern: str) -> bool:
    """Whether a figure of that name is kept."""
    return any((folder / FIGURES).glob(f"{pattern}{KEPT}"))


def write_text(results: Results, folder: Path) -> None:
    """Write the summary of a published result."""
    write_atomically(folder / SUMMARY, text_of(results, folder))


def is_drawn(results: Results, folder: Path) -> bool:
    """Whether the summary is as today's code writes it."""
    try:
        return (folder / SUMMARY).read_text(encoding="utf-8") == text_of(results, folder)
    except FileNotFoundError:
        return False


def _in_order(name: str) -> tuple[str, int]:
    """Pages of a figure after its first one, as numbers."""
    stem, _, page = name.removesuffix(KEPT).partition("-page-")
    return stem, int(page or 1)


def _to_webp(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place) as partial:
        if path.suffix == KEPT:  # an animation
            partial.write_bytes(path.read_bytes())
            return
        with Pillow.open(path) as picture:
            picture.convert("RGB").save(partial, format="WEBP", quality=QUALITY, method=6)
