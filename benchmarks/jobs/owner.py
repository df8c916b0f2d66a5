"""Notes in a results folder which suite file its results belong to.

Suites are named by their files, so two of one name would write to the same folder.
"""

import csv
import json
import os
from codecs import BOM_UTF8
from pathlib import Path

from benchmarks.jobs.job import OVER, expand
from benchmarks.jobs.suite import FOLDER, Suite, find_suite, suite_names
from benchmarks.store.layout import ACCOUNTING, JOBS, OWNER, RESULTS, SUITE
from benchmarks.system.files import begins_with, to_json, write_atomically
from dip.errors import InputError

# How files begin that this program wrote, in versions without the note, too.
BEGINNINGS = {
    RESULTS: b"key,image,",
    JOBS: b"key,image,",
    SUITE: b'{\n "environments"',
    ACCOUNTING: b'{\n "fitting_seconds"',
}


def owner_of(suite: str) -> str:
    """The note for a suite: the path of its file, or the name of a suite of the project."""
    path = Path(os.path.realpath(find_suite(suite)))
    return path.stem if path.parent == FOLDER.resolve() else str(path)


def noted_owner(folder: Path) -> str | None:
    """The suite that is noted in a results folder, if any."""
    try:
        noted = json.loads((folder / OWNER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return noted if isinstance(noted, str) else None


def exists(owner: str) -> bool:
    """Whether a noted suite is where it was."""
    return Path(owner).is_file() if Path(owner).is_absolute() else owner in suite_names()


def check_owner(folder: Path, owner: str, suite: Suite) -> None:
    """Raises InputError if a results folder is of another suite than this one, or not ours.

    A suite that is gone may have been moved: then its results are those of `suite`.
    """
    noted = noted_owner(folder)
    if noted is None:
        for name, beginning in BEGINNINGS.items():
            path = folder / name
            # Programs for tables put a mark before what they save.
            is_own = begins_with(path, beginning) or begins_with(path, BOM_UTF8 + beginning)
            if os.path.lexists(path) and not is_own:
                raise InputError(
                    f"{path}: was not written by this program; move it away, rename the"
                    " suite or use another `out`"
                )
    elif noted == owner or _is_same(noted, owner):
        return
    elif exists(noted):
        raise InputError(
            f"{folder}: holds the results of {_in_words(noted)}, not of {_in_words(owner)}; rename"
            " one of the suites, or use another `out`"
        )
    elif not _has_what_is_done(suite, folder):
        raise InputError(
            f"{folder}: holds the results of {_in_words(noted)}, which no longer exists; use"
            " another `out`, or remove the folder"
        )


def note_owner(folder: Path, owner: str, suite: Suite) -> None:
    """Note whose results are written there; raises what `check_owner` raises."""
    check_owner(folder, owner, suite)
    if noted_owner(folder) != owner:
        write_atomically(folder / OWNER, to_json(owner))


def _has_what_is_done(suite: Suite, folder: Path) -> bool:
    """Whether the suite has every job whose result the folder holds."""
    try:
        with (folder / JOBS).open(encoding="utf-8-sig", newline="") as file:
            done = {job["key"] for job in csv.DictReader(file) if job["status"] in OVER}
    except FileNotFoundError:
        return not os.path.lexists(folder / RESULTS)
    except (OSError, ValueError, KeyError, csv.Error):  # nobody knows
        return False
    return done <= {job.key for job in expand(suite)}


def _is_same(one: str, other: str) -> bool:
    """Whether two names lead to one file."""
    try:
        return Path(one).samefile(other)
    except OSError:
        return False


def _in_words(owner: str) -> str:
    return owner if Path(owner).is_absolute() else f"the project's own suite '{owner}'"
