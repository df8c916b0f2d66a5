"""Training as an animation: large regions first, then shapes, then detail."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from benchmarks.scoring.results import Results
from reports.figures.sheets import masked
from reports.figures.style import broken

NETWORKS = 4  # beside each other
FEWEST_FRAMES = 3
SECONDS = 12  # that all frames take, but for the bounds of each and the last one
SHORTEST, LONGEST, LAST = 250, 1200, 3000  # milliseconds of a frame, and of the last one
SIDE, LARGEST = 192, 384  # pixels that a picture is enlarged to at least, and shrunk to at most
MARGIN, LINE = 8, 16  # pixels


def animations(results: Results, folder: Path) -> list[str]:
    """An animation for each hole, of its first image: raw outputs as they are, up to four networks.

    Returns the names of the WebP files; a hole without three checkpoints has none. Colours are not
    compressed away.
    """
    rows = results.rows[(results.rows["output"] == "raw") & (results.rows["iteration"] > 0)]
    rows = rows[rows["key"].map(results.has_run).astype(bool)]
    named = []
    for index, mask in enumerate(rows["mask"].unique()):
        of_mask = rows[rows["mask"] == mask]
        of_mask = of_mask[of_mask["image"] == of_mask["image"].iloc[0]]
        of_mask = of_mask[of_mask["seed"] == of_mask["seed"].iloc[0]]
        iterations = sorted(of_mask["iteration"].unique())
        if len(iterations) < FEWEST_FRAMES:
            continue
        frames = [Pillow.fromarray(frame) for frame in _frames(results, of_mask, iterations)]
        name = f"training-{index + 1}.webp"
        folder.mkdir(parents=True, exist_ok=True)
        frames[0].save(
            folder / name,
            save_all=True,
            append_images=frames[1:],
            duration=_durations(iterations),
            loop=0,
            lossless=True,
            quality=60,  # how hard it tries to be small
        )
        named.append(name)
    return named


def _durations(iterations: list[int]) -> list[int]:
    """Milliseconds of each frame: training goes fast at first, so by its logarithm."""
    steps = [np.log(later / earlier) for earlier, later in pairwise([1, *iterations])]
    whole = sum(steps)
    shown = [round(np.clip(1000 * SECONDS * each / whole, SHORTEST, LONGEST)) for each in steps]
    return [*shown[:-1], LAST]


def _frames(
    results: Results, rows: pd.DataFrame, iterations: list[int]
) -> Iterator[NDArray[np.uint8]]:
    """Of each iteration: masked image, networks, truth. rows: of one image, hole and seed.

    A network whose fit has ended before stays as it was at last.
    """
    methods = list(rows["method"].unique())[:NETWORKS]
    run = results.run(rows["key"].iloc[0])
    hidden = masked(run)
    last: dict[str, tuple[NDArray[np.uint8], str]] = {}
    for iteration in iterations:
        at = rows[rows["iteration"] == iteration].set_index("method")
        for method in methods:
            if method in at.index:
                row = at.loc[method]
                pixels = results.run(str(row["key"])).restoration("raw", iteration)
                last[method] = pixels, f"iteration {iteration}"
        drawn = [(method, *last.get(method, (hidden, "-"))) for method in methods]
        yield _frame([("masked", hidden, ""), *drawn, ("truth", run.truth, "")])


def _frame(pictures: Sequence[tuple[str, NDArray[np.uint8], str]]) -> NDArray[np.uint8]:
    """(H, W, 3): pictures beside each other, each with its name above and a caption below."""
    _, height, width = pictures[0][1].shape
    scale: float = max(1, -(-SIDE // max(height, width)))
    if max(height, width) > LARGEST:
        scale = LARGEST / max(height, width)
    width, height = max(1, round(width * scale)), max(1, round(height * scale))
    how = Pillow.Resampling.NEAREST if scale >= 1 else Pillow.Resampling.LANCZOS
    font = ImageFont.load_default(size=13)
    letters = max(8, width // 7)
    heads = 1 + max(broken(name, letters).count("\n") for name, *_ in pictures)
    above = MARGIN + heads * LINE
    size = (MARGIN + len(pictures) * (width + MARGIN), above + height + LINE + 2 * MARGIN)
    page = Pillow.new("RGB", size, "white")
    draw = ImageDraw.Draw(page)
    for place, (name, pixels, caption) in enumerate(pictures):
        left = MARGIN + place * (width + MARGIN)
        colours = np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0)
        picture = Pillow.fromarray(np.ascontiguousarray(colours)).resize((width, height), how)
        page.paste(picture, (left, above))
        draw.multiline_text((left, 2), broken(name, letters), "black", font)
        draw.text((left, above + height + 4), caption, "black", font)
    return np.asarray(page)
