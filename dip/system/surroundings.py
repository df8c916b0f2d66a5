"""Makes a command work with whatever standard streams and current folder it is started in.

It is imported before anything that takes long.
"""

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def prepare_streams() -> None:
    """Open closed streams, replace unprintable characters, and ignore impossible terminal sizes.

    Otherwise a file that is opened later gets the number of a closed stream, and messages are
    written into it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            # `open` returns the lowest free number: this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            stream = open(number, mode, closefd=False)  # noqa: SIM115 - open until the process ends
            setattr(sys, name, stream)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # as '?'; standard error escapes them
    for side in ("COLUMNS", "LINES"):
        if not re.fullmatch("[1-9][0-9]{0,3}", os.environ.get(side, "1")):
            del os.environ[side]  # libraries trust any number


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep C libraries from writing to standard error."""
    sys.stderr.flush()
    try:
        before = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


def settle_streams() -> OSError | None:
    """Flush the streams; one that cannot be written leads to /dev/null from then on.

    Python would complain about it at its exit.

    Returns:
        Why standard output cannot be written, if it cannot.
    """
    failure = None
    for stream in (sys.stderr, sys.stdout):
        try:
            stream.flush()
        except OSError as error:
            failure = error if stream is sys.stdout else None
            with suppress(OSError):  # one in memory has no number
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return failure


def add_current_folder() -> None:
    """Import networks of one's own from the current folder, as `python -m` does.

    Ends the process where that folder is gone, as torch would without a word.
    """
    try:
        sys.path.append(str(Path.cwd()))
    except OSError as error:
        why = f"the current folder cannot be read ({error.strerror}); change into another one"
        print(f"error: {why}", file=sys.stderr)
        sys.exit(2)
