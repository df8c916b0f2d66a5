"""A contact sheet: the photo's hole, and side by side what several methods fill it with."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dip.errors import InputError
from dip.fills.hole import Rectangle
from dip.inpainting.crop import Neighbourhood, black_and_white, neighbourhoods
from dip.inpainting.files.photo import Colours, Mask, Photo
from dip.inpainting.files.places import Places
from dip.inpainting.files.save import FORMATS, JPEG_QUALITY, write
from dip.inpainting.request import MOST

TILE = 400  # pixels, the longer side of a tile; what is less than half of that is enlarged
NARROWEST = 220  # pixels, of a column, for what stands below a tile
COLUMNS = 4
VIEWS = 3  # holes that are shown one by one, if they are too far apart for one view
MARGIN = 16  # pixels between columns and rows
NAME_SIZE, TEXT_SIZE, LINE = 20, 15, 20  # pixels; the last of a line of text with its spacing
HOLE = (255, 0, 255)  # magenta, which few photos have
PAPER, INK, GREY = "white", "black", (90, 90, 90)


@dataclass(frozen=True)
class Tile:
    """One method's result: its name, a line on what it is, and a picture of each view."""

    name: str
    text: str
    pictures: list[Image.Image]


def check_sheet(path: Path) -> None:
    """Raises InputError if the file's name is of no picture."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"`compare` {path}: a sheet is one of {', '.join(FORMATS)}")


class Sheet:
    """Collects what methods fill a hole with, and writes it as one picture.

    Each tile shows the hole with what surrounds it; all holes at once where they lie close to each
    other, otherwise the largest ones one by one.
    """

    def __init__(self, path: Path, places: Places, photo: Photo, hole: Mask, context: int | None):
        """context: as for `neighbourhoods`."""
        self.path = path
        self.places = places
        self.photo = photo
        self.hole = hole
        around = neighbourhoods(hole, context, MOST)
        self.views = views(around)
        text = f"With its hole, {hole.mean():.1%} of all pixels, in magenta."
        if 1 < len(self.views) < len(around):
            text += f" The {len(self.views)} largest of {len(around)} parts are shown."
        pictures = [self._picture(photo.colours, view, is_marked=True) for view in self.views]
        self.tiles = [Tile("photo", text, pictures)]

    def add(self, name: str, text: str, colours: Colours) -> None:
        """A tile. colours: (H, W, C), the whole photo with its hole filled."""
        self.tiles.append(Tile(name, text, [self._picture(colours, view) for view in self.views]))

    def write(self) -> None:
        """Raises InputError if it cannot be written."""
        name = FORMATS[self.path.suffix.lower()]
        options = {"quality": JPEG_QUALITY} if name in ("JPEG", "WEBP") else {}
        write(self.picture(), self.path, name, options, self.places.may_replace(self.path))
        self.places.remember(self.path)

    def picture(self) -> Image.Image:
        """The sheet as RGB."""
        blocks = [self._block(number) for number in range(len(self.views))]
        width = max(block.width for block in blocks)
        sheet = Image.new("RGB", (width, sum(block.height for block in blocks)), PAPER)
        top = 0
        for block in blocks:
            sheet.paste(block, (0, top))
            top += block.height
        return sheet

    def _block(self, number: int) -> Image.Image:
        """The tiles of one view, in rows, with their names and texts below."""
        width, height = self.tiles[0].pictures[number].size
        column, columns = max(width, NARROWEST), min(COLUMNS, len(self.tiles))
        texts = [wrapped(tile.text, column) for tile in self.tiles]
        row = height + NAME_SIZE + LINE * max(map(len, texts)) + 2 * MARGIN
        rows = -(-len(self.tiles) // columns)
        size = (columns * (column + MARGIN) + MARGIN, rows * row + MARGIN)
        block = Image.new("RGB", size, PAPER)
        draw = ImageDraw.Draw(block)
        for place, (tile, lines) in enumerate(zip(self.tiles, texts, strict=True)):
            left = MARGIN + place % columns * (column + MARGIN)
            top = MARGIN + place // columns * row
            block.paste(tile.pictures[number], (left, top))
            top += height + MARGIN // 4
            draw.text((left, top), tile.name, INK, ImageFont.load_default(NAME_SIZE))
            for line, text in enumerate(lines):
                at = (left, top + NAME_SIZE + MARGIN // 4 + LINE * line)
                draw.text(at, text, GREY, ImageFont.load_default(TEXT_SIZE))
        return block

    def _picture(
        self, colours: Colours, view: Rectangle, *, is_marked: bool = False
    ) -> Image.Image:
        """A view of the photo with these colours, as RGB at the size of a tile."""
        hole, visible = self.hole[view], self.photo.visible[view]
        low, high = black_and_white(self.photo.colours[view], ~hole & visible)
        given = np.where(np.isfinite(colours[view]), colours[view], low)
        values = (given.astype(np.float64) - low) / (high - low or 1.0)
        pixels = np.array(self.photo.to_look_at(values.clip(0, 1).astype(np.float32)))
        pixels[~visible & ~hole] = 255
        if is_marked:
            pixels[hole] = HOLE
        return as_tile(pixels)


def views(places: list[Neighbourhood]) -> list[Rectangle]:
    """The parts of the photo that a sheet shows: all holes at once, or the largest one by one."""
    rows, columns = zip(*(place.around for place in places), strict=True)
    joint = (
        slice(min(each.start for each in rows), max(each.stop for each in rows)),
        slice(min(each.start for each in columns), max(each.stop for each in columns)),
    )
    if len(places) == 1 or max(each.stop - each.start for each in joint) <= 2 * TILE:
        return [joint]
    largest = sorted(places, key=lambda place: -place.height * place.width)[:VIEWS]
    return [place.around for place in places if place in largest]


def as_tile(pixels: NDArray[np.uint8]) -> Image.Image:
    """Pixels (H, W, 3) at the size of a tile; enlarged by a whole number where there are few."""
    picture = Image.fromarray(pixels)
    longer = max(picture.size)
    if longer > TILE:
        shape = (max(1, round(side * TILE / longer)) for side in picture.size)
        width, height = shape
        return picture.resize((width, height), Image.Resampling.LANCZOS)
    factor = TILE // longer
    size = (picture.width * factor, picture.height * factor)
    return picture.resize(size, Image.Resampling.NEAREST)


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most so many pixels, broken between words, and where it has breaks."""
    font, lines = ImageFont.load_default(TEXT_SIZE), []
    for paragraph in text.splitlines():
        lines.append("")
        for word in paragraph.split():
            longer = f"{lines[-1]} {word}".lstrip()
            if font.getlength(longer) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
    return lines
