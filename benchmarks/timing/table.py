"""From measurements to tables: what a case takes, beside the first case of its group.

A ratio is that of iterations per second of all processes, repeat by repeat; its 95 % interval is
Student's t over the logarithms of the repeats' ratios. It says how surely this machine shows the
ratio, nothing about other machines.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.scoring.statistics import mean_interval
from benchmarks.system.text import markdown_table
from benchmarks.timing.measure import gflop, parameters
from benchmarks.timing.session import Row, Session
from dip.presets import load_preset

if TYPE_CHECKING:
    import pandas as pd

TITLES = {
    "sweep": "Sweep throughput: one fit at a time on all cores, against workers side by side",
    "fit": "One fit, alone on the device",
    "channels": "Cost against channels",
    "workers": "Fits side by side",
    "peers": "Other programs, the same network, image and iterations",
}


def measurements(rows: Sequence[Row]) -> "pd.DataFrame":
    """Every repeat of every case, a row each."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "table": row.kind,
                "group": row.group,
                **asdict(row.case),
                "repeat": row.repeat,
                "iterations": row.first.iterations,
                "timed_iterations": len(row.first.milliseconds),
                "first_milliseconds": row.first.first_milliseconds,
                **_spread(row.first.milliseconds),
                "iterations_per_second": row.iterations_per_second,
                "peak_memory_mib": row.peak_memory_mib,
                "psnr_hole": row.psnr_hole,
            }
            for row in rows
        ]
    )


def table(session: Session) -> "pd.DataFrame":
    """Every case over its repeats, a row each."""
    import pandas as pd

    found = []
    for index, case in dict.fromkeys((row.group, row.case) for row in session.rows):
        of_group = [row for row in session.rows if row.group == index]
        own = [row for row in of_group if row.case == case]
        base = [row for row in of_group if row.case == row.base]
        row = own[0]
        rate = float(np.median([each.iterations_per_second for each in own]))
        work = gflop(case)
        peak = session.peak(case.precision, case.processes, case.threads)
        spread = _spread([ms for each in own for ms in each.first.milliseconds])
        median = spread["milliseconds_median"]
        asked = load_preset(case.preset).iterations
        memory = [each.peak_memory_mib for each in own if each.peak_memory_mib is not None]
        found.append(
            {
                "table": row.kind,
                "group": row.group,
                **asdict(row.case),
                "parameters": parameters(case),
                "repeats": len(own),
                "iterations": row.first.iterations,
                "first_milliseconds": row.first.first_milliseconds,
                **spread,
                "iterations_per_second": rate,
                "preset_iterations": asked,
                "seconds_per_fit": asked * median / 1000,
                "peak_memory_mib": max(memory, default=None),
                "gflop": work,
                "gflops": rate * work,
                "share_of_peak": rate * work / peak if isinstance(peak, float) else None,
                **_compared("ratio", own, base, "iterations_per_second"),
                "psnr_hole": float(np.mean([each.psnr_hole for each in own])),
                **_compared("psnr_hole_difference", own, base, "psnr_hole"),
            }
        )
    return pd.DataFrame(found)


def _spread(milliseconds: Sequence[float]) -> dict[str, float]:
    p10, median, p90 = np.percentile(milliseconds, [10, 50, 90])
    return {
        "milliseconds_median": float(median),
        "milliseconds_p10": float(p10),
        "milliseconds_p90": float(p90),
    }


def _compared(name: str, own: list[Row], base: list[Row], value: str) -> dict[str, Any]:
    """Against the group's first case, repeat by repeat: ratios, or differences of decibels."""
    if own[0].case == own[0].base or not base:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    others = {row.repeat: getattr(row, value) for row in base}
    is_ratio = name == "ratio"
    pairs = [(getattr(row, value), others[row.repeat]) for row in own if row.repeat in others]
    values = [float(np.log(a / b)) if is_ratio else a - b for a, b in pairs]
    mean, half = mean_interval(values)
    undo = np.exp if is_ratio else float
    ends = (None, None) if np.isnan(half) else (float(undo(mean - half)), float(undo(mean + half)))
    return {name: float(undo(mean)), f"{name}_low": ends[0], f"{name}_high": ends[1]}


def to_markdown(found: "pd.DataFrame", session: Session, about: Sequence[str]) -> str:
    """The page: what was measured where, a table for each kind, and what was left out."""
    lines = ["# Timing", "", *(f"- {line}" for line in about), ""]
    for kind, title in TITLES.items():
        rows = found[found["table"] == kind]
        if len(rows):
            lines += [f"## {title}", "", _by_case(rows)]
    lines += ["## Cost against pixels: milliseconds per iteration", "", _by_size(found)]
    if session.left_out:
        lines += ["## Not timed", "", *(f"- {each}" for each in session.left_out), ""]
    return "\n".join(lines)


HEADS = (
    *("preset", "size", "engine", "precision", "processes x threads", "ms per iteration", "first"),
    *("it/s", "MiB", "GFLOP", "GFLOP/s", "of peak", "it/s against the first"),
    *("hole PSNR", "less the first's"),
)


def _by_case(rows: "pd.DataFrame") -> str:
    lines = []
    for row in rows.astype(object).where(rows.notna(), None).to_dict("records"):
        spread = [f"{row[f'milliseconds_{part}']:.4g}" for part in ("median", "p10", "p90")]
        cells = (
            f"{row['preset']}, {row['channels']:.0f} channels"
            if row["channels"]
            else row["preset"],
            str(row["size"]),
            row["engine"],
            row["precision"],
            f"{row['processes']} x {row['threads']}",
            f"{spread[0]} ({spread[1]}-{spread[2]})",
            f"{row['first_milliseconds']:.4g}",
            f"{row['iterations_per_second']:.3g}",
            "" if row["peak_memory_mib"] is None else f"{row['peak_memory_mib']:.0f}",
            f"{row['gflop']:.3g}",
            f"{row['gflops']:.4g}",
            "" if row["share_of_peak"] is None else f"{100 * row['share_of_peak']:.0f} %",
            _interval(row, "ratio"),
            f"{row['psnr_hole']:.2f} at {row['iterations']}",
            _interval(row, "psnr_hole_difference"),
        )
        lines.append(cells)
    return markdown_table(HEADS, lines)


def _by_size(found: "pd.DataFrame") -> str:
    """One fit of each preset and engine, sizes side by side."""
    fits = found[found["table"] == "fit"]
    index = ["preset", "engine", "precision"]
    wide = fits.pivot_table("milliseconds_median", index, "size", sort=False)
    sizes = sorted(wide.columns)
    heads = [*index, *(f"{size}x{size}" for size in sizes)]
    lines = []
    for row in wide.reset_index().to_dict("records"):
        cells = ["" if np.isnan(row[size]) else f"{row[size]:.4g}" for size in sizes]
        lines.append([*(str(row[name]) for name in index), *cells])
    return markdown_table(heads, lines)


def _interval(row: dict[Any, Any], name: str) -> str:
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if value is None:
        return ""
    return f"{value:.2f}" if low is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"
