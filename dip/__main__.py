"""`dip inpaint PHOTO MASK -o OUT` fills the hole in a photo; `--help` lists what can be set."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from dip.errors import InputError
from dip.inpainting.command import inpaint

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
    """Run a command line and return its exit code.

    A user's mistake is one line and exit code 2, a fit that failed 1, an interruption 130.
    """
    try:
        code = app(args=arguments, prog_name="dip", standalone_mode=False) or 0
        sys.stdout.flush()  # while somebody still listens to what goes wrong with it
        return code
    except (InputError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            # Whoever read our output has left; Python must not complain about it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        return _say(error, 2)
    except ArithmeticError as error:
        return _say(error, 1)
    except Exception as error:
        # Wrong options and arguments: click's exceptions, of which newer typers have a copy.
        if not hasattr(error, "format_message"):
            raise
        message = error.format_message()  # none where the help has been shown
        return _say(message, 2) if message else 2


def _say(error: object, code: int) -> int:
    print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
    return code


def run() -> None:
    """The command `dip`."""
    sys.path.append(str(Path.cwd()))  # for networks of one's own, as with `python -m`
    # Whoever called may have closed it.
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends
    sys.exit(main())


if __name__ == "__main__":
    run()
