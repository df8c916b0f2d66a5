"""Fills the holes of a photo, one neighbourhood after the other."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from dip.errors import FailedFitError, InputError
from dip.inpainting.crop import Patch
from dip.inpainting.files.photo import Colours
from dip.inpainting.plan import Plan
from dip.inpainting.request import Request
from dip.inpainting.resume import Saved
from dip.options.networks.imported import ImportedOptions
from dip.presets import with_settings
from dip.trainer import Fit
from dip.training.divergence import SPAN, Diverged
from dip.training.steps import Checkpoint

KEPT = 4  # averages, `SPAN` iterations apart: a failure is noticed that late, or twice that

Why = Literal[
    "iterations", "rule", "interrupted", "diverged", "failed", "not fitted", "nothing known"
]
CUT_SHORT = ("interrupted", "not fitted")  # what a state goes on with


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

    def drawn(self) -> Image.Image:
        """All that the network draws, as RGB at the working size."""
        return self.plan.photo.to_look_at(self.patch.drawn(self.raw.numpy()))

    def glance(self) -> Image.Image:
        """The neighbourhood with its hole as the network draws it, as RGB at the working size."""
        return self.plan.photo.to_look_at(self.patch.glance(self.raw.numpy()))

    def restored(self) -> Image.Image:
        """The neighbourhood as it would be restored now, as RGB at full resolution.

        It may take seconds: the seam of a large hole is large.
        """
        return self.plan.photo.to_look_at(self.patch.filled(self.best.numpy()))


@dataclass(frozen=True)
class Filled:
    """How one hole's fit ended. iteration: the one whose output fills it; 0 where none does.

    ended_at: the last iteration. why: all `iterations` were done, the `rule` had seen enough,
    somebody `interrupted` it, or it `diverged` behind the output that is kept; it `failed` before
    there was one, or was `not fitted` any more, and is filled smoothly; there is `nothing known`
    around it, and it is left as it is. seconds: of its iterations.
    """

    iteration: int
    ended_at: int
    why: Why
    seconds: float


Look = Callable[[Moment], None]


def fill(
    plan: Plan,
    look: Look = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    saved: Saved | None = None,
) -> tuple[Colours, list[Filled]]:
    """The photo's colours (H, W, C) with its holes filled, and how each fit ended.

    look is called at each iteration on a CPU, on a GPU at every 25th. should_stop is asked then,
    too: the fit under way ends with the best it has, and the holes after it are not fitted. saved:
    where states go, and come from. Raises FailedFitError if no fit came to anything, and InputError
    if there is too little memory.
    """
    colours = plan.photo.colours.copy()
    ends: list[Filled] = []
    failure: FailedFitError | None = None
    for number, place in enumerate(plan.places, start=1):
        patch = Patch(place, plan.photo.colours, plan.hole, plan.photo.visible)
        is_new = saved is None or number > len(saved.outputs)
        if saved is not None and not is_new:
            done = saved.outputs[number - 1]
            output, end = done["output"].numpy(), Filled(**done["end"])
        elif not patch.known.any():
            output, end = patch.blank(), Filled(0, 0, "nothing known", 0.0)
        elif should_stop():
            output, end = patch.blank(), Filled(0, 0, "not fitted", 0.0)
        else:
            try:
                output, end = _fitted(plan, patch, number, look, should_stop, saved)
            except FailedFitError as error:
                failure, output, end = error, patch.blank(), Filled(0, 0, "failed", 0.0)
        if saved is not None and is_new and end.why not in CUT_SHORT:
            saved.add(torch.from_numpy(output), asdict(end))
            if saved.is_due():
                saved.catch_up()
        ends.append(end)
        if end.why != "nothing known":
            filled = patch.colours(patch.filled(output))
            colours[place.around][patch.own] = filled[patch.own]
    if failure is not None and not any(end.iteration for end in ends):
        raise failure
    return colours, ends


def _fitted(
    plan: Plan,
    patch: Patch,
    number: int,
    look: Look,
    should_stop: Callable[[], bool],
    saved: Saved | None,
) -> tuple[NDArray[np.float32], Filled]:
    """What fills one neighbourhood's hole, (C, h, w) at its working size."""
    image, mask = map(torch.from_numpy, patch.small)
    request = _suited(plan.request, int(mask.sum().item()))
    _, height, width = image.shape
    why: Why = "iterations"
    last: Checkpoint | None = None
    kept: tuple[int, Tensor] | None = None
    earlier: deque[tuple[int, Tensor]] = deque(maxlen=KEPT)  # averages to use if the fit fails
    try:
        with _explaining(plan, request, (width, height)):
            fit = _begin(plan, request, image, mask, saved)
            for step in fit.until(request.iterations):
                if step.iteration < fit.iteration:  # within a block of iterations on a GPU
                    continue
                last = _within(fit.checkpoint(), height, width)
                stop = last.stops.get(request.rule.label) if request.rule else None
                kept = (stop.iteration, stop.output) if stop else (last.iteration, last.averaged)
                seen = last.iteration, last.loss, last.seconds, last.raw, kept[1]
                look(Moment(plan, patch, number, *seen))
                if last.iteration >= (earlier[-1][0] if earlier else 0) + SPAN:
                    earlier.append((last.iteration, last.averaged))
                if stop is not None and stop.stopped_at is not None:
                    why = "rule"
                    break
                if last.iteration == request.iterations:
                    break
                if should_stop():
                    why = "interrupted"
                if saved is not None and (why == "interrupted" or saved.is_due()):
                    saved.write(fit.state_dict())
                if why == "interrupted":
                    break
    except Diverged as failure:
        kept, why = _last_sound([*earlier, *([kept] if kept else [])], failure), "diverged"
    assert last is not None
    assert kept is not None
    iteration, output = kept
    return output.numpy().copy(), Filled(iteration, last.iteration, why, last.seconds)


def _begin(plan: Plan, request: Request, image: Tensor, mask: Tensor, saved: Saved | None) -> Fit:
    """Make the fit of one neighbourhood; resume it if it has a saved state."""
    # What a network needs beyond that is added right and below, as not known.
    least = request.method.architecture.minimum_side
    more = (0, max(0, least - image.shape[2]), 0, max(0, least - image.shape[1]))
    fit = Fit(
        F.pad(image, more),
        F.pad(mask, more),
        request.method,
        seed=request.seed,
        device=plan.device,
        rules=[request.rule] if request.rule else [],
    )
    if saved is not None and saved.fit is not None:
        fit.load_state_dict(saved.fit)
        if fit.iteration >= request.iterations:
            raise InputError(
                f"the saved fit has already run {fit.iteration} iterations; set a larger"
                " `iterations`"
            )
    return fit


def _within(checkpoint: Checkpoint, height: int, width: int) -> Checkpoint:
    """The checkpoint without the rows and columns of padding."""
    stops = {
        label: replace(stop, output=stop.output[:, :height, :width])
        for label, stop in checkpoint.stops.items()
    }
    outputs = {label: output[:, :height, :width] for label, output in checkpoint.outputs.items()}
    return replace(checkpoint, outputs=outputs, stops=stops)


def _last_sound(outputs: list[tuple[int, Tensor]], failure: Diverged) -> tuple[int, Tensor]:
    """The last output before the fit failed, and its iteration."""
    sound = [output for output in outputs if SPAN <= output[0] < failure.iteration]
    if not sound:
        raise FailedFitError(
            f"the fit failed: {failure}; another seed or a smaller learning rate may help"
        ) from None
    return sound[-1]


@contextmanager
def _explaining(plan: Plan, request: Request, size: tuple[int, int]) -> Iterator[None]:
    """Turn a lack of memory, or an error in an imported network, into a one-line InputError."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch's own is a RuntimeError on a CPU
        if isinstance(error, MemoryError) or "memory" in str(error) or "overflow" in str(error):
            raise InputError(
                f"{plan.device}: too little memory for a fit of {size[0]}x{size[1]} pixels; use a"
                " smaller `max_side`, or a network with fewer channels"
            ) from None
        if isinstance(request.method.architecture, ImportedOptions):
            raise InputError(f"the network fails: {str(error).splitlines()[0]}") from None
        raise


def _suited(request: Request, known_pixels: int) -> Request:
    """The request without the rule that holds pixels out, where they are too few for that."""
    try:
        request.method.held_out_pixels(known_pixels)
    except InputError:
        method = with_settings(request.method, {"held_out": 0.0})
        rule = None if request.rule and request.rule.needs_held_out else request.rule
        return replace(request, method=method, rule=rule)
    return request
