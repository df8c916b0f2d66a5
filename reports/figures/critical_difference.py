"""The critical-difference diagram: mean ranks on a line, joined where they are close.

Demsar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7, 2006, section 3.2.2.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.scoring.statistics import Array
from reports.figures.style import HEIGHT, STYLE, WIDTH, broken, save
from reports.tables.exploratory.standings import Standing

NAME = "critical-difference"
ROW = 0.2  # inches of a method's line, and of a bar
LETTERS = 46  # of a name on one line, so that both sides leave room for the ranks
TICKS = 13  # numbers on the scale, at most


def critical_difference(standing: Standing, folder: Path) -> str | None:
    """The PNG's name; None where ranks say nothing, with fewer than three methods or six images."""
    if standing.ranks is None:
        return None
    mean, reach = standing.ranks.mean, standing.ranks.critical_difference
    order = np.argsort(mean, kind="stable")
    mean = mean[order]
    names = [
        broken(f"{standing.names[standing.column.whole[index]]} ({rank:.2f})", LETTERS)
        for index, rank in zip(order, mean, strict=True)
    ]
    row_height = ROW * (1 + 0.7 * max(name.count("\n") for name in names))
    bars = groups(mean, reach)
    half = -(-len(names) // 2)
    depth = ROW * (len(bars) + 1.2) + row_height * half
    with plt.style.context(STYLE):
        figure, axis = plt.subplots(
            figsize=(WIDTH, min(HEIGHT, depth + 3 * ROW)), layout="constrained"
        )
        axis.set_axis_off()
        axis.set(xlim=(1, len(names)), ylim=(-depth, ROW * 2.5))
        _scale(axis, len(names), reach)
        for row, (first, last) in enumerate(bars):
            ends = [mean[first] - 0.05, mean[last] + 0.05]
            axis.plot(ends, [-ROW * (row + 0.7)] * 2, color="black", linewidth=3)
        for index, (name, rank) in enumerate(zip(names, mean, strict=True)):
            is_left = index < half  # the better half, beside the best ranks
            row = index if is_left else len(names) - 1 - index
            y = -ROW * (len(bars) + 1.2) - row_height * row
            edge = 0.9 if is_left else len(names) + 0.1
            axis.plot([rank, rank, edge], [0, y, y], color="0.35", linewidth=0.8, clip_on=False)
            axis.annotate(
                name,
                *((edge, y), (-3 if is_left else 3, 0)),
                textcoords="offset points",
                ha="right" if is_left else "left",
                va="center",
                annotation_clip=False,
                fontsize=7,
            )
        return save(figure, folder, NAME)


def groups(mean: Array, reach: float) -> list[tuple[int, int]]:
    """Runs of ranks, ascending, no farther apart than that: first and last, the longest ones."""
    found: list[tuple[int, int]] = []
    for first in range(len(mean)):
        last = int(np.searchsorted(mean, mean[first] + reach, side="right")) - 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def _scale(axis: Any, methods: int, reach: float) -> None:
    axis.plot([1, methods], [0, 0], color="black", linewidth=1)
    step = -(-(methods - 1) // (TICKS - 1))
    for rank in range(1, methods + 1):
        axis.plot([rank, rank], [0, 0.06], color="black", linewidth=1)
        if (rank - 1) % step == 0:
            axis.annotate(str(rank), (rank, 0.07), ha="center", va="bottom", fontsize=7)
    y = ROW * 2
    axis.plot([1, 1 + reach], [y, y], color="black", linewidth=2)
    axis.annotate(f"critical difference {reach:.2f}", (1 + reach / 2, y + 0.04), ha="center",
                  va="bottom", fontsize=7)  # fmt: skip
