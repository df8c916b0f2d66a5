"""`dip-bench`: all commands, in groups."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from dip import __version__
from dip.errors import InputError
from dip.system import command_line
from dip.system.signals import ending_at_once, raise_on_signals
from reports.commands import archive, check, data, published, report, run

app = typer.Typer(
    help="Benchmark Deep Image Prior against classical fills: run suites, report, check.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
GROUPS: dict[str, dict[str, Callable[..., Any]]] = {
    "Run": {
        "bench": run.bench,
        "run": run.run,
        "status": run.status,
        "score": run.score,
        "gc": run.gc,
    },
    "Report": {
        "report": report.report,
        "open": report.open_page,
        "screenshots": report.screenshots,
    },
    "Hand on": {
        "published": published.published,
        "pack": archive.pack,
        "unpack": archive.unpack,
        "audit": archive.audit,
    },
    "Check": {
        "regress": check.regress,
        "compare": check.compare,
        "verify": check.verify,
        "anchors": check.anchors,
        "timing": check.timing,
    },
    "Look up": {
        "list": data.list_settings,
        "masks": data.masks,
    },
}
for group, commands in GROUPS.items():
    for name, function in commands.items():
        app.command(name, rich_help_panel=group)(function)
app.add_typer(data.data, name="data", rich_help_panel="Look up")
app.command("build", hidden=True)(report.report)  # its earlier name


def _show_version(asked: bool) -> None:
    if asked:
        from benchmarks.system.environment import git_revision, revision_words

        revision = revision_words(*git_revision())
        print(f"dip-bench {__version__}" + (f" ({revision})" if revision else ""))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="show the version and exit"
        ),
    ] = False,
) -> None:
    """What stands before a command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; see `dip.system.command_line.main`."""
    with ending_at_once():
        from datasets.errors import DatasetError

    raise_on_signals()
    return command_line.main(
        app, arguments, program="dip-bench", mistakes=(InputError, DatasetError, OSError)
    )
