"""A line for the reviewer."""

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 5  # findings of one kind, and names in one finding, before the rest is counted


@dataclass(frozen=True)
class Finding:
    """What was found. is_wrong: results are not what they should be; else it is a note."""

    text: str
    is_wrong: bool = True

    @property
    def line(self) -> str:
        return f"{'WRONG' if self.is_wrong else 'NOTE':6}{self.text}"


def note(text: str) -> Finding:
    """What a reviewer should know, and nothing is wrong with."""
    return Finding(text, is_wrong=False)


def wrong(texts: Sequence[str], kind: str) -> list[Finding]:
    """Findings of one kind: the first ones, and how many more there are."""
    more = [f"{kind}: and {len(texts) - SHOWN} more"] if len(texts) > SHOWN else []
    return [Finding(text) for text in (*texts[:SHOWN], *more)]


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
