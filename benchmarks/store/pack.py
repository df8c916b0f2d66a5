"""The archive of a suite's results: one `.zip` to hand on, and to check to the last byte.

    <suite>/results.csv, jobs.csv, suite.json
    <suite>/records.jsonl   the record of every job's run, a line each, sorted by key
    runs/<key>/...          the run folders of all jobs, or of chosen ones, as they are stored
    SHA256SUMS              of every other member, as `sha256sum --check` reads it

The same results give the same bytes with the same zlib. Whoever reads an archive trusts nothing in
it: members have names of these shapes and the content that SHA256SUMS tells, or it is refused.
"""

import csv
import hashlib
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

from pydantic import ValidationError

from benchmarks.store.layout import (
    CHECKSUMS,
    JOBS,
    RECORDS,
    RESULTS,
    RUNS,
    SCORES,
    SUITE,
)
from benchmarks.store.record import Record
from benchmarks.store.run_folder import LISTED, DamagedError, RunFolder
from benchmarks.store.store import KEY, Store
from benchmarks.system.files import CannotWriteError
from dip.errors import InputError
from dip.system.files import replacing

ARCHIVE = ".zip"
TABLES = (RESULTS, JOBS, SUITE)
LARGEST_GIB = 64  # unpacked; above the largest suite of the project with all its pictures
LARGEST_MEMBER = 2**30  # bytes; each is in memory as a whole for a moment
SUITE_NAME = re.compile(r"(?!\.)[^/\\:\x00-\x1f]+")  # a folder's, on every system
MEMBER = re.compile(
    rf"(?P<suite>(?!{RUNS}/){SUITE_NAME.pattern})/"
    rf"({'|'.join(map(re.escape, (*TABLES, RECORDS)))})"
    rf"|{RUNS}/{KEY.pattern}/({CHECKSUMS}|{re.escape(SCORES)}|{LISTED.pattern})"
)
UNREADABLE = (BadZipFile, ZlibError, EOFError, OSError)  # what zipfile raises for changed bytes


def pack(
    folder: Path,
    path: Path,
    *,
    whole: Collection[str] | None = None,
) -> str:
    """Write the archive of a suite's results; every run that is packed is checked.

    A state that a fit could go on from is packed with its run, whose checksums list it. For
    runs that an earlier archive left out, its records are packed.

    Args:
        folder: the suite's results, beside `runs/`.
        path: the archive, which is replaced as a whole.
        whole: keys of the jobs whose runs are packed; None: of all. Of other runs the archive has
            the record only.

    Returns:
        The SHA-256 of the archive.

    Raises:
        InputError: there are no results, a run of a job is damaged, or the archive cannot be
            written.
    """
    folder = folder.resolve()
    if not SUITE_NAME.fullmatch(folder.name) or folder.name == RUNS:
        raise InputError(f"{folder}: no suite's folder has such a name; rename it")
    store = Store(folder.parent / RUNS)
    try:
        keys = _keys(folder / JOBS)
        stored = [key for key in keys if store.folder(key).exists()]
        before = read_records(folder)
        known = {key: before[key] for key in keys if key in before}
        known |= {key: store.run(key).record for key in stored}
        lines = [f"{known[key].model_dump_json()}\n" for key in sorted(known)]
        tables = {name: (folder / name).read_bytes() for name in TABLES}
        tables[RECORDS] = "".join(lines).encode()
        runs = [store.run(key) for key in stored if whole is None or key in whole]
        for run in runs:
            run.check()
        with replacing(path) as partial:
            _write(partial, {f"{folder.name}/{name}": tables[name] for name in tables}, runs)
            with partial.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    except DamagedError as error:
        raise InputError(
            f"{error}; `dip-bench score SUITE` sets damaged runs aside, and `run` runs them again"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be packed ({error})") from None


def _keys(jobs: Path) -> list[str]:
    """The keys in jobs.csv, ascending; jobs that compute the same have one. Raises OSError."""
    try:
        with jobs.open(encoding="utf-8-sig", newline="") as file:
            keys = {row.get("key") or "" for row in csv.DictReader(file)}
    except (UnicodeDecodeError, csv.Error):
        keys = {""}
    if not all(map(KEY.fullmatch, keys)):
        raise InputError(f"{jobs}: is not as it was written; `dip-bench score SUITE` writes it")
    return sorted(keys)


def _write(path: Path, tables: Mapping[str, bytes], runs: Collection[RunFolder]) -> None:
    """Raises DamagedError and OSError."""
    lines = []
    with ZipFile(path, "w") as archive:
        for name, content in (*sorted(tables.items()), *_files(runs)):
            _add(archive, name, content)
            lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
        _add(archive, CHECKSUMS, "".join(lines).encode())


def _files(runs: Collection[RunFolder]) -> Iterator[tuple[str, bytes]]:
    for run in runs:
        place = f"{RUNS}/{run.folder.name}"
        yield f"{place}/{CHECKSUMS}", (run.folder / CHECKSUMS).read_bytes()
        for name in sorted(run.checksums):
            yield f"{place}/{name}", run.read(name)
        if (run.folder / SCORES).exists():
            yield f"{place}/{SCORES}", (run.folder / SCORES).read_bytes()


def _add(archive: ZipFile, name: str, content: bytes) -> None:
    """Add a member that says nothing of when and on which system it was packed."""
    member = ZipInfo(name)  # dated 1980
    member.create_system = 3  # Unix, whose permissions follow
    member.external_attr = 0o644 << 16
    member.compress_type = ZIP_STORED if name.endswith(".png") else ZIP_DEFLATED
    archive.writestr(member, content)


def unpack(path: Path, folder: Path, on_damage: Callable[[str, str], None] | None = None) -> Path:
    """Check an archive and write what it holds to a new folder.

    Args:
        path: the archive.
        folder: where to; absent or empty.
        on_damage: called with the name of each member that is not as SHA256SUMS tells, and what is
            wrong; such members are left out. None: an archive with one is refused.

    Returns:
        The folder of the suite's results in `folder`.

    Raises:
        InputError: it is no such archive, it is damaged, or the folder holds something; nothing was
            written.
        CannotWriteError: the files cannot be written.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"{folder}: is there already; move it away, or unpack to another folder")
    try:
        with ZipFile(path) as archive:
            suite = _suite_of(path, archive)
            damage = _damage(archive)
            for name, what in damage.items():
                if on_damage is None:
                    more = f" (and {len(damage) - 1} more)" if len(damage) > 1 else ""
                    raise InputError(f"{path}: {name} {what}{more}; get another copy of it")
                on_damage(name, what)
            # Beside its place, so that a folder that is there is whole.
            partial = folder.with_name(f".{folder.name}-partial")
            shutil.rmtree(partial, ignore_errors=True)
            for name in {*archive.namelist()} - {CHECKSUMS} - damage.keys():
                _extract(archive, name, partial / name)
            if folder.exists():
                folder.rmdir()
            partial.rename(folder)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such archive") from None
    except UNREADABLE as error:
        raise InputError(
            f"{path}: is no whole zip file ({error}); get another copy of it"
        ) from None
    return folder / suite


def is_archive(path: Path) -> bool:
    """Whether a file is an archive of this program; its content is not checked."""
    try:
        with ZipFile(path) as archive:
            return bool(_suite_of(path, archive))
    except (InputError, *UNREADABLE):
        return False


def _suite_of(path: Path, archive: ZipFile) -> str:
    """The name of the suite; raises InputError if the archive is none of this program's."""
    members = archive.infolist()
    names = [member.filename for member in members]
    matches = {name: MEMBER.fullmatch(name) for name in names if name != CHECKSUMS}
    suites = {match["suite"] for match in matches.values() if match} - {None}
    wrong = ""
    if CHECKSUMS not in names:
        wrong = f"it has no {CHECKSUMS}"
    elif foreign := [name for name, match in matches.items() if not match]:
        wrong = f"it has {foreign[0]!r}"
    elif len({*names}) < len(names):
        wrong = "it has a name twice"
    elif len(suites) != 1:
        wrong = f"it has the results of {len(suites)} suites"
    elif any(
        member.flag_bits & 1 or member.compress_type not in (ZIP_STORED, ZIP_DEFLATED)
        for member in members
    ):
        wrong = "it is encrypted, or compressed in another way"
    elif any(member.file_size > LARGEST_MEMBER for member in members):
        wrong = "a file in it would take more than 1 GiB"
    elif sum(member.file_size for member in members) > LARGEST_GIB * 2**30:
        wrong = f"it would take more than {LARGEST_GIB} GiB"
    if wrong:
        raise InputError(f"{path}: is no archive of `dip-bench pack`: {wrong}")
    (suite,) = suites
    return str(suite)


def _damage(archive: ZipFile) -> dict[str, str]:
    """By member what is wrong with it."""
    names = {*archive.namelist()} - {CHECKSUMS}
    try:
        listed = archive.read(CHECKSUMS)
    except UNREADABLE:
        listed = b""
    text = listed.decode("utf-8", "replace")
    lines = re.findall(r"^([0-9a-f]{64})  (.+)$", text, re.M)
    if not lines or "".join(f"{sha256}  {name}\n" for sha256, name in lines) != text:
        return {CHECKSUMS: "is not what was packed"}
    checksums = {name: sha256 for sha256, name in lines}
    damage = {}
    for name in sorted(names | checksums.keys()):
        if name not in names:
            damage[name] = "is missing"
        elif name not in checksums:
            damage[name] = f"is not listed in {CHECKSUMS}"
        else:
            try:
                digest = hashlib.sha256(archive.read(name)).hexdigest()
            except UNREADABLE:
                digest = ""
            if digest != checksums[name]:
                damage[name] = "is not what was packed"
    return damage


def _extract(archive: ZipFile, name: str, place: Path) -> None:
    content = archive.read(name)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    except OSError as error:
        raise CannotWriteError(f"{place}: cannot be written ({error.strerror})") from None


def read_records(folder: Path) -> dict[str, Record]:
    """The records of all runs of an unpacked archive, by key.

    Args:
        folder: a suite's results, as `unpack` returns it.

    Returns:
        The records; none where no archive was unpacked.

    Raises:
        InputError: they are not as they were written.
    """
    path = folder / RECORDS
    if not path.exists():
        return {}
    try:
        records = [Record.model_validate_json(line) for line in path.read_bytes().splitlines()]
    except (ValidationError, OSError):
        raise InputError(f"{path}: is not as it was written; unpack the archive again") from None
    return {record.key: record for record in records}
