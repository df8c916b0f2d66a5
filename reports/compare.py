"""Two results folders or more in one table: two machines, two revisions, two settings.

Each has its own columns, those of time too: what was timed on different devices never stands in
one column. Differences are to the first folder, image by image, for the methods and holes that both
have, at the largest iteration count of each that all have. All of it is exploratory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.max_t import sign_flip_p
from benchmarks.scoring.results import Results, Score, at_common_iteration, load_results
from benchmarks.scoring.statistics import difference, mean_interval
from benchmarks.system.files import write_atomically
from benchmarks.system.refill import refilled
from benchmarks.system.text import counted
from dip.errors import InputError
from reports.tables.exploratory.paired import as_p
from reports.tables.exploratory.standings import MAX_T, few_images
from reports.tables.formats.write import DOCUMENT, write
from reports.tables.scores import ABOUT_EXACT, Column, Entry, columns, entries
from reports.tables.table import NOTHING, Table, Value
from reports.tables.timing import ALONE_KEYS, is_timing, load_timing, percentiles, timing
from reports.templates import template

HEADINGS = {"hole", "method", "output"}
WAYS = ["method", "height", "width", "engine", "precision", "threads", "fits_beside"]
SUMMARY = "summary.md"
NAMES = (SUMMARY, f"tables/{DOCUMENT}")
Labelled = Mapping[str, Results]  # by the names that tables show; the first is the reference


def build_side_by_side(
    folders: Sequence[Path],
    labels: Sequence[str],
    out: Path | None = None,
    *,
    force: bool | None = None,
) -> tuple[Path, list[Table]]:
    """Write tables and a summary; returns the summary's path.

    labels: what tables call the folders; default: their paths. out: default: in `side-by-side`
    beside the first folder, named by the labels. force: whether files that this program did not
    write are replaced; others of them stay as they are.

    Raises InputError if labels and folders do not match, if a folder holds no results, or if they
    have nothing in common, and if such a file is in the way.
    """
    labels = labels or [str(folder) for folder in folders]
    if len(labels) != len(folders):
        raise InputError(f"`label`: {len(folders)} folders need as many labels, not {len(labels)}")
    if len(set(labels)) < len(labels) or not all(label.strip() for label in labels):
        raise InputError("`label`: labels have to differ, and must not be empty")
    if taken := HEADINGS.intersection(labels):
        raise InputError(f"`label`: '{min(taken)}' is a column's own name; choose another")
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder")
    kinds = {is_timing(folder) for folder in folders}
    if len(kinds) > 1:
        raise InputError("timings and a suite's results have nothing to compare")
    origins = [f"{label}: {folder}" for label, folder in zip(labels, folders, strict=True)]
    if kinds.pop():
        tables = [_timed(folders, labels)]
    else:
        results = dict(zip(labels, map(load_results, folders), strict=True))
        tables = side_by_side(results)
        origins += [f"{label}: {line}" for label, own in results.items() for line in own.origin]
    out = out or folders[0].parent / "side-by-side" / "-".join(
        _file_name(label) for label in labels
    )
    if not tables:
        raise InputError("these results have no metric and no fit in common")
    page = template("side-by-side.md.j2").render(labels=labels, tables=tables, about=origins)
    with refilled(out, "side-by-side", NAMES, force=force) as place:
        write(place / "tables", tables)
        write_atomically(place / SUMMARY, page)
    return out / SUMMARY, tables


def _file_name(label: str) -> str:
    """Of a path its end, which tells most."""
    name = "".join(letter if letter.isalnum() else "-" for letter in label)
    return name[-60:].strip("-") or "results"


def side_by_side(results: Labelled) -> list[Table]:
    """A table for each metric that all have, and one of times; raises InputError."""
    results = dict(zip(results, at_common_iteration([*results.values()]), strict=True))
    _check_same_holes(results)
    asked = [own.scores for own in results.values()]
    common_scores = [score for score in asked[0] if all(score in scores for scores in asked)]
    after, *others = {own.after_last for own in results.values()}
    if others:
        after = "at each method's last common iteration"
    competing = [*dict.fromkeys(entry for own in results.values() for entry in entries(own))]
    tables = [_scores(_sides(results, competing, score), after) for score in common_scores]
    return [*tables, *_times(results)]


def _check_same_holes(results: Labelled) -> None:
    names = ["image", "mask"]
    holes = {
        label: own.rows.groupby(names)[["height", "width", "hole_fraction"]].first()
        for label, own in results.items()
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


@dataclass(frozen=True)
class _Sides:
    """One score of all folders.

    Attributes:
        score: the score.
        labels: labels of the folders; the first is the reference.
        entries: methods and outputs.
        places: the rows of the table: hole and index of the entry.
        columns: scores by label and hole.
        differences: by hole, entry and label: by image the difference to the reference, positive
            for better.
        p: p value of each of these differences, corrected together.
    """

    score: Score
    labels: list[str]
    entries: list[Entry]
    places: list[tuple[str, int]]
    columns: dict[str, dict[str, Column]]
    differences: dict[tuple[str, int, str], "pd.Series[float]"]
    p: dict[tuple[str, int, str], float]


def _sides(results: Labelled, competing: list[Entry], score: Score) -> _Sides:
    by_label: dict[str, dict[str, Column]] = {}
    for label, own in results.items():
        scored = own.final.assign(column=own.final["mask"])
        planned = own.jobs.assign(column=own.jobs["mask"])
        arranged = columns(competing, scored, planned, score)
        by_label[label] = {column.name: column for column in arranged}
    holes = dict.fromkeys(hole for by_hole in by_label.values() for hole in by_hole)
    places = [(hole, index) for hole in holes for index in range(len(competing))]
    first, *others = results
    differences: dict[tuple[str, int, str], pd.Series[float]] = {}
    for place in places:
        of_first = _compared(by_label[first], *place)
        for label in others:
            own_scores = _compared(by_label[label], *place)
            images = of_first.index.intersection(own_scores.index, sort=False)
            if len(images):
                better = score.sign * difference(own_scores[images], of_first[images])
                differences[*place, label] = pd.Series(better, images)
    by_image = pd.DataFrame([*differences.values()])
    p = dict(zip(differences, map(float, sign_flip_p(by_image)), strict=True))
    return _Sides(score, list(results), competing, places, by_label, differences, p)


def _scores(sides: _Sides, after: str) -> Table:
    """A row for each hole, method and output; all comparisons are corrected together.

    after: how many iterations, for the title.
    """
    score, (_, *others) = sides.score, sides.labels
    rows = [_row(sides, hole, index) for hole, index in sides.places]
    images = max(map(len, sides.differences.values()), default=0)
    shown = [column for by_hole in sides.columns.values() for column in by_hole.values()]
    about_exact = f"; {ABOUT_EXACT}" if any(any(column.exact) for column in shown) else ""
    frame = pd.DataFrame([numbers for numbers, _ in rows])
    measured = (
        *(f"{label}: {part}" for label in sides.labels for part in ("mean", "half_width")),
        *(f"{label}: difference" for label in others),
        *(f"{label}: difference_half_width" for label in others),
    )
    return Table(
        f"side-by-side-{score.name}",
        f"{score.title} {after}, side by side",
        frame.reindex(columns=list(dict.fromkeys([*frame, *measured]))),
        [pd.DataFrame([text for _, text in rows], dtype=object)],
        about="exploratory; ± is half the 95 % interval over images; images and holes are the same"
        " by name, size and share of missing pixels; differences are paired over the images that"
        f" both have in full; p is corrected for {counted(len(sides.differences), 'comparison')} by"
        f" {MAX_T}{few_images(images)}{about_exact}",
    )


def _row(sides: _Sides, hole: str, index: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row of a method in one hole: as numbers and as text."""
    score, (first, *others) = sides.score, sides.labels
    method, output = sides.entries[index]
    row: dict[str, Any] = {"mask": hole, "method": method, "output": output}
    text: dict[str, Any] = {"hole": hole, "method": method, "output": output or NOTHING}
    for label, by_hole in sides.columns.items():
        numbers, text[label] = _mean(by_hole.get(hole), index, score)
        row |= {f"{label}: {name}": number for name, number in numbers.items()}
    for label in others:
        key = (hole, index, label)
        less, heading = f"{label} less {first}", f"p ({label})"
        if key not in sides.differences:
            text |= {less: NOTHING, heading: NOTHING}
            continue
        better, p = sides.differences[key], sides.p[key]
        mean, half = map(float, mean_interval(better))
        mean = score.sign * mean + 0.0
        numbers = {"difference": mean, "difference_half_width": half, "images": len(better), "p": p}
        row |= {f"{label}: {name}": number for name, number in numbers.items()}
        text[less] = Value(mean, score.decimals, half, has_sign=True)
        text[heading] = as_p(p)
    return row, text


def _compared(by_hole: dict[str, Column], hole: str, index: int) -> "pd.Series[float]":
    """The scores by image of a method whose jobs all have one."""
    if hole not in by_hole:
        return pd.Series(dtype=float)
    return pd.Series(by_hole[hole].compared[index], list(by_hole[hole].images)).dropna()


def _mean(column: Column | None, index: int, score: Score) -> tuple[dict[str, Any], Value]:
    """Of a method in one folder: as numbers, and as people read it."""
    if column is None or not column.planned[index]:
        return {"n": 0, "N": 0, "exact": 0}, Value(np.nan, score.decimals)
    scores = column.scores[index]
    mean, half = map(float, mean_interval(scores[~np.isnan(scores)]))
    n_of_all, exact = (column.counts[index], column.planned[index]), column.exact[index]
    numbers = {"mean": mean, "half_width": half, "n": n_of_all[0], "N": n_of_all[1]}
    numbers["exact"] = exact
    return numbers, Value(mean, score.decimals, half, n_of_all, exact=exact)


def _times(results: Labelled) -> list[Table]:
    """Milliseconds per iteration of the suites' fits, a column for each folder and device."""
    parts: dict[str, pd.DataFrame] = {}
    for label, own in results.items():
        for table in timing(own, ""):
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
        own = own.rename(columns={name: f"{label}: {name}" for name in measured})
        frame = own if frame is None else frame.merge(own, on=keys, how="outer", sort=False)
    assert frame is not None
    panel = pd.DataFrame(
        {key: [NOTHING if pd.isna(v) else str(v) for v in frame[key]] for key in keys}
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
        [panel],
        about="Median (10-90 %). Each column is of one device; what fits beside others slow down is"
        " in it",
    )
