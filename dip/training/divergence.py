"""When a fit has failed: its loss is no number any more, or it has collapsed.

The thresholds keep far from both sides. Of all networks here, narrowed, at their own learning rates
no iteration is astray, on dark, bright, one-coloured and black and white images; at a learning rate
of 100 all are from the second one on, unless backtracking returns to the start.
"""

import math
from collections import deque
from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dip.options import Backtracking
from dip.training.losses import Loss
from dip.training.stopping import Stop

if TYPE_CHECKING:
    from dip.training.steps import Step

SPAN = 25  # iterations that are looked back upon; a shorter fit is not judged
SHARE = 0.9  # of them that are astray in a fit that has collapsed
NOT_FINITE = "the loss is not finite"
HALF_LEVEL = 0.5 / 255  # what a picture of 8 bits cannot show


class Diverged(ArithmeticError):
    """The fit has failed; `iteration` says since when, `reason` how, in words.

    noticed_at: the iteration that told; step: that one, which a fit does not yield. stops: by label
    the answers of stopping rules whose patience was out before.
    """

    def __init__(self, iteration: int, reason: str, noticed_at: int):
        super().__init__(f"{reason} since iteration {iteration}")
        self.iteration = iteration
        self.reason = reason
        self.noticed_at = noticed_at
        self.step: Step | None = None
        self.stops: dict[str, Stop] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is made anew from its text alone, with which a pool of processes would hang.
        return type(self), (self.iteration, self.reason, self.noticed_at), self.__dict__


class Watch:
    """Looks at each iteration, and raises Diverged when the fit has failed.

    An iteration is astray when its loss is worse than that of the known pixels' mean colour, and
    than 8 bits can show, and

    - at least twice that of the first iteration (blown up), or
    - the fit has been four times better than that colour before (lost), or
    - the known pixels are drawn in black and white per channel (saturated), or in one colour while
      the loss does not move any more (dead): no gradient leads out of there. A network that draws
      one colour and moves may yet find out, after hundreds of iterations.

    The fit has failed when nine in ten of the last 25 iterations are astray. With backtracking it
    looks back upon twice the iterations between its looks, so that it has had its chance to go
    back. What is told of an iteration never depends on how long the fit goes on.
    """

    def __init__(self, loss_of: Loss, backtracking: Backtracking | None):
        self.known_pixels = loss_of.known.flatten().nonzero()[:, 0]
        known = loss_of.target[0].flatten(1)[:, self.known_pixels]
        colour = known.mean(dim=1)[None, :, None, None].expand_as(loss_of.target)
        self.bar = max(loss_of(each).item() for each in (colour, loss_of.target + HALF_LEVEL))
        self.has_one_colour = bool(_is_flat(known))
        self.first_loss = math.nan
        self.least_loss = math.inf
        self.last_loss = math.nan
        span = max(SPAN, 2 * backtracking.every) if backtracking else SPAN
        self.astray: deque[tuple[int, str]] = deque(maxlen=span)

    def state_dict(self) -> dict[str, Any]:
        """What it has seen."""
        return {
            "losses": (self.first_loss, self.least_loss, self.last_loss),
            "astray": list(self.astray),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.first_loss, self.least_loss, self.last_loss = state["losses"]
        self.astray.clear()
        self.astray.extend(state["astray"])

    def signs(self, loss: Tensor, output: Tensor) -> Tensor:
        """What `look` needs to know of a pass, three numbers on the device.

        They are its loss, and whether the known pixels are of one colour, and black and white only.
        output: (B, C, H, W).
        """
        known = output[0].flatten(1).index_select(1, self.known_pixels)
        return torch.stack([loss.double(), _is_flat(known), _is_saturated(known)])

    def look(self, iteration: int, signs: Sequence[float], backtracked: bool) -> None:
        """signs: those of the iteration's pass, on the host."""
        loss, is_flat, is_saturated = signs
        if not (math.isfinite(loss) or backtracked):
            streak = list(takewhile(lambda each: each[1], reversed(self.astray)))
            how = f" in the end ({streak[0][1]} before)" if streak else ""
            raise Diverged((streak or [(iteration, "")])[-1][0], NOT_FINITE + how, iteration)
        if iteration == 1:
            self.first_loss = loss
        is_finite = math.isfinite(loss)
        how = self._how(loss, bool(is_flat), bool(is_saturated)) if is_finite else NOT_FINITE
        self.least_loss = min(self.least_loss, loss)  # of nan the number stays
        self.last_loss = loss
        self.astray.append((iteration, how))
        found = [(when, how) for when, how in self.astray if how]
        if len(self.astray) == self.astray.maxlen and len(found) >= SHARE * len(self.astray):
            raise Diverged(found[0][0], f"the fit has collapsed ({found[-1][1]})", iteration)

    def _how(self, loss: float, is_flat: bool, is_saturated: bool) -> str:
        """In what way the iteration is astray, or nothing."""
        if loss <= self.bar:
            return ""
        if loss >= 2 * self.first_loss:
            return "a loss above its first"
        if self.least_loss < self.bar / 4:
            return "what it had learnt is lost"
        if self.has_one_colour:
            return ""
        if is_saturated:
            return "black and white only"
        is_dead = is_flat and loss == self.last_loss
        return "one colour that does not change" if is_dead else ""


def _is_flat(values: Tensor) -> Tensor:
    """values: (C, known pixels)."""
    return (values.clamp(0, 1).std(dim=1, correction=0) < HALF_LEVEL).all()


def _is_saturated(values: Tensor) -> Tensor:
    # Not what lies outside [0, 1]: a linear output may start there and find its way.
    at_an_end = (values.abs() < HALF_LEVEL) | ((values - 1).abs() < HALF_LEVEL)
    return at_an_end.to(torch.float32).mean() >= 0.99
