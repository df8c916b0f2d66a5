"""Tables as spreadsheets leave them: each is read as it was written, or refused in one line."""

from pathlib import Path

import pytest

from benchmarks.scoring.read_table import Columns, read_table
from dip.errors import InputError

COLUMNS = Columns(["name"], ["seed"], ["seconds", "psnr", "empty"], infinite=["psnr"])
WRITTEN = "name,seed,seconds,psnr,empty\n01,3,0.5,inf,\nnan,4,1e-05,20,\n"


def _read(folder: Path, content: str | bytes) -> list[list[object]]:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    table = read_table(path, COLUMNS)
    named = table[["name", "seed", "seconds", "psnr"]]
    return named.astype(object).to_numpy().tolist()


@pytest.mark.parametrize(
    "content",
    [
        WRITTEN,
        WRITTEN.replace("\n", "\r\n"),
        b"\xef\xbb\xbf" + WRITTEN.encode(),
        WRITTEN.replace("01,", '"01",').replace("0.5", '"0.5"'),
        "psnr,empty,seconds,seed,name,more\ninf,,0.5,3,01,x\n20,,0.00001,4,nan,y\n",
    ],
    ids=["written", "line ends", "byte-order mark", "quotes", "another order"],
)
def test_what_means_the_same_is_read_as_it_was_written(
    tmp_path: Path, content: str | bytes
) -> None:
    assert _read(tmp_path, content) == [["01", 3, 0.5, float("inf")], ["nan", 4, 1e-05, 20]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (WRITTEN.replace("0.5", '"0,5"'), "column 'seconds', line 2: '0,5' is not a number"),
        (WRITTEN.replace("0.5", "fast"), "column 'seconds', line 2: 'fast' is not a number"),
        (WRITTEN.replace("0.5", "inf"), "column 'seconds', line 2: 'inf' is not a number"),
        (WRITTEN.replace("20,", '"2,000.5",'), "column 'psnr', line 3: '2,000.5' is not a number"),
        (WRITTEN.replace(",3,", ",3.5,"), "column 'seed', line 2: '3.5' is not a whole number"),
        (WRITTEN.replace(",3,", ",,"), "column 'seed', line 2: '' is not a whole number"),
        (WRITTEN.replace(",3,", f",{2**64},"), f"line 2: '{2**64}' is not a whole number"),
        (WRITTEN.replace(",3,", f",{2**63},"), f"line 2: '{2**63}' is not a whole number"),
        (
            WRITTEN.replace(",3,", f",{2**63 - 1},").replace("0.5", '"0,5"'),
            "column 'seconds', line 2: '0,5' is not a number",
        ),
        (
            "seconds\nTRUE\nFALSE\n",
            "column 'seconds', line 2: 'TRUE' is not a number",
        ),
        (WRITTEN.replace(",", ";"), "its columns are separated by ';', not by commas"),
        (WRITTEN.replace(",", "\t"), "its columns are separated by '\\t', not by commas"),
        ("", "it is empty"),
        (WRITTEN + "1,2,3,4,5,6,7\n", "Expected 5 fields in line 4, saw 7"),
        (WRITTEN.encode("utf-16"), "it is not UTF-8 text"),
    ],
)
def test_what_does_not_is_one_line_that_names_the_place(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(InputError, match=r"^table.csv cannot be read \([^\n]+\)$") as caught:
        _read(tmp_path, content)
    assert message in str(caught.value)
