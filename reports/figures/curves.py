"""Hole PSNR against iterations and against seconds, with the fills that take neither."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
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
    deviation over images, for up to `BANDS` networks; fills are thin lines with their names at the
    right, markers the rules' choices. (n/N): fits behind a line, of those planned, where it lacks
    some. A point stands for the same images as its neighbours: where
    one of them has no score, there is no point.
    """
    return _figures(results, folder, "iteration", "quality-against-iterations")


def against_seconds(results: Results, folder: Path) -> list[str]:
    """The same over the seconds of all iterations until then, median over fits; fills are points.

    A device has figures of its own, with all fills in each: where these ran elsewhere, their device
    is said. None where nothing was fitted.
    """
    named: list[str] = []
    for device in results.curves["device"].unique():
        name = "quality-against-seconds"
        if results.curves["device"].nunique() > 1:
            name += f"-{slug(device)}"
        if f"{name}.png" in named:  # devices whose names differ in other letters only
            name += f"-of-device-{len(named) + 1}"
        named += _figures(results, folder, "seconds", name, device)
    return named


Over = Literal["iteration", "seconds"]


@dataclass(frozen=True)
class _Line:
    """A method in one panel: over `at`, the mean over images and their standard deviation.

    n, of: how many fits are behind it, of how many planned.
    """

    at: "pd.Series[float]"
    mean: "pd.Series[float]"
    spread: "pd.Series[float]"
    n: int
    of: int


def _figures(
    results: Results, folder: Path, over: Over, name: str, device: str | None = None
) -> list[str]:
    """device: whose networks are shown; all, if there is none."""
    rows, curves = results.rows, results.curves
    if device is not None:
        rows = rows[(rows["device"] == device) | (rows["iteration"] == 0)]
        curves = curves[curves["device"] == device]
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
    behind: dict[str, list[tuple[int, int]]] = {}  # of each method, in each panel
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
        stops = results.stops[results.stops["psnr_hole"].notna()]
        rules = _Rules(stops, networks) if over == "iteration" else None
        for line, mask in zip(axes, masks, strict=True):
            of_mask = rows[rows["mask"] == mask]
            levels: dict[str, float] = {}
            names: dict[str, str] = {}
            ends: list[float] = rules.mark(line[0], mask) if rules else []
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
                    behind.setdefault(method, []).append((drawn.n, drawn.of))
                for index, method in enumerate(fills):
                    level = _line(results, of_mask[of_mask["method"] == method], mask, method, over)
                    if level is None:
                        continue
                    levels[method] = float(level.mean.iloc[0])
                    names[method] = _noted(method, [(level.n, level.of)])
                    behind.setdefault(method, []).append((level.n, level.of))
                    if over == "iteration":
                        axis.axhline(levels[method], color=FILL_COLOUR, linewidth=0.7, zorder=1.9)
                    else:
                        marker = FILL_MARKERS[index % len(FILL_MARKERS)]
                        style = {"marker": marker, "color": FILL_COLOUR, "linestyle": ""}
                        entries.setdefault(method, axis.plot(level.at, level.mean, **style)[0])
            line[0].set_ylabel("hole PSNR (dB)")
            _begin_axis(line[0], [*levels.values(), *ends])
            if over == "iteration":
                _name_levels(line[-1], levels, names)
        for axis in axes[-1]:
            axis.set_xlabel("iterations" if over == "iteration" else "seconds")
            if over == "seconds":
                axis.set_xscale("log")
                axis.xaxis.set_major_formatter("{x:g}")
        elsewhere = _elsewhere(rows, curves) if over == "seconds" else {}
        handles = {
            # matplotlib leaves a name out that begins with an underscore.
            f" {_noted(method, behind[method])}{elsewhere.get(method, '')}": entry
            for method, entry in entries.items()
        }
        if rules:
            planned = results.jobs["method"].isin(networks) & results.jobs["mask"].isin(masks)
            handles |= rules.legend(masks, int(planned.sum()))
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
        at = points.groupby("iteration")["seconds"].median().reindex(whole.index)
    jobs = results.jobs
    planned = int(((jobs["mask"] == mask) & (jobs["method"] == method)).sum())
    with np.errstate(invalid="ignore"):  # infinite scores have no deviation
        spread = per_image.std(axis=1)
    return _Line(at, per_image.mean(axis=1), spread, len(whole.columns), planned)


def _noted(method: str, behind: Sequence[tuple[int, int]]) -> str:
    """With how many fits are behind it of those planned, where any panel lacks some."""
    lacking = min(behind, key=lambda each: each[0] - each[1])
    n, planned = lacking
    return method if n == planned else f"{method} ({n}/{planned})"


def _elsewhere(rows: pd.DataFrame, curves: pd.DataFrame) -> dict[str, str]:
    """Of the fills that ran on another device than the networks, a word on which."""
    fills = rows[rows["iteration"] == 0].groupby("method")["device"].unique()
    here = set(curves["device"])
    return {
        str(method): f" (on {', '.join(devices)})"
        for method, devices in fills.items()
        if not here & set(devices)
    }


def _begin_axis(axis: Any, levels: Sequence[float]) -> None:
    """From a little below the lowest of these on; a curve comes from farther below."""
    low, high = axis.get_ylim()
    finite = [level for level in levels if np.isfinite(level)]
    if finite:
        axis.set_ylim(max(low, min(finite) - BELOW), high)


def _name_levels(axis: Any, levels: dict[str, float], named: dict[str, str]) -> None:
    """The names of the fills at the right, each at its level or as near as they leave room."""
    if not levels:
        return
    low, high = axis.get_ylim()
    # One that is exact lies above any axis.
    ends = {name: min(level, high) for name, level in levels.items()}
    names = sorted(ends, key=ends.__getitem__)
    inches = axis.get_position().height * axis.figure.get_figheight()
    gap = (high - low) * 8.5 / 72 / inches  # of lines of small print
    steps = gap * np.arange(len(names))
    heights = isotonic_regression([ends[name] for name in names] - steps).x + steps
    heights -= max(0, heights[-1] - high)
    for name, height in zip(names, heights, strict=True):
        word = " (exact)" if np.isinf(levels[name]) else ""
        axis.annotate(
            f" {broken(named[name] + word, 24)}",
            xy=(1, ends[name]),
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


@dataclass
class _Rules:
    """What stopping rules chose; stops: their rows, with scores."""

    stops: pd.DataFrame
    networks: Sequence[str]

    def _style(self, rule: str) -> dict[str, Any]:
        shape = RULE_MARKERS[list(self.stops["output"].unique()).index(rule) % len(RULE_MARKERS)]
        return {"marker": shape, "linestyle": "", "markeredgecolor": "white", "markersize": 7}

    def mark(self, axis: Any, mask: str) -> list[float]:
        """A marker for each rule and network, at its median iteration and its mean over images.

        Returns these means.
        """
        means = []
        of_mask = self.stops[self.stops["mask"] == mask]
        for (rule, method), chosen in of_mask.groupby(["output", "method"], sort=False):
            mean = chosen.groupby("image")["psnr_hole"].mean().mean()
            colour = line_of(self.networks.index(method))["color"]
            style = self._style(str(rule))
            axis.plot(chosen["iteration"].median(), mean, color=colour, zorder=3, **style)
            means.append(float(mean))
        return means

    def legend(self, masks: Sequence[str], planned: int) -> dict[str, Any]:
        """A marker for each rule by its name, with the fits it chose in where these are not all."""
        shown = self.stops[self.stops["mask"].isin(masks)]
        counts = shown.groupby("output", sort=False).size()
        return {
            f" {_noted(str(rule), [(int(n), planned)])}": Line2D(
                [], [], color="0.4", **self._style(str(rule))
            )
            for rule, n in counts.items()
        }
