"""What is wrong with an image, a data set or a hole, in one line."""

from collections.abc import Iterable
from difflib import get_close_matches


class DatasetError(ValueError):
    """A mistake in what the user gave; command lines print it and exit with code 2."""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for a name that is none of `known`, with the nearest one."""
    known = list(known)
    nearest = get_close_matches(name, known, n=1)
    hint = f"Did you mean '{nearest[0]}'?" if nearest else f"Known: {', '.join(known)}."
    return f"unknown {kind} '{name}'. {hint}"
