"""Two results folders or more in one table: two machines, two revisions, two settings.

Each has its own columns, those of time too: what was timed on different devices never stands in
one column. Differences are to the first folder, image by image, for the methods and holes that both
have, at the largest iteration count that all have.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import InputError
from benchmarks.results import Results, load_results
from benchmarks.statistics import (
    Array,
    difference,
    holm,
    images_needed,
    mean_interval,
    paired_p,
    signed_rank_p,
    verdict,
)
from benchmarks.writing import alone_in, open_folder, write_atomically
from reports.formats import NOTHING, Table, Value, write
from reports.paired import ENOUGH, told
from reports.scores import Column, Entry, Measure, columns, entries, measures
from reports.timing import ALONE_KEYS, is_timing, load_timing, percentiles

HEADINGS = {"hole", "method", "output"}
WAYS = ["method", "height", "width", "engine", "precision", "threads", "fits_beside"]


@dataclass(frozen=True)
class Side:
    """A results folder under the name that tables show."""

    label: str
    results: Results


def build_side_by_side(
    folders: Sequence[Path], labels: Sequence[str], out: Path | None = None
) -> tuple[Path, list[Table]]:
    """Write tables and a summary; returns the summary's path. `out` has a name by the labels.

    Raises InputError if labels and folders do not match, if a folder holds no results, or if they
    have nothing in common.
    """
    if len(labels) != len(folders):
        raise InputError(f"--label: {len(folders)} folders need as many labels, not {len(labels)}")
    if len(set(labels)) < len(labels) or not all(each.strip() for each in labels):
        raise InputError("--label: each folder has a label of its own")
    if taken := HEADINGS.intersection(labels):
        raise InputError(f"--label: '{min(taken)}' is a column's own name; choose another")
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder")
    kinds = {is_timing(folder) for folder in folders}
    if len(kinds) > 1:
        raise InputError("timings and a suite's results have nothing to compare")
    if kinds.pop():
        found = [_timed(folders, labels)]
        about = [f"{label}: {folder}" for label, folder in zip(labels, folders, strict=True)]
    else:
        sides = [Side(*each) for each in zip(labels, map(load_results, folders), strict=True)]
        found, about = side_by_side(sides), [line for side in sides for line in _about(side)]
    out = out or folders[0].parent / "side-by-side" / "-".join(_file_name(each) for each in labels)
    if not found:
        raise InputError("these results have no metric and no fit in common")
    open_folder(out)
    with alone_in(out):
        shutil.rmtree(out / "tables", ignore_errors=True)
        write(out / "tables", found)
        from reports.templates import template

        path = out / "summary.md"
        page = template("side-by-side.md.j2").render(labels=labels, tables=found, about=about)
        write_atomically(path, page)
    return path, found


def _file_name(label: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in label)


def _about(side: Side) -> list[str]:
    revisions = ", ".join(side.results.rows["git_revision"].dropna().unique())
    lines = [f"{side.label}: {side.results.folder}, revision {revisions or 'not known'}"]
    for each in side.results.about["environments"]:
        versions = ", ".join(f"{name} {version}" for name, version in each["versions"].items())
        lines.append(f"{side.label}: {each['device']}, {versions}")
    return lines


def side_by_side(sides: Sequence[Side]) -> list[Table]:
    """A table for each metric that all have, and one of times; raises InputError."""
    common = set.intersection(*(set(side.results.about["iterations"]) for side in sides))
    if not common:
        raise InputError("these results have no iteration count in common")
    _check_same_holes(sides)
    at = max(common)
    sides = [replace(side, results=side.results.until(at)) for side in sides]
    common_measures = [
        measure
        for measure in measures(sides[0].results)
        if all(measure in measures(side.results) for side in sides)
    ]
    return [*(_scores(sides, measure) for measure in common_measures), *_times(sides)]


def _check_same_holes(sides: Sequence[Side]) -> None:
    names = ["image", "mask"]
    first = sides[0].results.rows.groupby(names)[["height", "width", "hole_fraction"]].first()
    for side in sides[1:]:
        other = side.results.rows.groupby(names)[["height", "width", "hole_fraction"]].first()
        both = first.join(other.add_suffix("_other"), how="inner")
        if both.empty:
            raise InputError(
                f"'{sides[0].label}' and '{side.label}' have no image and hole in common"
            )
        for name in ("height", "width", "hole_fraction"):
            differs = ~np.isclose(both[name], both[f"{name}_other"])
            if differs.any():
                image, mask = both.index[differs][0]
                raise InputError(
                    f"'{sides[0].label}' and '{side.label}': {image}/{mask} is not the same hole"
                    f" ({name} {both[name][differs].iloc[0]:g} and"
                    f" {both[f'{name}_other'][differs].iloc[0]:g})"
                )


def _scores(sides: Sequence[Side], measure: Measure) -> Table:
    """A row per hole, method and output; one family of comparisons."""
    competing: list[Entry] = list(
        dict.fromkeys(entry for side in sides for entry in entries(side.results))
    )
    found = []
    for side in sides:
        scored = side.results.final.assign(column=side.results.final["mask"])
        planned = side.results.jobs.assign(column=side.results.jobs["mask"])
        found.append({each.name: each for each in columns(competing, scored, planned, measure)})
    masks = dict.fromkeys(mask for side in found for mask in side)
    rows: list[dict[str, Any]] = []
    differences: dict[tuple[int, str], Array] = {}  # by row and label
    for mask in masks:
        for index, (method, output) in enumerate(competing):
            row: dict[str, Any] = {"mask": mask, "method": method, "output": output}
            of_first = _compared(found[0], mask, index)
            for side, of in zip(sides, found, strict=True):
                row |= _cell(side.label, of, mask, index)
                own = _compared(of, mask, index)
                shared = [image for image in of_first if image in own]
                if side is not sides[0] and shared:
                    pair = ([each[image] for image in shared] for each in (own, of_first))
                    differences[len(rows), side.label] = measure.sign * difference(*pair)
            rows.append(row)
    t = holm([float(paired_p(better)) for better in differences.values()])
    signed_ranks = [float(signed_rank_p(better)) for better in differences.values()]
    for (place, label), p in zip(differences, np.maximum(t, signed_ranks), strict=True):
        rows[place] |= _difference(label, differences[place, label], float(p), measure, differences)
    frame = pd.DataFrame(rows)
    decimals = dict.fromkeys(
        (
            *(f"{side.label}: {part}" for side in sides for part in ("mean", "half_width")),
            *(f"{side.label}: difference" for side in sides[1:]),
            *(f"{side.label}: difference_half_width" for side in sides[1:]),
        ),
        measure.decimals,
    )
    return Table(
        f"side-by-side-{measure.name}",
        f"{measure.title} after {sides[0].results.last_iteration} iterations, side by side",
        frame.reindex(columns=list(dict.fromkeys([*frame, *decimals]))),
        ("mask", "method", "output"),
        decimals,
        [_text(rows, sides, measure)],
        about="± is half the 95 % interval over images; images and holes are the same by name, size"
        " and share of missing pixels; differences are paired over the images that both have in"
        " full; p is the larger one of a paired t test's, Holm-corrected for"
        f" {len(differences)} comparisons, and of Wilcoxon's signed-rank test; {ENOUGH}",
    )


def _compared(found: dict[str, Column], mask: str, index: int) -> dict[str, float]:
    """The scores by image of a method whose jobs all have one."""
    if mask not in found:
        return {}
    column = found[mask]
    scores = zip(column.images, column.compared[index], strict=True)
    return {image: float(score) for image, score in scores if not np.isnan(score)}


def _cell(label: str, found: dict[str, Column], mask: str, index: int) -> dict[str, Any]:
    if mask not in found or not found[mask].of[index]:
        return {f"{label}: n": 0, f"{label}: N": 0}
    scores = found[mask].scores[index]
    mean, half = mean_interval(scores[~np.isnan(scores)])
    return {
        f"{label}: mean": float(mean),
        f"{label}: half_width": float(half),
        f"{label}: n": found[mask].counts[index],
        f"{label}: N": found[mask].of[index],
    }


def _difference(
    label: str, better: Array, p: float, measure: Measure, family: dict[Any, Array]
) -> dict[str, Any]:
    mean, half = mean_interval(better)
    decision = verdict(better, p)
    needed = images_needed(better, len(family)) if decision == "cannot tell" else None
    found = {
        "difference": measure.sign * float(mean) + 0.0,
        "difference_half_width": float(half),
        "images": len(better),
        "p": p,
        "verdict": decision,
        "images_needed": needed,
    }
    return {f"{label}: {name}": value for name, value in found.items()}


def _text(rows: list[dict[str, Any]], sides: Sequence[Side], measure: Measure) -> pd.DataFrame:
    first = sides[0].label
    shown: dict[str, Any] = {
        "hole": [row["mask"] for row in rows],
        "method": [row["method"] for row in rows],
        "output": [row["output"] or NOTHING for row in rows],
    }
    for side in sides:
        shown[side.label] = [
            Value(
                row.get(f"{side.label}: mean", np.nan),
                measure.decimals,
                row.get(f"{side.label}: half_width", np.nan),
                (row[f"{side.label}: n"], row[f"{side.label}: N"])
                if row[f"{side.label}: N"]
                else None,
            )
            for row in rows
        ]
    for side in sides[1:]:
        shown[f"{side.label} less {first}"] = [
            Value(
                row.get(f"{side.label}: difference", np.nan),
                measure.decimals,
                row.get(f"{side.label}: difference_half_width", np.nan),
                has_sign=True,
            )
            for row in rows
        ]
        shown[f"{side.label} than {first}"] = [
            told(*(row.get(f"{side.label}: {name}") for name in ("p", "verdict", "images_needed")))
            for row in rows
        ]
    return pd.DataFrame(shown, dtype=object)


def _times(sides: Sequence[Side]) -> list[Table]:
    """Milliseconds per iteration of the suites' fits, a column for each folder and device."""
    from reports.timing import timing

    parts: dict[str, pd.DataFrame] = {}
    for side in sides:
        for table in timing(side.results, ""):
            device = str(table.numbers["device"].iloc[0])
            parts[f"{side.label}, {device}"] = table.numbers
    return [_merged("side-by-side-timing", parts, WAYS)] if parts else []


def _timed(folders: Sequence[Path], labels: Sequence[str]) -> Table:
    """What `python -m benchmarks timing` measured."""
    parts = {}
    for folder, label in zip(folders, labels, strict=True):
        frame, described = load_timing(folder)
        parts[f"{label}, {described['device']}"] = frame.astype({"channels": "Int64"})
    return _merged("side-by-side-timing", parts, ["table", *ALONE_KEYS])


def _merged(name: str, parts: dict[str, pd.DataFrame], keys: list[str]) -> Table:
    measured = ["milliseconds_median", "milliseconds_p10", "milliseconds_p90"]
    frame: pd.DataFrame | None = None
    for label, part in parts.items():
        # What was measured twice, for two comparisons, stands once.
        own = part.groupby(keys, sort=False, dropna=False)[measured].median().reset_index()
        own = own.rename(columns={each: f"{label}: {each}" for each in measured})
        frame = own if frame is None else frame.merge(own, on=keys, how="outer", sort=False)
    assert frame is not None
    panel = pd.DataFrame(
        {each: [NOTHING if pd.isna(v) else str(v) for v in frame[each]] for each in keys}
        | {
            label: [
                percentiles({part: row[f"{label}: {part}"] for part in measured})
                for row in frame.to_dict("records")
            ]
            for label in parts
        },
        dtype=object,
    )
    return Table(
        name,
        "Milliseconds per iteration, side by side",
        frame,
        tuple(keys),
        {f"{label}: {each}": 1 for label in parts for each in measured},
        [panel],
        about="Median (10-90 %). Each column is of one device; what fits beside others slow down is"
        " in it",
    )
