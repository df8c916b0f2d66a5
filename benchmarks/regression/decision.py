"""The decision: what has got worse, what better, what is the same, and what cannot be told.

Of 100 comparisons of two sides that differ in nothing but chance, one at most finds something
(`ERROR_RATE`): half of that is kept for the rows of all networks together, which see the smallest
differences, two fifths for those of single methods, a tenth for fits that are lost. Within each
part the rows share it evenly. `tests/benchmarks/regression/test_gate_errors.py` draws such
comparisons.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from benchmarks.regression.comparable import Part, part_of
from benchmarks.regression.scores import MARGINS, SCORES, Side, names
from benchmarks.regression.significance import Spread, is_within, spread, told_apart
from benchmarks.scoring.results import Score
from benchmarks.scoring.statistics import difference
from benchmarks.system.text import counted
from dip.errors import InputError

Verdict = Literal["worse", "better", "identical", "same", "cannot tell", "not comparable"]

ERROR_RATE = 0.01
OF_ALL, OF_ONE, OF_LOST = 0.5, 0.4, 0.1  # shares of it
ALL = "all networks"
FEW = "a few seeds lie far off, and more of them have to tell"
TOO_FEW = "there are too few seeds to tell anything apart"

SAME, WORSE, CANNOT_TELL, NOT_COMPARABLE = 0, 1, 3, 4  # exit codes; 2 is a user's mistake


@dataclass(frozen=True)
class Row:
    """One method's output by one score, or the mean of all networks that can be compared.

    reference, here: means over cells and seeds. difference: here less the reference; half_width:
    beyond which it is told apart. cells: compared, of all; seeds: of the reference, and here.
    spread: between seeds; none for a fill.
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
    seeds_needed: int | None = None

    @property
    def difference(self) -> float:
        """Zero also where both are infinite."""
        return float(difference(self.here, self.reference))


@dataclass(frozen=True)
class Lost:
    """Seeds of a method with a fit that diverged, of all, in the reference and here.

    A seed counts once, whatever the number of its cells, as its scores do. failed: fits that failed
    here, by name.
    """

    reference: tuple[int, int]
    here: tuple[int, int]
    failed: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return "worse" if self.failed else self.diverged

    @property
    def diverged(self) -> Verdict:
        """Fisher's exact test of whether more are lost here."""
        from scipy import stats

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

    def ends_with(self, row: Row) -> bool:
        """Whether the row alone ends the gate.

        One network among several that spreads too far to tell does not; one that lacks scores or
        has seeds far off does.
        """
        if row.verdict == "cannot tell":
            has_all = any(each.method == ALL for each in self.rows)
            return row.method == ALL or bool(row.reason) or not has_all
        return row.verdict in ("worse", "better", "not comparable")

    @property
    def exit_code(self) -> int:
        if self.alarms or self.lost.verdict == "worse":
            return WORSE
        if any(row.verdict == "not comparable" for row in self.rows):
            return NOT_COMPARABLE
        is_open = any(self.ends_with(row) for row in self.rows)
        return CANNOT_TELL if is_open or self.lost.verdict == "cannot tell" else SAME


def rate_of_each(share: float, rows: int) -> float:
    """The error rate of each of so many rows that have a share of the whole."""
    return ERROR_RATE * share / max(1, rows)


def decide(reference: Side, here: Side) -> Decision:
    """Compare what both sides have; raises InputError if that is nothing."""
    parts = [
        part_of(reference, here, *entry, score)
        for entry in here.entries
        if entry in reference.entries
        for score in SCORES
        if reference.has(score)
    ]
    if not any(part.cells for part in parts):
        raise InputError(
            f"{reference.label} and {here.label} have no method, image, hole and score in common:"
            " nothing was compared"
        )
    judged = [part for part in parts if part.is_fitted and part.cells and not part.unlike]
    rate = rate_of_each(OF_ONE, len(judged))
    rows = [
        *_of_all(judged),
        *(_of_one(part, rate) for part in parts),
        *_of_one_side(reference, here),
        *_of_one_side(here, reference),
    ]
    return Decision(rows, _lost(reference, here), _notices(reference, here))


def _of_all(parts: Sequence[Part]) -> list[Row]:
    """Means over methods, seed by seed; only seeds that all have count. Of one there is none."""
    if len({part.method for part in parts}) < 2:
        return []
    families = {(part.output, part.score): None for part in parts}
    rate = rate_of_each(OF_ALL, len(families))
    rows = []
    for output, score in families:
        own = [part.finite for part in parts if (part.output, part.score) == (output, score)]
        own = [part for part in own if part.cells]
        if not own:
            continue
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
        rows.append(_row(whole, rate, MARGINS[score.name].of_all, weights / len(own)))
    return rows


def _of_one(part: Part, rate: float) -> Row:
    """What cannot be compared is shown, and not judged."""
    row = _with_exact(part, _row(part.finite, rate, MARGINS[part.score.name].of_one))
    return replace(row, verdict="not comparable", reason=part.unlike) if part.unlike else row


def _of_one_side(side: Side, other: Side) -> list[Row]:
    return [
        Row(method, output, score, "not comparable", f"{side.label} only")
        for method, output in side.entries
        if method not in other.methods
        for score in SCORES
        if side.has(score)
    ]


def _row(part: Part, rate: float, margin: float, weights: Any = None) -> Row:
    """weights: of the cells, which otherwise count alike."""
    found = Row(
        *(part.method, part.output, part.score, "cannot tell"),
        cells=(len(part.cells), part.all_cells),
        seeds=(len(part.reference), len(part.here)),
    )
    if not all(found.seeds):
        return replace(found, reason="no seed has a score in every cell")
    if not part.cells:
        return found
    if weights is None:
        weights = np.full(len(part.cells), 1 / len(part.cells))
    reference, here = (np.asarray(side) @ weights for side in (part.reference, part.here))
    found = replace(found, reference=float(reference.mean()), here=float(here.mean()))
    if not part.is_fitted:
        return _of_fill(found, part)
    if part.is_identical:
        same_seeds = np.asarray(part.reference.reindex(part.here.index)) @ weights
        found = replace(found, verdict="identical", reference=float(same_seeds.mean()))
    between = spread(reference, here)
    half_width = between.half_width(rate)
    found = replace(found, spread=between, half_width=half_width)
    if part.is_identical:
        return found
    if np.isnan(half_width):
        return replace(found, reason="one seed says nothing of the spread between seeds")
    if told_apart(reference, here, rate):
        return replace(found, verdict=_direction(found))
    needed = between.seeds_needed(found.difference, rate, margin)
    if abs(found.difference) > half_width:
        if between.can_tell(rate):
            return replace(found, reason=FEW)
        return replace(found, reason=TOO_FEW, seeds_needed=needed)
    if is_within(found.difference, between.error, between.freedom, margin):
        return replace(found, verdict="same")
    return replace(found, seeds_needed=needed)


def _with_exact(part: Part, row: Row) -> Row:
    """Decide on the finite cells of a part, and mention those that are filled exactly.

    They are in no mean: an exact cell counts where it is one on one side only. It never hides that
    the finite cells are worse.
    """
    if len(part.finite.cells) == len(part.cells) or not all(row.seeds):
        return row
    if part.is_identical:
        return replace(row, verdict="identical")
    if part.is_as_exact:
        return row if part.finite.cells else replace(row, verdict="same")
    if part.is_fitted:
        if row.verdict == "worse":
            return row
        return replace(row, verdict="cannot tell", reason="a score is infinite")
    is_lost = np.isinf(part.reference.iloc[0]) & np.isfinite(part.here.iloc[0])
    return replace(row, verdict="worse" if is_lost.any() or row.verdict == "worse" else "better")


def _of_fill(row: Row, part: Part) -> Row:
    """Of a fill, which has no seeds: nothing but rounding may differ, in any cell."""
    by_cell = np.abs(difference(part.here.iloc[0], part.reference.iloc[0]))
    rounding = MARGINS[part.score.name].rounding
    row = replace(row, half_width=rounding)
    if not by_cell.any():
        return replace(row, verdict="identical")
    if by_cell.max() <= rounding:
        return replace(row, verdict="same")
    return replace(row, verdict=_direction(row))


def _direction(row: Row) -> Verdict:
    return "better" if row.difference * row.score.sign > 0 else "worse"


def _lost(reference: Side, here: Side) -> Lost:
    """Diverged ones of the methods that both have, and failed ones that had not failed before."""
    common = {*reference.methods} & {*here.methods}
    counts = []
    for side in (reference, here):
        fits = side.scores[(side.scores["iteration"] > 0) & side.scores["method"].isin(common)]
        has_diverged = fits["status"] == "diverged"
        seeds = has_diverged.groupby([fits["method"], fits["seed"]]).any()
        counts.append((int(seeds.sum()), len(seeds)))
    failed = [
        dict.fromkeys(names(side.scores[side.scores["status"] == "failed"]))
        for side in (reference, here)
    ]
    return Lost(counts[0], counts[1], tuple(each for each in failed[1] if each not in failed[0]))


def _notices(reference: Side, here: Side) -> list[str]:
    found = [
        f"{side.label}: {counted(len(side.not_run), 'job')} left out, without a run that can be"
        f" read: {side.not_run[0]}" + (" ..." if len(side.not_run) > 1 else "")
        for side in (reference, here)
        if side.not_run
    ]
    found += [
        f"{side.label}: written by an earlier version, which did not note settings and versions of"
        " components; whether they are the same is not known"
        for side in (reference, here)
        if not side.specification
    ]
    found += [
        f"{score.heading} is not compared: {reference.label} has none"
        for score in SCORES
        if not reference.has(score)
    ]
    return found
