"""A contact sheet of holes: each kind on each image, with its label and its share of pixels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from datasets.images import Image
from datasets.masks import Mask, make_mask, parse_mask

HOLE = np.array((230, 0, 126), dtype=np.uint8)  # magenta, which photos seldom have
MARGIN, LINE, LETTERS = 8, 15, 12

# One of each, and of those with kinds of their own more, for images of about 128 pixels.
EXAMPLES = tuple(
    parse_mask(entry)
    for entry in (
        {"bernoulli": {"missing": 0.5}},
        {"bernoulli": {"hole_fraction": [0.1, 0.2]}},
        {"boxes": {"count": 5, "side": 16}},
        {"strokes": {"brush": "thin"}},
        {"strokes": {"brush": "medium"}},
        {"strokes": {"brush": "thick"}},
        {"strokes": {"brush": "deepfill"}},
        {"strokes": {"brush": "thin", "hole_fraction": [0.1, 0.2]}},
        {"strokes": {"brush": "medium", "hole_fraction": [0.5, 0.6]}},
        "blobs",
        "text",
        {"text": {"spacing": 1}},
        "scratches",
        "centre",
        "half",
        {"lines": {"every": 2}},
        {"lines": {"every": 4, "direction": "columns"}},
        {"checkerboard": {"side": 16}},
    )
)


def contact_sheet(images: Sequence[Image], masks: Sequence[Mask], columns: int = 6) -> Pillow.Image:
    """Image by image the holes, `columns` in a row, missing pixels in magenta.

    Raises DatasetError where a hole does not fit an image.
    """
    tiles = [_tile(image, mask) for image in images for mask in masks]
    width = max(tile.width for tile in tiles) + MARGIN
    height = max(tile.height for tile in tiles) + MARGIN
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = Pillow.new("RGB", (columns * width + MARGIN, rows * height + MARGIN), "white")
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        sheet.paste(tile, (MARGIN + column * width, MARGIN + row * height))
    return sheet


def _caption(mask: Mask, made: NDArray[np.uint8]) -> list[str]:
    kind, _, settings = mask.label.partition("[")
    return [f"{kind}, {1 - made.mean():.1%} missing", *settings.rstrip("]").split(",")]


def _tile(image: Image, mask: Mask) -> Pillow.Image:
    made = make_mask(mask, image)
    known = made[0] == 1
    pixels: NDArray[np.uint8] = np.broadcast_to(image.pixels, (3, *known.shape)).transpose(1, 2, 0)
    shown = Pillow.fromarray(np.where(known[..., None], pixels, HOLE))
    font = ImageFont.load_default(LETTERS)
    lines = _caption(mask, made)
    width = max(shown.width, *(int(font.getlength(line)) + 1 for line in lines))
    tile = Pillow.new("RGB", (width, shown.height + len(lines) * LINE + 2), "white")
    tile.paste(shown)
    draw = ImageDraw.Draw(tile)
    for number, line in enumerate(lines):
        draw.text((0, shown.height + 1 + number * LINE), line, fill="black", font=font)
    return tile
