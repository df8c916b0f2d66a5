"""`python -m benchmarks run | status | score | anchors | list`."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import catalogue
from benchmarks.runner import check_imported_networks, make_plan, run, select, write_results
from datasets import DatasetError
from dip.errors import InputError

app = typer.Typer(
    help="Run suites of Deep Image Prior fits and score them.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
)

SuiteArgument = Annotated[str, typer.Argument(help="a name in benchmarks/suites, or a path")]
OutOption = Annotated[Path, typer.Option(help="folder of the results")]
WorkersOption = Annotated[
    int | None,
    typer.Option(min=0, help="processes side by side; default: cores, or GPUs; 0: none, to debug"),
]
ThreadsOption = Annotated[int, typer.Option(min=1, help="threads of each worker on a CPU")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N")]
PatternOption = Annotated[str, typer.Option("-k", help="only jobs whose name holds this")]
FreshOption = Annotated[bool, typer.Option("--fresh", help="fit again what is stored")]


@app.command("run")
def run_command(
    suite: SuiteArgument,
    out: OutOption = Path("results"),
    workers: WorkersOption = None,
    threads: ThreadsOption = 1,
    device: DeviceOption = "auto",
    pattern: PatternOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the jobs only")] = False,
    fresh: FreshOption = False,
) -> None:
    """Fit what is missing, then score and write results.csv."""
    plan = make_plan(suite, out)
    if dry_run:
        jobs = select(plan.jobs, pattern)
        check_imported_networks(plan.suite, jobs)
        for job in jobs:
            print(f"{plan.state(job)[0]:9} {job.key[:12]} {job.name}")
        return
    failed = run(
        plan,
        pattern=pattern,
        fresh=fresh,
        workers=workers,
        threads=threads,
        device=device,
        console=Console(),
    )
    print(f"Results: {plan.folder / 'results.csv'}")
    if failed:
        raise typer.Exit(1)


@app.command()
def status(suite: SuiteArgument, out: OutOption = Path("results")) -> None:
    """Say of each job whether it is done, diverged, failed or missing."""
    plan = make_plan(suite, out)
    counts: dict[str, int] = {}
    for job in plan.jobs:
        state, reason = plan.state(job)
        counts[state] = counts.get(state, 0) + 1
        print(f"{state:9} {job.key[:12]} {job.name}" + (f": {reason}" if reason else ""))
    print(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))


@app.command("score")
def score_command(suite: SuiteArgument, out: OutOption = Path("results")) -> None:
    """Compute all metrics again from the stored pictures and write results.csv."""
    plan = make_plan(suite, out)
    results = write_results(plan, console=Console(), afresh=True)
    print(f"{len(results)} rows: {plan.folder / 'results.csv'}")


@app.command("anchors")
def anchors_command(out: OutOption = Path("results")) -> None:
    """Recompute published numbers from the pictures that their authors released.

    Exit code 1 if one does not come out, 2 if something that is needed is not here.
    """
    from benchmarks import anchors

    table = anchors.published_psnr()
    print(anchors.to_markdown(table))
    holds: list[bool | None] = []
    for finding in anchors.findings(table):
        words = {True: "ok", False: "WRONG", None: "MISSING"}
        print(f"{words[finding.holds]:8}{finding.text}")
        holds.append(finding.holds)
    print(f"Table: {anchors.write(table, out / 'anchors')}")
    if not all(holds):
        raise typer.Exit(1 if False in holds else 2)


@app.command("list")
def list_command() -> None:
    """Show every suite, image set, network, input, preset, hole, fill and metric."""
    for line in catalogue.lines():
        print(line)


class Interrupted(BaseException):
    """The user or the system wants the program to end; not an error of anything."""


def main(application: typer.Typer = app, arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    A user's mistake is one line and exit code 2; an interruption, 130.
    """

    def interrupt(*_: object) -> None:
        raise Interrupted

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        return application(args=arguments, standalone_mode=False) or 0
    except (InputError, DatasetError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except Interrupted:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has left; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except Exception as error:
        # Wrong options and arguments: click's exceptions, of which newer typers have a copy.
        if not hasattr(error, "format_message"):
            raise
        if message := error.format_message():  # none where the help has been shown
            print(f"error: {message}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
