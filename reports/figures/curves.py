"""Hole PSNR against iterations and against seconds, with the fills that take neither."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from benchmarks.results import OUTPUTS, Results
from benchmarks.timing.command import slug
from reports.figures.style import HEIGHT, STYLE, WIDTH, broken, line_of, paged, save

RULE_MARKERS = "oXP*vD"
FILL_MARKERS = "os^vDPX<>"
FILL_COLOUR = "0.45"
BANDS = 5  # more networks than these would hide each other behind theirs
ROWS = 4  # holes on a page
LETTERS = 130  # of a legend's print that fit beside each other
BELOW = 2.0  # dB below the fills and what fits end at, where an axis begins


def against_iterations(results: Results, folder: Path) -> list[str]:
    """A panel per hole and output; returns the PNGs' names, none without scores.

    Lines are means over images (seeds averaged within an image first), bands the sample standard
    deviation over images, for up to five networks; fills are thin lines with their names at the
    right, markers the rules' choices. A point stands for the same images as its neighbours: where
    one of them has no score, there is no point.
    """
    return _figures(results, folder, "iteration", "quality-against-iterations")


def against_seconds(results: Results, folder: Path) -> list[str]:
    """The same over the seconds of all iterations until then, median over fits; fills are points.

    A device has figures of its own. None where nothing was fitted.
    """
    named: list[str] = []
    devices = list(results.curves["device"].unique())
    for device in devices:
        rows = results.rows[results.rows["device"] == device]
        curves = results.curves[results.curves["device"] == device]
        name = "quality-against-seconds" + (f"-{slug(device)}" if len(devices) > 1 else "")
        named += _figures(results, folder, "seconds", name, rows, curves)
    return named


Over = Literal["iteration", "seconds"]


@dataclass(frozen=True)
class _Line:
    """A method in one panel: over `at`, the mean over images and their standard deviation."""

    at: "pd.Series[float]"
    mean: "pd.Series[float]"
    spread: "pd.Series[float]"
    is_whole: bool  # every planned image is behind it


def _figures(
    results: Results,
    folder: Path,
    over: Over,
    name: str,
    rows: pd.DataFrame | None = None,
    curves: pd.DataFrame | None = None,
) -> list[str]:
    rows = results.rows if rows is None else rows
    curves = results.curves if curves is None else curves
    rows = rows[rows["psnr_hole"].notna()]
    masks = list(rows["mask"].unique())
    pages = [masks[first : first + ROWS] for first in range(0, len(masks), ROWS)]
    return [
        _figure(results, rows, curves, page, over, folder, paged(name, index))
        for index, page in enumerate(pages)
    ]


def _figure(
    results: Results,
    rows: pd.DataFrame,
    curves: pd.DataFrame,
    masks: Sequence[str],
    over: Over,
    folder: Path,
    name: str,
) -> str:
    networks = [each for each in results.jobs["method"].unique() if each in results.networks]
    fills = [each for each in results.jobs["method"].unique() if each not in results.networks]
    outputs = [each for each in OUTPUTS if (curves["output"] == each).any()] or ["raw"]
    has_bands = curves["method"].nunique() <= BANDS
    entries: dict[str, Any] = {}
    partial: set[str] = set()
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(
            len(masks),
            len(outputs),
            figsize=(WIDTH, 2.1 * len(masks) + 0.5),
            squeeze=False,
            sharex=True,
            sharey="row",
            layout="constrained",
        )
        for line, mask in zip(axes, masks, strict=True):
            of_mask = rows[rows["mask"] == mask]
            levels: dict[str, float] = {}
            ends: list[float] = []
            for axis, output in zip(line, outputs, strict=True):
                axis.set_title(f"{broken(mask, 40)}, {output} output")
                for index, method in enumerate(networks):
                    part = curves[(curves["mask"] == mask) & (curves["output"] == output)]
                    drawn = _line(results, part[part["method"] == method], mask, method, over)
                    if drawn is None:
                        continue
                    entries.setdefault(method, axis.plot(drawn.at, drawn.mean, **line_of(index))[0])
                    low, high = drawn.mean - drawn.spread, drawn.mean + drawn.spread
                    if has_bands:
                        colour = line_of(index)["color"]
                        axis.fill_between(
                            drawn.at, low, high, color=colour, alpha=0.12, linewidth=0
                        )
                    ends.append(float((low.fillna(drawn.mean)).iloc[-1]))
                    partial |= set() if drawn.is_whole else {method}
                for index, method in enumerate(fills):
                    level = _line(results, of_mask[of_mask["method"] == method], mask, method, over)
                    if level is None:
                        continue
                    levels[method] = float(level.mean.iloc[0])
                    partial |= set() if level.is_whole else {method}
                    if over == "iteration":
                        axis.axhline(levels[method], color=FILL_COLOUR, linewidth=0.7, zorder=1.9)
                    else:
                        marker = FILL_MARKERS[index % len(FILL_MARKERS)]
                        style = {"marker": marker, "color": FILL_COLOUR, "linestyle": ""}
                        entries.setdefault(method, axis.plot(level.at, level.mean, **style)[0])
            line[0].set_ylabel("hole PSNR (dB)")
            _begin_axis(line[0], [*levels.values(), *ends])
            if over == "iteration":
                _name_levels(line[-1], levels, partial)
        rules = _mark_stops(axes[:, 0], results, masks, networks) if over == "iteration" else {}
        for axis in axes[-1]:
            axis.set_xlabel("iterations" if over == "iteration" else "seconds")
            if over == "seconds":
                axis.set_xscale("log")
                axis.xaxis.set_major_formatter("{x:g}")
        handles = {
            # matplotlib leaves a name out that begins with an underscore.
            **{f" {_noted(method, partial)}": entry for method, entry in entries.items()},
            **{f" {rule}": marker for rule, marker in rules.items()},
        }
        if handles:
            beside = max(1, min(4, LETTERS // (max(map(len, handles)) + 9)))
            lines = -(-len(handles) // beside)
            figure.set_figheight(min(HEIGHT, figure.get_figheight() + 0.15 * lines))
            figure.legend(handles.values(), handles, loc="outside lower center", ncols=beside)
        figure.align_ylabels()
        return save(figure, folder, name)


def _line(
    results: Results, points: pd.DataFrame, mask: str, method: str, over: Over
) -> _Line | None:
    """points: those of one method and hole, each with its iteration; None if there are none."""
    if points.empty:
        return None
    fits = points.pivot_table(index="iteration", columns=["image", "seed"], values="psnr_hole")
    whole = fits.dropna()
    if whole.empty:
        return None
    per_image = whole.T.groupby(level="image").mean().T
    at = pd.Series(whole.index, whole.index, dtype=float)
    if over == "seconds":
        seconds = points.groupby("iteration")["seconds"].median()
        at = seconds.reindex(whole.index)
    jobs = results.jobs
    planned = jobs[(jobs["mask"] == mask) & (jobs["method"] == method)]["image"].nunique()
    is_whole = len(per_image.columns) == planned
    return _Line(at, per_image.mean(axis=1), per_image.std(axis=1), is_whole)


def _noted(method: str, partial: set[str]) -> str:
    return f"{method} (not all images)" if method in partial else method


def _begin_axis(axis: Any, levels: Sequence[float]) -> None:
    """From a little below the lowest of these on; a curve comes from farther below."""
    low, high = axis.get_ylim()
    finite = [level for level in levels if np.isfinite(level)]
    if finite:
        axis.set_ylim(max(low, min(finite) - BELOW), high)


def _name_levels(axis: Any, levels: dict[str, float], partial: set[str]) -> None:
    """The names of the fills at the right, each at its level or as near as they leave room."""
    finite = {name: level for name, level in levels.items() if np.isfinite(level)}
    if not finite:
        return
    low, high = axis.get_ylim()
    names = sorted(finite, key=finite.__getitem__)
    inches = axis.get_position().height * axis.figure.get_figheight()
    gap = (high - low) * 8.5 / 72 / inches  # of lines of small print
    steps = gap * np.arange(len(names))
    heights = isotonic_regression([finite[name] for name in names] - steps).x + steps
    heights -= max(0, heights[-1] - high)
    for name, height in zip(names, heights, strict=True):
        axis.annotate(
            f" {broken(_noted(name, partial), 24)}",
            xy=(1, finite[name]),
            xytext=(1.05, height),
            xycoords=axis.get_yaxis_transform(),
            textcoords=axis.get_yaxis_transform(),
            fontsize=6.5,
            va="center",
            color="0.25",
            annotation_clip=False,
            arrowprops={
                **{"arrowstyle": "-", "color": "0.6", "linewidth": 0.5},
                **{"shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)},
            },
        )


def _mark_stops(
    axes: Iterable[Any], results: Results, masks: Sequence[str], networks: Sequence[str]
) -> dict[str, Any]:
    """A marker for each rule at the median iteration it chose and its mean over images.

    Returns the marker of each in the legend, by name.
    """
    rules: dict[str, Any] = {}
    stops = results.stops[results.stops["psnr_hole"].notna()]
    for number, rule in enumerate(stops["output"].unique()):
        shape = RULE_MARKERS[number % len(RULE_MARKERS)]
        style = {"marker": shape, "linestyle": "", "markeredgecolor": "white", "markersize": 7}
        for axis, mask in zip(axes, masks, strict=True):
            rules.setdefault(rule, axis.plot([], [], color="0.4", **style)[0])
            for index, method in enumerate(networks):
                chosen = stops[stops["output"] == rule]
                chosen = chosen[(chosen["mask"] == mask) & (chosen["method"] == method)]
                if len(chosen):
                    axis.plot(
                        chosen["iteration"].median(),
                        chosen.groupby("image")["psnr_hole"].mean().mean(),
                        color=line_of(index)["color"],
                        **style,
                    )
    return rules
