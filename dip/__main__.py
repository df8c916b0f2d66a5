"""`dip inpaint PHOTO MASK -o OUT` fills the hole in a photo; `--help` lists what can be set."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from dip.inpainting.command import inpaint
from dip.system import command_line

app = typer.Typer(
    help="Deep Image Prior: restore photos with an untrained network.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
)
app.command("inpaint", no_args_is_help=True)(inpaint)


@app.callback()
def _has_commands() -> None:
    """Deep Image Prior: restore photos with an untrained network."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; see `dip.system.command_line.main`."""
    return command_line.main(app, arguments, program="dip")


def run() -> None:
    """The command `dip`."""
    sys.path.append(str(Path.cwd()))  # for networks of one's own, as with `python -m`
    # Whoever called may have closed it.
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends
    sys.exit(main())


if __name__ == "__main__":
    run()
