"""A photo as people have them: its colours as numbers, and everything else as it came.

Whatever a picture is stored as, its colours are an array whose hole can be written into; the rest,
known pixels included, goes back as it was. Orientation is a matter of views: people, masks and
boxes speak of the photo as it is shown, and the array is turned, not copied.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from dip.errors import InputError
from dip.inpainting.files.blocks import blocks_in
from dip.inpainting.files.exif import ORIENTATION
from dip.inpainting.files.metadata import exif_of, shown_info
from dip.inpainting.files.samples import has_16_bits
from dip.system.surroundings import quiet_stderr

Colours = NDArray[Any]  # (H, W, C), in the photo's own numbers
Values = NDArray[np.float32]  # (H, W, C), in [0, 1]
Mask = NDArray[np.bool_]  # (H, W)

# Of each mode of Pillow that a photo may be in, how many of its channels are colours.
COLOUR_CHANNELS = {
    **{"1": 1, "L": 1, "LA": 1, "I;16": 1, "I;16B": 1, "I": 1, "F": 1},
    **{"P": 3, "RGB": 3, "RGBA": 3, "YCbCr": 3, "CMYK": 4},
}


@dataclass(frozen=True)
class Photo:
    """The colours of a photo as it is shown.

    colours: (H, W, C), C from 1 to 4; those of a palette are RGB, black and white are 0 and 255.
    visible: (H, W), where it is not fully transparent: colours elsewhere mean nothing. mode: what
    Pillow calls such colours.
    """

    colours: Colours
    visible: Mask
    mode: str

    def to_look_at(self, values: Values) -> Image.Image:
        """Colours of any part, in [0, 1], as an RGB picture."""
        levels = (values.clip(0, 1) * 255).round().astype(np.uint8)
        if levels.shape[2] == 1:
            return Image.fromarray(levels[..., 0]).convert("RGB")
        mode = self.mode if self.mode in ("CMYK", "YCbCr") else "RGB"
        return _of_mode(levels[..., : 4 if mode == "CMYK" else 3], mode).convert("RGB")


def open_picture(path: Path) -> Image.Image:
    """A picture of one frame, fully read; raises InputError with what is wrong."""
    if not path.is_file():
        what = "is not a regular file" if path.exists() else "there is no such file"
        raise InputError(f"{path}: {'is a folder, not a picture' if path.is_dir() else what}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures, and of odd metadata
            # Not by path: Pillow maps such files into memory, and garbles turned TIFFs.
            with quiet_stderr():  # libtiff prints its own messages there
                picture = open_bytes(path.read_bytes())
            frames = getattr(picture, "n_frames", 1)
    except UnidentifiedImageError:
        raise InputError(
            f"{path}: not a picture that can be read (PNG, JPEG, WebP, TIFF)"
        ) from None
    except Image.DecompressionBombError as error:
        raise InputError(f"{path}: too large to be read safely ({error})") from None
    except Exception as error:  # Pillow has many for what is malformed
        raise InputError(f"{path}: cannot be read: {error}") from None
    if frames > 1 and picture.format != "MPO":  # whose further pictures are previews
        raise InputError(f"{path}: has {frames} frames or pages; one photo is filled at a time")
    # Pillow sets it when it opens a path.
    picture.filename = str(path)  # type: ignore[attr-defined]  # hinted in subclasses only
    if picture.format == "PNG" and picture.mode == "L" and "transparency" in picture.info:
        # Pillow scales levels of 2 and 4 bits to 8, but not the transparent one.
        depth = picture.info["blocks"][0][1][8]
        picture.info["transparency"] *= 255 // (2**depth - 1)
    return picture


def open_bytes(content: bytes) -> Image.Image:
    """A picture of a file's content.

    Its `info` has what Pillow forgets: `blocks`, those of `blocks_in`, and `is_deep`, whether
    channels have 16 bits in the file.
    """
    picture = Image.open(BytesIO(content))
    is_deep = has_16_bits(picture)  # before it is read
    picture.load()
    picture.info |= {"blocks": blocks_in(content, picture.format), "is_deep": is_deep}
    return picture


def photo_in(picture: Image.Image, name: str = "the image") -> Photo:
    """A picture's colours; raises InputError for a mode whose pixels could not be kept."""
    mode = picture.mode
    if mode not in COLOUR_CHANNELS:
        raise InputError(
            f"{name}: its mode is {mode}; convert it to one of {', '.join(COLOUR_CHANNELS)}"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of palettes with transparency
        plain = picture.convert({"P": "RGB", "1": "L"}[mode]) if mode in ("P", "1") else picture
    stored = np.atleast_3d(np.asarray(plain))[..., : COLOUR_CHANNELS[mode]]
    key = _transparent_colour(picture)
    if key is not None:
        visible = (stored != key).any(axis=2)
    elif picture.has_transparency_data and stored.dtype == np.uint8:
        visible = np.array(picture.convert("RGBA").getchannel("A")) > 0
    else:
        visible = np.ones(stored.shape[:2], bool)
    orientation = orientation_of(picture)
    return Photo(turned(stored, orientation), turned(visible, orientation), plain.mode)


def with_hole(
    picture: Image.Image, colours: Colours, hole: Mask, opaque: bool = False
) -> Image.Image:
    """The same picture with other colours in the hole: size, mode, alpha and the rest are kept.

    colours: (H, W, C); hole: (H, W); both as it is shown. opaque: what was transparent in the hole
    is not any more. Every pixel outside keeps its bytes.
    """
    mode = picture.mode
    stored = np.array(picture)
    shown = turned(stored, orientation_of(picture))
    if mode == "P":
        shown[hole] = _nearest_in_palette(picture, colours[hole], shown[hole], opaque)
    else:
        drawn = np.array(colours[hole]) if mode != "1" else colours[hole] > 127
        if (key := _transparent_colour(picture)) is not None:
            before = np.atleast_3d(shown)[hole]
            _keep_transparency(drawn, before, key.astype(drawn.dtype), opaque)
        np.atleast_3d(shown)[hole, : drawn.shape[1]] = drawn
        if opaque and mode in ("LA", "RGBA"):
            shown[hole, -1] = 255
    is_plain = mode not in ("CMYK", "YCbCr", "I;16B")
    result = Image.fromarray(stored) if is_plain else _of_mode(stored, mode)
    if picture.palette is not None and mode == "P":
        result.putpalette(picture.palette.getdata()[1], picture.palette.mode)
    result.info = shown_info(picture)
    return result


def _transparent_colour(picture: Image.Image) -> NDArray[Any] | None:
    """The one colour (C,) that means transparent in a PNG without alpha, None if there is none."""
    key = picture.info.get("transparency")
    if key is None or picture.mode not in ("1", "L", "I;16", "RGB") or isinstance(key, bytes):
        return None
    return np.atleast_1d(key)


def _keep_transparency(
    drawn: NDArray[Any], before: NDArray[Any], key: NDArray[Any], opaque: bool
) -> None:
    """Make colours (N, C) transparent where they were, and nowhere else, by a level if need be.

    opaque: not even there.
    """
    was_transparent = (before == key).all(axis=1) & (not opaque)
    by_chance = (drawn == key).all(axis=1) & ~was_transparent
    drawn[was_transparent] = key
    if drawn.dtype == bool:
        drawn[by_chance] = ~key
    else:
        drawn[by_chance, -1] = key[-1] + 1 if key[-1] < np.iinfo(drawn.dtype).max else key[-1] - 1


def _nearest_in_palette(
    picture: Image.Image, wanted: NDArray[Any], before: NDArray[np.uint8], opaque: bool
) -> NDArray[np.uint8]:
    """The entries nearest to RGB colours (N, 3), of those as transparent as the ones before.

    opaque: of the opaque ones instead.
    """
    given = np.array(picture.getpalette("RGBA")).reshape(-1, 4)
    palette = np.full((256, 4), (0, 0, 0, 255))  # an index may have no colour
    palette[: len(given)] = given
    alpha = palette[:, 3]
    transparency = picture.info.get("transparency")
    if isinstance(transparency, bytes):
        alpha[: len(transparency)] = list(transparency)[: len(alpha)]
    elif isinstance(transparency, int):
        alpha[transparency] = 0
    chosen = before.copy()
    alpha_before = np.full_like(alpha[before], 255) if opaque else alpha[before]
    for value in np.unique(alpha_before):
        entries = np.flatnonzero(alpha[: len(given)] == value)
        if not len(entries):
            continue
        here = np.flatnonzero(alpha_before == value)
        for some in np.array_split(here, len(here) // 4096 + 1):  # or it would take gigabytes
            apart = wanted[some, None].astype(int) - palette[entries, :3]
            chosen[some] = entries[(apart**2).sum(axis=2).argmin(axis=1)]
    return chosen


def orientation_of(picture: Image.Image) -> int:
    """How it is to be turned to be shown, from 1 (not at all) to 8 (EXIF 2.3, tag 274)."""
    said = exif_of(picture).get(ORIENTATION, 1)
    return said if said in range(1, 9) else 1


def turned(stored: NDArray[Any], orientation: int) -> NDArray[Any]:
    """A view of (H, W, ...) as it is shown."""
    if orientation in (5, 6, 7, 8):
        stored = stored.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        stored = stored[::-1]
    if orientation in (2, 3, 6, 7):
        stored = stored[:, ::-1]
    return stored


def _of_mode(pixels: NDArray[Any], mode: str) -> Image.Image:
    """A picture of a mode that numpy's types do not say."""
    height, width = pixels.shape[:2]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())
