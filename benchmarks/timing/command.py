"""`dip-bench timing`: measures, and leaves measurements and tables by device."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.system import environment
from benchmarks.system.devices import check_device, places
from benchmarks.system.files import to_json, write_atomically
from benchmarks.system.refill import refilled
from benchmarks.system.text import slug
from benchmarks.timing.cases import groups, known_presets
from benchmarks.timing.deepinv_peer import peer_groups
from benchmarks.timing.measure import IMAGE, MISSING
from dip.errors import InputError, unknown

FOLDER = "timing"
SIZES = (64, 128, 256, 512)
MEASUREMENTS, TABLE, PAGE = "measurements.csv", "timing.csv", "timing.md"
ENVIRONMENT = "environment.json"
NAMES = (MEASUREMENTS, TABLE, PAGE, ENVIRONMENT)


def run_timing(
    out: Path,
    *,
    device: str,
    budget_minutes: float,
    presets: Sequence[str],
    sizes: Sequence[int],
    say: Callable[[str], None],
) -> Path:
    """Time one comparison after the other until the budget is used up; returns the page.

    Raises InputError for presets, sizes and devices that there are not, and if nothing can be
    written.
    """
    check_device(device)
    for preset in presets:
        if preset not in known_presets():
            raise InputError(f"`preset`: {unknown('preset', preset, known_presets())}")
    if not budget_minutes > 0:
        raise InputError(f"`budget` {budget_minutes}: minutes are more than 0")
    if not sizes or min(sizes) < 16:
        raise InputError("`size`: pixels on a side, at least 16")
    place = places(device, 1, 1)[0]
    folder = out / FOLDER / slug(environment.device_name(place))
    with refilled(folder, FOLDER, NAMES, is_ours=True) as files:
        _run(files, place, budget_minutes, presets or known_presets(), sorted(sizes), say)
    return folder / PAGE


def _run(
    folder: Path,
    place: str,
    budget_minutes: float,
    presets: Sequence[str],
    sizes: Sequence[int],
    say: Callable[[str], None],
) -> None:
    """Measure, and write the files."""
    from benchmarks.timing import table
    from benchmarks.timing.session import Session, precisions_of

    cores = 0 if place.startswith("cuda") else environment.cpu_count()
    described = environment.describe(place, cores or 1, 1, uses_torch=True)
    deadline = time.monotonic() + 60 * budget_minutes
    with Session(place, say) as session:
        precisions = precisions_of(session, cores or 1)
        todo = [*groups(presets, sizes, cores, precisions), *peer_groups(presets, cores)]
        say(f"{described['device']}: {len(todo)} comparisons, {budget_minutes:g} minutes")
        session.run(todo, deadline)
        found = table.table(session) if session.rows else None
        if found is None:
            raise InputError(f"`budget` {budget_minutes:g}: too short to time anything")
        described["finished"] = environment.now()
        described["peak_gflops"] = {
            f"{precision}, {processes} x {threads} threads": peak
            for (precision, processes, threads), peak in session.peaks.items()
        }
        measurements = table.measurements(session.rows)
        write_atomically(folder / MEASUREMENTS, measurements.to_csv(index=False))
        write_atomically(folder / TABLE, found.to_csv(index=False))
        write_atomically(folder / ENVIRONMENT, to_json(described))
        about = [
            f"device: {described['device']}, {cores} cores" if cores else described["device"],
            "revision: "
            + (described["git_revision"][:12] or "not known")
            + (" with changes" if described["git_dirty"] else ""),
            "versions: " + ", ".join(f"{k} {v}" for k, v in described["versions"].items()),
            f"image: {IMAGE}, {100 * MISSING:.0f} % of the pixels missing",
            "peak of matrix products, GFLOP/s: "
            + "; ".join(
                f"{name}: {peak:.0f}" if isinstance(peak, float) else f"{name}: {peak}"
                for name, peak in described["peak_gflops"].items()
            ),
            "median (10-90 %) over all iterations behind the warm-up; ratios and differences to the"
            " first row of the same preset and size, repeat by repeat, with 95 % intervals over"
            " repeats; the seed is the repeat's number",
        ]
        write_atomically(folder / PAGE, table.to_markdown(found, session, about))
