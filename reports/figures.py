"""The figures: quality against iterations, restorations side by side, and what is within reach."""

from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.results import Results

STYLE = str(Path(__file__).parent / "style.mplstyle")
RULE_MARKERS = "oXP*vD"
LINES = ("-", "--", "-.", (0, (1, 1)))
SHEET_COLUMNS = 8
BANDS = 5  # more networks than these would hide each other behind theirs


def quality_against_iterations(results: Results, folder: Path) -> str | None:
    """Hole PSNR over iterations, a panel per hole and output; the PNG's name, None without scores.

    Lines are means over images (seeds averaged within an image first), bands the sample standard
    deviation over images, for up to five networks; fills are dotted lines, markers the rules'
    choices. A point stands for the same images as its neighbours: where one of them has no score,
    there is no point.
    """
    rows = results.rows[results.rows["psnr_hole"].notna()]
    if rows.empty:
        return None
    masks, methods = list(rows["mask"].unique()), list(rows["method"].unique())
    curves = results.curves
    has_bands = curves["method"].nunique() <= BANDS
    outputs = list(curves["output"].unique()) or ["raw"]
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(
            len(outputs),
            len(masks),
            figsize=(3.6 * len(masks) + 0.4, 2.7 * len(outputs) + 0.4),
            squeeze=False,
            sharex=True,
            sharey="col",
        )
        entries: dict[str, Any] = {}
        rules: dict[str, Any] = {}
        partial: list[str] = []
        for axis, (output, mask) in zip(axes.flat, product(outputs, masks), strict=True):
            axis.set_title(f"{mask}, {output} output")
            axis.set_ylabel("hole PSNR (dB)")
            fills = rows[(rows["mask"] == mask) & (rows["iteration"] == 0)]
            in_panel = pd.concat(
                [fills, curves[(curves["mask"] == mask) & (curves["output"] == output)]]
            )
            for index, method in enumerate(methods):
                if output == "raw":
                    stops = results.stops
                    of_method = stops[(stops["mask"] == mask) & (stops["method"] == method)]
                    _mark_stops(axis, of_method, index, rules)
                part = in_panel[in_panel["method"] == method]
                if part.empty:
                    continue
                line, images = _draw_method(axis, part, index, has_bands)
                # matplotlib leaves a name out that begins with an underscore.
                entries.setdefault(f" {method}", line)
                if images < _planned_images(results, mask, method):
                    partial.append(f" {method}")
        for axis in axes[-1]:
            axis.set_xlabel("iterations")
        figure.tight_layout()
        names = [name + (" (not all images)" if name in partial else "") for name in entries]
        figure.legend(
            [*entries.values(), *rules.values()],
            [*names, *(f" {rule}" for rule in rules)],
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            ncols=2 * len(masks) if max(map(len, entries), default=0) < 20 else len(masks),
        )
        return save(figure, folder, "quality-against-iterations")


def _planned_images(results: Results, mask: str, method: str) -> int:
    jobs = results.jobs
    return jobs[(jobs["mask"] == mask) & (jobs["method"] == method)]["image"].nunique()


def _draw_method(axis: Any, rows: pd.DataFrame, index: int, has_band: bool) -> tuple[Any, int]:
    """One method's line in one panel; returns it and the number of images behind it."""
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    colour = colours[index % len(colours)]
    per_fit = rows.pivot_table(index="iteration", columns=["image", "seed"], values="psnr_hole")
    per_image = per_fit.dropna().T.groupby(level="image").mean().T
    images = len(per_image.columns)
    mean, spread = per_image.mean(axis=1), per_image.std(axis=1)
    if list(per_image.index) == [0]:
        return axis.axhline(mean.iloc[0], color=colour, linestyle=":"), images
    style = LINES[index // len(colours) % len(LINES)]
    (line,) = axis.plot(per_image.index, mean, color=colour, linestyle=style)
    if has_band:
        axis.fill_between(
            per_image.index, mean - spread, mean + spread, color=colour, alpha=0.12, linewidth=0
        )
    return line, images


def _mark_stops(axis: Any, stops: pd.DataFrame, index: int, rules: dict[str, Any]) -> None:
    """A marker for each rule at the median iteration it chose and its mean over images.

    rules: the marker of each in the legend, by name; grows.
    """
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for rule in stops["output"].unique():
        chosen = stops[stops["output"] == rule]
        number = list(rules).index(rule) if rule in rules else len(rules)
        shape = RULE_MARKERS[number % len(RULE_MARKERS)]
        style = {"marker": shape, "linestyle": "", "markeredgecolor": "white", "markersize": 7}
        axis.plot(
            chosen["iteration"].median(),
            chosen.groupby("image")["psnr_hole"].mean().mean(),
            color=colours[index % len(colours)],
            **style,
        )
        rules.setdefault(rule, axis.plot([], [], color="0.4", **style)[0])


def contact_sheets(results: Results, folder: Path) -> list[str]:
    """A sheet per hole: truth, masked, and each method's last output; returns the PNGs' names.

    The network's averaged output is shown composited, of the first seed that has one; below each
    restoration is its hole PSNR.
    """
    sheets = []
    for index, mask in enumerate(results.rows["mask"].unique()):
        rows = results.final[results.final["mask"] == mask]
        rows = rows[(rows["output"] == "averaged") | (rows["iteration"] == 0)]
        rows = rows.drop_duplicates(["image", "method"])
        if len(rows):
            sheets.append(_contact_sheet(results, rows, mask, folder, f"contact-sheet-{index + 1}"))
    return sheets


def _contact_sheet(results: Results, rows: pd.DataFrame, mask: str, folder: Path, name: str) -> str:
    images, methods = list(rows["image"].unique()), list(rows["method"].unique())
    headings = ["truth", "masked", *methods]
    lines = -(-len(headings) // SHEET_COLUMNS)  # of each image
    columns = -(-len(headings) // lines)
    lines_of_heading = max(heading.count(",") + heading.count("[") for heading in headings) + 1
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(
            len(images) * lines,
            columns,
            figsize=(
                1.5 * columns,
                (1.62 + 0.12 * lines_of_heading) * len(images) * lines + 0.4,
            ),
            squeeze=False,
        )
        for axis in axes.flat:
            axis.set_axis_off()
        for line, image in enumerate(images):
            of_image = rows[rows["image"] == image].set_index("method")
            run = results.run(of_image["key"].iloc[0])
            places = axes[line * lines : (line + 1) * lines].flat
            for column, (axis, heading) in enumerate(zip(places, headings, strict=False)):
                if line == 0 or lines > 1:
                    axis.set_title(_broken(heading), fontsize=7)
                if column == 0:
                    _picture(axis, run.truth, "")
                elif column == 1:
                    _picture(axis, np.where(run.known, run.truth, 255).astype(np.uint8), "")
                elif heading in of_image.index:
                    row = of_image.loc[heading]
                    restored = results.run(row["key"]).restoration(row["output"], row["iteration"])
                    pixels = np.where(run.known, run.truth, restored)
                    _picture(axis, pixels, _decibels(row["psnr_hole"]))
        figure.tight_layout(pad=0.4)
        title = f"{mask}, {results.last_iteration} iterations"
        figure.suptitle(title, y=1.0, verticalalignment="bottom", fontsize=9)
        return save(figure, folder, name)


def coverage_sheets(results: Results, measured: pd.DataFrame, folder: Path) -> list[str]:
    """A sheet per hole: what each method drew, around it the hole and what is out of its reach.

    measured: `coverage.per_image`; its images and methods are shown. Returns the PNGs' names.
    """
    sheets = []
    for index, (mask, of_mask) in enumerate(measured.groupby("mask", sort=False)):
        images, methods = list(of_mask["image"].unique()), list(of_mask["method"].unique())
        final = results.final
        rows = final[(final["mask"] == mask) & (final["output"] == "raw")]
        rows = rows.drop_duplicates(["image", "method"]).set_index(["image", "method"])
        with plt.style.context(STYLE):
            figure, axes = plt.subplots(
                len(images),
                len(methods) + 1,
                figsize=(1.7 * (len(methods) + 1), 1.85 * len(images) + 0.5),
                squeeze=False,
            )
            for line, image in zip(axes, images, strict=True):
                for axis in line:
                    axis.set_axis_off()
                for axis, method in zip(line[1:], methods, strict=True):
                    if (image, method) not in rows.index:
                        continue
                    row = rows.loc[(image, method)]
                    run = results.run(row["key"])
                    restored = run.restoration("raw", row["iteration"])
                    pixels = np.where(run.known, run.truth, restored)
                    _picture(axis, pixels, f"{100 * row['uncovered']:.1f} % out of reach")
                    _outline(axis, run.known, "0.3", "--")
                    if run.reached is not None:
                        _outline(axis, run.reached | run.known, "black", "-")
                    _picture(line[0], run.truth, "")
            for axis, heading in zip(axes[0], ["truth", *methods], strict=True):
                axis.set_title(_broken(heading), fontsize=7)
            figure.tight_layout(pad=0.4)
            title = f"{mask}, raw output, {results.last_iteration} iterations"
            figure.suptitle(title, y=1.0, verticalalignment="bottom", fontsize=9)
            sheets.append(save(figure, folder, f"coverage-{index + 1}"))
    return sheets


def _outline(axis: Any, inside: NDArray[np.bool_], colour: str, style: str) -> None:
    """A line around the pixels that are not `inside`, with a white one beneath it."""
    if not inside.all():
        axis.contour(inside, levels=[0.5], colors="white", linewidths=2.4)
        axis.contour(inside, levels=[0.5], colors=colour, linewidths=1.2, linestyles=style)


def _broken(heading: str) -> str:
    """A method's name on as many lines as it has settings."""
    return heading.replace("[", "\n[").replace(",", ",\n")


def _decibels(psnr: float) -> str:
    return "" if pd.isna(psnr) else f"{psnr:.2f} dB"


def _picture(axis: Any, pixels: NDArray[np.uint8], caption: str) -> None:
    axis.set_axis_on()
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    if len(pixels) == 1:
        axis.imshow(pixels[0], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    else:
        axis.imshow(pixels.transpose(1, 2, 0), interpolation="nearest")
    axis.set_xlabel(caption, fontsize=8, labelpad=2)


def save(figure: Any, folder: Path, name: str) -> str:
    """As PNG and PDF; returns the PNG's name."""
    folder.mkdir(parents=True, exist_ok=True)
    # Without dates and versions inside, the same results give the same files.
    figure.savefig(folder / f"{name}.png", metadata={"Software": None})
    figure.savefig(folder / f"{name}.pdf", metadata={"Creator": None, "CreationDate": None})
    plt.close(figure)
    return f"{name}.png"
