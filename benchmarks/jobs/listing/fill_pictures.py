"""A picture of each fill on three holes: `dip-bench list fills --pictures DIR` draws them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from benchmarks.metrics import psnr
from datasets import Image, Mask, load_images, make_mask, parse_mask
from datasets.preview import HOLE
from dip.fills import Fill
from dip.system.files import replacing

# Crops of photographs of scikit-image, all three CC0: most of the pixels, thin gaps, a large hole.
CASES = (
    ("chelsea", parse_mask({"bernoulli": {"missing": 0.8}})),
    ("coffee", parse_mask("scratches")),
    ("gravel", parse_mask({"boxes": {"count": 1, "side": 56}})),
)
SIDE = 128  # pixels
MARGIN, LINE, LETTERS = 6, 16, 12


def draw(fill: Fill, folder: Path) -> Path:
    """Draw the fill on each of `CASES`: the photograph, its hole and how it is filled.

    Args:
        fill: the fill.
        folder: where the picture `<name>.webp` is written.

    Returns:
        The picture's path.

    Raises:
        InputError: a package that the fill needs is not installed.
    """
    tiles: list[NDArray[np.uint8]] = []
    captions = []
    for name, mask in CASES:
        (image,) = load_images("scikit-image", [name], crop=SIDE)
        own, score = _tiles(fill, image, mask)
        tiles += own
        captions += ["", "", f"{score:.1f} dB"]
    step = SIDE + MARGIN
    sheet = Pillow.new("RGB", (len(tiles) * step + MARGIN, SIDE + LINE + 2 * MARGIN), "white")
    ink = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(LETTERS)
    for place, (tile, caption) in enumerate(zip(tiles, captions, strict=True)):
        corner = MARGIN + place * step
        sheet.paste(Pillow.fromarray(tile), (corner, MARGIN))
        ink.text((corner, SIDE + MARGIN + 1), caption, fill="black", font=font)
    path = folder / f"{fill.name}.webp"
    with replacing(path) as partial:
        sheet.save(partial, format="WEBP", quality=90)
    return path


def _tiles(fill: Fill, image: Image, mask: Mask) -> tuple[list[NDArray[np.uint8]], float]:
    """Truth, hole and result, (H, W, 3), and the PSNR in the hole in dB."""
    made = make_mask(mask, image)
    filled = fill.restore(image.pixels / 255, made)
    pixels = np.round(filled.clip(0, 1) * 255).astype(np.uint8)
    known = made[0] == 1
    truth = _rgb(image.pixels)
    masked = np.where(known[..., None], truth, HOLE)
    return [truth, masked, _rgb(pixels)], psnr.score(pixels, image.pixels, known).hole


def _rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0)
