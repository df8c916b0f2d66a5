"""`dip inpaint PHOTO MASK -o OUT` fills the hole in a photo; `--help` lists what can be set.

The command itself is imported by functions: that takes a while, in which Ctrl-C is heard already.
"""

import sys
from collections.abc import Sequence

from dip.system.signals import ending_at_once
from dip.system.surroundings import add_current_folder, prepare_streams


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; see `dip.system.command_line.main`."""
    with ending_at_once():
        import typer

        from dip.inpainting.command.inpaint import inpaint
        from dip.system import command_line

    about = "Deep Image Prior: restore photos with an untrained network."
    app = typer.Typer(
        help=about, pretty_exceptions_enable=False, no_args_is_help=True, add_completion=False
    )
    app.callback(help=about)(lambda: None)  # or the only command would need no name
    app.command("inpaint", no_args_is_help=True)(inpaint)
    return command_line.main(app, arguments, program="dip")


def run() -> None:
    """The command `dip`."""
    prepare_streams()
    add_current_folder()
    sys.exit(main())


if __name__ == "__main__":
    run()
