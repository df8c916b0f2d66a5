"""What a person sees while a photo is being restored: a line, in a terminal with a picture."""

import os
import shutil
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

import numpy as np
from PIL import Image

from dip.system.text import duration

if TYPE_CHECKING:
    from dip.inpainting.fill import Moment

LINE_SECONDS = 20.0  # between lines that are not to a terminal
REDRAW_SECONDS = 0.2
PICTURE_SECONDS = 2.0
TALLEST = 24  # rows of a terminal that a picture takes at most


class Line:
    """What is going on: in a terminal one line that is redrawn, elsewhere one now and then."""

    def __init__(self, stream: TextIO | None = None):
        self.stream = stream or sys.stderr
        # One that says nothing of itself, or that it is dumb, does not move its cursor.
        self.is_terminal = self.stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
        self.last = time.monotonic()
        self.is_open = False  # whether the cursor stands behind it

    def is_due(self, now: float) -> bool:
        """Whether the line is so old that another may take its place."""
        return now - self.last >= (REDRAW_SECONDS if self.is_terminal else LINE_SECONDS)

    def show(self, text: str, now: float) -> None:
        """Print it, in a terminal over the one before and as far as there is room."""
        self.last = now
        if not self.is_terminal:
            print(text, file=self.stream, flush=True)
            return
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\x1b[K{text[:width]}", end="", file=self.stream, flush=True)
        self.is_open = True

    def finish(self) -> None:
        """Ends the line, so that what follows stands on one of its own."""
        if self.is_open:
            print(file=self.stream, flush=True)
            self.is_open = False

    def clear(self) -> None:
        """Takes the line away, where it is in a terminal."""
        if self.is_open:
            print("\r\x1b[K", end="", file=self.stream, flush=True)
            self.is_open = False


class Progress:
    """Says of each fit its loss, its pace and the time that is left at most.

    picture: whether to draw the restoration, too, in half blocks of 24-bit colours.
    """

    def __init__(self, stream: TextIO | None = None, *, picture: bool = False):
        self.shown = Line(stream)
        self.picture = picture
        self.rows = 0  # of the picture that is on the screen
        self.first: tuple[int, int, float] | None = None  # hole, iteration and time of its start
        self.last_picture = -PICTURE_SECONDS

    def __call__(self, moment: "Moment") -> None:
        now = time.monotonic()
        if self.first is None or self.first[0] != moment.hole:
            self.first = (moment.hole, moment.iteration, now)
        with_picture = self.picture and self.shown.is_terminal
        if with_picture and now - self.last_picture >= PICTURE_SECONDS:
            self.last_picture = now
            self._draw(moment.glance())
            self.shown.show(self.line(moment, now), now)
        elif self.shown.is_due(now):
            self.shown.show(self.line(moment, now), now)

    def line(self, moment: "Moment", now: float) -> str:
        """The state of a fit in words; times and pace are of this run."""
        assert self.first is not None
        _, first_iteration, started = self.first
        bound = moment.plan.request.iterations
        which = f"hole {moment.hole} of {moment.holes}: " if moment.holes > 1 else ""
        text = f"{which}iteration {moment.iteration} of {bound} at most, loss {moment.loss:.5f}"
        done = moment.iteration - first_iteration
        if done < 1 or now <= started:
            return text
        pace = done / (now - started)
        areas = [place.height * place.width for place in moment.plan.places]
        later = sum(areas[moment.hole :]) / areas[moment.hole - 1] * bound
        left = (bound - moment.iteration + later) / pace
        return f"{text}, {pace:.1f} it/s, at most {duration(left)} left"

    def finish(self) -> None:
        """Ends the line, so that what follows stands on one of its own."""
        self.shown.finish()

    def _draw(self, picture: Image.Image) -> None:
        columns, lines = shutil.get_terminal_size()
        rows = blocks(picture, columns - 1, min(TALLEST, lines - 2))
        up = f"\x1b[{self.rows}A" if self.rows else ""
        print(f"\r\x1b[K{up}" + "\n".join(f"\x1b[K{row}" for row in rows), file=self.shown.stream)
        self.rows = len(rows)


class FillProgress:
    """Says that a fill is under way and, of one that tells, the time that is left.

    What it says in a terminal is gone when it is finished.
    """

    def __init__(self, name: str, stream: TextIO | None = None):
        self.name = name
        self.shown = Line(stream)
        self.started = time.monotonic()
        if self.shown.is_terminal:
            self._show(f"{name} ...", self.started)

    def __call__(self, share: float) -> None:
        """share: of the work, that is done; in (0, 1]."""
        now = time.monotonic()
        if share < 1 and self.shown.is_due(now):
            left = (now - self.started) * (1 - share) / share
            self._show(f"{self.name}: {share:.0%} done, about {duration(left)} left", now)

    def _show(self, text: str, now: float) -> None:
        with suppress(OSError):  # nobody may be there to read it
            self.shown.show(text, now)

    def finish(self) -> None:
        """Takes the line away."""
        with suppress(OSError):
            self.shown.clear()


def blocks(picture: Image.Image, columns: int, rows: int) -> list[str]:
    """A picture as lines of half blocks, each one pixel wide and two high."""
    scale = min(columns / picture.width, 2 * rows / picture.height, 1.0)
    width = max(1, int(picture.width * scale))
    height = max(1, int(picture.height * scale / 2)) * 2
    pixels = np.asarray(picture.convert("RGB").resize((width, height), Image.Resampling.BOX))

    def cell(upper: tuple[int, int, int], lower: tuple[int, int, int]) -> str:
        return "\x1b[38;2;{};{};{}m\x1b[48;2;{};{};{}m\u2580".format(*upper, *lower)

    pairs = zip(pixels[::2].tolist(), pixels[1::2].tolist(), strict=True)
    return ["".join(cell(a, b) for a, b in zip(*pair, strict=True)) + "\x1b[0m" for pair in pairs]
