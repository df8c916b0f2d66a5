"""What the caller of a fit names and gets: iterations, finished steps and checkpoints."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

from PIL import Image
from torch import Tensor

from dip.errors import InputError
from dip.options.base import plain_numbers
from dip.training.pictures import picture_of
from dip.training.stopping import Stop


class Step(NamedTuple):
    """One finished iteration.

    Attributes:
        iteration: the iteration, from 1.
        loss: its loss.
        milliseconds: what it took on the device.
        backtracked: it went back to earlier weights instead of taking a step.
    """

    iteration: int
    loss: float
    milliseconds: float
    backtracked: bool = False


@dataclass(frozen=True, repr=False)
class Checkpoint:
    """The state of the restoration at one iteration. A notebook shows it as a picture.

    Attributes:
        iteration: the iteration, from 1.
        outputs: by their labels `raw`, the network's output; `averaged`, the exponential average
            of all outputs so far; and those asked for, a mean from its first iteration on, a clean
            pass where it is finite. They are (C, H, W) float32 on the CPU, not clamped. An output
            from which backtracking went back counts in none: raw output and loss are those of the
            pass before.
        loss: of this iteration.
        seconds: spent in iterations so far, without what rules and the caller do.
        stops: what each stopping rule answers if the fit ends here, by the rule's label; a rule
            that could not choose yet is not there.
    """

    iteration: int
    outputs: dict[str, Tensor]
    loss: float
    seconds: float
    stops: dict[str, Stop]

    @property
    def raw(self) -> Tensor:
        return self.outputs["raw"]

    @property
    def averaged(self) -> Tensor:
        return self.outputs["averaged"]

    @property
    def picture(self) -> Image.Image:
        """The averaged output, rounded to 8 bits."""
        return picture_of(self.averaged)

    def __repr__(self) -> str:
        size = "x".join(map(str, self.raw.shape))
        about = f"iteration {self.iteration}, loss {self.loss:.5f}, {size}, {self.seconds:.1f} s"
        return f"Checkpoint({', '.join([about, *(f'stop {rule}' for rule in self.stops)])})"

    def _repr_png_(self) -> bytes | None:
        return self.picture._repr_png_()


def wanted_iterations(iterations: object) -> tuple[int, Container[int]]:
    """The last of some iterations, and what tells whether a number is one of them."""
    wanted: range | list[Any]
    if isinstance(iterations, str) or not isinstance(iterations, Iterable):
        raise InputError(f"iterations are a list of whole numbers, not {iterations!r}")
    if isinstance(iterations, range) and iterations:  # it may be long: its ends say enough
        listed, wanted = [iterations[0], iterations[-1]], iterations
    else:
        listed = wanted = [plain_numbers(iteration) for iteration in iterations]
    for value in listed:
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise InputError(f"iterations are whole numbers from 1 on, not {value!r}")
    if not listed:
        raise InputError("no iteration is named; name at least one")
    return int(max(listed)), wanted if isinstance(wanted, range) else frozenset(wanted)
