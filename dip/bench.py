"""The command `dip-bench`, as an installed package has it.

Its commands live in a checkout of the project, beside the suites that they run. From an installed
checkout they are called at once, otherwise those of the checkout that the current folder is in; and
without one a line says what is needed.
"""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

COMMANDS = "reports/commands/app.py"
# Of the extra `bench`: what the commands import first.
PACKAGES = ("pandas", "scipy", "rich", "filelock", "jinja2")


def run() -> None:
    """The command `dip-bench`."""
    own = Path(__file__).resolve().parent.parent
    here = Path.cwd()
    roots = [root for root in (own, here, *here.parents) if (root / COMMANDS).is_file()]
    if not roots:
        _refuse(
            "dip-bench runs in a checkout of the project, which has its suites and reports: go"
            " there and call it again. `dip inpaint` needs no checkout."
        )
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        _refuse(
            f"dip-bench needs the package {missing[0]}; `make setup` in {roots[0]} installs what it"
            " needs."
        )
    sys.path.append(str(here))  # for networks of one's own, as with `python -m`
    if roots[0] == own:
        sys.exit(import_module("reports.commands.app").main())
    # In a process of its own, in which the checkout's `dip` comes before the one installed.
    path = os.pathsep.join(filter(None, (str(roots[0]), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "reports", *sys.argv[1:]]
    os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": path})  # noqa: S606 - our own


def _refuse(reason: str) -> None:
    print(f"error: {reason}", file=sys.stderr)
    sys.exit(2)
