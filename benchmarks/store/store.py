"""The store: one folder per run, named by the job's key, shared by all suites and runners.

A run folder is written beside its place and renamed into it: it is there whole, or not at all. Who
fits a job has claimed its key before, with a lock that the system takes back from a process that
dies; everything that belongs to a key is written under its claim only. What others have put into a
run folder is never removed. Below the root are

- `<key>/`, the run;
- `unfinished-<key>/`, a fit on its way, as a run folder with the state to go on from;
- `damaged-<key>/`, a run that was set aside because it is not as it was written;
- `.lock-<key>`, the claim; `.partial-*` and `.replaced-*`, what is being written and replaced.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.store.layout import CHECKSUMS
from benchmarks.store.record import Record
from benchmarks.store.run_folder import (
    DamagedError,
    Files,
    RunFolder,
    foreign_files,
    remove_run,
    write_run,
)
from benchmarks.system.files import CannotWriteError, Claim, open_folder

KEY = re.compile(r"[0-9a-f]{64}")
UNFINISHED = "unfinished-"
DAMAGED = "damaged-"
PARTIAL = ".partial-"
REPLACED = ".replaced-"
LOCK = ".lock-"


class Store:
    """Run folders below one root."""

    def __init__(self, root: Path):
        self.root = root

    def folder(self, key: str) -> Path:
        return self.root / key

    def run(self, key: str) -> RunFolder:
        return RunFolder(self.folder(key))

    def unfinished(self, key: str) -> RunFolder:
        return RunFolder(self.root / (UNFINISHED + key))

    def stored(self) -> list[str]:
        """The keys of all runs."""
        with contextlib.suppress(OSError):
            return sorted(path.name for path in self.root.iterdir() if KEY.fullmatch(path.name))
        return []

    def open_for_writing(self) -> None:
        """Create the root and tidy up after runners that died.

        Raises CannotWriteError if nothing can be written there.
        """
        open_folder(self.root)
        for key in {found[0] for path in self.root.iterdir() if (found := _left_by(path))}:
            if claim := self.claim(key):
                self.tidy(key)
                claim.release()

    def tidy(self, key: str) -> None:
        """Put back or remove what a runner that died has left. The key has to be claimed."""
        for name in (key, UNFINISHED + key, DAMAGED + key):
            replaced = self.root / (REPLACED + name)
            with self.writing():
                if replaced.exists() and not (self.root / name).exists():
                    replaced.rename(self.root / name)
            with contextlib.suppress(OSError):
                remove_run(replaced, heir=self.root / name)
            shutil.rmtree(self.root / (PARTIAL + name), ignore_errors=True)
        with contextlib.suppress(OSError):  # there is no run, or no state
            written = [
                (folder / CHECKSUMS).stat().st_mtime_ns
                for folder in (self.folder(key), self.unfinished(key).folder)
            ]
            if written[0] >= written[1]:
                self.drop_unfinished(key)

    def claim(self, key: str) -> Claim | None:
        """The right to work on a key, or None while another runner has it."""
        claim = Claim(self.root / (LOCK + key))
        return claim if claim.take() else None

    def is_claimed(self, key: str) -> bool:
        """Whether some runner works on it; takes nothing."""
        if not (self.root / (LOCK + key)).exists():
            return False
        try:
            claim = self.claim(key)
        except CannotWriteError:  # whose lock it is, a reader may not ask
            return False
        if claim:
            claim.release()
        return claim is None

    def read(self, key: str) -> Record | None:
        """The record of a run, or None if there is none that can be read."""
        with contextlib.suppress(DamagedError):
            return self.run(key).record
        return None

    def damage(self, key: str) -> str:
        """What is wrong with a stored run, if it is there and not whole. Reads all of it."""
        if not self.folder(key).exists():
            return ""
        try:
            self.run(key).check()
        except DamagedError as error:
            return str(error)
        return ""

    def set_aside_damaged(self, key: str) -> str:
        """Take a damaged run out of use, so that its jobs count as missing from now on.

        Says what is wrong with it; nothing if it is whole, or another runner is about to replace
        it.
        """
        if not self.damage(key) or (claim := self.claim(key)) is None:
            return ""
        try:
            # It may have been replaced by a whole one until the claim was had.
            if damage := self.damage(key):
                with self.writing():
                    self._put_in_place(self.folder(key), DAMAGED + key)
            return damage
        finally:
            claim.release()

    def mend(self, key: str) -> None:
        """Put a run back that was being replaced when a runner died, unless one is at it."""
        if (self.root / (REPLACED + key)).exists() and (claim := self.claim(key)):
            self.tidy(key)
            claim.release()

    def put(self, key: str, files: Files) -> None:
        """Write a run folder whole, in place of the one that may be there.

        Raises CannotWriteError if it cannot be written, as on a full disk; what was there stays.
        """
        partial = self.root / (PARTIAL + key)
        shutil.rmtree(partial, ignore_errors=True)
        with self.writing():
            try:
                write_run(partial, files)
                self._put_in_place(partial, key)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise

    def _put_in_place(self, new: Path, name: str) -> None:
        """Put a new run folder in place of the old one; files of others in the old one stay."""
        place, replaced = self.root / name, self.root / (REPLACED + name)
        if place in foreign_files(place):
            raise CannotWriteError(f"{place}: was not written by this program; move it away")
        if place.exists():
            remove_run(replaced, heir=place)  # of a runner that died
            place.rename(replaced)
        try:
            new.rename(place)
        except BaseException:
            if replaced.exists() and not place.exists():
                replaced.rename(place)
            raise
        with contextlib.suppress(OSError):  # `tidy` removes what is left
            remove_run(replaced, heir=place)

    def put_unfinished(self, key: str, files: Files) -> None:
        """The same for a fit on its way."""
        self.put(UNFINISHED + key, files)

    def drop_unfinished(self, key: str) -> None:
        """Remove the state of a fit that is over."""
        with contextlib.suppress(OSError):
            remove_run(self.unfinished(key).folder)

    def remove(self, name: str) -> None:
        """Remove a run, but not files of others in it. An interruption leaves a damaged run."""
        with self.writing("removed"):
            remove_run(self.root / name)

    @contextlib.contextmanager
    def writing(self, done: str = "written") -> Iterator[None]:
        """Turns what the system says into one line."""
        try:
            yield
        except CannotWriteError:
            raise
        except OSError as error:
            raise CannotWriteError(
                f"{self.root}: a run cannot be {done} ({error.strerror}); earlier ones are intact"
            ) from None


def _left_by(path: Path) -> list[str]:
    """The key of what a dead runner may have left there."""
    is_left = path.name.startswith((PARTIAL, REPLACED, LOCK, UNFINISHED))
    return KEY.findall(path.name) if is_left else []
