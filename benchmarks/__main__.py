"""`python -m benchmarks run`, and what else there is to do with suites; `--help` lists it."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from benchmarks import catalogue
from benchmarks.accounting import Clock
from benchmarks.forecast import forecast
from benchmarks.garbage import collect
from benchmarks.interruption import Interrupted, at_once
from benchmarks.plan import line, make_plan
from benchmarks.progress import counted
from benchmarks.runner import How, run, write_results
from benchmarks.verify import TOLERANCE_DB, draw, verify
from datasets import DatasetError
from dip.errors import InputError

if TYPE_CHECKING:
    from benchmarks.regression.page import Page

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
PerGpuOption = Annotated[int | None, typer.Option(min=1, help="workers side by side on each GPU")]
TimeoutOption = Annotated[
    float | None, typer.Option(min=0.001, help="seconds that a job may take, or it has failed")
]
RetryOption = Annotated[bool, typer.Option("--retry-failed", help="run again what has failed")]
GithubOption = Annotated[
    bool, typer.Option("--github", help="annotations and a summary for GitHub's workflows")
]
KeepOption = Annotated[
    bool, typer.Option("--keep-state", help="keep the fits' last states: more iterations go on")
]
ExecutorOption = Annotated[
    Literal["local", "ray"],
    typer.Option(help="worker processes of this machine, or the nodes of a Ray cluster"),
]
AddressOption = Annotated[
    str,
    typer.Option(metavar="HOST", help="the cluster's head; default: the one that runs here"),
]


@app.command("run")
def run_command(
    suite: SuiteArgument,
    out: OutOption = Path("results"),
    workers: WorkersOption = None,
    workers_per_gpu: PerGpuOption = None,
    threads: ThreadsOption = 1,
    device: DeviceOption = "auto",
    timeout: TimeoutOption = None,
    pattern: PatternOption = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print the jobs, what they may cost, and fit nothing")
    ] = False,
    fresh: FreshOption = False,
    retry_failed: RetryOption = False,
    keep_state: KeepOption = False,
    executor: ExecutorOption = "local",
    address: AddressOption = "auto",
) -> None:
    """Fit what is missing, then score and write results.csv."""
    clock = Clock()
    plan = make_plan(suite, out)
    how = How(
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
    )
    if dry_run:
        for text in forecast(plan, how):
            print(text)
        return
    failed = run(plan, how, Console(), clock)
    print(clock.accounting().line)
    print(f"Results: {plan.folder / 'results.csv'}")
    if failed:
        raise typer.Exit(1)


@app.command()
def status(suite: SuiteArgument, out: OutOption = Path("results")) -> None:
    """Say of each job whether it is done, diverged, failed, damaged, stale or missing, and why."""
    plan = make_plan(suite, out)
    counts: dict[str, int] = {}
    for job in plan.jobs:
        found = plan.explain(job)
        counts[found.word] = counts.get(found.word, 0) + 1
        print(line(job, found))
    print(", ".join(f"{count} {word}" for word, count in sorted(counts.items())))


@app.command("verify")
def verify_command(
    suite: SuiteArgument,
    out: OutOption = Path("results"),
    sample: Annotated[
        int | None, typer.Option(min=1, help="only so many jobs, drawn at random")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the draw")] = 0,
    tolerance_db: Annotated[
        float,
        typer.Option(min=0, help="of hole PSNR, where results cannot be byte-identical"),
    ] = TOLERANCE_DB,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    pattern: PatternOption = "",
) -> None:
    """Run stored jobs again and compare; exit code 1 if one comes out otherwise."""
    plan = make_plan(suite, out)
    drawn = draw(plan, pattern, sample, seed)
    findings = verify(plan, drawn, workers, device, tolerance_db, Console())
    if not all(finding.holds for finding in findings):
        raise typer.Exit(1)


@app.command("gc")
def gc_command(
    suites: Annotated[
        list[str] | None,
        typer.Argument(help="suites of your own that were never run here, and what they refer to"),
    ] = None,
    out: OutOption = Path("results"),
    yes: Annotated[bool, typer.Option("--yes", help="remove what is listed")] = False,
) -> None:
    """List what no suite refers to, with its size; remove it with --yes."""
    for text in collect(out, suites or [], remove=yes):
        print(text)


@app.command("timing")
def timing_command(
    out: OutOption = Path("results"),
    budget: Annotated[float, typer.Option(help="minutes that it may take")] = 10.0,
    device: DeviceOption = "auto",
    preset: Annotated[list[str] | None, typer.Option(help="only this; may be repeated")] = None,
    size: Annotated[
        list[int] | None, typer.Option(help="pixels on a side; may be repeated; default: 64 to 512")
    ] = None,
) -> None:
    """Time both engines side by side, alone on the device."""
    from benchmarks.timing.command import SIZES, run_timing

    page = run_timing(
        out,
        device=device,
        budget_minutes=budget,
        presets=preset or [],
        sizes=size or SIZES,
        say=lambda text: print(text, flush=True),
    )
    print(page.read_text(encoding="utf-8"))
    print(f"Timing: {page}")


@app.command("regress")
def regress_command(
    suite: Annotated[str, typer.Argument(help="as of `run`")] = "regression",
    out: OutOption = Path("results"),
    baselines: Annotated[Path, typer.Option(help="folder of the baselines")] = Path(__file__).parent
    / "baselines",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="so many instead of the suite's, or a baseline's 30")
    ] = None,
    workers: WorkersOption = None,
    pattern: PatternOption = "",
    bless: Annotated[bool, typer.Option("--bless", help="write the baseline anew")] = False,
    because: Annotated[str, typer.Option(help="why that is right; goes into the baseline")] = "",
    github: GithubOption = False,
) -> None:
    """Fit a suite afresh and hold it to the committed baseline.

    Exit code 0: the same; 1: worse, or suspiciously better; 3: cannot tell; 4: not comparable.
    """
    from benchmarks.regression import gate

    asked = gate.Gate(suite, out, baselines, pattern, seeds, workers)
    if bless:
        if github:
            raise InputError("--github: a baseline is blessed by hand")
        changes, path = gate.bless(asked, because, Console())
        print(changes)
        print(f"Baseline: {path}")
        return
    if because:
        raise InputError("--because goes with --bless")
    _conclude(*gate.regress(asked, Console()), github)


@app.command("compare")
def compare_command(
    a: Annotated[Path, typer.Argument(help="a suite's results, as results/quick: the reference")],
    b: Annotated[Path, typer.Argument(help="those that are held to it")],
    out: Annotated[
        Path | None, typer.Option(help="folder for verdict.md, verdict.json and verdict.xml")
    ] = None,
    github: GithubOption = False,
) -> None:
    """Hold one results folder to another as `regress` does; the same exit codes."""
    from benchmarks.regression import gate

    _conclude(*gate.compare(a, b, out), github)


def _conclude(page: "Page", paths: Sequence[Path], github: bool) -> None:
    from benchmarks.regression.gate import announce
    from benchmarks.regression.page import to_markdown

    print(to_markdown(page))
    if github:
        announce(page, print)
    for path in paths:
        print(f"Verdict: {path}")
    if page.decision.exit_code:
        raise typer.Exit(page.decision.exit_code)


@app.command("score")
def score_command(suite: SuiteArgument, out: OutOption = Path("results")) -> None:
    """Compute all metrics again from the stored pictures and write results.csv."""
    plan = make_plan(suite, out)
    results = write_results(plan, console=Console(), afresh=True)
    print(f"{counted(len(results), 'row')}: {plan.folder / 'results.csv'}")


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
    for text in catalogue.lines():
        print(text)


def main(application: typer.Typer = app, arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    A user's mistake is one line and exit code 2; an interruption, 130.
    """

    at_once()
    try:
        return application(args=arguments, standalone_mode=False) or 0
    except (InputError, DatasetError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except Interrupted as interrupted:
        print("; ".join(["interrupted", *map(str, interrupted.args)]), file=sys.stderr)
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
