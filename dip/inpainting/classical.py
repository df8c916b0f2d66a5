"""Fills the holes of a photo with a classical fill: at full resolution, and without torch.

A fill looks at what surrounds a hole, so each neighbourhood is filled on its own: that makes large
photos quick. Nothing is reduced and no seam is corrected (`blend`): a fill continues the known
pixels as they are, so at the hole's edge there is nothing to correct.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dip.errors import InputError
from dip.fills import FILLS
from dip.fills.fill import Report, silent
from dip.inpainting.crop import Patch, check_known, neighbourhoods
from dip.inpainting.files.photo import Colours, Mask, Photo
from dip.inpainting.request import MOST, FillRequest

# For a comparison by eye: each looks different, and large holes do not take minutes.
COMPARED = ("harmonic", "biharmonic", "telea", "navier-stokes", "exemplar")


def fill_holes(
    photo: Photo, hole: Mask, request: FillRequest, report: Report = silent
) -> tuple[Colours, list[int]]:
    """Fill the holes of a photo.

    Args:
        photo: its colours (H, W, C), and where it is visible.
        hole: (H, W), True in it.
        request: the fill, its seed and context.
        report: called with the share of the work that is done.

    Returns:
        The colours with the holes filled; and the numbers, from 1, of the holes that were left as
        they are, because nothing around them is visible.

    Raises:
        InputError: a package of the fill is missing, a known colour is no number, or there is too
            little memory.
    """
    check_known(photo.colours, hole)
    request.fill.load()
    check_memory(photo, hole, request)
    places = neighbourhoods(hole, request.context, MOST)
    colours, left = photo.colours.copy(), []
    areas = [place.height * place.width for place in places]
    for number, place in enumerate(places, start=1):
        before, area = sum(areas[: number - 1]) / sum(areas), areas[number - 1] / sum(areas)
        patch = Patch(place, photo.colours, hole, photo.visible)
        if patch.known.any():
            filled = patch.colours(_filled(patch, request, _within(report, before, area)))
            colours[place.around][patch.own] = filled[patch.own]
        else:
            left.append(number)
        report(min(1.0, before + area))
    return colours, left


def check_memory(photo: Photo, hole: Mask, request: FillRequest) -> None:
    """Raises InputError if the memory does not suffice for one of the neighbourhoods."""
    for place in neighbourhoods(hole, request.context, MOST):
        unknown = hole[place.around] | ~photo.visible[place.around]
        request.fill.check_memory(unknown, photo.colours.shape[2])


def to_compare(
    seed: int, context: int | None, chosen: Sequence[FillRequest] = ()
) -> list[FillRequest]:
    """Requests for a comparison by eye: of `COMPARED`, and of fills that somebody has chosen."""
    requests = {name: FillRequest(FILLS[name], seed, context) for name in COMPARED}
    return [*(requests | {each.fill.name: each for each in chosen}).values()]


def _filled(patch: Patch, request: FillRequest, report: Report) -> NDArray[np.float32]:
    """The values (H, W, C) of a neighbourhood with all that is not known filled."""
    image, mask = np.moveaxis(patch.values, 2, 0), patch.known[None].astype(np.float32)
    # OpenCV takes grey or three colours, so the black of CMYK is filled on its own.
    parts = [image[:3], image[3:]] if len(image) > 3 else [image]
    planes = []
    try:
        for number, part in enumerate(parts):
            share = _within(report, number / len(parts), 1 / len(parts))
            planes.append(request.fill.restore(part, mask, request.seed, share))
    except MemoryError:
        height, width = patch.known.shape
        raise InputError(
            f"the fill '{request.fill.name}': too little memory for {width}x{height} pixels; use a"
            " smaller `context` or another fill"
        ) from None
    return np.moveaxis(np.concatenate(planes), 0, 2).clip(0, 1).astype(np.float32)


def _within(report: Report, before: float, size: float) -> Report:
    """For a part of the work: `before` it a share of the whole is done, and it is `size` of it."""
    return lambda share: report(min(1.0, before + size * share))
