"""Whether results.csv has the scores of the pictures, and the report the tables of results.csv."""

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

import pandas as pd

from benchmarks.jobs.job import OVER
from benchmarks.metrics import METRICS
from benchmarks.scoring.results import COLUMNS, SCORED, Results
from benchmarks.scoring.score import computed_again
from benchmarks.store.layout import RESULTS
from reports.audit.finding import Finding, note, wrong
from reports.audit.runs import MALFORMED, Runs
from reports.audit.suite import Jobs
from reports.build import REPORT, all_tables
from reports.page.contents import name_of
from reports.tables.exploratory.standings import standings
from reports.tables.formats.write import to_markdown

# How far a score may be off that another processor has computed: double precision, and the
# networks of LPIPS, which compute in float32.
TOLERANCE = dict.fromkeys((*SCORED, "oracle_psnr_hole"), 1e-6) | {
    name: 1e-3 for name in SCORED if name.startswith("lpips_")
}
Row = dict[Any, Any]  # cells as text, by column
Rows = dict[tuple[str, str], Row]  # by iteration and output


def scores_differ(
    results: Results, runs: Runs, jobs: Jobs, metrics: Sequence[str]
) -> tuple[int, list[Finding]]:
    """Compute every score again and compare it with results.csv.

    Returns:
        How many rows were compared, and what was found, a line for each job.
    """
    table = pd.read_csv(
        results.folder / RESULTS, dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )
    noted: dict[str, Rows] = {}
    for row in table.to_dict("records"):
        noted.setdefault(name_of(row), {})[row["iteration"], row["output"]] = row
    rows_checked = 0
    texts: list[str] = []
    unavailable: dict[str, None] = {}
    for planned in results.jobs.to_dict("records"):
        name, key = name_of(planned), str(planned["key"])
        if planned["status"] not in OVER or name not in jobs or key not in runs.whole:
            continue
        job = jobs[name]
        try:
            rows = computed_again(runs.whole[key], job, metrics)
        except (OSError, *MALFORMED) as error:
            texts.append(f"{name}: its run cannot be scored again ({error!r})")
            continue
        computed = _as_text([row | {"key": key} for row in rows])
        rows_checked += len(computed)
        unscored = {
            metric: reason
            for metric in metrics
            if (reason := METRICS[metric].unavailable(job.image.height, job.image.width))
        }
        unavailable |= dict.fromkeys(f"{m}: {reason}" for m, reason in unscored.items())
        if text := _difference(noted.get(name, {}), computed, unscored):
            texts.append(f"{RESULTS}: {name}, {text}")
    found = wrong(texts, RESULTS)
    found += [note(f"not checked are scores of {each}") for each in unavailable]
    return rows_checked, found


def _as_text(rows: list[Row]) -> Rows:
    """Rows as results.csv has them."""
    content = pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(index=False)
    table = pd.read_csv(StringIO(content), dtype=str, keep_default_na=False)
    return {(row["iteration"], row["output"]): row for row in table.to_dict("records")}


def _difference(noted: Rows, computed: Rows, unscored: dict[str, str]) -> str:
    """The first cell that differs, and how many others do; empty if none does."""
    found = [
        f"{output}, iteration {iteration}: "
        + ("is missing" if place in computed else "is too much")
        for place in noted.keys() ^ computed.keys()
        for iteration, output in [place]
    ]
    for (iteration, output), row in computed.items():
        for column, value in row.items():
            own = str(noted.get((iteration, output), row).get(column, value))
            if column.rpartition("_")[0] in unscored or _is_same(own, value, column):
                continue
            what = "picture" if column in SCORED else "run"
            text = f"{column} is {own or 'empty'}, its {what} has {value or 'none'}"
            found.append(f"{output}, iteration {iteration}: {text}")
    more = f" (and {len(found) - 1} more of this job)" if len(found) > 1 else ""
    return found[0] + more if found else ""


def _is_same(one: str, other: str, column: str) -> bool:
    if one == other:
        return True
    try:
        return abs(float(one) - float(other)) <= TOLERANCE.get(column, 0)
    except ValueError:  # a text, or an empty cell
        return False


def tables_differ(results: Results) -> Iterator[Finding]:
    """Whether the report beside the results, if there is one, has their tables."""
    folder = results.folder / REPORT / "tables"
    if not folder.is_dir():
        return
    for table in all_tables(results, standings(results)):
        path = folder / f"{table.name}.md"
        if path.is_file() and path.read_text(encoding="utf-8") != to_markdown(table):
            yield Finding(
                f"{REPORT}/tables/{path.name}: is not the table that {RESULTS} gives;"
                " `dip-bench report` makes it again"
            )
