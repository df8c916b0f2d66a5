"""The figures: quality against iterations, and contact sheets of restorations."""

from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.results import Results

STYLE = str(Path(__file__).parent / "style.mplstyle")
MARKERS = "osD^vP"
LINES = ("-", "--", "-.")
SHEET_COLUMNS = 8


def quality_against_iterations(results: Results, folder: Path) -> str | None:
    """Hole PSNR over iterations, a panel per hole and output; the PNG's name, None without scores.

    Lines are means over images (seeds averaged within an image first), bars the sample standard
    deviation over images; fills are dotted lines. A point stands for the same images as its
    neighbours: where one of them has no score, there is no point.
    """
    rows = results.rows[results.rows["psnr_hole"].notna()]
    if rows.empty:
        return None
    masks, methods = list(rows["mask"].unique()), list(rows["method"].unique())
    is_fill = rows["iteration"] == 0
    outputs = list(rows[~is_fill]["output"].unique()) or ["raw"]
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
        partial: list[str] = []
        for axis, (output, mask) in zip(axes.flat, product(outputs, masks), strict=True):
            axis.set_title(f"{mask}, {output} output")
            axis.set_ylabel("hole PSNR (dB)")
            in_panel = rows[(rows["mask"] == mask) & (is_fill | (rows["output"] == output))]
            for index, method in enumerate(methods):
                part = in_panel[in_panel["method"] == method]
                if part.empty:
                    continue
                line, images = _draw_method(axis, part, index)
                # matplotlib leaves a name out that begins with an underscore.
                entries.setdefault(f" {method}", line)
                if images < _planned_images(results, mask, method):
                    partial.append(f" {method}")
        for axis in axes[-1]:
            axis.set_xlabel("iterations")
        figure.tight_layout()
        figure.legend(
            list(entries.values()),
            [name + (" (not all images)" if name in partial else "") for name in entries],
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            ncols=2 * len(masks) if max(map(len, entries)) < 20 else len(masks),
        )
        return _save(figure, folder, "quality-against-iterations")


def _planned_images(results: Results, mask: str, method: str) -> int:
    jobs = results.jobs
    return jobs[(jobs["mask"] == mask) & (jobs["method"] == method)]["image"].nunique()


def _draw_method(axis: Any, rows: pd.DataFrame, index: int) -> tuple[Any, int]:
    """One method's line in one panel; returns it and the number of images behind it."""
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    colour = colours[index % len(colours)]
    per_image = rows.pivot_table(
        index="iteration", columns="image", values="psnr_hole", aggfunc="mean"
    ).dropna()
    images = len(per_image.columns)
    mean, spread = per_image.mean(axis=1), per_image.std(axis=1)
    if list(per_image.index) == [0]:
        return axis.axhline(mean.iloc[0], color=colour, linestyle=":"), images
    line = axis.errorbar(
        per_image.index,
        mean,
        yerr=None if spread.isna().all() else spread,
        color=colour,
        marker=MARKERS[index // len(colours) % len(MARKERS)],
        linestyle=LINES[index // len(colours) % len(LINES)],
        capsize=2,
        elinewidth=0.7,
    )
    return line, images


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
    columns = min(len(headings), SHEET_COLUMNS)
    lines = -(-len(headings) // columns)  # of each image
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
        return _save(figure, folder, name)


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


def _save(figure: Any, folder: Path, name: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    # Without dates and versions inside, the same results give the same files.
    figure.savefig(folder / f"{name}.png", metadata={"Software": None})
    figure.savefig(folder / f"{name}.pdf", metadata={"Creator": None, "CreationDate": None})
    plt.close(figure)
    return f"{name}.png"
