"""Images as arrays: read from a file, cropped to the centre square and resized."""

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps

from datasets.errors import DatasetError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Image:
    """A test image. pixels: (C, H, W) uint8, RGB or grey."""

    name: str
    pixels: NDArray[np.uint8]

    @property
    def height(self) -> int:
        return self.pixels.shape[1]

    @property
    def width(self) -> int:
        return self.pixels.shape[2]

    @property
    def sha256(self) -> str:
        """Of the decoded pixels and their shape, not of the file."""
        shape = "x".join(map(str, self.pixels.shape)).encode()
        return hashlib.sha256(shape + b":" + self.pixels.tobytes()).hexdigest()


def read_image(path: Path, name: str, size: int | None) -> Image:
    """The image in a file: as it is, or its centre square resized to size x size with LANCZOS.

    Raises DatasetError if the file is missing, is no image, is cut off, or is smaller than `size`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(path) as file:
                picture = ImageOps.exif_transpose(file)
                picture.load()
    except FileNotFoundError:
        raise DatasetError(f"{path}: there is no such file") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise DatasetError(f"{path}: not an image, or cut off ({error})") from None
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
        raise DatasetError(f"{path}: too many pixels; make the image smaller first") from None
    picture = _as_grey_or_rgb(picture, path)
    if size is not None:
        picture = _centre_square(picture, size, path)
    pixels = np.asarray(picture, dtype=np.uint8)
    return Image(name, np.ascontiguousarray(np.atleast_3d(pixels).transpose(2, 0, 1)))


def _as_grey_or_rgb(picture: Pillow.Image, path: Path) -> Pillow.Image:
    if picture.has_transparency_data:
        alpha = picture.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            raise DatasetError(f"{path}: has transparent pixels; flatten the image first")
    if picture.mode.startswith(("I", "F")):
        raise DatasetError(f"{path}: has more than 8 bits per channel; convert it to 8 bits first")
    return picture.convert("L" if picture.mode in ("1", "L", "LA", "La") else "RGB")


def _centre_square(picture: Pillow.Image, size: int, path: Path) -> Pillow.Image:
    side = min(picture.size)
    if side < size:
        raise DatasetError(
            f"{path}: {picture.width}x{picture.height} pixels, smaller than size {size};"
            f" use size: {side} or less"
        )
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    return square.resize((size, size), Pillow.Resampling.LANCZOS)
