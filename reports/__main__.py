"""`python -m reports build | bench | screenshots`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import InputError
from benchmarks.__main__ import (
    DeviceOption,
    FreshOption,
    OutOption,
    RetryOption,
    SuiteArgument,
    ThreadsOption,
    WorkersOption,
    main,
)
from benchmarks.accounting import Clock
from benchmarks.plan import make_plan
from benchmarks.runner import How, run

NAMED = 5  # failed jobs that the last line names; all stand above, and in the summary

app = typer.Typer(
    help="Make tables, figures and a page from stored results.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
)


@app.command("build")
def build_command(
    results: Annotated[
        list[Path],
        typer.Argument(help="a suite's results, as results/quick, or timings"),
    ],
    label: Annotated[
        list[str] | None, typer.Option(help="of each of several folders, which stand side by side")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="the method that all are compared with, as 'quick, raw'")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="where several folders' tables are written")
    ] = None,
    embed: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="also write one file that holds all pictures of the jobs whose name has that part",
        ),
    ] = None,
) -> None:
    """Build the report again from what is stored; of several folders, put them side by side."""
    if len(results) == 1 and not label and not out:
        _build(results[0], reference=reference, embed=embed)
        return
    if len(results) == 1:
        raise InputError("--label and --out are for several folders side by side")
    if reference:
        raise InputError("--reference: several folders are compared with the first one")
    if embed is not None:
        raise InputError("--embed: of one folder's jobs")
    from reports.formats import to_markdown
    from reports.side_by_side import build_side_by_side

    summary, tables = build_side_by_side(results, label or [], out)
    for table in tables:
        print(f"{table.title}\n\n{to_markdown(table)}")
    print(f"Report: {summary}")


@app.command("screenshots")
def screenshots_command(
    results: Annotated[Path, typer.Argument(help="a suite's results with a report")],
    job: Annotated[str, typer.Option(help="words that the page finds the job by")] = "",
    out: Annotated[
        Path | None, typer.Option(help="where they are written; `screenshots` beside the report")
    ] = None,
) -> None:
    """Take pictures of the page and of a job: desktop and phone, light and dark (with Chromium)."""
    from reports.page.screenshots import take_screenshots

    # Not in the report, which is replaced whole.
    for path in take_screenshots(results / "report", out or results / "screenshots", job):
        print(path)


@app.command("bench")
def bench_command(
    suite: SuiteArgument,
    out: OutOption = Path("results"),
    workers: WorkersOption = None,
    threads: ThreadsOption = 1,
    device: DeviceOption = "auto",
    fresh: FreshOption = False,
    retry_failed: RetryOption = False,
) -> None:
    """Run a suite, score it and build its report, in one process."""
    clock = Clock()
    plan = make_plan(suite, out)
    how = How(
        fresh=fresh, retry_failed=retry_failed, workers=workers, threads=threads, device=device
    )
    failed = run(plan, how, Console(), clock)
    _build(plan.folder, clock)
    if failed:
        print(
            f"{len(failed)} of {len(plan.jobs)} jobs have no result: "
            + ", ".join(job.name for job in failed[:NAMED])
            + (" ..." if len(failed) > NAMED else "")
            + f"; `python -m benchmarks status {suite} --out {out}` says why",
            file=sys.stderr,
        )
        raise typer.Exit(1)


def _build(
    results: Path,
    clock: Clock | None = None,
    reference: str | None = None,
    embed: str | None = None,
) -> None:
    """clock: of a command that does more than this."""
    from reports.build import build

    report = build(results, clock, reference, embed)
    print(report.headline)
    if clock:
        print(clock.accounting().line)
    if report.embedded:
        print(f"In one file: {report.embedded}")
    print(f"Report: {report.page or report.summary}")


if __name__ == "__main__":
    sys.exit(main(app))
