"""A photo with a hole, restored: `dip inpaint` for the shell, `dip.inpaint` for Python.

A photo (`files`) with a hole (`mask`) becomes a plan (`plan`) of neighbourhoods (`crop`), each of
which is fitted (`fill`). What was drawn is put back without a seam (`blend`).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dip.errors import InputError
from dip.inpainting.files.photo import Photo, photo_in, with_hole
from dip.inpainting.mask import hole_in_array, hole_in_picture
from dip.inpainting.request import PRESET, STOP, make_request

if TYPE_CHECKING:
    from dip.inpainting.fill import Moment

AnyImage = TypeVar("AnyImage", Image.Image, NDArray[Any])


def inpaint(
    image: AnyImage,
    mask: Image.Image | NDArray[Any],
    *,
    hole_is_white: bool = False,
    preset: str = PRESET,
    settings: Mapping[str, Any] | None = None,
    iterations: int | None = None,
    seed: int = 0,
    stop: str = STOP,
    context: int | None = None,
    max_side: int | None = None,
    device: str = "auto",
    look: "Callable[[Moment], None]" = lambda _: None,
) -> AnyImage:
    """The image with its hole filled, as it was given: a picture, or an array of the same dtype.

    image: a PIL picture, of which size, mode, alpha and `info` are kept (to write it as it is
    turned, `result.save(..., exif=result.getexif())`); or an array (H, W) or
    (H, W, C) of unsigned integers (0 is black, the largest number white), other integers or floats
    (of any range): grey (C = 1), RGB (3), or either with alpha behind it (2, 4). Pixels outside the
    hole keep their bytes; what is below a fully transparent pixel is not learned from.

    mask: as the image is shown, white = known, black = hole, by its first channel: a PIL picture,
    or an array (H, W) or (H, W, C) of bool or numbers, where white is 1, 255 or 65535, the least
    of them that no value is above. hole_is_white: the mask is the other way round.

    preset, settings: the method, as `dip.load_preset` and `dip.with_settings` have it. iterations:
    of each fit, at most; the preset's if not given. stop: the rule that ends it, as `held-out`,
    `es-wmv[window=50]`, or `none`; what fills a hole is the output that the rule chose, without one
    the average of all outputs. context: pixels around each hole that are fitted with it; max_side:
    what the longer side of these is reduced to while they are fitted. device: `auto`, `cpu`, `cuda`
    or `cuda:N`. look: called with a `dip.inpainting.fill.Moment` at each iteration, on a GPU at
    every 25th.

    Raises InputError for what does not fit, and FailedFitError when every fit diverged.
    """
    request = make_request(
        preset,
        settings,
        iterations=iterations,
        seed=seed,
        stop=stop,
        context=context,
        max_side=max_side,
        device=device,
    )
    photo = photo_in(image) if isinstance(image, Image.Image) else _photo_in_array(image)
    size = (photo.colours.shape[0], photo.colours.shape[1])
    if isinstance(mask, Image.Image):
        hole = hole_in_picture(mask, size, hole_is_white)
    else:
        hole = hole_in_array(np.asarray(mask), size, hole_is_white)

    from dip.inpainting.fill import fill
    from dip.inpainting.plan import make_plan

    colours, _ = fill(make_plan(photo, hole, request), look)
    if isinstance(image, Image.Image):
        return with_hole(image, colours, hole)
    result = image.copy()
    shown = result[..., None] if result.ndim == 2 else result
    shown[hole, : colours.shape[2]] = colours[hole]
    return result


def _photo_in_array(image: object) -> Photo:
    """Colours and alpha of an array; raises InputError for one that is no image."""
    if not isinstance(image, np.ndarray):
        raise InputError(f"an image is a PIL picture or a numpy array, not {type(image).__name__}")
    pixels = image[..., None] if image.ndim == 2 else image
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 2, 3, 4) or not pixels.size:
        raise InputError(f"an image is (H, W) or (H, W, 1 to 4), not {image.shape}")
    if not np.issubdtype(image.dtype, np.integer) and not np.issubdtype(image.dtype, np.floating):
        raise InputError(f"an image holds integers or floats, not {image.dtype}")
    if image.dtype.kind in "iu" and image.dtype.itemsize > 4:
        raise InputError(
            f"an image of whole numbers has at most 32 bits of them, not {image.dtype}"
        )
    if not np.isfinite(pixels).all():
        raise InputError("some of the image's values are no numbers (nan or infinite)")
    has_alpha = pixels.shape[2] in (2, 4)
    colours = pixels[..., :-1] if has_alpha else pixels
    visible = pixels[..., -1] > 0 if has_alpha else np.ones(pixels.shape[:2], bool)
    return Photo(colours, visible, "L" if colours.shape[2] == 1 else "RGB")
