"""Fills the holes of a photo, one neighbourhood after the other."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from dip.divergence import Diverged
from dip.errors import InputError
from dip.inpainting.neighbourhood import Neighbourhood, Patch, neighbourhoods
from dip.inpainting.photo import Colours, Mask, Photo
from dip.inpainting.request import MAX_SIDES, Request
from dip.inpainting.saved import Saved
from dip.options import HeldOutOptions
from dip.preset import with_settings
from dip.state import State
from dip.stopping import Stop
from dip.trainer import Checkpoint, fit

LOOK_EVERY = {"cpu": 1, "cuda": 25}  # iterations; a GPU is not waited for more often

Why = Literal["iterations", "rule", "interrupted", "diverged", "not fitted"]


class FailedFitError(ArithmeticError):
    """A fit failed and left nothing to fill the hole with; says why, and what may help."""


@dataclass(frozen=True)
class Plan:
    """What is to be fitted, and where: one neighbourhood after the other."""

    photo: Photo
    hole: Mask
    request: Request
    device: str
    places: tuple[Neighbourhood, ...]


@dataclass(frozen=True)
class Moment:
    """A look at a fit: iteration by iteration, hole by hole.

    hole: which one, from 1. raw: the network's output, (C, h, w) at the working size, not clamped;
    best: what would fill the hole if the fit ended here. seconds: of its iterations so far.
    """

    plan: Plan
    patch: Patch
    hole: int
    iteration: int
    loss: float
    seconds: float
    raw: Tensor
    best: Tensor

    @property
    def holes(self) -> int:
        return len(self.plan.places)

    @cached_property
    def drawn(self) -> Image.Image:
        """All that the network draws, as RGB at the working size."""
        return self.plan.photo.to_look_at(self.patch.drawn(self.raw.numpy()))

    @cached_property
    def restored(self) -> Image.Image:
        """The neighbourhood as it would be restored now, as RGB at full resolution."""
        return self.plan.photo.to_look_at(self.patch.filled(self.best.numpy()))


@dataclass(frozen=True)
class Filled:
    """How one hole's fit ended. iteration: the one whose output fills it; 0 where none does.

    ended_at: the last iteration. why: all `iterations` were done, the `rule` had seen enough,
    somebody `interrupted` it, it `diverged` behind the output that is kept, or it was `not fitted`
    and is filled smoothly. seconds: of its iterations.
    """

    iteration: int
    ended_at: int
    why: Why
    seconds: float


Look = Callable[[Moment], None]


def make_plan(photo: Photo, hole: Mask, request: Request) -> Plan:
    """Where fits will be; raises InputError if the device is not there."""
    device = _device(request.device)
    max_side = request.max_side or MAX_SIDES[device.partition(":")[0]]
    places = neighbourhoods(hole, request.context, max_side)
    return Plan(photo, hole, request, device, tuple(places))


def fill(
    plan: Plan,
    look: Look = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    saved: Saved | None = None,
) -> tuple[Colours, list[Filled]]:
    """The photo's colours (H, W, C) with its holes filled, and how each fit ended.

    look is called at each iteration on a CPU, on a GPU at every 25th. should_stop is asked then,
    too: the fit under way ends with the best it has, and the holes after it are not fitted. saved:
    where states go, and come from. Raises FailedFitError, and InputError if something cannot be
    written or there is too little memory.
    """
    colours = plan.photo.colours.copy()
    ends: list[Filled] = []
    for number, place in enumerate(plan.places, start=1):
        patch = Patch(place, plan.photo.colours, plan.hole, plan.photo.visible)
        if saved is not None and number <= len(saved.outputs):
            done = saved.outputs[number - 1]
            output, end = done["output"].numpy(), Filled(**done["end"])
        elif should_stop() or not patch.known.any():
            output, end = np.zeros_like(patch.to_fit()[0]), Filled(0, 0, "not fitted", 0.0)
        else:
            output, end = _fitted(plan, patch, number, look, should_stop, saved)
            if saved is not None and end.why != "interrupted":
                saved.outputs.append({"output": torch.from_numpy(output), "end": asdict(end)})
                saved.fit = None
                if saved.is_due():
                    saved.write()
        ends.append(end)
        filled = patch.colours(patch.filled(output))
        colours[place.around][patch.own] = filled[patch.own]
    return colours, ends


class _Halt(Exception):
    """The fit was asked to end, and its state is kept."""


def _fitted(
    plan: Plan,
    patch: Patch,
    number: int,
    look: Look,
    should_stop: Callable[[], bool],
    saved: Saved | None,
) -> tuple[NDArray[np.float32], Filled]:
    """What fills one neighbourhood's hole, (C, h, w) at its working size."""
    image, mask = map(torch.from_numpy, patch.to_fit())
    request = _suited(plan.request, int(mask.sum().item()))
    height, width = image.shape[1:]
    # What a network needs beyond that is added right and below, as not known.
    least = request.method.architecture.minimum_side
    more = (0, max(0, least - width), 0, max(0, least - height))
    every = LOOK_EVERY[plan.device.partition(":")[0]]
    why: Why = "iterations"

    def best(checkpoint: Checkpoint) -> tuple[int, Tensor]:
        stop = _answer(request, checkpoint.stops)
        kept = (
            (stop.iteration, stop.output) if stop else (checkpoint.iteration, checkpoint.averaged)
        )
        return kept[0], kept[1][:, :height, :width]

    def keep(iteration: int, state: Callable[[], State]) -> None:
        if iteration == request.iterations:
            return  # it is over, and its output is what will be kept
        if saved is not None and (why == "interrupted" or saved.is_due()):
            saved.fit = state()
            saved.write()
        if why == "interrupted":
            raise _Halt

    last: Checkpoint | None = None
    try:
        for last in fit(
            F.pad(image, more),
            F.pad(mask, more),
            request.method,
            checkpoints=[*range(every, request.iterations, every), request.iterations],
            seed=request.seed,
            device=plan.device,
            rules=[request.rule] if request.rule else [],
            keep=keep,
            state=saved.fit if saved else None,
        ):
            raw, kept = last.raw[:, :height, :width], best(last)[1]
            look(Moment(plan, patch, number, last.iteration, last.loss, last.seconds, raw, kept))
            stop = _answer(request, last.stops)
            if stop is not None and stop.stopped_at is not None:
                why = "rule"
                break
            if should_stop() and last.iteration < request.iterations:
                why = "interrupted"  # and over as soon as the state is kept
    except _Halt:
        pass
    except Diverged as failure:
        chosen = _answer(request, last.stops) if last else None
        if chosen is None or chosen.iteration >= failure.iteration:
            raise FailedFitError(
                f"the fit failed: {failure}. Try another --seed, or a smaller learning rate with"
                " --set learning_rate=..."
            ) from None
        why = "diverged"
    except torch.OutOfMemoryError:
        raise InputError(
            f"{plan.device}: too little memory for a fit of {width}x{height} pixels; use a smaller"
            " --max-side"
        ) from None
    assert last is not None
    iteration, output = best(last)
    return output.numpy().copy(), Filled(iteration, last.iteration, why, last.seconds)


def _suited(request: Request, known_pixels: int) -> Request:
    """The request without the rule that holds pixels out, where they are too few for that."""
    try:
        request.method.held_out_pixels(known_pixels)
    except InputError:
        method = with_settings(request.method, {"held_out": 0.0})
        rule = None if isinstance(request.rule, HeldOutOptions) else request.rule
        return replace(request, method=method, rule=rule)
    return request


def _answer(request: Request, stops: dict[str, Stop]) -> Stop | None:
    """What the rule that was asked for would keep."""
    return stops.get(request.rule.label) if request.rule else None


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda"):
        index = int(name.partition(":")[2] or 0)
        if index >= (torch.cuda.device_count() if torch.cuda.is_available() else 0):
            raise InputError(f"device {name}: this machine has no such GPU; use cpu")
    return name
