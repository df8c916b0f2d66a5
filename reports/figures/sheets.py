"""Sheets of pictures: restorations with a close-up, their errors, and what is reached."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from benchmarks.results import Results
from benchmarks.run_folder import RunFolder
from reports.figures.style import HEIGHT, STYLE, WIDTH, broken, paged, save
from reports.scores import measures

COLUMNS = 6  # pictures beside each other
IMAGES = 12  # shown of a hole; the page has them all
CLOSE_UP = 0.4  # of the shorter side
LARGEST_ERROR = 0.4  # of the scale of error maps; the channels' range is 1
PRINT = 6.5  # points
WIDEST, NARROWEST = 1.8, 3.6  # inches of a picture, and of a sheet
TALLEST = 3.0  # a picture that is higher than so many times its width is shown smaller
# Inches: between pictures, of a line of print, of a sheet's title, and of a scale below it.
GAP, LINE, TITLE, SCALE = 0.05, 0.125, 0.3, 0.55
ERRORS = "cividis"  # as light in grey, and for colour-blind eyes, as the error is large


@dataclass(frozen=True)
class Cell:
    """A picture of a sheet, (C, H, W) uint8, or (H, W) errors; lines are drawn around the pixels
    that are not in the mask of each of `outlines`, which has a colour and dashes beside it.
    """

    heading: str
    pixels: NDArray[Any]
    caption: str = ""
    outlines: tuple[tuple[NDArray[np.bool_], str, str], ...] = ()


@dataclass(frozen=True)
class Block:
    """The pictures of one image; window: what is shown closer, top, left and side in pixels."""

    cells: tuple[Cell, ...]
    window: tuple[int, int, int] | None = None


def contact_sheets(results: Results, folder: Path) -> list[str]:
    """A sheet per hole: truth, masked, and each method's last output; returns the PNGs' names.

    The network's averaged output is shown composited, of the first seed that has one, and below it
    where the hole is largest; then the scores of the suite's metrics.
    """
    return _per_hole(results, folder, "contact-sheet", "known pixels put back", _restorations)


def error_maps(results: Results, folder: Path) -> list[str]:
    """The same outputs as they are, less the truth: absolute errors, mean over channels."""
    return _per_hole(results, folder, "error-map", "absolute error of the output as it is", _errors)


def coverage_sheets(results: Results, measured: pd.DataFrame, folder: Path) -> list[str]:
    """A sheet per hole: what each method drew, around it the hole and what is out of its reach.

    measured: `coverage.per_image`; its images and methods are shown. Returns the PNGs' names.
    """
    sheets: list[str] = []
    final = results.final
    for index, (mask, of_mask) in enumerate(measured.groupby("mask", sort=False)):
        rows = final[(final["mask"] == mask) & (final["output"] == "raw")]
        rows = rows[rows["method"].isin(of_mask["method"])]
        rows = rows.drop_duplicates(["image", "method"])
        blocks = [
            Block(tuple(_reached(results, rows[rows["image"] == image])))
            for image in list(of_mask["image"].unique())[:IMAGES]
        ]
        title = f"{mask}, raw output, {results.last_iteration} iterations"
        sheets += _draw(blocks, title, folder, f"coverage-{index + 1}")
    return sheets


MakeCells = Callable[[Results, pd.DataFrame], Iterator[Cell]]


def _per_hole(
    results: Results, folder: Path, name: str, about: str, make_cells: MakeCells
) -> list[str]:
    sheets: list[str] = []
    final = results.final
    final = final[(final["output"] == "averaged") | (final["iteration"] == 0)]
    for index, mask in enumerate(final["mask"].unique()):
        rows = final[final["mask"] == mask].drop_duplicates(["image", "method"])
        images = list(rows["image"].unique())
        blocks = []
        for image in images[:IMAGES]:
            of_image = rows[rows["image"] == image]
            cells = tuple(make_cells(results, of_image))
            known = results.run(of_image["key"].iloc[0]).known
            window = close_up(known) if make_cells is _restorations else None
            blocks.append(Block(cells, window))
        title = f"{mask}, {results.last_iteration} iterations: {about}"
        if len(images) > IMAGES:
            title += f" ({IMAGES} of {len(images)} images)"
        sheets += _draw(blocks, title, folder, f"{name}-{index + 1}")
    return sheets


def _restorations(results: Results, rows: pd.DataFrame) -> Iterator[Cell]:
    """rows: of one image, one for each method."""
    run = results.run(rows["key"].iloc[0])
    yield Cell("truth", run.truth)
    yield Cell("masked", _masked(run))
    for row in rows.to_dict("records"):
        pixels = np.where(run.known, run.truth, _restoration(results, row))
        yield Cell(row["method"], pixels, _scores(results, row))


def _errors(results: Results, rows: pd.DataFrame) -> Iterator[Cell]:
    """rows: of one image, one for each method."""
    run = results.run(rows["key"].iloc[0])
    yield Cell("truth", run.truth)
    yield Cell("masked", _masked(run))
    for row in rows.to_dict("records"):
        errors = np.abs(_restoration(results, row).astype(np.float64) - run.truth) / 255
        in_hole = errors.mean(axis=0)[~run.known].mean()
        yield Cell(row["method"], errors.mean(axis=0), f"in the hole {in_hole:.3f}")


def _reached(results: Results, rows: pd.DataFrame) -> Iterator[Cell]:
    """rows: of one image, one for each method."""
    yield Cell("truth", results.run(rows["key"].iloc[0]).truth)
    for row in rows.to_dict("records"):
        run = results.run(row["key"])
        pixels = np.where(run.known, run.truth, _restoration(results, row))
        outlines = [(run.known, "0.3", "--")]
        if run.reached is not None:
            outlines.append((run.reached | run.known, "black", "-"))
        caption = f"{100 * row['uncovered']:.1f} % out of reach"
        yield Cell(row["method"], pixels, caption, tuple(outlines))


def _masked(run: RunFolder) -> NDArray[np.uint8]:
    return np.where(run.known, run.truth, 255).astype(np.uint8)


def _restoration(results: Results, row: dict[Any, Any]) -> NDArray[np.uint8]:
    return results.run(row["key"]).restoration(row["output"], int(row["iteration"]))


def _scores(results: Results, row: dict[Any, Any]) -> str:
    shown = []
    for measure in measures(results):
        score = row[measure.column]
        if not pd.isna(score):
            unit = "{} dB" if measure.name == "psnr" else f"{measure.name.upper()} {{}}"
            shown.append(unit.format(f"{score:.{measure.decimals}f}"))
    return "\n".join(shown)


def close_up(known: NDArray[np.bool_]) -> tuple[int, int, int]:
    """The square window with most hole pixels, the one nearest to the middle among equals.

    known: (H, W). Returns top, left and side in pixels.
    """
    height, width = known.shape
    side = max(1, round(CLOSE_UP * min(height, width)))
    share = uniform_filter((~known).astype(np.float64), side, mode="constant")
    # `share` at a pixel is of the window around it; those that lie within the image:
    before = side // 2
    inside = share[before : height - side + before + 1, before : width - side + before + 1]
    rows, columns = np.indices(inside.shape)
    middle = np.hypot(rows - (height - side) / 2, columns - (width - side) / 2)
    best = np.lexsort((middle.ravel(), -inside.round(9).ravel()))[0]
    top, left = np.unravel_index(best, inside.shape)
    return int(top), int(left), side


def _draw(blocks: Sequence[Block], title: str, folder: Path, name: str) -> list[str]:
    """As many pages as the blocks need; returns the PNGs' names."""
    cells = [cell for block in blocks for cell in block.cells]
    columns = min(COLUMNS, max(len(block.cells) for block in blocks))
    width = min(WIDTH / columns, WIDEST)
    letters = int(width * 72 / (0.55 * PRINT))
    sizes = _Sizes(
        columns,
        width,
        tall=min(TALLEST, max(cell.pixels.shape[-2] / cell.pixels.shape[-1] for cell in cells)),
        is_close=blocks[0].window is not None,
        letters=letters,
        headings=1 + max(broken(cell.heading, letters).count("\n") for cell in cells),
        captions=1 + max(cell.caption.count("\n") for cell in cells),
    )
    room = int((HEIGHT - TITLE - SCALE) // sizes.height)
    return [
        _page(page, title, sizes, folder, paged(name, number))
        for number, page in enumerate(_pages([[*_lines(block)] for block in blocks], room))
    ]


@dataclass(frozen=True)
class _Sizes:
    """Of a line of pictures: how many columns, inches of each with the gap beside it, how many
    times as high as wide a picture may be, whether close-ups stand below, letters above a picture,
    and lines of headings and captions.
    """

    columns: int
    width: float
    tall: float
    is_close: bool
    letters: int
    headings: int
    captions: int

    @property
    def side(self) -> float:
        """Of a picture, and of a close-up."""
        return self.width - GAP

    @property
    def heading(self) -> float:
        return self.headings * LINE + GAP

    @property
    def height(self) -> float:
        """Of the whole line."""
        pictures = self.side * self.tall + (GAP + self.side if self.is_close else 0)
        return self.heading + pictures + self.captions * LINE + GAP


def _pages(images: Sequence[list[Block]], room: int) -> list[list[Block]]:
    """An image's lines stay together where a page has room for them."""
    pages: list[list[Block]] = [[]]
    for lines in images:
        if pages[-1] and len(pages[-1]) + len(lines) > room:
            pages.append([])
        for line in lines:
            if len(pages[-1]) >= max(1, room):
                pages.append([])
            pages[-1].append(line)
    return pages


def _lines(block: Block) -> Iterator[Block]:
    """A block in as many lines as its pictures need, of about the same length."""
    lines = -(-len(block.cells) // COLUMNS)
    columns = -(-len(block.cells) // lines)
    for first in range(0, len(block.cells), columns):
        yield replace(block, cells=block.cells[first : first + columns])


def _page(lines: Sequence[Block], title: str, sizes: _Sizes, folder: Path, name: str) -> str:
    errors: Any = None  # one of the error maps, which all have the same scale
    is_error = any(cell.pixels.ndim == 2 for line in lines for cell in line.cells)
    width = max(sizes.columns * sizes.width, NARROWEST)
    height = TITLE + len(lines) * sizes.height + (SCALE if is_error else 0)
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=(width, height))

        def place(column: int, top: float, tall: float) -> Any:
            """Axes as wide as a picture; top and tall in inches."""
            left = column * sizes.width + GAP / 2
            box = (left / width, 1 - (top + tall) / height, sizes.side / width, tall / height)
            return figure.add_axes(box, anchor="N")

        for number, line in enumerate(lines):
            top = TITLE + number * sizes.height + sizes.heading
            below = top + sizes.side * sizes.tall + GAP
            for column, cell in enumerate(line.cells):
                axis = place(column, top, sizes.side * sizes.tall)
                axis.set_title(broken(cell.heading, sizes.letters), fontsize=PRINT, pad=2)
                shown = _picture(axis, cell.pixels)
                errors = shown if cell.pixels.ndim == 2 else errors
                for inside, colour, dashes in cell.outlines:
                    _outline(axis, inside, colour, dashes)
                if line.window:
                    start, left, side = line.window
                    _frame(axis, line.window)
                    axis = place(column, below, sizes.side)
                    _picture(axis, cell.pixels[:, start : start + side, left : left + side])
                axis.set_xlabel(cell.caption, fontsize=PRINT, labelpad=2)
        if is_error:
            axis = figure.add_axes((0.25, (SCALE - 0.2) / height, 0.5, 0.1 / height))
            bar = figure.colorbar(errors, cax=axis, orientation="horizontal", extend="max")
            axis.grid(visible=False)
            bar.set_label("absolute error, mean over channels of range 1", fontsize=PRINT)
        letters = int(width * 14)
        figure.text(
            0.5, 1 - 0.05 / height, broken(title, letters), fontsize=8, ha="center", va="top"
        )
        return save(figure, folder, name)


def _picture(axis: Any, pixels: NDArray[Any]) -> Any:
    axis.set_axis_on()
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    if pixels.ndim == 2:
        return axis.imshow(pixels, cmap=ERRORS, vmin=0, vmax=LARGEST_ERROR, interpolation="nearest")
    if len(pixels) == 1:
        return axis.imshow(pixels[0], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    return axis.imshow(pixels.transpose(1, 2, 0), interpolation="nearest")


def _frame(axis: Any, window: tuple[int, int, int]) -> None:
    """Around what is shown closer: black on white, to be seen on any picture."""
    top, left, side = window
    for colour, width in (("white", 1.6), ("black", 0.7)):
        corner = (left - 0.5, top - 0.5)
        axis.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=colour, linewidth=width))


def _outline(axis: Any, inside: NDArray[np.bool_], colour: str, style: str) -> None:
    """A line around the pixels that are not `inside`, with a white one beneath it."""
    if not inside.all():
        axis.contour(inside, levels=[0.5], colors="white", linewidths=1.8)
        axis.contour(inside, levels=[0.5], colors=colour, linewidths=0.9, linestyles=style)
