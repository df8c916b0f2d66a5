"""Builds the report of a suite, `results/<suite>/report/`: tables, figures, page and summary.md."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.scoring.results import Results, load_results
from benchmarks.store.accounting import read_accounting
from benchmarks.system.files import alone_in, write_atomically
from benchmarks.system.refill import refilled
from dip.errors import InputError
from reports.figures import animation, critical_difference, curves, sheets
from reports.findings import findings
from reports.page.write import EMBEDDED, PAGE, check_pattern, write_embedded, write_jobs, write_page
from reports.summary import contents, summary
from reports.tables import coverage, networks, question, stopping
from reports.tables.exploratory import comparison, paired, regions, seeds
from reports.tables.exploratory.standings import Standing, standings
from reports.tables.formats.write import DOCUMENT, write, write_for_a_paper
from reports.tables.leaderboard import leaderboard
from reports.tables.reproduction import reproduction_table
from reports.tables.scores import PSNR
from reports.tables.table import Table
from reports.tables.timing import is_timing, timed_alone, timing
from reports.templates import template

SUMMARY = "summary.md"
YAML = "suite.yaml"
REPORT = "report"  # the folder beside results.csv
NAMES = (SUMMARY, f"tables/{DOCUMENT}")  # in every report


@dataclass(frozen=True)
class Report:
    """Where the report is, and what it says first.

    Attributes:
        summary: `summary.md`.
        table: the leaderboard, or the first table of timings.
        findings: sentences on the results; none on timings.
        notices: what a reader has to know before.
        page: `index.html`, which timings do not have.
        embedded: the page of chosen jobs, if asked for.
    """

    summary: Path
    table: Table
    findings: Sequence[str] = ()
    notices: Sequence[str] = ()
    page: Path | None = None
    embedded: Path | None = None


def build(
    folder: Path,
    reference: str | None = None,
    embed: str | None = None,
    *,
    has_numbers: bool = False,
    force: bool | None = None,
    when_drawn: Callable[[], None] = lambda: None,
) -> Report:
    """Build the report from what is stored: of a suite, or of `dip-bench timing`.

    reference: the method that all are compared with. embed: of which jobs, by a part of their
    names, one file is written that holds all it needs. has_numbers: whether numbers are written as
    macros for LaTeX. force: whether files that this program did not write are replaced; others of
    them stay as they are. when_drawn: called when tables and figures are there, before the pages
    that say how long the command took.

    Raises InputError if there are no results, a run they refer to is gone or damaged, the reference
    is none of the methods, no job has such a name, or the report cannot be written.
    """
    if is_timing(folder):
        if reference:
            raise InputError("`reference`: timings are compared with the plain loop")
        if embed is not None:
            raise InputError("`embed`: timings have no jobs")
        if has_numbers:
            raise InputError("`numbers`: only suites have numbers for prose")
        return _build_timing(folder, force)
    results = load_results(folder)
    if embed is not None:
        check_pattern(results, embed)
    try:
        with alone_in(folder):
            by_score = standings(results, reference)
            tables = all_tables(results, by_score)
            by_name = {table.name: table for table in tables}
            sentences = findings(results, tables[0], by_name.get("question"))

            def build_in(place: Path) -> None:
                _build(results, place, tables, sentences, by_score[0], embed, when_drawn)
                write_for_a_paper(place / "tables", results, by_name, has_numbers=has_numbers)

            _replace(folder / REPORT, build_in, force)
    except OSError as error:
        raise InputError(
            f"{folder / REPORT}: cannot be built ({error}); `dip-bench score SUITE`"
            " sets damaged runs aside, and `run` runs again what is missing"
        ) from None
    return Report(
        folder / REPORT / SUMMARY,
        tables[0],
        sentences,
        [results.question.notice] if results.question and results.question.notice else [],
        folder / REPORT / PAGE,
        folder / REPORT / EMBEDDED if embed is not None else None,
    )


def _replace(folder: Path, build_in: Callable[[Path], None], force: bool | None) -> None:
    """Build a report and put it in its place; one that fails leaves the last one.

    build_in: fills the folder.
    """
    with refilled(folder, REPORT, NAMES, force=force, is_ours=True) as place:
        build_in(place)


def all_tables(results: Results, by_score: list[Standing]) -> list[Table]:
    """Make every table that needs no pictures.

    Args:
        results: results of a suite.
        by_score: `standings` of the same results.
    """
    first = by_score[0]
    holes = first.column.name
    answer = question.judged(results, results.question) if results.question else None
    tables = [
        leaderboard(results, answer, first.reference_method),
        answer,
        *(comparison.comparison(standing, results) for standing in by_score),
        *(paired.paired(standing) for standing in by_score),
        seeds.seeds(results, first),
        reproduction_table(results),
        *timing(results, first.reference_name),
    ]
    if PSNR in results.scores:
        tables += [
            comparison.iterations(results, holes),
            comparison.missing_share(results, first.entries),
            comparison.per_image(results, first.entries, holes),
            regions.regions(results, first.entries),
            networks.architectures(results, holes),
            stopping.stopping(results),
        ]
    return [table for table in tables if table is not None]


def _build(
    results: Results,
    folder: Path,
    tables: list[Table],
    sentences: list[str],
    first: Standing,
    embed: str | None,
    when_drawn: Callable[[], None],
) -> None:
    per_image = coverage.per_image(results)
    reach = coverage.coverage(per_image, results)
    tables += [reach] if reach else []
    write(folder / "tables", tables)
    if reach:
        csv = per_image.to_csv(index=False)
        write_atomically(folder / "tables" / "coverage-per-image.csv", csv)
    own = results.about.get("suite")  # results of earlier versions do not have it
    if own:
        write_atomically(folder / YAML, own["yaml"])
    figures = draw(results, first, per_image, folder / "figures")
    lines = write_jobs(results, folder)
    when_drawn()
    accounting = read_accounting(results.folder)
    time = accounting.line if accounting else ""
    shown = contents(results, tables, sentences, figures, yaml=YAML if own else "", time=time)
    shown["notices"] = [*shown["notices"], *_left_out(results)]
    write_atomically(folder / SUMMARY, summary(shown))
    write_page(results, folder, shown, lines)
    if embed is not None:
        write_embedded(results, folder, shown, embed)


def draw(results: Results, first: Standing, per_image: pd.DataFrame, folder: Path) -> list[str]:
    """Draw every figure.

    Args:
        results: results of a suite, with their runs.
        first: the standing of its first score.
        per_image: `coverage.per_image` of the same results.
        folder: where figures are written.

    Returns:
        The names of their files.
    """
    lines = curves.lines(results)
    chosen = sheets.choose(results)
    ranks = critical_difference.critical_difference(first, folder)
    return [
        *([ranks] if ranks else []),
        *(curves.against_iterations(lines, folder) if results.networks else []),
        *curves.against_seconds(lines, folder),
        *sheets.contact_sheets(results, chosen, folder),
        *sheets.error_maps(results, chosen, folder),
        *animation.animations(results, folder),
        *sheets.coverage_sheets(results, per_image, folder),
    ]


def _build_timing(folder: Path, force: bool | None) -> Report:
    tables = timed_alone(folder)
    try:
        _replace(folder / REPORT, lambda place: _write_timing(place, tables), force)
    except OSError as error:
        raise InputError(f"{folder / REPORT}: cannot be built ({error})") from None
    return Report(folder / REPORT / SUMMARY, tables[0])


def _write_timing(folder: Path, tables: list[Table]) -> None:
    write(folder / "tables", tables)
    write_atomically(folder / SUMMARY, template("timing.md.j2").render(tables=tables))


def _left_out(results: Results) -> list[str]:
    """Says that an archive has no pictures of some runs."""
    if not (count := results.without_pictures):
        return []
    total = results.rows["key"].nunique()
    return [f"the archive has left out {count} of {total} runs, whose pictures are missing here"]
