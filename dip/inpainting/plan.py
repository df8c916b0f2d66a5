"""Where the fits of one photo will be, and with what: known before anything is fitted."""

from dataclasses import dataclass

import torch

from dip.errors import InputError
from dip.inpainting.crop import Neighbourhood, check_known, neighbourhoods
from dip.inpainting.files.photo import Mask, Photo
from dip.inpainting.request import MAX_SIDES, Request


@dataclass(frozen=True)
class Plan:
    """What is to be fitted, and where: one neighbourhood after the other."""

    photo: Photo
    hole: Mask
    request: Request
    device: str
    places: tuple[Neighbourhood, ...]


def make_plan(photo: Photo, hole: Mask, request: Request) -> Plan:
    """Where fits will be; raises InputError if the device is not there, or a colour no number."""
    check_known(photo.colours, hole)
    device = _device(request.device)
    max_side = request.max_side or MAX_SIDES[device.partition(":")[0]]
    places = neighbourhoods(hole, request.context, max_side)
    return Plan(photo, hole, request, device, tuple(places))


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda"):
        index = int(name.partition(":")[2] or 0)
        if index >= (torch.cuda.device_count() if torch.cuda.is_available() else 0):
            raise InputError(f"`device` {name}: this machine has no such GPU; use cpu")
    return name
