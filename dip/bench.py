"""The command `dip-bench`, as an installed package has it.

Its commands live in a checkout of the project, beside the suites that they run: the installed one,
or the one that the current folder is in. This process is replaced by `python -m reports` there.
Without a checkout, or without the packages of the extra `bench`, a line says what is needed.
"""

import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from dip.system.signals import ending_at_once
from dip.system.surroundings import prepare_streams

COMMANDS = Path("reports", "commands", "app.py")
PACKAGES = ("pandas", "scipy", "rich", "filelock", "jinja2")  # which the commands import first


def run() -> None:
    """The command `dip-bench`."""
    prepare_streams()
    with ending_at_once():
        _replace_process()


def _replace_process() -> NoReturn:
    try:
        here = Path.cwd()
    except OSError as error:
        _refuse(f"the current folder cannot be read ({error.strerror}); change into another one")
    candidates = (Path(__file__).resolve().parent.parent, here, *here.parents)
    checkout = next((folder for folder in candidates if (folder / COMMANDS).is_file()), None)
    if checkout is None:
        _refuse(
            "dip-bench needs a checkout of the project, which holds its suites and reports: change"
            " into one and run it again. `dip inpaint` works without."
        )
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        _refuse(
            f"dip-bench needs the package {missing[0]}, which {sys.executable} does not have; after"
            f" `make setup` in {checkout} use {checkout / '.venv' / 'bin' / 'dip-bench'}"
        )
    path = [str(checkout), os.environ.get("PYTHONPATH", "")]
    command = [sys.executable, "-P", "-m", "reports", *sys.argv[1:]]
    # Until Python has started again, Ctrl-C waits: `ending_at_once` hears it there.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}
    os.execve(sys.executable, command, environment)  # noqa: S606 - our own words only


def _refuse(reason: str) -> NoReturn:
    print(f"error: {reason}", file=sys.stderr)
    sys.exit(2)
