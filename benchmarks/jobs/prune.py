"""What no suite refers to any more, runs that were set aside, and states that nothing needs."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.jobs.job import OVER
from benchmarks.jobs.owner import exists, noted_owner, owner_of
from benchmarks.jobs.plan import plan_of
from benchmarks.jobs.suite import load_suite, suite_names
from benchmarks.store.layout import FAILURES, JOBS, OWNER
from benchmarks.store.run_folder import foreign_files
from benchmarks.store.store import DAMAGED, KEY, UNFINISHED, Store
from benchmarks.system.text import mebibytes
from datasets import DatasetError
from dip.errors import InputError


def prune(out: Path, suites: Sequence[str], *, remove: bool) -> Iterator[str]:
    """List what nobody refers to, one thing a line, and remove it if asked to.

    A run is referred to by a suite that comes with the project, by one that is named, by every
    suite whose results lie in `out`, as it is now, and by the table of its jobs as they were run.
    Nothing is touched that a runner is at, nor what holds files that this program did not write.
    Raises InputError for a suite that cannot be read.
    """
    if not (out / "runs").is_dir():
        raise InputError(f"{out}: holds no runs; `out` names the folder of the results")
    store = Store(out / "runs")
    if remove:
        store.open_for_writing()
    # Looked at first: what a runner stores from now on may be of a suite that is not known below.
    stored = sorted(store.root.iterdir())
    over, unknown = _referred(out, suites)
    if unknown:
        names = ", ".join(unknown)
        yield f"these suites cannot be read, so only the jobs in their jobs.csv are kept: {names}"
    total = 0
    count = 0
    for path, key, why in _unneeded(store, stored, over, out):
        if store.is_claimed(key):
            continue
        if path.parent == store.root and (foreign := foreign_files(path)):
            yield f"{'kept':>9}  {foreign[0]}: was not written by this program"
            continue
        size = _size_bytes(path)
        if remove and not _removed(store, path, key):
            continue
        total, count = total + size, count + 1
        yield f"{mebibytes(size):>9}  {path}: {why}"
    if count:
        did = "removed" if remove else "that no suite needs; --yes removes them"
        yield f"{mebibytes(total):>9}  {count} {did}"
    else:
        yield "nothing to remove"


def _referred(out: Path, suites: Sequence[str]) -> tuple[dict[str, bool], list[str]]:
    """Each key that a suite refers to, and the suites whose jobs cannot be listed now.

    Of a key: whether its job is over for all that refer to it.
    """
    over: dict[str, bool] = {}
    for suite in suites:
        _note(over, _of_suite(suite, out))
    folders = [path.parent for path in sorted(out.glob(f"*/{OWNER}"))]
    owners = {owner: folder for folder in folders if (owner := noted_owner(folder))}
    owners = {owner: folder for owner, folder in owners.items() if exists(owner)}
    unknown = []
    for suite in sorted({*suite_names(), *owners}):
        try:
            _note(over, _of_suite(suite, out))
        except (InputError, DatasetError) as error:
            if suite in owners and not (owners[suite] / JOBS).exists():
                raise InputError(
                    f"{owners[suite]}: which runs it needs is not known ({error})"
                ) from None
            unknown.append(suite)
    for table in sorted(out.glob(f"*/{JOBS}")):
        _note(over, _of_table(table))
    return over, unknown


def _unneeded(
    store: Store, stored: Sequence[Path], over: dict[str, bool], out: Path
) -> Iterator[tuple[Path, str, str]]:
    """Each thing with its key, and why nobody needs it."""
    for path in stored:
        kind, key = path.name[:-64], path.name[-64:]
        if not KEY.fullmatch(key):
            continue
        if kind == DAMAGED:
            yield path, key, "set aside, because it is damaged"
        elif kind in ("", UNFINISHED) and key not in over:
            record = store.read(path.name)
            what = f"{record.job} of {record.suite}" if record else "a run that cannot be read"
            yield path, key, f"no suite refers to it: {what}"
        elif kind == UNFINISHED and over[key]:
            yield path, key, "the state of a fit that is over"
    for log in sorted(out.glob(f"*/{FAILURES}/*.txt")):
        if KEY.fullmatch(log.stem) and log.stem not in over:
            yield log, log.stem, "of a job that no suite has"


def _note(over: dict[str, bool], found: Iterable[tuple[str, str]]) -> None:
    for key, word in found:
        over[key] = over.get(key, True) and word in OVER


def _of_suite(suite: str, out: Path) -> Iterator[tuple[str, str]]:
    """The keys of its jobs, and how far they are."""
    plan = plan_of(load_suite(suite), out, owner_of(suite))
    for job in plan.jobs:
        yield job.key, plan.status(job).word


def _of_table(table: Path) -> list[tuple[str, str]]:
    import pandas as pd

    try:
        jobs = pd.read_csv(table, usecols=["key", "status"], dtype=str)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{table}: cannot be read ({error}); run or score that suite, or move it away"
        ) from None
    return list(zip(jobs["key"], jobs["status"], strict=True))


def _removed(store: Store, path: Path, key: str) -> bool:
    """Remove it, unless a runner is at it."""
    claim = store.claim(key)
    if claim is None:
        return False
    try:
        with store.writing():
            if path.is_dir():
                store.remove(path.name)
            else:
                path.unlink(missing_ok=True)
    finally:
        claim.release()
    return True


def _size_bytes(path: Path) -> int:
    size = 0
    with contextlib.suppress(OSError):
        for each in [path, *path.rglob("*")]:
            size += each.stat().st_size if each.is_file() else 0
    return size
