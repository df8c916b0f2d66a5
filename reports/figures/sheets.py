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

from benchmarks.scoring.results import Results
from benchmarks.store.run_folder import RunFolder
from reports.figures.style import HEIGHT, HOLE, STYLE, WIDTH, broken, paged, save
from reports.tables.leaderboard import standing_output

COLUMNS = 6  # pictures beside each other
IMAGES = 4  # shown of a hole; the page has them all
CLOSE_UP = 0.4  # of the shorter side
PIXELS = 512  # of a side: print shows no more
LARGEST_ERROR = 0.4  # of the scale of error maps; the channels' range is 1
PRINT = 6.5  # points
WIDEST, NARROWEST = 1.8, 3.6  # inches of a picture, and of a sheet
TALLEST = 3.0  # a picture that is higher than so many times its width is shown smaller
# Inches: between pictures, of a line of print, of a sheet's title, and of a scale below it.
GAP, LINE, TITLE, SCALE = 0.05, 0.125, 0.3, 0.55
ERRORS = "cividis"  # as light in grey, and for colour-blind eyes, as the error is large


@dataclass(frozen=True)
class Cell:
    """A picture of a sheet, (C, H, W) uint8, or (H, W) errors, no larger than print can show.

    close: a part of it from near; frame: where that is, top, left and side in its pixels. Lines are
    drawn around the pixels that are not in the mask of each of `outlines`, with colour and dashes.
    """

    heading: str
    pixels: NDArray[Any]
    caption: str = ""
    close: NDArray[Any] | None = None
    frame: tuple[float, float, float] = (0, 0, 0)
    outlines: tuple[tuple[NDArray[Any], str, str], ...] = ()


Block = tuple[Cell, ...]  # the pictures of one image, in the end those of one line
Row = dict[Any, Any]  # of results.csv; of a method without a result its name and status only
Chosen = dict[str, list[list[Row]]]  # by hole: for each image, a row for each method


def choose(results: Results) -> Chosen:
    """Choose what sheets show: the output that stands for a method, of the first seed with one.

    Args:
        results: results of a suite.

    Returns:
        By hole: for each image with a result, a row for each method; without images of which an
        archive has left out a run.
    """
    chosen: Chosen = {}
    for mask, jobs in results.jobs.groupby("mask", sort=False):
        images = [_shown(results, str(mask), image) for image in jobs["image"].unique()]
        keys = [[str(row["key"]) for row in rows if "key" in row] for rows in images]
        chosen[str(mask)] = [
            rows
            for rows, own in zip(images, keys, strict=True)
            if own and all(map(results.has_run, own))
        ]
    return chosen


def contact_sheets(results: Results, chosen: Chosen, folder: Path) -> list[str]:
    """A sheet per hole: truth, masked, and each method's output, composited, with its scores.

    Below each the part where the hole is largest. A method without a result has its status instead.
    Returns the PNGs' names.
    """
    shows = "known pixels put back"
    return _per_hole(results, chosen, folder, "contact-sheet", shows, _restorations)


def error_maps(results: Results, chosen: Chosen, folder: Path) -> list[str]:
    """The same outputs as they are, less the truth: absolute errors, mean over channels."""
    shows = "absolute error of the output as it is"
    return _per_hole(results, chosen, folder, "error-map", shows, _errors)


def coverage_sheets(results: Results, measured: pd.DataFrame, folder: Path) -> list[str]:
    """A sheet per hole: what each method drew, around it the hole and what is out of its reach.

    measured: `coverage.per_image`; its images and methods are shown. Returns the PNGs' names.
    """
    sheets: list[str] = []
    for index, (mask, of_mask) in enumerate(measured.groupby("mask", sort=False)):
        rows = results.last_raw[results.last_raw["mask"] == mask]
        rows = rows[rows["method"].isin(of_mask["method"])]
        rows = rows.drop_duplicates(["image", "method"])
        images = list(of_mask["image"].unique())
        blocks = [
            tuple(_reached(results, rows[rows["image"] == image].to_dict("records")))
            for image in images[:IMAGES]
        ]
        title = f"{mask}, raw output {results.after_last}{_some(images)}"
        sheets += _draw(blocks, title, folder, f"coverage-{index + 1}")
    return sheets


MakeCells = Callable[[Results, Sequence[Row]], Iterator[Cell]]


def _per_hole(
    results: Results, chosen: Chosen, folder: Path, name: str, shows: str, make_cells: MakeCells
) -> list[str]:
    sheets: list[str] = []
    for index, (mask, images) in enumerate(chosen.items()):
        blocks = [tuple(make_cells(results, rows)) for rows in images[:IMAGES]]
        title = f"{mask}, {results.after_last}: {shows}{_some(images)}"
        if blocks:
            sheets += _draw(blocks, title, folder, f"{name}-{index + 1}")
    return sheets


def _some(images: Sequence[Any]) -> str:
    return f" ({IMAGES} of {len(images)} images)" if len(images) > IMAGES else ""


def _shown(results: Results, mask: str, image: str) -> list[Row]:
    """What is shown of each method: the output that stands for it, or any, of the first seed."""
    final, jobs = results.final, results.jobs
    final = final[(final["mask"] == mask) & (final["image"] == image)]
    jobs = jobs[(jobs["mask"] == mask) & (jobs["image"] == image)]
    rows: list[Row] = []
    for method in jobs["method"].unique():
        of_method = final[final["method"] == method]
        standing = of_method[of_method["output"] == standing_output(results, method)]
        chosen = (standing if len(standing) else of_method).head(1).to_dict("records")
        status = jobs[jobs["method"] == method]["status"].iloc[0]
        rows += chosen or [{"method": method, "status": status}]
    return rows


def _restorations(results: Results, rows: Sequence[Row]) -> Iterator[Cell]:
    """rows: of one image, one for each method."""
    run = _a_run(results, rows)
    window = close_up(run.known)
    yield _cell(_image(rows), run.truth, window)
    yield _cell("masked", masked(run), window)
    for row in rows:
        if "key" in row:
            pixels = np.where(run.known, run.truth, _restoration(results, row))
            yield _cell(row["method"], pixels, window, _scores(results, row))
        else:
            yield _cell(row["method"], np.full_like(run.truth, 255), None, row["status"])


def _errors(results: Results, rows: Sequence[Row]) -> Iterator[Cell]:
    """rows: of one image, one for each method."""
    run = _a_run(results, rows)
    yield _cell(_image(rows), run.truth)
    yield _cell("masked", masked(run))
    for row in rows:
        if "key" in row:
            errors = np.abs(_restoration(results, row).astype(np.float32) - run.truth) / 255
            in_hole = errors.mean(axis=0)[~run.known].mean()
            yield _cell(row["method"], errors.mean(axis=0), None, f"in the hole {in_hole:.3f}")
        else:
            yield _cell(row["method"], np.full_like(run.truth, 255), None, row["status"])


def _reached(results: Results, rows: Sequence[Row]) -> Iterator[Cell]:
    """rows: of one image, one for each method."""
    yield _cell("truth", results.run(rows[0]["key"]).truth)
    for row in rows:
        run = results.run(row["key"])
        pixels = np.where(run.known, run.truth, _restoration(results, row))
        outlines = [(_reduced(run.known.astype(np.float32)), "0.3", "--")]
        if run.reached is not None:
            within = (run.reached | run.known).astype(np.float32)
            outlines.append((_reduced(within), "black", "-"))
        cell = _cell(row["method"], pixels, None, f"{100 * row['uncovered']:.1f} % out of reach")
        yield replace(cell, outlines=tuple(outlines))


def _cell(
    heading: str,
    pixels: NDArray[Any],
    window: tuple[int, int, int] | None = None,
    caption: str = "",
) -> Cell:
    """pixels: at full size; window: what is shown from near, top, left and side."""
    if window is None:
        return Cell(heading, _reduced(pixels), caption)
    top, left, side = window
    factor = _factor(pixels)
    close = pixels[..., top : top + side, left : left + side]
    frame = (top / factor, left / factor, side / factor)
    return Cell(heading, _reduced(pixels), caption, _reduced(close), frame)


def _factor(pixels: NDArray[Any]) -> int:
    return -(-max(pixels.shape[-2:]) // PIXELS)


def _reduced(pixels: NDArray[Any]) -> NDArray[Any]:
    """Means over blocks, so that at most `PIXELS` are left on a side; sheets have many pictures."""
    factor = _factor(pixels)
    if factor == 1:
        return pixels
    *channels, height, width = pixels.shape
    height, width = max(1, height // factor), max(1, width // factor)
    blocks = pixels[..., : height * factor, : width * factor]
    shape = (*channels, height, blocks.shape[-2] // height, width, blocks.shape[-1] // width)
    means = blocks.reshape(shape).mean(axis=(-3, -1))
    return means.round().astype(np.uint8) if pixels.dtype == np.uint8 else means


def masked(run: RunFolder) -> NDArray[np.uint8]:
    """(3, H, W): the truth, with a hole of a colour that no photo has."""
    return np.where(run.known, run.truth, np.reshape(HOLE, (3, 1, 1))).astype(np.uint8)


def _image(rows: Sequence[Row]) -> str:
    return f"{next(row['image'] for row in rows if 'key' in row)} (truth)"


def _a_run(results: Results, rows: Sequence[Row]) -> RunFolder:
    return results.run(next(row["key"] for row in rows if "key" in row))


def _restoration(results: Results, row: Row) -> NDArray[np.uint8]:
    return results.run(row["key"]).restoration(row["output"], int(row["iteration"]))


def _scores(results: Results, row: Row) -> str:
    shown: list[str] = []
    for measure in results.scores:
        if not pd.isna(row[measure.column]):
            number = f"{row[measure.column]:.{measure.decimals}f}"
            unit, name = measure.unit, measure.name.upper()
            shown.append(f"{number} {unit}" if unit else f"{name} {number}")
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
    cells = [cell for block in blocks for cell in block]
    columns = min(COLUMNS, max(len(block) for block in blocks))
    width = min(WIDTH / columns, WIDEST)
    letters = int(width * 72 / (0.55 * PRINT))
    sizes = _Sizes(
        columns,
        width,
        tall=min(TALLEST, max(cell.pixels.shape[-2] / cell.pixels.shape[-1] for cell in cells)),
        is_close=any(cell.close is not None for cell in cells),
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
    lines = -(-len(block) // COLUMNS)
    columns = -(-len(block) // lines)
    for first in range(0, len(block), columns):
        yield block[first : first + columns]


def _page(lines: Sequence[Block], title: str, sizes: _Sizes, folder: Path, name: str) -> str:
    errors: Any = None  # one of the error maps, which all have the same scale
    is_error = any(cell.pixels.ndim == 2 for line in lines for cell in line)
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
            for column, cell in enumerate(line):
                axis = place(column, top, sizes.side * sizes.tall)
                axis.set_title(broken(cell.heading, sizes.letters), fontsize=PRINT, pad=2)
                shown = _picture(axis, cell.pixels)
                errors = shown if cell.pixels.ndim == 2 else errors
                for inside, colour, dashes in cell.outlines:
                    _outline(axis, inside, colour, dashes)
                if cell.close is not None:
                    _frame(axis, cell.frame)
                    axis = place(column, below, sizes.side)
                    _picture(axis, cell.close)
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


def _frame(axis: Any, window: tuple[float, float, float]) -> None:
    """Around what is shown closer: black on white, to be seen on any picture."""
    top, left, side = window
    for colour, width in (("white", 1.6), ("black", 0.7)):
        corner = (left - 0.5, top - 0.5)
        axis.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=colour, linewidth=width))


def _outline(axis: Any, inside: NDArray[Any], colour: str, style: str) -> None:
    """A line around the pixels that are not `inside`, with a white one beneath it."""
    if (inside < 0.5).any():
        axis.contour(inside, levels=[0.5], colors="white", linewidths=1.8)
        axis.contour(inside, levels=[0.5], colors=colour, linewidths=0.9, linestyles=style)
