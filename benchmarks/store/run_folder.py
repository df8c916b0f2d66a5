"""A run folder: what was computed, raw, with a checksum of every file.

It holds what is needed to score it: `truth.png`, `mask.png` (white = known), `coverage.png` (white
= pixels of a learned input that a known one reaches), an 8-bit PNG per checkpoint and output,
`trace.csv` and `record.json`; where the fit may go on from there also `state.pt`. `SHA256SUMS`
lists them all, as `sha256sum --check` reads it. Nothing is read from it without being checked.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from benchmarks.store.layout import CHECKSUMS, RECORD, STATE, TRACE, file_name
from benchmarks.store.pictures import pixels_of
from benchmarks.store.record import Record

# What a file holds, a file of another run to link to, or what writes it.
Content = bytes | Path | Callable[[BinaryIO], None]
Files = Mapping[str, Content]


# What a run folder may hold besides what its checksums list.
UNLISTED = re.compile(r"SHA256SUMS|scores\.json|\.(dip|scores)[\w.-]+-partial")
# What they may list, for where they cannot be read.
LISTED = re.compile(
    r"record\.json|trace\.csv|state\.pt|(truth|mask|coverage)\.png"
    r"|[\w.,=\[\]-]+-\d{6,}\.png"
)


class DamagedError(OSError):
    """A file of a run is gone, or is not what was written."""


# Anything else that the system says, as that a file may not be read, is no damage.
ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class RunFolder:
    """A stored run, read file by file; all pictures are (C, H, W) uint8.

    Everything that reads raises DamagedError where a file is not as it was written.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    @cached_property
    def _listed(self) -> bytes:
        try:
            return (self.folder / CHECKSUMS).read_bytes()
        except ABSENT as error:
            raise DamagedError(f"{self.folder / CHECKSUMS}: {error.strerror}") from None

    @cached_property
    def checksums(self) -> dict[str, str]:
        """The SHA-256 of each file of the run, by its name."""
        lines = re.findall(rb"([0-9a-f]{64})  ([\w.,=\[\]-]+)\n", self._listed)
        if b"".join(b"%b  %b\n" % line for line in lines) != self._listed:
            raise DamagedError(f"{self.folder / CHECKSUMS}: is damaged")
        return {name.decode(): checksum.decode() for checksum, name in lines}

    @cached_property
    def sha256(self) -> str:
        """Names this run, to the last byte."""
        return hashlib.sha256(self._listed).hexdigest()

    @cached_property
    def record(self) -> Record:
        try:
            record = Record.model_validate_json(self.read(RECORD))
        except ValidationError:
            raise DamagedError(f"{self.folder / RECORD}: is of another version") from None
        if not self.folder.name.endswith(record.key):
            raise DamagedError(f"{self.folder}: is the run of another job, {record.key}")
        return record

    def check(self) -> Record:
        """Read every byte of the run; returns its record."""
        needed = {*record_names(self.record)}
        if missing := needed - self.checksums.keys():
            raise DamagedError(f"{self.folder / CHECKSUMS}: does not list {min(missing)}")
        for name in self.checksums:
            with self.open(name):
                pass
        return self.record

    def open(self, name: str) -> BinaryIO:
        """A file of the run, at its beginning."""
        path = self.folder / name
        if name not in self.checksums:
            raise DamagedError(f"{path}: is not one of this run's files")
        try:
            file = path.open("rb")
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
        except ABSENT as error:
            raise DamagedError(f"{path}: {error.strerror}") from None
        if digest != self.checksums[name]:
            file.close()
            raise DamagedError(f"{path}: is not what was written")
        return file

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return file.read()

    def link(self, name: str, path: Path) -> None:
        """Put a file of the run at another place, too, without its taking room twice."""
        with self.open(name):
            _link(self.folder / name, path)

    def picture(self, name: str) -> NDArray[np.uint8]:
        return pixels_of(self.read(name))

    @cached_property
    def truth(self) -> NDArray[np.uint8]:
        return self.picture("truth.png")

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """(H, W), True = known."""
        return self.picture("mask.png")[0] > 127

    @cached_property
    def reached(self) -> NDArray[np.bool_] | None:
        """(H, W), True = a pixel of a learned input that a known one reaches; None without it."""
        if "coverage.png" not in self.checksums:
            return None
        return self.picture("coverage.png")[0] > 127

    def restoration(self, output: str, iteration: int) -> NDArray[np.uint8]:
        return self.picture(file_name(output, iteration))


def record_names(record: Record) -> Iterator[str]:
    """The files that a run of that record has."""
    yield from ("truth.png", "mask.png", RECORD, *record.pixels)
    if "architecture" in record.trajectory["method"]:
        yield TRACE
    if record.state_at is not None:
        yield STATE


def foreign_files(folder: Path) -> list[Path]:
    """List files in a run folder that are not the run's; the path itself if it is no folder."""
    if folder.is_symlink() or not folder.is_dir():
        return [folder] if os.path.lexists(folder) else []
    paths = sorted(folder.iterdir())
    own = {path.name for path in paths if UNLISTED.fullmatch(path.name)}
    try:
        own |= RunFolder(folder).checksums.keys()
    except OSError:  # nothing that can be read lists them
        own |= {path.name for path in paths if LISTED.fullmatch(path.name)}
    return [
        path for path in paths if path.is_symlink() or not path.is_file() or path.name not in own
    ]


def remove_run(folder: Path, heir: Path | None = None) -> None:
    """Remove a run folder; files of others move to `heir`, or stay. Raises OSError."""
    foreign = foreign_files(folder)
    if folder in foreign or not folder.is_dir():
        return
    if heir is not None:
        for path in foreign:
            place = heir / path.name
            while os.path.lexists(place):
                place = place.with_name(f"{place.name}~")
            path.rename(place)
    # The list of the files goes last: without it some would be taken for others' files.
    for path in sorted({*folder.iterdir()} - {*foreign}, key=lambda each: each.name == CHECKSUMS):
        path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def write_run(folder: Path, files: Files) -> None:
    """Write files and their checksums into a new folder; raises OSError."""
    folder.mkdir()
    lines = [f"{_write(folder / name, content)}  {name}\n" for name, content in files.items()]
    (folder / CHECKSUMS).write_text("".join(lines))


def _write(path: Path, content: Content) -> str:
    """Returns the SHA-256 of what is there now."""
    if isinstance(content, Path):
        _link(content, path)
        return RunFolder(content.parent).checksums[content.name]
    with path.open("wb", buffering=0) as file:
        hashed = _Hashed(file)
        if isinstance(content, bytes):
            hashed.write(content)
        else:
            try:
                content(cast("BinaryIO", hashed))
            finally:
                if hashed.error:  # torch.save tells of it in words of its own
                    raise hashed.error
    return hashed.digest.hexdigest()


def _link(source: Path, path: Path) -> None:
    try:
        path.hardlink_to(source)
    except OSError:  # a file system without links, or another one
        shutil.copyfile(source, path)


class _Hashed:
    """A file that is hashed while it is written, so that its content is never in memory whole."""

    def __init__(self, file: FileIO):
        self.file = file
        self.digest = hashlib.sha256()
        self.error: OSError | None = None

    def write(self, content: bytes) -> int:
        rest = memoryview(content).cast("B")
        self.digest.update(rest)
        try:
            while rest:
                rest = rest[self.file.write(rest) :]
        except OSError as error:
            self.error = error
            raise
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""
