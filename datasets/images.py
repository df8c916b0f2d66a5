"""Images and masks as arrays: read from a file, whole, cropped, or resized from a square."""

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps
from PIL.TiffImagePlugin import BITSPERSAMPLE, SAMPLEFORMAT, ImageFileDirectory_v2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from datasets.errors import DatasetError
from dip.fills.tones import Hole, hole_in, shades_in

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
# What a TIFF may have for pixels, by its tag SampleFormat; 1 and 4 are whole numbers.
VALUES = {2: "signed whole numbers", 3: "floating-point values"}

Known = NDArray[np.bool_]  # (H, W), True = known


def _inside(file: str) -> str:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\\" in file:
        raise ValueError("a file lies inside its set")
    return file


FileName = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Published(BaseModel):
    """What somebody reports of an image with its set's own mask; PSNRs in dB.

    of: what was scored, the network's output or the picture that was saved of it, with its
    fractions rounded or cut off. file: the picture, a file of the set, where there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str
    iteration: int | None = None
    psnr_full: float | None = None
    psnr_hole: float | None = None
    of: Literal["output", "saved picture"] = "output"
    file: FileName | None = None
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _file_with_hash(self) -> "Published":
        if (self.file is None) != (self.sha256 is None):
            raise ValueError("a file has a SHA-256, and there is none without a file")
        return self


@dataclass(frozen=True)
class Image:
    """A test image. pixels: (C, H, W) uint8, RGB or grey.

    native: height and width of the file, where they were others; is_crop: whether it is the centre
    of that at full resolution, and not its centre square resized. own_mask: the hole that the set
    has for it; has_truth: whether what the image shows there is what ought to be restored.
    """

    name: str
    pixels: NDArray[np.uint8]
    native: tuple[int, int] | None = None
    is_crop: bool = False
    own_mask: Known | None = None
    has_truth: bool = True
    published: tuple[Published, ...] = ()

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


def read_image(path: Path, name: str, size: int | None = None, *, crop: int | None = None) -> Image:
    """The image in a file: as it is, or a square of it.

    Args:
        path: the file.
        name: what the image is called.
        size: side of the result, the largest centre square resized with LANCZOS.
        crop: side of the result, the centre at full resolution; not together with `size`.

    Raises:
        DatasetError: the file is missing, is no image, is cut off, has several frames or pages,
            transparent pixels, or other values than whole numbers of up to 16 bits, or is smaller
            than `size` or `crop`.
    """
    if values := _values_of_tiff(path):
        raise DatasetError(f"{path}: has {values}; convert it to 8 bits first")
    picture = _as_grey_or_rgb(*_open(path), path)
    native = (picture.height, picture.width)
    key, side = ("size", size) if crop is None else ("crop", crop)
    if side is not None and min(native) < side:
        raise DatasetError(
            f"{path}: {picture.width}x{picture.height} pixels, smaller than {key} {side};"
            f" use {key}: {min(native)} or less"
        )
    if crop is not None:
        picture = _centre(picture, crop)
    elif size is not None:
        picture = _centre(picture, min(native)).resize((size, size), Pillow.Resampling.LANCZOS)
    pixels = np.atleast_3d(np.asarray(picture, dtype=np.uint8))
    pixels = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    return Image(name, pixels, native, is_crop=crop is not None)


def read_mask(path: Path, hole: Hole | None = None) -> Known:
    """The mask in a file, as `dip.fills.tones` reads it.

    hole: what the hole is; None for black, unless that makes most of the image the hole. Raises
    DatasetError if the file is missing, is no image or cut off, or if it is not clear where its
    hole is.
    """
    picture, _ = _open(path)
    which, transparent = "add hole: white or hole: black", "add hole: transparent"
    try:
        return ~hole_in(shades_in(picture), hole, which, transparent)
    except ValueError as error:
        raise DatasetError(f"{path}: {error}") from None


def fit_mask(known: Known, image: Image, where: str) -> Known:
    """A mask of the image's size, or one of its file's size, cropped or resized as that was.

    Resized to the nearest pixel, so that it stays a mask and its share of missing pixels. Raises
    DatasetError, with both sizes, for any other.
    """
    shape = known.shape
    if shape == (image.height, image.width):
        return known
    if shape != image.native:
        sizes = {(image.height, image.width), image.native or (image.height, image.width)}
        of_image = " or ".join(f"{width}x{height}" for height, width in sorted(sizes))
        raise DatasetError(
            f"{where}: the mask has {shape[1]}x{shape[0]} pixels, '{image.name}' {of_image};"
            " they must be equal"
        )
    side = image.height if image.is_crop else min(shape)
    square = _centre(Pillow.fromarray(known), side)
    nearest = square.resize((image.width, image.height), Pillow.Resampling.NEAREST)
    return np.asarray(nearest, dtype=np.bool_)


def _open(path: Path) -> tuple[Pillow.Image, bool]:
    """A picture, turned as its camera says, and whether the file has 16 bits per channel."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(path) as file:
                parts = "pages" if file.format == "TIFF" else "frames"
                deep = any(";16" in _raw_mode(tile.args) for tile in file.tile)
                # MPO: a JPEG to which phones append previews.
                pages = 1 if file.format == "MPO" else getattr(file, "n_frames", 1)
                picture = ImageOps.exif_transpose(file)
                picture.load()
    except FileNotFoundError:
        raise DatasetError(f"{path}: there is no such file") from None
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
        raise DatasetError(f"{path}: too many pixels; make the image smaller first") from None
    except Exception as error:  # a decoder of damaged files may raise anything
        raise DatasetError(f"{path}: not an image, cut off or damaged ({error})") from None
    if pages > 1:
        raise DatasetError(f"{path}: has {pages} {parts}; save the one that is meant as a file")
    return picture, deep


def _values_of_tiff(path: Path) -> str:
    """What a TIFF has for pixels, if that is anything but whole numbers of up to 16 bits.

    Pillow does not know some of these, and takes others for what they are not.
    """
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata
            header = file.read(8)
            if header[2:3] == b"\x2b":  # BigTIFF
                header += file.read(8)
            tags = ImageFileDirectory_v2(header)
            file.seek(tags.next)
            tags.load(file)
        bits, kind = (max(tags.get(tag, (1,))) for tag in (BITSPERSAMPLE, SAMPLEFORMAT))
    except Exception:  # no TIFF, or a damaged one
        return ""
    if kind in (1, 4):
        return f"whole numbers of {bits} bits" if bits > 16 else ""
    return f"{VALUES.get(kind, 'complex values')} of {bits} bits"


def _raw_mode(decoder_arguments: Any) -> str:
    """How the file keeps its pixels: `RGB;16B`, or such followed by other things."""
    if isinstance(decoder_arguments, tuple) and decoder_arguments:
        return str(decoder_arguments[0])
    return str(decoder_arguments)


def _as_grey_or_rgb(picture: Pillow.Image, deep: bool, path: Path) -> Pillow.Image:
    """With 8 bits per channel; raises DatasetError if something would be lost."""
    if deep and not picture.mode.startswith("I;16"):  # Pillow cuts the lower 8 bits off
        raise DatasetError(f"{path}: has more channels than grey, of 16 bits; convert it to 8 bits")
    if picture.mode == "La":  # alpha that is multiplied in
        picture = picture.convert("LA")
    if picture.has_transparency_data:
        alpha = picture.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            raise DatasetError(f"{path}: has transparent pixels; flatten the image first")
    if picture.mode.startswith("I;16"):
        return Pillow.fromarray(np.round(np.asarray(picture) / 257).astype(np.uint8))
    if picture.mode in ("I", "F"):
        values = "whole numbers of 32 bits" if picture.mode == "I" else "floating-point values"
        raise DatasetError(f"{path}: has {values}; convert it to 8 bits first")
    return picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB")


def _centre(picture: Pillow.Image, side: int) -> Pillow.Image:
    """The square of that side in the middle, half a pixel to the upper left if need be."""
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))
