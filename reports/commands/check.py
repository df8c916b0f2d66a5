"""Check: the gate, stored runs, published numbers and speed.

`docs/checks.md` says which question each of them answers.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dip.errors import InputError
from reports.commands.options import (
    DeviceOption,
    ForceOption,
    GithubOption,
    OutOption,
    PatternOption,
    SuiteArgument,
    WorkersOption,
)

if TYPE_CHECKING:
    from benchmarks.regression.page import Page


def regress(
    suite: Annotated[
        str, typer.Argument(help="a name in benchmarks/suites, or a path")
    ] = "regression",
    out: OutOption = Path("results"),
    baselines: Annotated[
        Path | None, typer.Option(help="folder of the baselines; default: the committed ones")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="number of seeds; default: the suite's 7, or 30 with --bless"),
    ] = None,
    workers: WorkersOption = None,
    pattern: PatternOption = "",
    bless: Annotated[bool, typer.Option("--bless", help="write a new baseline")] = False,
    because: Annotated[str, typer.Option(help="reason for the new baseline, stored in it")] = "",
    github: GithubOption = False,
) -> None:
    """Fit a suite afresh and compare it with the committed baseline.

    Exit code 0: the same; 1: worse, or suspiciously better; 2: bad input; 3: cannot tell; 4: not
    comparable.
    """
    from rich.console import Console

    from benchmarks.regression import gate
    from benchmarks.regression.baseline import FOLDER

    asked = gate.Gate(suite, out, baselines or FOLDER, pattern, seeds, workers)
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


def compare(
    a: Annotated[Path, typer.Argument(help="results folder to compare with, e.g. results/quick")],
    b: Annotated[Path, typer.Argument(help="results folder that is judged")],
    out: Annotated[
        Path | None, typer.Option(help="folder for verdict.md, verdict.json and verdict.xml")
    ] = None,
    force: ForceOption = False,
    github: GithubOption = False,
) -> None:
    """Judge folder B against folder A as `regress` does; the same exit codes."""
    from benchmarks.regression import gate

    _conclude(*gate.compare(a, b, out, force=force), github)


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


def verify(
    suite: SuiteArgument,
    out: OutOption = Path("results"),
    sample: Annotated[
        int | None, typer.Option(min=1, help="number of jobs, drawn at random; default: all")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of that draw")] = 0,
    tolerance_db: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="largest difference in hole PSNR where results cannot be byte-identical;"
            " default: 2",
        ),
    ] = None,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    pattern: PatternOption = "",
) -> None:
    """Run stored jobs again and compare; exit code 1 if a result differs."""
    from rich.console import Console

    from benchmarks.jobs.plan import make_plan
    from benchmarks.runner.verify import TOLERANCE_DB, draw
    from benchmarks.runner.verify import verify as run_again

    plan = make_plan(suite, out)
    drawn = draw(plan, pattern, sample, seed)
    tolerance = TOLERANCE_DB if tolerance_db is None else tolerance_db
    findings = run_again(plan, drawn, workers, device, tolerance, Console())
    if not all(finding.holds for finding in findings):
        raise typer.Exit(1)


def anchors(out: OutOption = Path("results")) -> None:
    """Recompute published numbers from the pictures that their authors released.

    Exit code 1 if a recomputed number differs from the published one, 2 if images or weights are
    missing.
    """
    from benchmarks.scoring import validate

    table = validate.published_psnr()
    print(validate.to_markdown(table))
    holds: list[bool | None] = []
    for finding in validate.findings(table):
        words = {True: "ok", False: "WRONG", None: "MISSING"}
        print(f"{words[finding.holds]:8}{finding.text}")
        holds.append(finding.holds)
    print(f"Table: {validate.write(table, out / 'anchors')}")
    if not all(holds):
        raise typer.Exit(1 if False in holds else 2)


def timing(
    out: OutOption = Path("results"),
    budget: Annotated[float, typer.Option(help="minutes, after which no comparison begins")] = 10.0,
    device: DeviceOption = "auto",
    preset: Annotated[list[str] | None, typer.Option(help="only this; may be repeated")] = None,
    size: Annotated[
        list[int] | None,
        typer.Option(help="pixels on a side; may be repeated; default: 64 to 512, of fills 1024"),
    ] = None,
    fill: Annotated[
        list[str] | None, typer.Option(help="time this fill instead; may be repeated")
    ] = None,
) -> None:
    """Time both engines side by side, alone on the device; or fills, with their peak memory."""
    if fill:
        if preset:
            raise InputError("`fill` and `preset` exclude each other; leave one out")
        from benchmarks.timing import fills

        tables = fills.time_fills(
            out,
            fills=fill,
            sizes=size or fills.SIZES,
            budget_minutes=budget,
            say=lambda text: print(text, flush=True),
        )
        print(tables.read_text(encoding="utf-8"))
        print(f"Timing: {tables}")
        return
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
