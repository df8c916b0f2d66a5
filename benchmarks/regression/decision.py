"""The decision: what has got worse, what better, what is the same, and what cannot be told.

Of 100 comparisons of two sides that differ in nothing but chance, one at most finds something
(`ERROR_RATE`): half of that is kept for the rows of all networks together, which see the smallest
differences, two fifths for those of single methods, a tenth for fits that are lost. Within each
part the rows share it evenly. `tests/test_gate_errors.py` draws such comparisons.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from benchmarks import InputError
from benchmarks.environment import nested_differences
from benchmarks.regression.side import SCORES, Score, Side, by_seed, cells
from benchmarks.regression.spread import Spread, is_within, spread, told_apart
from benchmarks.statistics import difference

Verdict = Literal["worse", "better", "identical", "same", "cannot tell", "not comparable"]

ERROR_RATE = 0.01
OF_ALL, OF_ONE, OF_LOST = 0.5, 0.4, 0.1  # shares of it
ALL = "all networks"
FEW = "a few seeds lie far off"  # and the others do not: only more seeds can tell

SAME, WORSE, CANNOT_TELL, NOT_COMPARABLE = 0, 1, 3, 4  # exit codes; 2 is a user's mistake


@dataclass(frozen=True)
class Row:
    """One method's output by one score, or the mean of all networks that can be compared.

    reference, here: means over cells and seeds. difference: here less the reference; half_width:
    beyond which it is told apart. cells: compared, of all; seeds: of the reference, and here.
    spread: between seeds; none for a fill. power: the chance to see a loss of the score's margin.
    """

    method: str
    output: str
    score: Score
    verdict: Verdict
    reason: str = ""
    reference: float = np.nan
    here: float = np.nan
    half_width: float = np.nan
    cells: tuple[int, int] = (0, 0)
    seeds: tuple[int, int] = (0, 0)
    spread: Spread | None = None
    power: float = np.nan
    seeds_needed: int | None = None

    @property
    def difference(self) -> float:
        """Zero also where both are infinite."""
        return float(difference(self.here, self.reference))

    @property
    def is_of_all(self) -> bool:
        return self.method == ALL


@dataclass(frozen=True)
class Lost:
    """Fits that diverged, of all, in the reference and here; those that failed here by name."""

    reference: tuple[int, int]
    here: tuple[int, int]
    failed: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Fisher's exact test of whether more are lost here."""
        from scipy import stats

        if self.failed:
            return "worse"
        (was, of), (now, of_here) = self.reference, self.here
        if not now or now * of <= was * of_here:
            return "same"
        table = [[now, of_here - now], [was, of - was]]
        p = stats.fisher_exact(table, alternative="greater").pvalue
        return "worse" if p < ERROR_RATE * OF_LOST else "cannot tell"


@dataclass(frozen=True)
class Decision:
    """rows: of all networks first, then method by method. notices: what a reader has to know."""

    rows: Sequence[Row]
    lost: Lost
    notices: Sequence[str] = field(default_factory=tuple)

    @property
    def alarms(self) -> list[Row]:
        return [row for row in self.rows if row.verdict in ("worse", "better")]

    @property
    def exit_code(self) -> int:
        """A single method whose seeds spread too far does not count: all together do."""
        verdicts = {row.verdict for row in self.rows}
        if self.alarms or self.lost.verdict == "worse":
            return WORSE
        if "not comparable" in verdicts:
            return NOT_COMPARABLE
        is_open = any(
            row.verdict == "cannot tell" and (row.is_of_all or row.reason == FEW)
            for row in self.rows
        )
        return CANNOT_TELL if is_open or self.lost.verdict == "cannot tell" else SAME


def error_rates(of_all: int, of_one: int) -> tuple[float, float]:
    """Of each row of all networks, and of each row of a single one, by how many there are."""
    return ERROR_RATE * OF_ALL / max(1, of_all), ERROR_RATE * OF_ONE / max(1, of_one)


def decide(reference: Side, here: Side) -> Decision:
    """Compare what both sides have; raises InputError if that is nothing."""
    common = [method for method in here.methods if method in reference.methods]
    entries = [
        (method, output, score)
        for method in common
        for output in _outputs(here, method)
        if output in _outputs(reference, method)
        for score in SCORES
        if score.column in _known(reference) & _known(here)
    ]
    parts = [_Part.of(reference, here, *entry) for entry in entries]
    if not any(part.cells for part in parts):
        raise InputError(
            f"{reference.label} and {here.label} have no method, image, hole and score in common:"
            " nothing was compared"
        )
    unlike = {method: _unlike(reference, here, method) for method in common}
    fitted = [part for part in parts if part.is_fitted]
    rows = [
        *_of_all([part for part in fitted if not part.why_not(unlike)]),
        *_of_each(parts, unlike),
        *_of_one_side(reference, here),
        *_of_one_side(here, reference),
    ]
    return Decision(rows, _lost(reference, here), _notices(reference, here))


@dataclass(frozen=True)
class _Part:
    """Both sides of one row: scores by seed and cell."""

    method: str
    output: str
    score: Score
    cells: tuple[tuple[str, str], ...]
    all_cells: int
    reference: pd.DataFrame
    here: pd.DataFrame
    is_fitted: bool
    unlike: str  # why the cells or the score are not the same on both sides, if they are not

    @classmethod
    def of(cls, reference: Side, here: Side, method: str, output: str, score: Score) -> "_Part":
        planned = [cells(side, method, output) for side in (reference, here)]
        both = tuple(cell for cell in planned[1] if cell in planned[0])
        tables = [by_seed(side, method, output, score, both) for side in (reference, here)]
        rows = here.scores[here.scores["method"] == method]
        return cls(
            method=method,
            output=output,
            score=score,
            cells=both,
            all_cells=len({*planned[0], *planned[1]}),
            reference=tables[0],
            here=tables[1],
            is_fitted=bool((rows["iteration"] > 0).any()),
            unlike=_other_inputs(reference, here, both, score),
        )

    def why_not(self, unlike: dict[str, str]) -> str:
        """Why this cannot be compared, empty if it can."""
        if not self.cells:
            return "no image and hole in common"
        return unlike[self.method] or self.unlike

    @property
    def is_identical(self) -> bool:
        """To the last digit that is kept, seed by seed."""
        same_seeds = self.reference.reindex(self.here.index)
        return len(self.here) > 0 and bool(np.array_equal(same_seeds, self.here))


def _of_all(parts: Sequence[_Part]) -> list[Row]:
    """Means over methods, seed by seed; only seeds that all have count."""
    families = {(part.output, part.score): None for part in parts}
    rate, _ = error_rates(len(families), 0)
    rows = []
    for output, score in families:
        own = [part for part in parts if (part.output, part.score) == (output, score)]
        # Every cell of every method side by side: a seed that lacks one is left out.
        sides = [
            pd.concat([getattr(part, side) for part in own], axis=1, join="inner")
            for side in ("reference", "here")
        ]
        whole = replace(
            own[0],
            method=ALL,
            cells=tuple(cell for part in own for cell in part.cells),
            all_cells=sum(part.all_cells for part in own),
            reference=sides[0],
            here=sides[1],
        )
        # Methods count alike, however many cells they have.
        weights = np.concatenate([np.full(len(part.cells), 1 / len(part.cells)) for part in own])
        rows.append(_row(whole, rate, score.margin, weights / len(own)))
    return rows


def _of_each(parts: Sequence[_Part], unlike: dict[str, str]) -> list[Row]:
    fitted = sum(part.is_fitted and not part.why_not(unlike) for part in parts)
    _, rate = error_rates(0, fitted)
    rows = []
    for part in parts:
        if why := part.why_not(unlike):
            row = _row(part, rate, part.score.margin_of_one) if part.cells else _blank(part)
            rows.append(replace(row, verdict="not comparable", reason=why))
        else:
            rows.append(_row(part, rate, part.score.margin_of_one))
    return rows


def _of_one_side(side: Side, other: Side) -> list[Row]:
    return [
        Row(method, output, score, "not comparable", f"{side.label} only")
        for method in side.methods
        if method not in other.methods
        for output in _outputs(side, method)
        for score in SCORES
        if score.column in _known(side)
    ]


def _blank(part: _Part) -> Row:
    return Row(part.method, part.output, part.score, "cannot tell", cells=(0, part.all_cells))


def _row(part: _Part, rate: float, margin: float, weights: Any = None) -> Row:
    """weights: of the cells, which otherwise count alike."""
    if weights is None:
        weights = np.full(len(part.cells), 1 / len(part.cells))
    blank = replace(
        _blank(part),
        cells=(len(part.cells), part.all_cells),
        seeds=(len(part.reference), len(part.here)),
    )
    if not (len(part.reference) and len(part.here)):
        return replace(blank, reason="no seed has a score in every cell")
    reference, here = (np.asarray(side) @ weights for side in (part.reference, part.here))
    found = replace(blank, reference=float(reference.mean()), here=float(here.mean()))
    if not part.is_fitted:
        return _exact(found, part)
    if not (np.isfinite(reference).all() and np.isfinite(here).all()):
        return replace(found, reason="a score is infinite")
    between = spread(reference, here)
    half_width = between.half_width(rate)
    found = replace(
        found,
        spread=between,
        half_width=half_width,
        power=between.power(margin, rate) if part.method == ALL else np.nan,
    )
    if part.is_identical:
        same_seeds = np.asarray(part.reference.reindex(part.here.index)) @ weights
        return replace(found, verdict="identical", reference=float(same_seeds.mean()))
    if np.isnan(half_width):
        return replace(found, reason="one seed says nothing of the spread between seeds")
    if told_apart(reference, here, rate):
        return replace(found, verdict=_direction(found))
    if abs(found.difference) > half_width:
        return replace(found, reason=FEW, seeds_needed=2 * len(part.here))
    if is_within(found.difference, between.error, between.freedom, margin):
        return replace(found, verdict="same")
    needed = between.seeds_needed(found.difference, rate, margin)
    return replace(found, seeds_needed=needed)


def _exact(row: Row, part: _Part) -> Row:
    """Of a fill, which has no seeds: nothing but rounding may differ, in any cell."""
    by_cell = np.abs(difference(part.here.iloc[0], part.reference.iloc[0]))
    row = replace(row, half_width=part.score.tolerance)
    if not by_cell.any():
        return replace(row, verdict="identical")
    if by_cell.max() <= part.score.tolerance:
        return replace(row, verdict="same")
    return replace(row, verdict=_direction(row))


def _direction(row: Row) -> Verdict:
    return "better" if row.difference * row.score.sign > 0 else "worse"


def _outputs(side: Side, method: str) -> list[str]:
    return list(dict.fromkeys(side.scores.loc[side.scores["method"] == method, "output"]))


def _known(side: Side) -> set[str]:
    """The columns that have any score."""
    return {score.column for score in SCORES if side.scores[score.column].notna().any()}


def _unlike(reference: Side, here: Side, method: str) -> str:
    """How a method is not what it was: its settings, or the version of a component."""
    sides = [side.specification.get("methods", {}).get(method) for side in (reference, here)]
    return "" if None in sides else "; ".join(nested_differences(*sides))


def _other_inputs(
    reference: Side, here: Side, common: Sequence[tuple[str, str]], score: Score
) -> str:
    """Images, holes or a metric that are not those of the reference."""
    asked = {
        "images": {image for image, _ in common},
        "masks": {f"{image}/{mask}" for image, mask in common},
        "metrics": {score.name},
    }
    words = {"images": "another image", "masks": "another hole", "metrics": "another metric"}
    found = []
    for kind, names in asked.items():
        was, now = (side.specification.get(kind, {}) for side in (reference, here))
        for name in sorted(names & was.keys() & now.keys()):
            if was[name] != now[name]:
                how = f" ({was[name]}, now {now[name]})" if kind == "metrics" else ""
                found.append(f"{words[kind]}: {name}{how}")
    return "; ".join(found)


def _lost(reference: Side, here: Side) -> Lost:
    """Of the methods that both have."""
    common = {*reference.methods} & {*here.methods}
    counts, failed = [], []
    for side in (reference, here):
        fits = side.scores[(side.scores["iteration"] > 0) & side.scores["method"].isin(common)]
        fits = fits.drop_duplicates(["method", "image", "mask", "seed"])
        counts.append((int((fits["status"] == "diverged").sum()), len(fits)))
    tried = here.scores[here.scores["status"] == "failed"]
    for job in tried.drop_duplicates(["method", "image", "mask", "seed"]).itertuples():
        failed.append(f"{job.image}/{job.mask}/{job.method}/{job.seed}")
    return Lost(counts[0], counts[1], tuple(failed))


def _notices(reference: Side, here: Side) -> list[str]:
    found = [
        f"{side.label}: {len(side.not_run)} jobs were not run and are left out: {side.not_run[0]}"
        + (" ..." if len(side.not_run) > 1 else "")
        for side in (reference, here)
        if side.not_run
    ]
    found += [
        f"{side.label}: written by an earlier version, which did not note settings and versions of"
        " components; whether they are the same is not known"
        for side in (reference, here)
        if not side.specification
    ]
    for score in SCORES:
        without = [side.label for side in (reference, here) if score.column not in _known(side)]
        if without:
            found.append(f"{score.heading} is not compared: {' and '.join(without)} has none")
    return found
