"""Files that are there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path, mark: str = "partial") -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place when the block is over.

    Whatever breaks the block off leaves what was there. mark: ends the name of the file beside it;
    processes that may write the same file at the same time need different ones.
    """
    partial = path.with_name(f".{path.name}-{mark}")
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()
