"""A photo with a hole, restored: `dip inpaint` for the shell, `dip.inpaint` for Python.

A photo (`files`) with a hole (`mask`) becomes a plan (`plan`) of neighbourhoods (`crop`), each of
which is fitted (`fill`). What was drawn is put back without a seam (`blend`). Without a network, a
classical fill fills each neighbourhood (`classical`).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dip.errors import InputError
from dip.fills.tones import WHITES
from dip.inpainting.classical import fill_holes
from dip.inpainting.files.photo import Photo, photo_in, with_hole
from dip.inpainting.mask import (
    hole_in_array,
    hole_in_picture,
    hole_marker,
    transparent_hole,
)
from dip.inpainting.request import (
    PRESET,
    STOP,
    check_for_fill,
    make_fill_request,
    make_request,
)

if TYPE_CHECKING:
    from dip.inpainting.fill import Moment

AnyImage = TypeVar("AnyImage", Image.Image, NDArray[Any])


def inpaint(
    image: AnyImage,
    mask: Image.Image | NDArray[Any] | None = None,
    *,
    hole_is_white: bool = False,
    hole_is_black: bool = False,
    hole_is_transparent: bool = False,
    fill: str | None = None,
    preset: str = PRESET,
    settings: Mapping[str, Any] | None = None,
    iterations: int | None = None,
    seed: int = 0,
    stop: str = STOP,
    context: int | None = None,
    max_side: int | None = None,
    device: str = "auto",
    look: "Callable[[Moment], None] | None" = None,
) -> AnyImage:
    """Fill the hole of an image; pixels outside it keep their bytes.

    Args:
        image: a PIL picture; or an array (H, W) or (H, W, C) of unsigned integers (0 is black, the
            largest number white), other integers or floats (of any range): grey (C = 1), RGB (3),
            or either with alpha behind it (2, 4). What is below a fully transparent pixel is not
            learned from.
        mask: as the image is shown, white = known, black = hole, by its first channel: a PIL
            picture, or an array (H, W) or (H, W, C) of bool or numbers, where white is 1, 255 or
            65535, the least of them that no value is above; `dip.fills.tones` says how colours and
            transparency are read. A mask that makes more than 60 % of the image the hole is
            refused, unless `hole_is_white` or `hole_is_black` is given.
        hole_is_white: the mask is the other way round.
        hole_is_black: the mask is meant as it is, however large its hole.
        hole_is_transparent: the hole is where the mask is transparent; without a mask where the
            image is, fully. There it comes back opaque: with the largest alpha of unsigned
            integers, otherwise with 1, 255 or 65535, the least of them that no alpha is above.
        fill: name of a classical fill, as `dip.fills.FILLS` has it, that fills the hole instead
            of a network. It works at full resolution, without torch; most fills need the extra
            `fills`. What is only for networks is refused with it: `preset`, `iterations`, `stop`,
            `max_side`, `device` and `look`.
        preset: name of the method, as `dip.load_preset` has it.
        settings: changes to it, as `dip.with_settings` has them; with `fill`, to its options, as
            {"radius": 5}.
        iterations: of each fit, at most; the preset's if None.
        seed: of networks and their inputs, and of fills that draw at random.
        stop: the rule that ends a fit, as `held-out`, `es-wmv[window=50]`, or `none`. What fills a
            hole is the output that the rule chose, without one the average of all outputs.
        context: pixels around each hole that are fitted with it, or that a fill may use.
        max_side: what the longer side of these is reduced to while they are fitted.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        look: called with a `dip.inpainting.fill.Moment` at each iteration, on a GPU at every 25th.

    Returns:
        The restored image: a picture with the same size, mode, alpha and `info` (to write it as it
        is turned, `result.save(..., exif=result.getexif())`), or an array of the same dtype.

    Raises:
        InputError: an argument is wrong.
        FailedFitError: every fit diverged.
    """
    request = make_request(
        preset,
        settings if fill is None else None,
        iterations=iterations,
        seed=seed,
        stop=stop,
        context=context,
        max_side=max_side,
        device=device,
    )
    fill_request = None
    if fill is not None:
        changed = {
            **{"preset": preset != PRESET, "iterations": iterations is not None},
            **{"stop": stop != STOP, "max_side": max_side is not None},
            **{"device": device != "auto", "look": look is not None},
        }
        check_for_fill(name for name, is_changed in changed.items() if is_changed)
        fill_request = make_fill_request(fill, settings, seed=seed, context=context)
    marker = hole_marker(hole_is_white, hole_is_black, hole_is_transparent)
    photo = photo_in(image) if isinstance(image, Image.Image) else _photo_in_array(image)
    size = (photo.colours.shape[0], photo.colours.shape[1])
    if mask is None:
        if marker != "transparent":
            raise InputError("the hole: give a mask, or `hole_is_transparent` for an image's own")
        hole = transparent_hole(photo.visible)
    elif isinstance(mask, Image.Image):
        hole = hole_in_picture(mask, size, marker)
    else:
        hole = hole_in_array(np.asarray(mask), size, marker)

    if fill_request is not None:
        colours, _ = fill_holes(photo, hole, fill_request)
    else:
        from dip.inpainting import fill as networks
        from dip.inpainting.plan import make_plan

        colours, _ = networks.fill(make_plan(photo, hole, request), look or (lambda _: None))
    if isinstance(image, Image.Image):
        return with_hole(image, colours, hole, opaque=mask is None)
    result = image.copy()
    shown = result[..., None] if result.ndim == 2 else result
    shown[hole, : colours.shape[2]] = colours[hole]
    if mask is None:
        alpha = shown[..., -1]
        alpha[hole] = _opaque(alpha)
    return result


def _opaque(alpha: NDArray[Any]) -> Any:
    """The alpha of opaque pixels; white as a mask has it, unless the dtype says what it is."""
    largest = (np.finfo if alpha.dtype.kind == "f" else np.iinfo)(alpha.dtype).max
    if alpha.dtype.kind == "u":
        return largest
    white = next((white for white in WHITES if alpha.max() <= white), alpha.max())
    return min(white, largest)


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
    has_alpha = pixels.shape[2] in (2, 4)
    colours = pixels[..., :-1] if has_alpha else pixels
    visible = pixels[..., -1] > 0 if has_alpha else np.ones(pixels.shape[:2], bool)
    return Photo(colours, visible, "L" if colours.shape[2] == 1 else "RGB")
