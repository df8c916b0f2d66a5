"""Hole PSNR against iterations and against seconds, with the fills that take neither."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from benchmarks.scoring.results import Results
from benchmarks.scoring.statistics import FEWEST_IMAGES
from benchmarks.system.text import slug
from reports.figures.style import HEIGHT, STYLE, WIDTH, broken, line_of, paged, save
from reports.tables.scores import exact_holes

FILL_MARKERS = "os^vDPX<>"
FILL_COLOUR = "0.45"
BANDS = 5  # more networks than these would hide each other behind theirs
ROWS = 4  # holes on a page
LETTERS = 130  # of a legend's print that fit beside each other
BELOW = 2.0  # dB below the fills and what fits end at, where an axis begins


@dataclass(frozen=True)
class _Line:
    """A method in one hole, by iteration.

    Attributes:
        seconds: time of all iterations so far, median over fits.
        mean: hole PSNR in dB, mean over images.
        spread: standard deviation over images in dB.
        per_image: hole PSNR in dB, a column for each image.
        n: number of fits with a score.
        planned: number of planned fits.
    """

    seconds: "pd.Series[float]"
    mean: "pd.Series[float]"
    spread: "pd.Series[float]"
    per_image: pd.DataFrame
    n: int
    planned: int


Place = tuple[str, ...]  # hole, output and method of a line; a fill's line has no output


@dataclass(frozen=True)
class Lines:
    """The lines of all figures: networks of one device or all devices, and all fills.

    Attributes:
        results: results of the suite.
        rows: rows of results.csv with a hole PSNR.
        curves: rows of the networks' curves.
        networks: lines by hole, output and method.
        fills: lines by hole and method.
    """

    results: Results
    rows: pd.DataFrame
    curves: pd.DataFrame
    networks: dict[Place, _Line]
    fills: dict[Place, _Line]


def lines(results: Results, device: str | None = None) -> Lines:
    """Compute the lines of all methods.

    Args:
        results: results of a suite.
        device: use only fits of networks on this device; None: on all devices.

    Raises:
        OSError: a trace is missing or damaged.
    """
    rows, curves = results.rows, results.curves
    if device is not None:
        rows = rows[(rows["device"] == device) | (rows["iteration"] == 0)]
        curves = curves[curves["device"] == device]
    images = results.jobs.groupby("method")["image"].nunique()
    on_all = images.index[images == results.jobs["image"].nunique()]
    rows, curves = (frame[frame["method"].isin(on_all)] for frame in (rows, curves))
    rows, curves = _without_exact(rows[rows["psnr_hole"].notna()], curves)
    filled = rows[~rows["method"].isin(results.networks)]
    return Lines(
        *(results, rows, curves),
        networks=_by_place(curves, ["mask", "output", "method"], results),
        fills=_by_place(filled, ["mask", "method"], results),
    )


def _without_exact(rows: pd.DataFrame, curves: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Without holes of images that anything fills exactly, whose PSNR is infinite.

    Where that would leave nothing of a hole, only what is infinite is left out.
    """
    both = pd.concat([rows, curves], keys=["rows", "curves"])
    is_exact = np.isinf(both["psnr_hole"])
    if not is_exact.any():
        return rows, curves
    is_out, is_all = exact_holes(both, is_exact, "mask")
    is_left = (~is_out.where(~is_all, is_exact)).to_numpy()
    return rows[is_left[: len(rows)]], curves[is_left[len(rows) :]]


def _by_place(points: pd.DataFrame, names: list[str], results: Results) -> dict[Place, _Line]:
    """Lines by the values of `names`: columns, the hole first and the method last."""
    planned = results.jobs.groupby(["mask", "method"]).size().to_dict()
    by_place: dict[Place, _Line] = {}
    for values, part in points.groupby(names):
        place = tuple(map(str, values))
        if line := _line(part, planned.get((place[0], place[-1]), 0)):
            by_place[place] = line
    return by_place


def against_iterations(shown: Lines, folder: Path) -> list[str]:
    """Draw quality against iterations, with a panel for each hole and output.

    Lines are means over images, after averaging the seeds of an image. Bands are the sample
    standard deviation over images; of fewer than `FEWEST_IMAGES` each has a thin line instead. Both
    are left out for more than `BANDS` networks. Fills are grey lines, named at the right. (n/N)
    means that only n of N planned fits are in the line: others have no score, or their hole is
    filled exactly by some method, so that its PSNR is infinite. All points of a line are of the
    same images, so iterations where one of them has no score have no point. A method that runs on
    some of the images only has no line.

    Args:
        shown: lines of all devices.
        folder: folder for the figures.

    Returns:
        The names of the PNGs; none if nothing has a score.
    """
    return _figures(shown, folder, "iteration", "quality-against-iterations")


def against_seconds(shown: Lines, folder: Path) -> list[str]:
    """Draw quality against the time of all iterations so far, median over fits; fills are points.

    Each device has its own figures with all fills. The legend names the device of fills that ran on
    another one.

    Args:
        shown: lines of all devices.
        folder: folder for the figures.

    Returns:
        The names of the PNGs; none if nothing was fitted.
    """
    devices = list(shown.curves["device"].unique())
    names = [slug(device) for device in devices]
    named: list[str] = []
    for number, (device, short) in enumerate(zip(devices, names, strict=True)):
        # Two may differ in letters that no file's name has.
        own = short if names.count(short) == 1 else f"{short}-device-{number + 1}"
        name = "quality-against-seconds" + (f"-{own}" if len(devices) > 1 else "")
        of_device = lines(shown.results, device) if len(devices) > 1 else shown
        named += _figures(of_device, folder, "seconds", name)
    return named


Over = Literal["iteration", "seconds"]


def _figures(shown: Lines, folder: Path, over: Over, name: str) -> list[str]:
    masks = list(shown.rows["mask"].unique())
    pages = [masks[first : first + ROWS] for first in range(0, len(masks), ROWS)]
    return [
        _figure(shown, page, over, folder, paged(name, index)) for index, page in enumerate(pages)
    ]


def _figure(shown: Lines, masks: Sequence[str], over: Over, folder: Path, name: str) -> str:
    drawing = _Drawing(shown, over)
    drawn = set(shown.curves["output"])
    outputs = [name for name in shown.results.outputs if name in drawn] or ["raw"]
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
            drawing.row(line, mask, outputs)
        for axis in axes[-1]:
            axis.set_xlabel("iterations" if over == "iteration" else "seconds")
            if over == "seconds":
                axis.set_xscale("log")
                axis.xaxis.set_major_formatter("{x:g}")
        if handles := drawing.legend():
            beside = max(1, min(4, LETTERS // (max(map(len, handles)) + 9)))
            lines = -(-len(handles) // beside)
            figure.set_figheight(min(HEIGHT, figure.get_figheight() + 0.15 * lines))
            figure.legend(handles.values(), handles, loc="outside lower center", ncols=beside)
        figure.align_ylabels()
        return save(figure, folder, name)


class _Drawing:
    """Draws the panels of a figure and collects its legend.

    Attributes:
        entries: the legend's line or marker of each method.
        behind: by method, for each panel: number of fits with a score, and of planned fits.
    """

    def __init__(self, shown: Lines, over: Over):
        self.shown, self.over = shown, over
        results = shown.results
        methods = list(results.jobs["method"].unique())
        self.networks = [each for each in methods if each in results.networks]
        self.fills = [each for each in methods if each not in results.networks]
        self.has_spread = shown.curves["method"].nunique() <= BANDS
        self.entries: dict[str, Any] = {}
        self.behind: dict[str, list[tuple[int, int]]] = {}

    def row(self, axes: Sequence[Any], mask: str, outputs: Sequence[str]) -> None:
        """The panels of one hole."""
        levels: dict[str, float] = {}
        ends: list[float] = []
        for axis, output in zip(axes, outputs, strict=True):
            axis.set_title(broken(f"{mask}, {output} output", 90 // len(outputs)))
            ends += self._networks(axis, mask, output)
            levels = self._fills(axis, mask)
        axes[0].set_ylabel("hole PSNR (dB)")
        _begin_axis(axes[0], [*levels.values(), *ends])
        if self.over == "iteration":
            named = {method: _noted(method, self.behind[method][-1:]) for method in levels}
            _name_levels(axes[-1], levels, named)

    def _networks(self, axis: Any, mask: str, output: str) -> list[float]:
        """Returns where the lines, or what shows their spread, end."""
        ends = []
        for index, method in enumerate(self.networks):
            if (line := self.shown.networks.get((mask, output, method))) is None:
                continue
            at = self._at(line)
            self._note(method, line, axis.plot(at, line.mean, **line_of(index))[0])
            low = line.mean
            if self.has_spread:
                low = _draw_spread(axis, at, line, line_of(index)["color"])
            ends.append(float(low.iloc[-1]))
        return ends

    def _fills(self, axis: Any, mask: str) -> dict[str, float]:
        """Lines over iterations, which fills have none of, points over seconds; returns levels."""
        levels = {}
        for index, method in enumerate(self.fills):
            if (line := self.shown.fills.get((mask, method))) is None:
                continue
            if self.over == "seconds" and line.seconds.isna().all():
                continue  # a published picture
            levels[method] = float(line.mean.iloc[0])
            if self.over == "iteration":
                axis.axhline(levels[method], color=FILL_COLOUR, linewidth=0.7, zorder=1.9)
                self._note(method, line, None)
            else:
                marker = FILL_MARKERS[index % len(FILL_MARKERS)]
                style = {"marker": marker, "color": FILL_COLOUR, "linestyle": ""}
                self._note(method, line, axis.plot(self._at(line), line.mean, **style)[0])
        return levels

    def _at(self, line: _Line) -> "pd.Series[float]":
        iterations = line.mean.index.to_series().astype(float)
        return iterations if self.over == "iteration" else line.seconds

    def _note(self, method: str, line: _Line, entry: Any | None) -> None:
        self.behind.setdefault(method, []).append((line.n, line.planned))
        if entry is not None:
            self.entries.setdefault(method, entry)

    def legend(self) -> dict[str, Any]:
        """By names with how many fits are behind them, where these are not all."""
        elsewhere = self._elsewhere()
        # matplotlib leaves a name out that begins with an underscore.
        return {
            f" {_noted(method, self.behind[method])}{elsewhere.get(method, '')}": entry
            for method, entry in self.entries.items()
        }

    def _elsewhere(self) -> dict[str, str]:
        """Of the fills that ran on another device than the networks, a word on which."""
        if self.over == "iteration":
            return {}
        rows = self.shown.rows
        fills = rows[rows["iteration"] == 0].groupby("method")["device"].unique()
        here = set(self.shown.curves["device"])
        return {
            str(method): f" (on {', '.join(devices)})"
            for method, devices in fills.items()
            if not here & set(devices)
        }


def _line(points: pd.DataFrame, planned: int) -> _Line | None:
    """The line of one method and hole; None if no iteration has a score for every fit."""
    fits = points.pivot_table(index="iteration", columns=["image", "seed"], values="psnr_hole")
    whole = fits.dropna()
    if whole.empty:
        return None
    per_image = whole.T.groupby(level="image").mean().T
    seconds = points.groupby("iteration")["seconds"].median().reindex(whole.index)
    spread = per_image.std(axis=1)
    mean = per_image.mean(axis=1)
    return _Line(seconds, mean, spread, per_image, len(whole.columns), planned)


def _draw_spread(axis: Any, at: "pd.Series[float]", line: _Line, colour: str) -> "pd.Series[float]":
    """A band of the standard deviation, or of few images a line for each; returns its lower end."""
    if line.per_image.shape[1] < FEWEST_IMAGES:
        axis.plot(at, line.per_image, color=colour, linewidth=0.5, alpha=0.5)
        return line.per_image.min(axis=1)
    low, high = line.mean - line.spread, line.mean + line.spread
    axis.fill_between(at, low, high, color=colour, alpha=0.12, linewidth=0)
    return low


def _noted(method: str, behind: Sequence[tuple[int, int]]) -> str:
    """With how many fits are behind it of those planned, where any panel lacks some."""
    n, planned = min(behind, key=lambda each: each[0] - each[1])
    return method if n == planned else f"{method} ({n}/{planned})"


def _begin_axis(axis: Any, levels: Sequence[float]) -> None:
    """From a little below the lowest of these on; a curve comes from farther below."""
    low, high = axis.get_ylim()
    if levels:
        axis.set_ylim(max(low, min(levels) - BELOW), high)


def _name_levels(axis: Any, levels: dict[str, float], named: dict[str, str]) -> None:
    """The names of the fills at the right, each at its level or as near as they leave room."""
    if not levels:
        return
    low, high = axis.get_ylim()
    names = sorted(levels, key=levels.__getitem__)
    inches = axis.get_position().height * axis.figure.get_figheight()
    gap = (high - low) * 8.5 / 72 / inches  # of lines of small print
    steps = gap * np.arange(len(names))
    heights = isotonic_regression([levels[name] for name in names] - steps).x + steps
    heights -= max(0, heights[-1] - high)
    for name, height in zip(names, heights, strict=True):
        axis.annotate(
            f" {broken(named[name], 24)}",
            xy=(1, levels[name]),
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
