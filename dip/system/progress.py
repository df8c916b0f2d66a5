"""The progress bar of a fit in Python, on standard error."""

import sys
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Finished(Protocol):
    """A finished iteration."""

    @property
    def iteration(self) -> int: ...
    @property
    def loss(self) -> float: ...


AnyStep = TypeVar("AnyStep", bound=Finished)


def shown(steps: Iterable[AnyStep], last: int) -> Iterator[AnyStep]:
    """Pass steps on while a progress bar shows them.

    Args:
        steps: the finished iterations of a fit.
        last: the fit's last iteration, where the bar ends.

    Returns:
        The same steps.
    """
    columns = (
        *(BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]}")),
        TimeRemainingColumn(),
    )
    # Rich redirects standard output to its console. That suits a terminal, but not a file.
    is_terminal = sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=is_terminal) as bar:
        task = bar.add_task("", total=last, loss="")
        for step in steps:
            bar.update(task, completed=step.iteration, loss=f"{step.loss:.5f}")
            yield step
