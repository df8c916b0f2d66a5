"""Run suites: fit what is missing, score it, say how far each job is."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reports.commands.options import (
    BudgetOption,
    DeviceOption,
    FreshOption,
    OutOption,
    PatternOption,
    RetryOption,
    SuiteArgument,
    ThreadsOption,
    WorkersOption,
    deadline_of,
)

if TYPE_CHECKING:
    from benchmarks.runner.run import Outcome

NAMED = 5  # failed jobs that the last line names; all stand above, and in the summary
WITHOUT_RESULT, TIME_IS_UP = 1, 3  # exit codes; 2 is a user's mistake


def run(
    suite: SuiteArgument,
    out: OutOption = Path("results"),
    workers: WorkersOption = None,
    workers_per_gpu: Annotated[
        int | None, typer.Option(min=1, max=4096, help="workers side by side on each GPU")
    ] = None,
    threads: ThreadsOption = 1,
    device: DeviceOption = "auto",
    timeout: Annotated[
        float | None, typer.Option(min=0.001, help="seconds after which a job has failed")
    ] = None,
    pattern: PatternOption = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print the jobs and their cost, and fit nothing")
    ] = False,
    fresh: FreshOption = False,
    retry_failed: RetryOption = False,
    keep_state: Annotated[
        bool,
        typer.Option("--keep-state", help="keep each fit's last state, to add iterations later"),
    ] = False,
    executor: Annotated[
        Literal["local", "ray"],
        typer.Option(help="worker processes of this machine, or the nodes of a Ray cluster"),
    ] = "local",
    address: Annotated[
        str,
        typer.Option(metavar="HOST", help="the cluster's head; default: the one that runs here"),
    ] = "auto",
    budget: BudgetOption = None,
) -> None:
    """Fit what is missing, then score and write results.csv."""
    deadline = deadline_of(budget)  # imports take some of it
    from rich.console import Console

    from benchmarks.jobs.plan import make_plan
    from benchmarks.runner.overhead import Clock
    from benchmarks.runner.run import RunOptions
    from benchmarks.runner.run import run as run_suite

    clock = Clock()
    plan = make_plan(suite, out)
    options = RunOptions(
        pattern=pattern,
        fresh=fresh,
        retry_failed=retry_failed,
        keep_state=keep_state,
        timeout=timeout,
        workers=workers,
        workers_per_gpu=workers_per_gpu,
        threads=threads,
        device=device,
        executor=executor,
        address=address,
        deadline=deadline,
    )
    if dry_run:
        from benchmarks.runner.dry_run import dry_run as lines

        for text in lines(plan, options):
            print(text)
        return
    outcome = run_suite(plan, options, Console(), clock)
    print(clock.accounting().line)
    print(f"Results: {plan.folder / 'results.csv'}")
    _exit_if_left(outcome, budget, fresh=fresh)
    if outcome.without_result:
        raise typer.Exit(WITHOUT_RESULT)


def _exit_if_left(outcome: "Outcome", budget: str | None, *, fresh: bool) -> None:
    """Say how many jobs the budget has left over, if any, and end the command."""
    if outcome.left:
        print(
            f"Stopped by --budget {budget}: {len(outcome.done)} of {sum(map(len, outcome))} jobs"
            f" are done; the same command {'begins again' if fresh else 'goes on'}."
        )
        raise typer.Exit(TIME_IS_UP)


def bench(
    suite: SuiteArgument,
    out: OutOption = Path("results"),
    workers: WorkersOption = None,
    threads: ThreadsOption = 1,
    device: DeviceOption = "auto",
    fresh: FreshOption = False,
    retry_failed: RetryOption = False,
    budget: BudgetOption = None,
) -> None:
    """Run a suite, score it and build its report, in one process."""
    deadline = deadline_of(budget)  # imports take some of it
    from rich.console import Console

    from benchmarks.jobs.plan import make_plan
    from benchmarks.runner.overhead import Clock
    from benchmarks.runner.run import RunOptions
    from benchmarks.runner.run import run as run_suite
    from benchmarks.store.accounting import REPORTING
    from reports.build import build
    from reports.commands.ending import show

    clock = Clock()
    plan = make_plan(suite, out)
    options = RunOptions(
        fresh=fresh,
        retry_failed=retry_failed,
        workers=workers,
        threads=threads,
        device=device,
        deadline=deadline,
    )
    console = Console(highlight=False)
    outcome = run_suite(plan, options, console, clock)
    if not outcome.done:  # a report would be empty
        _exit_if_left(outcome, budget, fresh=fresh)

    def note_time() -> None:
        clock.lap(REPORTING)
        clock.write(plan.folder)

    report = build(plan.folder, when_drawn=note_time)
    console.print()
    show(report, console)
    print(f"\n{clock.accounting().line}")
    print(f"Report: {report.page or report.summary}")
    if failed := outcome.without_result:
        print(
            f"{len(failed)} of {len(plan.jobs)} jobs have no result: "
            + ", ".join(job.name for job in failed[:NAMED])
            + (" ..." if len(failed) > NAMED else "")
            + f"; `dip-bench status {suite} --out {out}` says why",
            file=sys.stderr,
        )
    _exit_if_left(outcome, budget, fresh=fresh)
    if failed:
        raise typer.Exit(WITHOUT_RESULT)
    where = [] if out == Path("results") else ["--out", str(out)]
    print(f"To see it: {shlex.join(['dip-bench', 'open', suite, *where])}")


def status(suite: SuiteArgument, out: OutOption = Path("results")) -> None:
    """Say of each job whether it is done, diverged, failed, damaged, stale or missing, and why."""
    from benchmarks.jobs.plan import line, make_plan

    plan = make_plan(suite, out)
    counts: dict[str, int] = {}
    for job in plan.jobs:
        found = plan.explain(job)
        counts[found.word] = counts.get(found.word, 0) + 1
        print(line(job, found))
    print(", ".join(f"{count} {word}" for word, count in sorted(counts.items())))


def score(suite: SuiteArgument, out: OutOption = Path("results")) -> None:
    """Compute all metrics again from the stored pictures and write results.csv."""
    from benchmarks.jobs.plan import make_plan
    from benchmarks.scoring.tables import write_results
    from benchmarks.system.text import counted

    plan = make_plan(suite, out)
    results, *_ = write_results(plan, say=print, afresh=True)
    print(f"{counted(len(results), 'row')}: {plan.folder / 'results.csv'}")


def gc(
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            help="suites of your own that were never run here; their runs are kept, too"
        ),
    ] = None,
    out: OutOption = Path("results"),
    yes: Annotated[bool, typer.Option("--yes", help="remove what is listed")] = False,
) -> None:
    """List stored runs that no suite refers to, with their size; remove them with --yes."""
    from benchmarks.jobs.prune import prune

    for text in prune(out, suites or [], remove=yes):
        print(text)
