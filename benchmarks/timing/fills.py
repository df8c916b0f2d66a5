"""Seconds and peak memory of fills by size and hole: `dip-bench timing --fill NAME`.

Each case has a process of its own, one after the other, on one core, so that peaks and crashes do
not mix. A case that is refused or takes too long is a row, too.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.system import environment
from benchmarks.system.files import to_json, write_atomically
from benchmarks.system.memory import PeakMemory
from benchmarks.system.refill import refilled
from benchmarks.system.text import markdown_table, slug
from benchmarks.timing.measure import IMAGE
from datasets import load_images
from dip.errors import InputError, unknown
from dip.fills import FILLS

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "timing-fills"
SIZES = (64, 128, 256, 512, 1024)
HOLES = {"5 %": 0.05, "50 %": 0.5, "90 %": 0.9, "box": None}  # share of the pixels, at random
BOX = 0.5  # side of the box, in sides of the image
TABLE, PAGE, ENVIRONMENT = "fills.csv", "fills.md", "environment.json"
NAMES = (TABLE, PAGE, ENVIRONMENT)
LIMIT_SECONDS = 300.0  # of one case
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # OpenBLAS reads the first, too


def time_fills(
    out: Path,
    *,
    fills: Sequence[str],
    sizes: Sequence[int],
    budget_minutes: float,
    say: Callable[[str], None],
) -> Path:
    """Time fills until the budget is used up.

    Args:
        out: where results are; the tables go to `timing-fills/<processor>/` in it.
        fills: names of fills.
        sizes: sides of the square images, in pixels.
        budget_minutes: minutes after which no case begins.
        say: prints a line.

    Returns:
        The page with the table.

    Raises:
        InputError: a fill is unknown, a size is smaller than 16, or the budget is not above 0.
    """
    for name in fills:
        if name not in FILLS:
            raise InputError(f"`fill`: {unknown('fill', name, FILLS)}")
    if min(sizes) < 16:
        raise InputError("`size`: pixels on a side, at least 16")
    if not budget_minutes > 0:
        raise InputError(f"`budget` {budget_minutes}: minutes are more than 0")
    deadline = time.monotonic() + 60 * budget_minutes
    described = environment.describe("cpu", 1, 1, uses_torch=False)
    rows = []
    for size, name, hole in product(sorted(sizes), fills, HOLES):
        if time.monotonic() > deadline:
            rows.append({"fill": name, "size": size, "hole": hole, "outcome": "not measured"})
            continue
        row = {"fill": name, "size": size, "hole": hole, **_case(name, size, hole)}
        say(f"{name} {size} {hole}: {_cell(row)}")
        rows.append(row)
    folder = out / FOLDER / slug(described["device"])
    with refilled(folder, FOLDER, NAMES, is_ours=True) as files:
        import pandas as pd

        table = pd.DataFrame(rows)
        write_atomically(files / TABLE, table.to_csv(index=False))
        write_atomically(files / ENVIRONMENT, to_json(described))
        write_atomically(files / PAGE, page_of(table, described))
    return folder / PAGE


def _case(name: str, size: int, hole: str) -> dict[str, Any]:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.timing.fills", name, str(size), hole]
    root = Path(__file__).parents[2]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
            cwd=root,
            env={**os.environ, **ONE_THREAD},
        )
    except subprocess.TimeoutExpired:
        return {"outcome": f"takes more than {LIMIT_SECONDS:.0f} s"}
    if done.returncode:
        return {"outcome": (done.stderr.strip().splitlines() or ["died"])[-1]}
    seconds, mebibytes = done.stdout.split()
    return {"seconds": float(seconds), "peak_memory_mib": float(mebibytes), "outcome": "done"}


def picture(size: int) -> NDArray[np.float64]:
    """An image (3, size, size) in [0, 1]: the centre of a photograph, mirrored where it ends."""
    (image,) = load_images("scikit-image", [IMAGE])
    least = min(size, image.height, image.width)
    rows, columns = (slice((side - least) // 2, None) for side in (image.height, image.width))
    centre = image.pixels[:, rows, columns][:, :least, :least] / 255
    beyond = (0, size - least)
    return np.pad(centre, [(0, 0), beyond, beyond], mode="symmetric")


def mask_of(size: int, hole: str) -> NDArray[np.uint8]:
    """The mask (1, size, size), 1 = known."""
    share = HOLES[hole]
    known = np.ones((1, size, size), np.uint8)
    if share is None:
        inside = slice(round(size * (1 - BOX) / 2), round(size * (1 + BOX) / 2))
        known[:, inside, inside] = 0
        return known
    random = np.random.default_rng(0)
    return (random.random(known.shape) >= share).astype(np.uint8)


def _measure(name: str, size: int, hole: str) -> None:
    """Print seconds and the peak of memory in MiB, beyond what the process has before."""
    fill, image, mask = FILLS[name], picture(size), mask_of(size, hole)
    fill.load()
    before = PeakMemory("cpu").mib()
    peak = PeakMemory("cpu")
    started = time.perf_counter()
    fill.restore(image * mask, mask)
    seconds = time.perf_counter() - started
    after = peak.mib()
    used = float("nan") if before is None or after is None else max(0.0, after - before)
    print(seconds, used)


def _cell(row: Mapping[Any, Any]) -> str:
    if row["outcome"] != "done":
        return str(row["outcome"])
    return f"{row['seconds']:.3g} s, {row['peak_memory_mib']:.0f} MiB"


def page_of(table: "pd.DataFrame", described: dict[str, Any]) -> str:
    """A table in Markdown for each fill: sizes by holes."""
    return "".join(_lines(table, described))


def _lines(table: "pd.DataFrame", described: dict[str, Any]) -> Iterator[str]:
    yield "# Fills: seconds and peak memory by size and hole\n\n"
    yield f"- device: {described['device']}, one core\n"
    yield f"- revision: {described['git_revision'][:12] or 'not known'}\n"
    versions = ", ".join(
        f"{name} {version}" for name, version in sorted(described["versions"].items())
    )
    yield f"- versions: {versions}\n"
    yield f"- image: {IMAGE} in colour, mirrored beyond its size; holes: shares of the pixels at"
    yield f" random, and a box of {BOX:g} of the side\n"
    yield "- memory: the peak beyond what the process had before, without the image\n"
    for fill, rows in table.groupby("fill", sort=False):
        yield f"\n## {fill}\n\n"
        cells = {(row["size"], row["hole"]): _cell(row) for row in rows.to_dict("records")}
        sizes = list(dict.fromkeys(rows["size"]))
        lines = [[f"{size}x{size}", *(cells[size, hole] for hole in HOLES)] for size in sizes]
        yield markdown_table(["size", *HOLES], lines)


if __name__ == "__main__":
    try:
        _measure(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    except InputError as error:
        print(f"refused: {error}", file=sys.stderr)
        sys.exit(1)
    except MemoryError:
        print("runs out of memory", file=sys.stderr)
        sys.exit(1)
