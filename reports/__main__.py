"""`python -m reports build | bench`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

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
    help="Make tables, figures and a summary from stored results.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
)


@app.command("build")
def build_command(
    results: Annotated[Path, typer.Argument(help="a suite's results, as results/quick")],
) -> None:
    """Build the report again from what is stored."""
    _build(results)


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


def _build(results: Path, clock: Clock | None = None) -> None:
    """clock: of a command that does more than this."""
    from reports.build import build

    report = build(results, clock)
    print(report.headline)
    if clock:
        print(clock.accounting().line)
    print(f"Report: {report.summary}")


if __name__ == "__main__":
    sys.exit(main(app))
