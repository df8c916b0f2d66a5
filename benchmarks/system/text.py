"""Numbers, names and tables as text. Imports nothing of ours, so that everything may use it."""

import math
import re
from collections.abc import Iterable, Sequence


def counted(count: int, noun: str) -> str:
    """1 job, 2 jobs."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def mebibytes(size: int) -> str:
    """A number of bytes as people say it, rounded up."""
    return f"{math.ceil(size / 2**20)} MiB"


def slug(name: str) -> str:
    """A device's name as that of a folder."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower() or "device"


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, a line for each row; bars within a cell are escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    cells = ([cell.replace("|", r"\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)
