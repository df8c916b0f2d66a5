"""Checks where `dip inpaint` writes: before the fit, and never over another file.

Without `force` a file is written only where there is none, or over what this run has written there
itself. An interrupted run leaves hashes of its files in its state, for the run that resumes it.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dip.errors import InputError
from dip.inpainting.resume import state_path


class Places:
    """Which files may be written.

    wrote: the hash of what was written last to each file, by its real path.
    """

    def __init__(self, force: bool = False):
        self.force = force
        self.wrote: dict[str, str] = {}

    def check(self, path: Path) -> None:
        """Raises InputError if a file exists there that may not be overwritten."""
        if _is_there(path) and not self.may_replace(path):
            raise InputError(
                f"{path}: exists already; add `force` to overwrite it, or name another file"
            )

    def may_replace(self, path: Path) -> bool:
        """Whether what is there, if anything, may be overwritten."""
        return self.force or self.is_own(path)

    def is_own(self, path: Path) -> bool:
        """Whether what is there was written by this run, or the one that it resumes."""
        try:
            return _sha256(path) in self.wrote.values()  # the folder may have been moved
        except OSError:
            return False

    def remember(self, path: Path) -> None:
        """Note that this run wrote the file."""
        self.wrote[os.path.realpath(path)] = _sha256(path)

    def free_beside(self, path: Path) -> Path:
        """A free name for an unfinished restoration: `photo-so-far.jpg`, `photo-so-far-2.jpg` ...

        `force` is about files that somebody has named, which this one is not.
        """
        place, number = path.with_stem(f"{path.stem}-so-far"), 1
        while os.path.lexists(place) and not self.is_own(place):
            number += 1
            place = path.with_stem(f"{path.stem}-so-far-{number}")
        return place


def check_places(written: Mapping[str, Path], read: Sequence[Path], image: Path) -> None:
    """Raises InputError if a file cannot be written, or is another one of the command's.

    written: files by their options; read: files that are read besides the image. `out` alone may be
    the image.
    """
    for name, path in written.items():
        others = [each for other, each in written.items() if other != name]
        others += [*read, *([image] if name != "out" else [])]
        for other in others:
            if are_one(path, other):
                raise InputError(f"`{name}` {path}: that is another file of this command, {other}")
        check_place(path, f"`{name}` {path}")


def check_place(path: Path, name: str) -> None:
    """Raises InputError, which begins with the name, if no file can be put there."""
    place = Path(os.path.realpath(path))
    check_folder(place.parent, name)
    for each in (place, state_path(path)):  # where a link is, not what it leads to
        try:
            each.stat()
        except FileNotFoundError:
            continue
        except OSError as error:  # as for a name that is too long
            raise InputError(f"{name}: cannot be written ({error.strerror})") from None
    if place.exists():
        if not place.is_file():
            raise InputError(f"{name}: exists, but is not a regular file; name another one")
        # To root everything is writable, but whoever took the right away meant it.
        if not (os.access(place, os.W_OK) and place.stat().st_mode & 0o222):
            raise InputError(f"{name}: exists, but is read-only; name another one")


def check_folder(folder: Path, name: str) -> None:
    """Raises InputError, which begins with the name, if no file can be written in a folder."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"{name}: cannot be written ({error.strerror})") from None


def are_one(path: Path, other: Path) -> bool:
    """Whether two paths lead to one file, through links of both kinds."""
    if os.path.realpath(path) == os.path.realpath(other):
        return True
    return _is_there(path) and _is_there(other) and path.samefile(other)


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except OSError:  # also where nothing can be, as behind a name that is too long
        return False
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
