"""Published results: list how far each is, make them, write their numbers into the pages."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dip.errors import InputError
from reports.commands.options import BudgetOption, DeviceOption, OutOption, deadline_of
from reports.commands.run import TIME_IS_UP, WITHOUT_RESULT

if TYPE_CHECKING:
    from reports.publishing.catalogue import Entry


def published(
    names: Annotated[
        list[str] | None, typer.Argument(help="results of reports/published; default: all")
    ] = None,
    make: Annotated[
        bool,
        typer.Option("--make", help="make what is not current, the most valuable first"),
    ] = False,
    budget: BudgetOption = None,
    device: DeviceOption = "auto",
    out: OutOption = Path("results"),
    docs: Annotated[
        bool, typer.Option("--docs", help="write the numbers of README and docs again")
    ] = False,
) -> None:
    """List published results with their states, or make them.

    Exit code 1: not all could be made; 3: time is up.
    """
    from reports.publishing import catalogue

    deadline = deadline_of(budget)
    entries = catalogue.load_catalogue(catalogue.FOLDER)
    chosen = {name: catalogue.entry_of(name, entries) for name in names or entries}
    if budget is not None and not make:
        raise InputError("--budget goes with --make")
    if docs and names:
        raise InputError("--docs writes all pages; leave out the names")
    if make:
        _make(chosen, device, out, deadline, is_named=bool(names))
    elif not docs:
        _list(chosen)
    if docs:
        from reports.publishing.pages import fill_pages

        changed = fill_pages(catalogue.FOLDER)
        print(f"Pages changed: {', '.join(path.name for path in changed) or 'none'}")


def _list(entries: "dict[str, Entry]") -> None:
    """Print a line for each result, and how many there are in each state."""
    from collections import Counter

    from reports.publishing.catalogue import FOLDER
    from reports.publishing.state import state_of

    width = max(map(len, entries))
    counts: Counter[str] = Counter()
    for name, entry in entries.items():
        state = state_of(name, entry, FOLDER)
        counts[state.word] += 1
        detail = f": {state.detail}" if state.detail else ""
        hours = entry.minutes / 60
        cost = f"{hours:.1f} h" if hours >= 1 else f"{entry.minutes:g} min"
        print(
            f"{state.word:9}  {name:{width}}  {entry.device:4}  {cost:>8}"
            f"  {', '.join(entry.evidence)}{detail}",
            flush=True,
        )
    print(", ".join(f"{count} {word}" for word, count in counts.items()))


def _make(
    entries: "dict[str, Entry]",
    device: str,
    out: Path,
    deadline: float,
    *,
    is_named: bool,
) -> None:
    """Make those of the device's kind; exits with 1 if something is left."""
    from rich.console import Console

    from benchmarks.system.devices import places
    from reports.publishing.catalogue import FOLDER
    from reports.publishing.make import Making, make_all

    place = places(device, 1, 1)[0]
    making = Making(FOLDER, out, place if device == "auto" else device, deadline)
    if is_named:
        for name, entry in entries.items():
            if entry.device != making.kind:
                raise InputError(
                    f"{name}: is made on {entry.device}, not on {making.kind}; use --device"
                    f" {entry.device}"
                )
    if not make_all(entries, making, Console(highlight=False)):
        is_late = making.seconds_left <= 0
        print("Time is up; the same command goes on" if is_late else "Not all could be made")
        raise typer.Exit(TIME_IS_UP if is_late else WITHOUT_RESULT)
