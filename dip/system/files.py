"""Files that are there whole or not at all."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EEXIST
from hashlib import sha256
from pathlib import Path

LEFT_SECONDS = 600.0  # a file beside another that is not written to for so long has lost its writer


@contextmanager
def replacing(path: Path, over: bool = True) -> Iterator[Path]:
    """A new file beside `path` to write to, which takes its place when the block is over.

    Whatever breaks the block off leaves what was there. A link leads on to what it leads to. What a
    writer of the same file has left that was killed is removed. over: whether it may take the place
    of another file; without, FileExistsError is raised where there is one.
    """
    place = Path(os.path.realpath(path))
    # Short, since a file system that has room for one name may have none for a longer one.
    begin = f".dip-{sha256(os.fsencode(place.name)).hexdigest()[:12]}-"
    with suppress(OSError):
        for left in place.parent.glob(f"{begin}*-partial"):
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                left.unlink()
    partial = place.with_name(f"{begin}{secrets.token_hex(6)}-partial")
    partial.touch(exist_ok=False)
    try:
        yield partial
        _move(partial, place, over)
    finally:
        with suppress(OSError):
            partial.unlink()


def _move(partial: Path, place: Path, over: bool) -> None:
    if not over:
        try:
            os.link(partial, place)
            return
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if os.path.lexists(place):
                raise FileExistsError(EEXIST, "exists already", str(place)) from None
    partial.replace(place)
