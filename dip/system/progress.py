"""What a person sees of a fit in Python: a bar on standard error."""

import sys
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Finished(Protocol):
    """An iteration that is finished."""

    @property
    def iteration(self) -> int: ...
    @property
    def loss(self) -> float: ...


AnyStep = TypeVar("AnyStep", bound=Finished)


def shown(steps: Iterable[AnyStep], last: int) -> Iterator[AnyStep]:
    """The same steps, with a bar that follows them to the last iteration."""
    columns = (
        *(BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]}")),
        TimeRemainingColumn(),
    )
    # Rich sends what is printed meanwhile to its own console: fine in a terminal, wrong for a file.
    is_terminal = sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=is_terminal) as bar:
        task = bar.add_task("", total=last, loss="")
        for step in steps:
            bar.update(task, completed=step.iteration, loss=f"{step.loss:.5f}")
            yield step
