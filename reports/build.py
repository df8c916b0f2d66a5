"""Builds the report of a suite: tables, figures and summary.md, in `results/<suite>/report/`."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks import InputError
from benchmarks.accounting import REPORTING, Clock, read_accounting
from benchmarks.writing import alone_in, write_atomically
from reports import coverage, figures, reproduction, tables
from reports.results import Results, load_results


@dataclass(frozen=True)
class Report:
    """Where the report is, and the headline table in Markdown."""

    summary: Path
    headline: str


def build(folder: Path, clock: Clock | None = None) -> Report:
    """Build the report from what is stored.

    clock: of a command that has run the suite before; its time is accounted for in the summary,
    with that of tables and figures. Without it, or if that fitted nothing, the summary keeps what
    the last one that fitted something has left.

    Raises InputError if there are no results, a run they refer to is gone or damaged, or the report
    cannot be written.
    """
    results = load_results(folder)
    try:
        with alone_in(folder):
            for part in ("tables", "figures"):
                shutil.rmtree(folder / "report" / part, ignore_errors=True)
            return _build(results, folder / "report", clock)
    except OSError as error:
        raise InputError(
            f"{folder / 'report'}: cannot be built ({error}); `python -m benchmarks score SUITE`"
            " sets damaged runs aside, and `run` runs again what is missing"
        ) from None


def _build(results: Results, folder: Path, clock: Clock | None) -> Report:
    comparison = tables.write(
        folder / "tables", "comparison", tables.comparison(results), tables.comparison_text
    )
    beside = ""
    reproduced = reproduction.reproduction(results)
    if len(reproduced):
        beside = tables.write(
            folder / "tables", "reproduction", reproduced, reproduction.reproduction_text
        )
    stopping = ""
    if len(results.stops):
        stopping = tables.write(
            folder / "tables", "stopping", tables.stopping(results), tables.stopping_text
        )
    reach = ""
    per_image = coverage.per_image(results)
    if len(per_image):
        reach = tables.write(
            folder / "tables",
            "coverage",
            coverage.coverage(per_image, results),
            coverage.coverage_text,
        )
        per_image.to_csv(folder / "tables" / "coverage-per-image.csv", index=False)
    timing = ""
    if results.final["architecture"].notna().any():
        timing = tables.write(
            folder / "tables", "timing", tables.timing(results), tables.timing_text
        )
    curve = figures.quality_against_iterations(results, folder / "figures")
    sheets = figures.contact_sheets(results, folder / "figures")
    reach_sheets = figures.coverage_sheets(results, per_image, folder / "figures")
    if clock:  # all but the summary, which is to say it, is there
        clock.lap(REPORTING)
        clock.write(results.folder)
    accounting = read_accounting(results.folder)
    summary = _template().render(
        title=results.title,
        planned=len(results.jobs),
        done=int((results.jobs["status"] == "done").sum()),
        problems=_problems(results),
        notices=results.about["notices"],
        comparison=comparison,
        last_iteration=results.last_iteration,
        curve=curve,
        sheets=sheets,
        reproduction=beside,
        stopping=stopping,
        reach=reach,
        reach_sheets=reach_sheets,
        timing=timing,
        time=accounting.line if accounting else "",
        provenance=_provenance(results),
    )
    path = folder / "summary.md"
    write_atomically(path, summary)
    return Report(path, comparison)


def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown, not HTML
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = lambda text: str(text).replace("|", r"\|")
    return environment.get_template("summary.md.j2")


def _problems(results: Results) -> list[dict[str, object]]:
    """Jobs without a full result, and those of which there is something to say."""
    jobs = results.jobs[(results.jobs["status"] != "done") | (results.jobs["reason"] != "")]
    return [
        {
            "name": f"{job.image}/{job.mask}/{job.method}/{job.seed}",
            "status": job.status,
            "reason": job.reason,
        }
        for job in jobs.itertuples()
    ]


def _provenance(results: Results) -> list[str]:
    rows = results.rows
    lines = []
    for column, words in (("device", "device"), ("git_revision", "revision")):
        values = [str(value) for value in rows[column].dropna().unique()]
        lines.append(f"{words}: {', '.join(values) or 'not known'}")
    for versions in results.about["versions"]:
        lines.append("versions: " + ", ".join(f"{name} {v}" for name, v in versions.items()))
    return lines
