"""Runs a command line: exit codes, and one line for whatever a user can get wrong."""

import os
import re
import sys
from collections.abc import Sequence
from typing import Any

import typer

from dip.errors import FailedFitError, InputError
from dip.system.signals import Interrupted


def main(
    app: typer.Typer,
    arguments: Sequence[str] | None = None,
    *,
    program: str,
    mistakes: tuple[type[Exception], ...] = (InputError, OSError),
) -> int:
    """Run a command line and return its exit code.

    Args:
        app: the commands.
        arguments: the words behind the program's name; default: those of this process.
        program: its name in help and usage.
        mistakes: exceptions that a user's mistake raises.

    Returns:
        What the command returned or exited with, 0 if nothing; 1 if a photo's fit failed or the
        reader of the output has gone, 2 for a user's mistake, 130 for an interruption.
    """
    try:
        code = app(args=arguments, prog_name=program, standalone_mode=False) or 0
        sys.stdout.flush()  # here, where a closed pipe is still caught
        return code
    except BrokenPipeError:
        # Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except mistakes as error:
        given = sys.argv[1:] if arguments is None else arguments
        return _print_error(with_flags(str(error), app, given), 2)
    except FailedFitError as error:
        return _print_error(str(error), 1)
    except (Interrupted, KeyboardInterrupt, typer.Abort) as interruption:
        words = map(str, interruption.args)
        print("; ".join(["interrupted", *words]), file=sys.stderr)
        return 130
    except Exception as error:
        # Wrong options and arguments: click's exceptions, or typer's own copies of them.
        if not hasattr(error, "format_message"):
            raise
        message = error.format_message()  # empty where typer has shown the help
        return _print_error(message, 2) if message else 2


def with_flags(message: str, app: typer.Typer, arguments: Sequence[str]) -> str:
    """Replace each option that a library's message names in backticks by the command's flag.

    arguments: the words that the command was called with, its name first.
    """
    command: Any = typer.main.get_command(app)
    for word in arguments:
        if word not in getattr(command, "commands", {}):
            break
        command = command.commands[word]
    flags = _flags(command)
    return re.sub(r"`(\w+)`", lambda match: flags.get(match[1], match[0]), message)


def _flags(command: Any) -> dict[str, str]:
    """The flag of each option of a command, by its Python name."""
    found = {}
    for parameter in command.params:
        long = [flag for flag in parameter.opts if flag.startswith("--")]
        for flag in long:
            found[flag.removeprefix("--").replace("-", "_")] = flag
        if not long and parameter.opts[0].startswith("-"):
            found[parameter.name] = parameter.opts[0]
    return found


def _print_error(message: str, code: int) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return code
