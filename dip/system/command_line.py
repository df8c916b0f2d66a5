"""Runs a command line: exit codes, and one line for whatever a user can get wrong."""

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import typer

from dip.errors import FailedFitError, InputError
from dip.system.signals import Interrupted
from dip.system.surroundings import prepare_streams, settle_streams

LONGEST = 600  # characters of a message


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
        reader of the output has gone, 2 for a user's mistake or an output that cannot be written,
        130 for an interruption.
    """
    prepare_streams()
    try:
        code = _code_of(app, arguments, program, mistakes)
    except BrokenPipeError:
        code = 1
    failure = settle_streams()
    if failure is None:
        return code
    if isinstance(failure, BrokenPipeError):
        return 1
    return _print_error(f"standard output cannot be written ({failure.strerror})", 2)


def _code_of(
    app: typer.Typer,
    arguments: Sequence[str] | None,
    program: str,
    mistakes: tuple[type[Exception], ...],
) -> int:
    try:
        return app(args=arguments, prog_name=program, standalone_mode=False) or 0
    except BrokenPipeError:
        raise
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
    line = " ".join(message.split())
    if len(line) > LONGEST:  # it quotes something long; what to do stands at the end
        line = f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"
    with suppress(OSError):  # nobody may be there to read it
        print(f"error: {line}", file=sys.stderr)
    return code
