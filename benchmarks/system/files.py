"""Files that are there whole or not at all, and folders that one process at a time writes to."""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dip.errors import InputError
from dip.system.files import replacing

LOCK = ".dip-bench-lock"


class CannotWriteError(InputError):
    """Results cannot be written: the disk is full, or may not be written to."""


def open_folder(folder: Path) -> None:
    """Create a folder for results; raises CannotWriteError if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotWriteError(
            f"{folder}: results cannot be written there ({error.strerror}); use `out`"
        ) from None


def write_atomically(path: Path, content: str) -> None:
    """Write a text file whole; raises CannotWriteError if that fails, and leaves what was there."""
    try:
        with replacing(path) as partial:
            partial.write_text(content, encoding="utf-8")
    except OSError as error:
        raise CannotWriteError(f"{path}: cannot be written ({error.strerror})") from None


def begins_with(path: Path, beginning: bytes) -> bool:
    """Whether a file exists and begins like this; so the program recognises its own files."""
    try:
        with path.open("rb") as file:
            return file.read(len(beginning)) == beginning
    except OSError:
        return False


class Claim:
    """A right that one process has at a time, until it is released or its owner dies.

    path: a file that is there as long as somebody holds it, or after somebody was killed.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lock = FileLock(path)

    def take(self, *, wait: bool = False) -> bool:
        """Whether it could be had; raises CannotWriteError if there can be no such file."""
        try:
            self._lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            return False
        except OSError as error:
            raise CannotWriteError(f"{self.path}: cannot be locked ({error.strerror})") from None
        return True

    def release(self) -> None:
        # While it is still held, or somebody could hold a lock on a file that is gone.
        with contextlib.suppress(OSError):
            self.path.unlink()
        self._lock.release()


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Waits until no other process writes there, and keeps them out meanwhile."""
    claim = Claim(folder / LOCK)
    claim.take(wait=True)
    try:
        yield
    finally:
        claim.release()


def to_json(content: Any) -> str:
    """JSON for people and machines."""
    return json.dumps(content, indent=1, sort_keys=True) + "\n"
