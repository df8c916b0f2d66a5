"""Timing of fills: what it measures, and that what cannot be measured is a row, too."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.commands import Command

from benchmarks.timing import fills
from benchmarks.timing.fills import HOLES, mask_of, picture, time_fills
from datasets import load_images

Table = Callable[..., pd.DataFrame]


@pytest.fixture
def timed(tmp_path: Path) -> Table:
    """Times fills and reads the table."""

    def run(**changes: Any) -> pd.DataFrame:
        usual = {"fills": ["mean"], "sizes": [16], "budget_minutes": 5.0, "say": lambda _: None}
        page = time_fills(tmp_path, **{**usual, **changes})
        return pd.read_csv(page.parent / "fills.csv")

    return run


def test_the_command_leaves_a_table_a_page_and_the_environment(
    command: Command, tmp_path: Path
) -> None:
    words = ["--fill", "mean", "--fill", "nearest", "--size", "32", "--size", "16"]
    done = command("reports", "timing", *words, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "timing-fills").iterdir()
    assert done.stdout.strip().endswith(f"Timing: {folder / 'fills.md'}")
    rows = pd.read_csv(folder / "fills.csv")
    assert [*zip(rows["size"], rows["fill"], rows["hole"], strict=True)] == [
        (size, fill, hole) for size in (16, 32) for fill in ("mean", "nearest") for hole in HOLES
    ]
    assert set(rows["outcome"]) == {"done"}
    assert (rows["seconds"] > 0).all()
    assert (rows["peak_memory_mib"].dropna() >= 0).all()

    page = (folder / "fills.md").read_text()
    assert page in done.stdout
    about = json.loads((folder / "environment.json").read_text())
    assert f"- device: {about['device']}, one core\n" in page
    assert f"numpy {about['versions']['numpy']}" in page
    assert page.index("## mean") < page.index("## nearest")
    cells = [line.strip("| ").split(" | ") for line in page.splitlines() if "x" in line[:9]]
    assert [row[0] for row in cells] == ["16x16", "32x32"] * 2
    box = rows[(rows["fill"] == "nearest") & (rows["size"] == 32) & (rows["hole"] == "box")]
    assert cells[3][4].startswith(f"{box['seconds'].item():.3g} s, ")

    again = command("reports", "timing", "--fill", "mean", "--size", "16", "--out", tmp_path)
    assert again.returncode == 0, again.stderr
    assert len(pd.read_csv(folder / "fills.csv")) == len(HOLES)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--fill", "meen"], "--fill: unknown fill 'meen'. Did you mean 'mean'?"),
        (["--fill", "all"], "--fill: unknown fill 'all'."),
        (["--fill", "mean", "--size", "15"], "--size: pixels on a side, at least 16"),
        (["--fill", "mean", "--budget", "0"], "--budget 0.0: minutes are more than 0"),
        (["--fill", "mean", "--budget", "nan"], "--budget nan: minutes are more than 0"),
        (
            ["--fill", "mean", "--preset", "quick"],
            "--fill and --preset exclude each other; leave one out",
        ),
    ],
)
def test_bad_input_gets_one_line(
    words: list[str], message: str, command: Command, tmp_path: Path
) -> None:
    done = command("reports", "timing", *words, "--out", tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith(f"error: {message}")
    assert not (tmp_path / "timing-fills").exists()


# The process of a case, with a fill `mean` that does something else.
OTHERWISE = """
import sys
from dataclasses import replace
from dip.errors import InputError
from dip.fills import FILLS
def restore(masked, mask, seed):
    {does}
FILLS["mean"] = replace(FILLS["mean"], function=restore)
sys.argv[1:] = ["mean", "16", "5 %"]
import runpy
runpy.run_module("benchmarks.timing.fills", run_name="__main__")
"""


@pytest.fixture
def mean_that(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets the process of each case fill by other code."""
    run = fills.subprocess.run

    def change(does: str) -> None:
        code = OTHERWISE.format(does=does)

        def changed(_: list[str], **options: Any) -> Any:
            return run([sys.executable, "-c", code], **options)

        monkeypatch.setattr(fills.subprocess, "run", changed)

    return change


@pytest.mark.parametrize(
    ("does", "outcome"),
    [
        ("raise InputError('needs more')", "refused: needs more"),
        ("raise MemoryError", "runs out of memory"),
        ("raise ArithmeticError('no number')", "ArithmeticError: no number"),
        ("import os; os.kill(os.getpid(), 9)", "died"),
        ("import time; time.sleep(60)", "takes more than 3 s"),
    ],
)
def test_a_case_that_ends_otherwise_is_a_row_with_why(
    does: str,
    outcome: str,
    mean_that: Callable[[str], None],
    timed: Table,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(fills, "HOLES", {"5 %": 0.05})
    if "takes" in outcome:
        monkeypatch.setattr(fills, "LIMIT_SECONDS", 3.0)
    mean_that(does)
    said: list[str] = []
    table = timed(say=said.append)
    assert list(table["outcome"]) == [outcome]
    assert "seconds" not in table or table["seconds"].isna().all()
    assert said == [f"mean 16 5 %: {outcome}"]
    (page,) = tmp_path.glob("timing-fills/*/fills.md")
    assert f"| 16x16 | {outcome} |" in page.read_text()


def test_a_case_has_one_thread(
    mean_that: Callable[[str], None], timed: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fills, "HOLES", {"5 %": 0.05})
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    mean_that("import os; raise InputError(os.environ['OMP_NUM_THREADS'])")
    assert list(timed()["outcome"]) == ["refused: 1"]
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_what_begins_behind_the_deadline_is_not_measured(
    timed: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 0.0, 59.0, *[61.0] * 6])
    monkeypatch.setattr(fills, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    measured = {"seconds": 1.0, "peak_memory_mib": 1.0, "outcome": "done"}
    monkeypatch.setattr(fills, "_case", lambda *_: measured)
    table = timed(sizes=[32, 16], budget_minutes=1.0)
    assert list(table["outcome"]) == ["done"] * 2 + ["not measured"] * 6
    assert list(table["size"]) == [16] * 4 + [32] * 4


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_has_the_share_that_its_name_says(hole: str) -> None:
    mask = mask_of(64, hole)
    assert mask.shape == (1, 64, 64)
    share = HOLES[hole]
    if share is None:
        assert mask[0, 16:48, 16:48].sum() == 0
        assert (mask == 0).sum() == 32 * 32
    else:  # four standard deviations of so many draws
        assert (mask == 0).mean() == pytest.approx(share, abs=4 * (share * (1 - share)) ** 0.5 / 64)
    assert np.array_equal(mask, mask_of(64, hole))


def test_a_picture_is_the_centre_of_a_photo_and_mirrored_beyond_it() -> None:
    (photo,) = load_images("scikit-image", [fills.IMAGE])
    top, left = (photo.height - 64) // 2, (photo.width - 64) // 2
    centre = photo.pixels[:, top : top + 64, left : left + 64] / 255
    np.testing.assert_array_equal(picture(64), centre)
    side = min(photo.height, photo.width)
    large = picture(side + 10)
    assert large.shape == (3, side + 10, side + 10)
    np.testing.assert_array_equal(large[:, side, :side], large[:, side - 1, :side])
    np.testing.assert_array_equal(large[:, : side + 3, side + 2], large[:, : side + 3, side - 3])
