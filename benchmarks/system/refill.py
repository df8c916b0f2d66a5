"""Rewrites a folder as a whole, and leaves other people's files in it alone.

`.dip-bench-KIND` in the folder lists the files that this program wrote, one name a line. Several
commands may write to one folder, each its own kind of files. Only listed files are ever replaced or
removed.
"""

import contextlib
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from benchmarks.system.files import alone_in, open_folder, write_atomically
from dip.errors import InputError

PARTIAL = ".dip-bench-partial"  # a folder in it


@contextlib.contextmanager
def refilled(
    folder: Path,
    kind: str,
    names: Collection[str],
    *,
    force: bool | None = None,
    is_ours: bool = False,
) -> Iterator[Path]:
    """Yield an empty folder to write to; its files then replace the listed ones.

    An exception in the block leaves the folder as it was. A kill while files are moved leaves whole
    files, all of them listed. Other processes that refill the folder wait.

    Args:
        folder: the folder to refill, which is created if it is missing.
        kind: what is written there, e.g. `report`.
        names: files that are written in any case.
        force: whether files that this program did not write are replaced; None: there is no such
            option.
        is_ours: whether nobody has named the folder, so that what has all of `names` and no listing
            is of an earlier version, and what is written again is replaced there.

    Raises:
        InputError: a file that this program did not write is in the way; nothing was changed.
        OSError: files cannot be put in place.
    """
    was_there = folder.exists()
    open_folder(folder)
    partial = folder / PARTIAL
    try:
        with alone_in(folder):
            own = _listed(folder, kind)
            is_earlier = is_ours and own is None and _has_all(folder, names)
            own = own or set()
            _check_free(folder, kind, names, names if is_earlier else own, force)
            shutil.rmtree(partial, ignore_errors=True)  # of who was killed
            partial.mkdir()
            try:
                yield partial
                files = (path for path in partial.rglob("*") if not path.is_dir())
                new = {path.relative_to(partial).as_posix() for path in files}
                _check_free(folder, kind, new, new if is_earlier else own, force)
                _list(folder, kind, own | new)
                _move(partial, folder)
                _remove(folder, own - new)
                _list(folder, kind, new)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    finally:
        if not was_there:
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()


def remove_listed(folder: Path, kind: str) -> None:
    """Remove the files of a kind that `refilled` wrote, and the folder if it is empty then."""
    _remove(folder, _listed(folder, kind) or ())
    _listing(folder, kind).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _listing(folder: Path, kind: str) -> Path:
    return folder / f".dip-bench-{kind}"


def _listed(folder: Path, kind: str) -> set[str] | None:
    """The names of the files that `refilled` has written; None if there is no listing."""
    try:
        names = _listing(folder, kind).read_text("utf-8", "replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    # A listing, or a link in the folder, must not lead to files elsewhere.
    parents = {name: Path(name).parent for name in names if not Path(name).is_absolute()}
    real = os.path.realpath(folder)
    inside = {
        parent
        for parent in {*parents.values()}
        if Path(os.path.realpath(folder / parent)) == Path(real) / parent
    }
    return {name for name, parent in parents.items() if parent in inside}


def _has_all(folder: Path, names: Collection[str]) -> bool:
    return bool(names) and all((folder / name).is_file() for name in names)


def _list(folder: Path, kind: str, names: Collection[str]) -> None:
    write_atomically(_listing(folder, kind), "".join(f"{name}\n" for name in sorted(names)))


def _check_free(
    folder: Path, kind: str, names: Collection[str], own: Collection[str], force: bool | None
) -> None:
    """Raises InputError if writing these files would harm one that is not in `own`."""
    parents = {parent for name in names for parent in Path(name).parents}
    for parent in sorted(parents):
        place = folder / parent
        if os.path.lexists(place) and (not place.is_dir() or (place.is_symlink() and parent.name)):
            raise InputError(f"{place}: is a file where a folder is needed; move it away")
    for name in sorted(names):
        place = folder / name
        is_link = place.is_symlink()
        if not (is_link or place.exists()) or (name in own and not is_link and place.is_file()):
            continue
        if not force or not (is_link or place.is_file()):
            more = " or" if force is None else ", use `force` or"
            raise InputError(
                f"{place}: {_whose(folder, name, kind)}; move it away{more} name another folder"
            )


def _whose(folder: Path, name: str, kind: str) -> str:
    """Say whose file it is, if it is not listed under this kind."""
    for path in sorted(folder.glob(_listing(folder, "*").name)):
        other = path.name.removeprefix(_listing(folder, "").name)
        if other != kind and path.is_file() and name in (_listed(folder, other) or ()):
            return f"belongs to the {other} in this folder"
    return "was not written by this program"


def _move(source: Path, target: Path) -> None:
    """Move the files of a folder into another one; new folders move as a whole."""
    for path in source.iterdir():
        place = target / path.name
        if path.is_dir() and place.is_dir():
            _move(path, place)
        else:
            path.replace(place)


def _remove(folder: Path, names: Collection[str]) -> None:
    """Remove these files, and folders that are empty then."""
    for name in names:
        place = folder / name
        if place.is_file() and not place.is_symlink():
            place.unlink()
    parents = {parent for name in names for parent in Path(name).parents if parent.name}
    for parent in sorted(parents, key=lambda each: -len(each.parts)):
        with contextlib.suppress(OSError):  # it is not empty
            (folder / parent).rmdir()
