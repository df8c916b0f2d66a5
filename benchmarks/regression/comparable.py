"""Whether scores of two sides are of the same: what may be compared, and why the rest may not."""

from collections.abc import Sequence

from benchmarks.regression.scores import SCORES, Side
from benchmarks.scoring.results import Score
from benchmarks.system.environment import nested_differences


def scores_of(side: Side) -> set[str]:
    """The columns that have any score."""
    return {score.column for score in SCORES if side.scores[score.column].notna().any()}


def common_cells(
    reference: Side, here: Side, method: str, output: str, score: Score
) -> list[tuple[str, str]]:
    """Cells of both sides, without those of which none has a score.

    An image that is too small for a metric is such a one.
    """
    sides = reference, here
    planned = [side.cells(method, output) for side in sides]
    scored = {cell for side in sides for cell in side.scored(method, output, score)}
    return [cell for cell in planned[1] if cell in planned[0] and cell in scored]


def unlike(reference: Side, here: Side, method: str, output: str, score: Score) -> str:
    """Why one side's scores are not what the other's are of; empty if they are."""
    cells = [side.cells(method, output) for side in (reference, here)]
    common = [cell for cell in cells[0] if cell in cells[1]]
    gone = len(cells[0]) - len(common)
    iterations = [
        "/".join(map(str, side.rows(method, output)["iteration"].unique()))
        for side in (reference, here)
    ]
    scored = common_cells(reference, here, method, output, score)
    found = []
    if gone:
        found.append(f"{here.label} lacks {gone} of its {len(cells[0])} images and holes")
    if iterations[0] != iterations[1]:
        found.append(f"iteration: {iterations[0]}, now {iterations[1]}")
    if score.column not in scores_of(here):
        found.append(f"{here.label} has no {score.heading}")
    else:
        found += [
            f"{side.label} lacks {gaps} scores of {score.heading}"
            for side in (reference, here)
            if (gaps := side.gaps(method, output, score, scored))
        ]
    if reference.specification and here.specification:
        found += _specified_otherwise(reference, here, method, common, score)
    return "; ".join(found)


def _specified_otherwise(
    reference: Side, here: Side, method: str, common: Sequence[tuple[str, str]], score: Score
) -> list[str]:
    """Images, holes, settings, versions of components and of the metric that are others."""
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
    versions = [each["metrics"].get(score.name) for each in (was, now)]
    if versions[0] != versions[1]:
        found.append("another metric: {} ({}, now {})".format(score.name, *versions))
    return found
