"""Whether scores of two sides are of the same: what may be compared, and why the rest may not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.regression.scores import Side
from benchmarks.scoring.results import Score
from benchmarks.system.environment import nested_differences
from dip.options.outputs import FIRST_VERSION


@dataclass(frozen=True)
class Part:
    """The scores of both sides for one row of the page.

    Attributes:
        method: its label.
        output: its label.
        score: the metric.
        cells: (image, hole) pairs that both sides have and at least one has scored. An image too
            small for the metric has no score on either side.
        all_cells: number of cells that at least one side has.
        reference: scores of the reference, a row for each seed and a column for each cell.
        here: scores of this side, in the same layout.
        is_fitted: whether the method is a fit; a fill is not.
        unlike: why the sides cannot be compared; empty if they can.
    """

    method: str
    output: str
    score: Score
    cells: tuple[tuple[str, str], ...]
    all_cells: int
    reference: pd.DataFrame
    here: pd.DataFrame
    is_fitted: bool
    unlike: str

    @property
    def is_identical(self) -> bool:
        """Whether both sides have the same digits for every seed."""
        same_seeds = self.reference.reindex(self.here.index)
        return len(self.here) > 0 and bool(np.array_equal(same_seeds, self.here))

    @property
    def finite(self) -> "Part":
        """Without cells that a seed of either side fills exactly, whose PSNR is infinite."""
        sides = self.reference, self.here
        is_finite = np.all([np.isfinite(side.to_numpy()).all(axis=0) for side in sides], axis=0)
        if is_finite.all():
            return self
        places = np.flatnonzero(is_finite)
        reference, here = (side.iloc[:, places] for side in sides)
        cells = tuple(self.cells[place] for place in places)
        return replace(self, cells=cells, reference=reference, here=here)

    @property
    def is_as_exact(self) -> bool:
        """Whether both sides fill the same cells exactly, with all of their seeds."""
        was, now = (np.isinf(side.to_numpy()) for side in (self.reference, self.here))
        of_all, of_any = was.all(axis=0) & now.all(axis=0), was.any(axis=0) | now.any(axis=0)
        return bool(np.array_equal(of_all, of_any))


def part_of(reference: Side, here: Side, method: str, output: str, score: Score) -> Part:
    """Pair the scores of both sides for one method, output and score."""
    sides = reference, here
    planned = [side.cells(method, output) for side in sides]
    common = [cell for cell in planned[1] if cell in planned[0]]
    scored = {cell for side in sides for cell in side.cells(method, output, score)}
    cells = tuple(cell for cell in common if cell in scored)
    counts = [side.rows(method, output)["iteration"].unique() for side in sides]
    was, now = ("/".join(map(str, each)) for each in counts)
    found = []
    if gone := len(planned[0]) - len(common):
        found.append(f"{here.label} lacks {gone} of its {len(planned[0])} images and holes")
    if was != now:
        found.append(f"iteration: {was}, now {now}")
    if not here.has(score):
        found.append(f"{here.label} has no {score.heading}")
    else:
        found += [
            f"{side.label} lacks {gaps} scores of {score.heading}"
            for side in sides
            if (gaps := side.gaps(method, output, score, cells))
        ]
    if reference.specification and here.specification:
        found += _specified_otherwise(reference, here, (method, output), common, score)
    return Part(
        *(method, output, score, cells, len({*planned[0], *planned[1]})),
        reference=reference.by_seed(method, output, score, cells),
        here=here.by_seed(method, output, score, cells),
        is_fitted=bool((counts[1] > 0).any()),
        unlike="; ".join(found),
    )


def _specified_otherwise(
    reference: Side,
    here: Side,
    entry: tuple[str, str],
    common: Sequence[tuple[str, str]],
    score: Score,
) -> list[str]:
    """Differences between the two specifications, one line each."""
    method, output = entry
    was, now = reference.specification, here.specification
    found = []
    for kind, what, asked in (
        ("images", "another image", {image for image, _ in common}),
        ("masks", "another hole", {f"{image}/{mask}" for image, mask in common}),
    ):
        found += [
            f"{what}: {name}"
            for name in sorted(asked)
            if was[kind].get(name) != now[kind].get(name)
        ]
    found += nested_differences(was["methods"].get(method), now["methods"].get(method))
    meanings = [side.get("outputs", {}).get(output, FIRST_VERSION) for side in (was, now)]
    if meanings[0] != meanings[1]:
        found.append("another definition of the output: {} ({}, now {})".format(output, *meanings))
    versions = [each["metrics"].get(score.name) for each in (was, now)]
    if versions[0] != versions[1]:
        found.append("another metric: {} ({}, now {})".format(score.name, *versions))
    return found
