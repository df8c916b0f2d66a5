"""How long fits take: those of a suite, which run beside each other, and those timed alone.

A table is of one device, and says which, with which versions; tables of different devices have no
column in common.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.read_table import Columns, read_table
from benchmarks.scoring.results import Results
from benchmarks.system.text import slug
from benchmarks.timing.table import TITLES
from dip.errors import InputError
from reports.tables.table import NOTHING, Table, Value

MEASUREMENTS, ENVIRONMENT = "timing.csv", "environment.json"  # of `dip-bench timing`
ALONE_KEYS = ("preset", "channels", "size", "engine", "precision", "processes", "threads")
COLUMNS = (
    *("table", "group", *ALONE_KEYS, "parameters", "preset_iterations", "seconds_per_fit"),
    *("milliseconds_median", "milliseconds_p10", "milliseconds_p90", "iterations_per_second"),
    *("peak_memory_mib", "gflop", "gflops", "share_of_peak", "ratio", "ratio_low", "ratio_high"),
)
WORDS = ("table", "group", "preset", "engine", "precision")
NUMBERS = [name for name in COLUMNS if name not in WORDS]
DESCRIBED = ("device", "versions", "git_revision")


def timing(results: Results, reference: str) -> list[Table]:
    """Of each device a table: a row per method, image size and way of running it.

    Over fits of full length. Milliseconds per iteration: medians over fits of each fit's median,
    10th and 90th percentile. fits_beside: the other workers on the same machine, each with a job of
    its own. seconds_to_reference: until the first checkpoint whose raw output has at least the hole
    PSNR of the reference on the same image and hole, median over all fits; empty where fewer than
    half of them get there. reached: how many do.
    """
    fits = results.final[results.final["architecture"].notna()].drop_duplicates(["method", "key"])
    until = fits["key"].map(_until(results, reference))
    fits = fits.assign(until=until.fillna(np.inf), reached=until.notna())
    how = ["method", "height", "width", "engine", "precision", "threads", "workers"]
    tables: list[Table] = []
    for device, of_device in fits.groupby("device", sort=False):
        frame = (
            of_device.groupby(how, sort=False)
            .agg(
                parameters=("parameters", "first"),
                milliseconds_median=("milliseconds_median", "median"),
                milliseconds_p10=("milliseconds_p10", "median"),
                milliseconds_p90=("milliseconds_p90", "median"),
                iterations=("iteration", "max"),
                seconds_per_fit=("seconds", "median"),
                seconds_to_reference=("until", "median"),
                reached=("reached", "sum"),
                peak_memory_mib=("peak_memory_mib", "max"),
                fits=("key", "nunique"),
            )
            .reset_index()
        )
        until = frame["seconds_to_reference"]
        frame["seconds_to_reference"] = until.where(np.isfinite(until))
        frame["iterations_per_second"] = 1000 / frame["milliseconds_median"]
        frame["fits_beside"] = frame.pop("workers") - 1
        frame.insert(0, "device", device)
        tables.append(
            Table(
                _named(str(device), tables),
                f"Time and memory of the suite's fits on {device}",
                frame,
                [_text(frame, reference)],
                about=f"{_versions(results, str(device))}. Fits ran beside each other, so these are"
                " not the times of a fit that has the machine to itself; seconds to the reference:"
                f" until the first checkpoint whose raw output has the hole PSNR of {reference} on"
                " the same image and hole, median over all fits where half of them get there",
            )
        )
    return tables


def _named(device: str, others: Sequence[Table]) -> str:
    """A file name of its own for each device."""
    name = f"timing-{slug(device)}"
    return name if name not in {each.name for each in others} else f"{name}-{len(others) + 1}"


def _until(results: Results, reference: str) -> "pd.Series[float]":
    """Seconds by key, of those that get there."""
    final = results.final
    name = final["method"].where(
        ~final["method"].isin(results.networks), final["method"] + ", " + final["output"]
    )
    targets = final[name == reference].groupby(["image", "mask"])["psnr_hole"].mean()
    raw = results.rows[(results.rows["iteration"] > 0) & (results.rows["output"] == "raw")]
    raw = raw.join(targets.rename("target"), on=["image", "mask"])
    return raw[raw["psnr_hole"] >= raw["target"]].groupby("key")["seconds"].min()


def _versions(results: Results, device: str) -> str:
    sets = [
        ", ".join(f"{name} {version}" for name, version in each["versions"].items())
        for each in results.about["environments"]
        if each["device"] == device
    ]
    return " or ".join(sets) or "versions not known"


def _text(frame: pd.DataFrame, reference: str) -> pd.DataFrame:
    rows = frame.to_dict("records")
    return pd.DataFrame(
        {
            "method": frame["method"],
            "size": [f"{row['width']}x{row['height']}" for row in rows],
            "engine": frame["engine"] + ", " + frame["precision"],
            "threads": frame["threads"].astype(str),
            "fits beside": frame["fits_beside"].astype(str),
            "parameters": [f"{row['parameters']:,.0f}" for row in rows],
            "ms per iteration (10-90 %)": [percentiles(row) for row in rows],
            "it/s": [Value(row["iterations_per_second"], 2) for row in rows],
            "seconds per fit": [
                f"{row['seconds_per_fit']:.1f} for {row['iterations']}" for row in rows
            ],
            f"seconds to {reference}": [
                Value(row["seconds_to_reference"], 1, of=(row["reached"], row["fits"]))
                for row in rows
            ],
            "peak MiB": [Value(row["peak_memory_mib"], 0) for row in rows],
        },
        dtype=object,
    )


def percentiles(row: dict[Any, Any]) -> str:
    """`20.1 (18.0-22.3)`."""
    median, low, high = (row[f"milliseconds_{part}"] for part in ("median", "p10", "p90"))
    return NOTHING if pd.isna(median) else f"{median:.1f} ({low:.1f}-{high:.1f})"


def is_timing(folder: Path) -> bool:
    """Whether `dip-bench timing` left its measurements there."""
    return (folder / MEASUREMENTS).exists()


def load_timing(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of `dip-bench timing` and where it was made; raises InputError."""
    try:
        found = read_table(folder / MEASUREMENTS, Columns(numbers=NUMBERS))
        described = json.loads((folder / ENVIRONMENT).read_text(encoding="utf-8"))
        missing = [*(set(COLUMNS) - set(found)), *(set(DESCRIBED) - set(described))]
    except InputError as error:
        raise InputError(f"{folder}: {error}; `dip-bench timing` makes them anew") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: the timings cannot be read ({error})") from None
    if missing or found.empty:
        raise InputError(
            f"{folder}: these timings are of another version, without"
            f" {min(missing, default='any row')}; `dip-bench timing` makes them anew"
        )
    return found, described


def timed_alone(folder: Path) -> list[Table]:
    """The tables of what was timed alone on one device; raises InputError if it cannot be read."""
    found, described = load_timing(folder)
    versions = ", ".join(f"{name} {each}" for name, each in described["versions"].items())
    about = f"{versions}, revision {described['git_revision'][:12] or 'not known'}"
    return [
        _alone(kind, rows, f"{TITLES.get(str(kind), kind)}, on {described['device']}", about)
        for kind, rows in found.groupby("table", sort=False)
    ]


ALONE = (
    "Milliseconds per iteration behind the warm-up; it/s of all processes together; seconds per fit"
    " by the median, of the iterations that the preset asks for, which were not run; ratio of it/s"
    " to the row above without one, with its 95 % interval over repeats; % of the peak that matrix"
    " products reach there"
)


def _alone(kind: Any, rows: pd.DataFrame, title: str, about: str) -> Table:
    frame = rows.reset_index(drop=True)
    frame["tflops"] = frame["gflops"] / 1000
    frame["percent_of_peak"] = 100 * frame["share_of_peak"]
    records = frame.to_dict("records")
    panel = pd.DataFrame(
        {
            "network": [
                row["preset"]
                + ("" if pd.isna(row["channels"]) else f", {row['channels']:.0f} channels")
                for row in records
            ],
            "size": [f"{row['size']}x{row['size']}" for row in records],
            "engine": frame["engine"],
            "precision": frame["precision"],
            "proc. x thr.": [f"{row['processes']} x {row['threads']}" for row in records],
            "parameters": [f"{row['parameters']:,.0f}" for row in records],
            "ms (10-90 %)": [percentiles(row) for row in records],
            "it/s": [Value(row["iterations_per_second"], 2) for row in records],
            "seconds per fit": [
                f"{row['seconds_per_fit']:.0f} for {row['preset_iterations']:.0f}"
                for row in records
            ],
            "MiB": [Value(row["peak_memory_mib"], 0) for row in records],
            "GFLOP": [Value(row["gflop"], 2) for row in records],
            "TFLOP/s": [Value(row["tflops"], 3) for row in records],
            "% peak": [Value(row["percent_of_peak"], 0) for row in records],
            "ratio": [_ratio(row) for row in records],
        },
        dtype=object,
    )
    return Table(
        f"timing-{kind}",
        title,
        frame,
        [panel],
        about=f"{about}. {ALONE}",
    )


def _ratio(row: dict[Any, Any]) -> str:
    if pd.isna(row["ratio"]):
        return NOTHING
    if pd.isna(row["ratio_low"]):
        return f"{row['ratio']:.2f}"
    return f"{row['ratio']:.2f} [{row['ratio_low']:.2f}, {row['ratio_high']:.2f}]"
