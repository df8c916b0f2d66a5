"""The figures: quality against iterations, and contact sheets of restorations."""

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
LINES = {"raw": "-", "averaged": "--"}
MARKERS = "osD^vP"


def quality_against_iterations(results: Results, folder: Path) -> str | None:
    """Hole PSNR over iterations, a panel per hole; returns the PNG's name, None without scores.

    Lines are means over images (seeds averaged within an image first), bars the sample standard
    deviation over images; fills are horizontal lines. A point stands for the same images as its
    neighbours: where one of them has no score, there is no point.
    """
    rows = results.rows[results.rows["psnr_hole"].notna()]
    if rows.empty:
        return None
    masks = list(rows["mask"].unique())
    methods = list(rows["method"].unique())
    columns = min(len(masks), 3)
    lines = -(-len(masks) // columns)
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(
            lines, columns, figsize=(3.6 * columns + 0.4, 2.9 * lines + 0.8), squeeze=False
        )
        entries: dict[str, Any] = {}
        for axis, mask in zip(axes.flat, masks, strict=False):
            for index, method in enumerate(methods):
                part = rows[(rows["mask"] == mask) & (rows["method"] == method)]
                _draw_method(axis, part, method, index)
            axis.set_title(mask)
            axis.set_xlabel("iterations")
            axis.set_ylabel("hole PSNR (dB)")
            handles, labels = axis.get_legend_handles_labels()
            entries.update(zip(labels, handles, strict=True))
        for axis in list(axes.flat)[len(masks) :]:
            axis.remove()
        figure.tight_layout()
        figure.legend(
            list(entries.values()),
            list(entries),
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            ncols=min(3, len(entries)),
        )
        return _save(figure, folder, "quality-against-iterations")


def _draw_method(axis: Any, rows: pd.DataFrame, method: str, index: int) -> None:
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    colour, marker = colours[index % len(colours)], MARKERS[index // len(colours) % len(MARKERS)]
    for output in rows["output"].unique():
        per_image = (
            rows[rows["output"] == output]
            .pivot_table(index="iteration", columns="image", values="psnr_hole", aggfunc="mean")
            .dropna()
        )
        mean, spread = per_image.mean(axis=1), per_image.std(axis=1)
        if list(per_image.index) == [0]:
            axis.axhline(mean.iloc[0], color=colour, linestyle=":", label=f" {method}")
            continue
        axis.errorbar(
            per_image.index,
            mean,
            yerr=None if spread.isna().all() else spread,
            color=colour,
            linestyle=LINES.get(output, "-."),
            marker=marker,
            capsize=2,
            elinewidth=0.7,
            # matplotlib leaves a label out that begins with an underscore.
            label=f" {method}, {output}",
        )


def contact_sheets(results: Results, folder: Path) -> list[str]:
    """A sheet per hole: truth, masked, and each method's last output; returns the PNGs' names.

    The network's averaged output is shown composited, of the first seed; below each restoration
    is its hole PSNR.
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
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(
            len(images),
            len(headings),
            figsize=(1.5 * len(headings), 1.72 * len(images) + 0.4),
            squeeze=False,
        )
        for axis in axes.flat:
            axis.set_axis_off()
        for column, heading in enumerate(headings):
            axes[0, column].set_title(heading.replace("[", "\n["), fontsize=8)
        for line, image in zip(axes, images, strict=True):
            of_image = rows[rows["image"] == image]
            run = results.run(of_image["key"].iloc[0])
            _picture(line[0], run.truth, "")
            _picture(line[1], np.where(run.known, run.truth, 255).astype(np.uint8), "")
            for axis, method in zip(line[2:], methods, strict=True):
                for row in of_image[of_image["method"] == method].itertuples():
                    run = results.run(row.key)
                    restored = run.restoration(row.output, row.iteration)
                    pixels = np.where(run.known, run.truth, restored)
                    _picture(axis, pixels, _decibels(row.psnr_hole))
        figure.suptitle(f"{mask}, {results.last_iteration} iterations", fontsize=9)
        figure.tight_layout(pad=0.4)
        return _save(figure, folder, name)


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
