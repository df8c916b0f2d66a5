"""Arguments and options that several commands take."""

import math
import time
from pathlib import Path
from typing import Annotated

import typer

from dip.errors import InputError
from dip.system.text import seconds_of

SUITES = Path(__file__).parents[2] / "benchmarks" / "suites"


def complete_suite(incomplete: str) -> list[str]:
    """The suites that come with the project, for the shell's completion."""
    names = sorted(path.stem for path in SUITES.glob("*.yaml"))
    return [name for name in names if name.startswith(incomplete)]


SuiteArgument = Annotated[
    str,
    typer.Argument(help="a name in benchmarks/suites, or a path", autocompletion=complete_suite),
]
OutOption = Annotated[Path, typer.Option(help="folder of the results")]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=4096,
        help="worker processes; default: one for each GPU, or core; 0: fit in this process",
    ),
]
ThreadsOption = Annotated[int, typer.Option(min=1, help="threads of each worker on a CPU")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N")]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="end after 90s, 8m or 1h30m, with what is done scored; exit code 3: jobs are left",
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="overwrite files that this program did not write")
]
PatternOption = Annotated[str, typer.Option("-k", help="only jobs whose name contains this")]
FreshOption = Annotated[bool, typer.Option("--fresh", help="fit again what is stored")]
RetryOption = Annotated[bool, typer.Option("--retry-failed", help="run failed jobs again")]
GithubOption = Annotated[
    bool, typer.Option("--github", help="annotations and a summary for GitHub's workflows")
]


def deadline_of(budget: str | None) -> float:
    """When a command that begins now has used its budget up, by `time.monotonic`; never if None.

    Raises InputError.
    """
    if budget is None:
        return math.inf
    seconds = seconds_of(budget)
    if not seconds:
        raise InputError(f"`budget` {budget}: must be a time, e.g. 90s, 8m or 1h30m")
    return time.monotonic() + seconds
