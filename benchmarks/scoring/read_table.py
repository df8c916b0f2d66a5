"""Reads a table of this program, even after a spreadsheet has changed it.

Decimal commas, other separators or words among numbers are refused in one line, with the place.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dip.errors import InputError

WHOLE = re.compile(r"[-+]?[0-9]{1,19}")
SMALLEST, LARGEST = -(2**63), 2**63 - 1  # what a column of whole numbers can hold
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
INFINITE = re.compile("[-+]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class Columns:
    """What the columns of a table hold; unnamed columns may hold anything.

    names: text, also where it looks like a number. whole: whole numbers, never empty. numbers: may
    be empty. infinite: those numbers that may be infinite.
    """

    names: Collection[str] = ()
    whole: Collection[str] = ()
    numbers: Collection[str] = ()
    infinite: Collection[str] = ()


def read_table(path: Path, columns: Columns, *, empty_text: bool = False) -> pd.DataFrame:
    """Read the table of a CSV file.

    Args:
        path: the file.
        columns: what its columns hold.
        empty_text: whether an empty cell is text of no letters, or nothing.

    Returns:
        The table, with numbers where columns have them.

    Raises:
        InputError: the file is no such table; the message names the place.
        FileNotFoundError: there is no such file.
    """
    kinds = {**dict.fromkeys(columns.names, str), **dict.fromkeys(columns.whole, int)}
    nothing = [] if empty_text else [""]
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = file.readline()
        if "," not in head and (mark := next((mark for mark in ";\t" if mark in head), "")):
            raise InputError(f"its columns are separated by {mark!r}, not by commas")
        try:
            table = pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=nothing)
        except pd.errors.EmptyDataError:
            raise InputError("it is empty") from None
        except pd.errors.ParserError as error:
            raise InputError(str(error).strip().rpartition("error: ")[2]) from None
        except (ValueError, OverflowError) as error:
            wrong = next(_no_numbers(path, columns), str(error))
            raise InputError(wrong) from None
        if len(table) and not _has_numbers(table, columns):
            wrong = "a column of numbers holds something else"
            raise InputError(next(_no_numbers(path, columns), wrong))
    except UnicodeDecodeError:
        raise InputError(f"{path.name} cannot be read (it is not UTF-8 text)") from None
    except InputError as error:
        raise InputError(f"{path.name} cannot be read ({error})") from None
    return table


def _has_numbers(table: pd.DataFrame, columns: Columns) -> bool:
    numbers = [name for name in (*columns.whole, *columns.numbers) if name in table]
    if not all(pd.api.types.is_numeric_dtype(table[name]) for name in numbers):
        return False
    if any(pd.api.types.is_bool_dtype(table[name]) for name in numbers):
        return False
    finite = [name for name in numbers if name not in columns.infinite]
    return not any(bool(np.isinf(table[name]).any()) for name in finite)


def _no_numbers(path: Path, columns: Columns) -> Iterator[str]:
    """Describe each cell of a number column that is not a number."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in [name for name in table if name in (*columns.whole, *columns.numbers)]:
        is_whole = name in columns.whole
        is_read, kind = (_is_whole, "whole number") if is_whole else (NUMBER.fullmatch, "number")
        for line, text in enumerate(table[name], start=2):
            stripped = str(text).strip()
            if name in columns.infinite and INFINITE.fullmatch(stripped):
                continue
            if (stripped or is_whole) and not is_read(stripped):
                yield f"column '{name}', line {line}: '{text}' is not a {kind}"


def _is_whole(text: str) -> bool:
    return bool(WHOLE.fullmatch(text)) and SMALLEST <= int(text) <= LARGEST
