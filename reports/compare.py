"""Two results folders or more in one table: two machines, two revisions, two settings.

Each has its own columns, those of time too: what was timed on different devices never stands in
one column. Differences are to the first folder, image by image, for the methods and holes that both
have, at the largest iteration count that all have.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.results import Results, Score, at_common_iteration, load_results
from benchmarks.scoring.statistics import (
    Array,
    difference,
    holm,
    images_needed,
    mean_interval,
    paired_p,
    signed_rank_p,
    verdict,
)
from benchmarks.system.files import alone_in, open_folder, write_atomically
from dip.errors import InputError
from reports.tables.paired import ENOUGH, told
from reports.tables.scores import Column, Entry, columns, entries, requested_scores
from reports.tables.table import NOTHING, Table, Value
from reports.tables.timing import ALONE_KEYS, is_timing, load_timing, percentiles, timing
from reports.tables.write import write
from reports.templates import template

HEADINGS = {"hole", "method", "output"}
WAYS = ["method", "height", "width", "engine", "precision", "threads", "fits_beside"]
Labelled = Mapping[str, Results]  # by the names that tables show; the first is the reference


def build_side_by_side(
    folders: Sequence[Path], labels: Sequence[str], out: Path | None = None
) -> tuple[Path, list[Table]]:
    """Write tables and a summary; returns the summary's path.

    labels: what tables call the folders; default: their paths. out: default: in `side-by-side`
    beside the first folder, named by the labels.

    Raises InputError if labels and folders do not match, if a folder holds no results, or if they
    have nothing in common.
    """
    labels = labels or [str(folder) for folder in folders]
    if len(labels) != len(folders):
        raise InputError(f"`label`: {len(folders)} folders need as many labels, not {len(labels)}")
    if len(set(labels)) < len(labels) or not all(each.strip() for each in labels):
        raise InputError("`label`: labels have to differ, and must not be empty")
    if taken := HEADINGS.intersection(labels):
        raise InputError(f"`label`: '{min(taken)}' is a column's own name; choose another")
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder")
    kinds = {is_timing(folder) for folder in folders}
    if len(kinds) > 1:
        raise InputError("timings and a suite's results have nothing to compare")
    about = [f"{label}: {folder}" for label, folder in zip(labels, folders, strict=True)]
    if kinds.pop():
        found = [_timed(folders, labels)]
    else:
        results = dict(zip(labels, map(load_results, folders), strict=True))
        found = side_by_side(results)
        about += [f"{label}: {line}" for label, each in results.items() for line in each.origin]
    out = out or folders[0].parent / "side-by-side" / "-".join(_file_name(each) for each in labels)
    if not found:
        raise InputError("these results have no metric and no fit in common")
    open_folder(out)
    with alone_in(out):
        shutil.rmtree(out / "tables", ignore_errors=True)
        write(out / "tables", found)
        path = out / "summary.md"
        page = template("side-by-side.md.j2").render(labels=labels, tables=found, about=about)
        write_atomically(path, page)
    return path, found


def _file_name(label: str) -> str:
    """Of a path its end, which tells most."""
    name = "".join(letter if letter.isalnum() else "-" for letter in label)
    return name[-60:].strip("-") or "results"


def side_by_side(results: Labelled) -> list[Table]:
    """A table for each metric that all have, and one of times; raises InputError."""
    results = dict(zip(results, at_common_iteration([*results.values()]), strict=True))
    _check_same_holes(results)
    asked = [requested_scores(each) for each in results.values()]
    common_scores = [score for score in asked[0] if all(score in each for each in asked)]
    return [*(_scores(results, score) for score in common_scores), *_times(results)]


def _check_same_holes(results: Labelled) -> None:
    names = ["image", "mask"]
    holes = {
        label: each.rows.groupby(names)[["height", "width", "hole_fraction"]].first()
        for label, each in results.items()
    }
    first_label, *others = holes
    first = holes[first_label]
    for label in others:
        other = holes[label]
        both = first.join(other.add_suffix("_other"), how="inner")
        if both.empty:
            raise InputError(f"'{first_label}' and '{label}' have no image and hole in common")
        for name in ("height", "width", "hole_fraction"):
            differs = ~np.isclose(both[name], both[f"{name}_other"])
            if differs.any():
                image, mask = both.index[differs][0]
                raise InputError(
                    f"'{first_label}' and '{label}': {image}/{mask} is not the same hole"
                    f" ({name} {both[name][differs].iloc[0]:g} and"
                    f" {both[f'{name}_other'][differs].iloc[0]:g})"
                )


def _scores(results: Labelled, score: Score) -> Table:
    """A row per hole, method and output; one family of comparisons."""
    first, *others = results
    competing: list[Entry] = list(
        dict.fromkeys(entry for each in results.values() for entry in entries(each))
    )
    found: dict[str, dict[str, Column]] = {}  # by label and hole
    for label, own in results.items():
        scored = own.final.assign(column=own.final["mask"])
        planned = own.jobs.assign(column=own.jobs["mask"])
        found[label] = {each.name: each for each in columns(competing, scored, planned, score)}
    masks = dict.fromkeys(mask for by_hole in found.values() for mask in by_hole)
    rows: list[dict[str, Any]] = []
    differences: dict[tuple[int, str], Array] = {}  # by row and label
    for mask in masks:
        for index, (method, output) in enumerate(competing):
            row: dict[str, Any] = {"mask": mask, "method": method, "output": output}
            of_first = _compared(found[first], mask, index)
            for label, by_hole in found.items():
                row |= _cell(label, by_hole, mask, index)
                of_label = _compared(by_hole, mask, index)
                shared = [image for image in of_first if image in of_label]
                if label != first and shared:
                    pair = ([each[image] for image in shared] for each in (of_label, of_first))
                    differences[len(rows), label] = score.sign * difference(*pair)
            rows.append(row)
    t = holm([float(paired_p(better)) for better in differences.values()])
    signed_ranks = [float(signed_rank_p(better)) for better in differences.values()]
    for (place, label), p in zip(differences, np.maximum(t, signed_ranks), strict=True):
        rows[place] |= _difference(label, differences[place, label], float(p), score, differences)
    frame = pd.DataFrame(rows)
    decimals = dict.fromkeys(
        (
            *(f"{label}: {part}" for label in results for part in ("mean", "half_width")),
            *(f"{label}: difference" for label in others),
            *(f"{label}: difference_half_width" for label in others),
        ),
        score.decimals,
    )
    return Table(
        f"side-by-side-{score.name}",
        f"{score.title} after {results[first].last_iteration} iterations, side by side",
        frame.reindex(columns=list(dict.fromkeys([*frame, *decimals]))),
        ("mask", "method", "output"),
        decimals,
        [_text(rows, list(results), score)],
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
    label: str, better: Array, p: float, score: Score, family: dict[Any, Array]
) -> dict[str, Any]:
    mean, half = mean_interval(better)
    decision = verdict(better, p)
    needed = images_needed(better, len(family)) if decision == "cannot tell" else None
    found = {
        "difference": score.sign * float(mean) + 0.0,
        "difference_half_width": float(half),
        "images": len(better),
        "p": p,
        "verdict": decision,
        "images_needed": needed,
    }
    return {f"{label}: {name}": value for name, value in found.items()}


def _text(rows: list[dict[str, Any]], labels: Sequence[str], score: Score) -> pd.DataFrame:
    first, *others = labels
    shown: dict[str, Any] = {
        "hole": [row["mask"] for row in rows],
        "method": [row["method"] for row in rows],
        "output": [row["output"] or NOTHING for row in rows],
    }
    for label in labels:
        shown[label] = [
            Value(
                row.get(f"{label}: mean", np.nan),
                score.decimals,
                row.get(f"{label}: half_width", np.nan),
                (row[f"{label}: n"], row[f"{label}: N"]) if row[f"{label}: N"] else None,
            )
            for row in rows
        ]
    for label in others:
        shown[f"{label} less {first}"] = [
            Value(
                row.get(f"{label}: difference", np.nan),
                score.decimals,
                row.get(f"{label}: difference_half_width", np.nan),
                has_sign=True,
            )
            for row in rows
        ]
        shown[f"{label} than {first}"] = [
            told(*(row.get(f"{label}: {name}") for name in ("p", "verdict", "images_needed")))
            for row in rows
        ]
    return pd.DataFrame(shown, dtype=object)


def _times(results: Labelled) -> list[Table]:
    """Milliseconds per iteration of the suites' fits, a column for each folder and device."""
    parts: dict[str, pd.DataFrame] = {}
    for label, each in results.items():
        for table in timing(each, ""):
            device = str(table.numbers["device"].iloc[0])
            parts[f"{label}, {device}"] = table.numbers
    return [_merged("side-by-side-timing", parts, WAYS)] if parts else []


def _timed(folders: Sequence[Path], labels: Sequence[str]) -> Table:
    """What `dip-bench timing` measured."""
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
