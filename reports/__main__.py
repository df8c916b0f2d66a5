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
    SuiteArgument,
    ThreadsOption,
    WorkersOption,
    main,
)
from benchmarks.runner import make_plan, run

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
    from reports.build import build

    report = build(results)
    print(report.headline)
    print(f"Report: {report.summary}")


@app.command("bench")
def bench_command(
    suite: SuiteArgument,
    out: OutOption = Path("results"),
    workers: WorkersOption = None,
    threads: ThreadsOption = 1,
    device: DeviceOption = "auto",
    fresh: FreshOption = False,
) -> None:
    """Run a suite, score it and build its report, in one process."""
    plan = make_plan(suite, out)
    failed = run(
        plan,
        fresh=fresh,
        workers=workers,
        threads=threads,
        device=device,
        console=Console(),
    )
    build_command(plan.folder)
    if failed:
        print(
            f"{len(failed)} of {len(plan.jobs)} jobs have no result; `python -m benchmarks status"
            f" {suite} --out {out}` says why",
            file=sys.stderr,
        )
        raise typer.Exit(1)


if __name__ == "__main__":
    sys.exit(main(app))
