"""Holes that somebody else has cut: the image set's own, or one from a file."""

from pathlib import Path
from typing import ClassVar
from unicodedata import normalize

from pydantic import Field, PrivateAttr

from datasets.errors import DatasetError
from datasets.folder import pictures
from datasets.images import Image, Known, fit_mask, read_mask
from datasets.masks.base import Mask
from dip.fills.tones import Hole


class Own(Mask):
    """The hole that the image set itself has for the image."""

    kind: ClassVar[str] = "own"
    order: ClassVar[float] = 11

    def draw(self, image: Image) -> Known:
        if image.own_mask is None:
            raise DatasetError(f"own: its set has no hole for '{image.name}'")
        return image.own_mask


class File(Mask):
    """From a picture, or a folder with a picture for each image, of the same name.

    By the picture's first channel at a threshold of 0.5, or its colour or transparency, as for
    `dip inpaint`. It has the image's size, or that of the image's file, and then is cropped or
    resized as that.
    """

    kind: ClassVar[str] = "file"
    order: ClassVar[float] = 12

    path: Path = Field(description="picture or folder; in a suite from the suite's folder on")
    hole: Hole | None = Field(
        None, description="black, white or transparent; without it black, where that is not most"
    )
    _folder: Path = PrivateAttr(Path())

    def within(self, folder: Path) -> "File":
        mask = self.model_copy()
        mask._folder = folder
        return mask

    def draw(self, image: Image) -> Known:
        path = self._folder / self.path
        if path.is_dir():
            found = pictures(path).get(normalize("NFC", image.name), [])
            if len(found) != 1:
                what = "no mask" if not found else f"{len(found)} masks"
                raise DatasetError(
                    f"file.path: {path} holds {what} for '{image.name}'; it takes one picture"
                    f" named {image.name}.png, or with another ending"
                )
            path = found[0]
        return fit_mask(read_mask(path, self.hole), image, f"file.path: {path}")
