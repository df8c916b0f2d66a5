"""Pictures of a fit on its way: a preview that is refreshed, one every so often, an animation."""

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from dip.errors import InputError
from dip.inpainting.display.words import note
from dip.inpainting.files.places import Places, check_folder
from dip.inpainting.files.save import FORMATS, write

if TYPE_CHECKING:
    from dip.inpainting.fill import Look, Moment

PREVIEW_SECONDS = 5.0
ANIMATIONS = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG"}
SERIES = re.compile(r"hole-\d+-iteration-\d+\.png$", re.IGNORECASE)
GROWTH = 1.08  # from one frame's iteration to the next: a network draws fast first, then slowly
FRAME_MS, LAST_FRAME_MS = 80, 2500
CAPTION = 16  # pixels


def check_preview(path: Path) -> None:
    """Raises InputError if the file's name is of no picture."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"`preview` {path}: `terminal`, or a file of {', '.join(FORMATS)}")


def check_animation(path: Path) -> None:
    """Raises InputError if the file's name is of no animation."""
    if path.suffix.lower() not in ANIMATIONS:
        raise InputError(f"`animation` {path}: an animation is one of {', '.join(ANIMATIONS)}")


def all_of(looks: Sequence["Look"]) -> "Look":
    """Looks that are no reason to end a fit: one that cannot write is left out from then on."""
    active = [*looks]

    def look(moment: "Moment") -> None:
        for each in [*active]:
            try:
                each(moment)
            except (InputError, OSError) as error:  # as when nobody reads what is printed
                active.remove(each)
                with suppress(OSError):
                    note(f"{error}; it is given up, the fit goes on")

    return look


class Preview:
    """Refreshes a file with the neighbourhood and what is drawn in its hole now."""

    def __init__(self, path: Path, places: Places):
        self.path = path
        self.places = places
        self.last = -PREVIEW_SECONDS

    def __call__(self, moment: "Moment") -> None:
        if time.monotonic() - self.last < PREVIEW_SECONDS:
            return
        over = self.places.may_replace(self.path)
        write(moment.glance(), self.path, FORMATS[self.path.suffix.lower()], {}, over)
        self.places.remember(self.path)
        self.last = time.monotonic()


class Series:
    """Writes the neighbourhood every so many iterations, as `hole-1-iteration-000100.png`.

    Where an interrupted run has come further than its state, its pictures stay.
    """

    def __init__(
        self, every: int, folder: Path, places: Places, *, others: Sequence[Path], resume: bool
    ):
        """Raises InputError if there can be no such folder, or if a picture of it has to stay.

        others: the other files of the command.
        """
        if every < 1:
            raise InputError(f"`save_every` {every}: at least 1 iteration")
        self.every = every
        self.folder = folder
        self.over = places.force
        self.resume = resume
        self.next = {1: every}  # by hole
        for path in others:
            is_there = os.path.realpath(path.parent) == os.path.realpath(folder)
            if is_there and SERIES.match(path.name):
                raise InputError(
                    f"`save_every`: {path} is one of these pictures; name another folder"
                )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            there = sorted(path for path in folder.iterdir() if SERIES.match(path.name))
        except OSError as error:
            raise InputError(f"`save_every`: {folder}: {error.strerror}") from None
        check_folder(folder, f"`save_every` {folder}")
        if there and not resume:
            places.check(there[0])

    def __call__(self, moment: "Moment") -> None:
        if moment.iteration < self.next.get(moment.hole, self.every):
            return
        path = self.folder / f"hole-{moment.hole}-iteration-{moment.iteration:06}.png"
        if self.over or not (self.resume and os.path.lexists(path)):
            write(moment.restored(), path, "PNG", {}, self.over)
        self.next[moment.hole] = (moment.iteration // self.every + 1) * self.every


class Animation:
    """All that the network drew, and beside it the neighbourhood with its hole filled from that.

    Frames come at iterations that grow by the same factor: large regions, then shapes, then detail
    take about as long to watch.
    """

    def __init__(self, path: Path, places: Places):
        self.path = path
        self.places = places
        self.frames: list[Image.Image] = []
        self.next = (1, 1)  # hole and iteration
        self.unused: Moment | None = None

    def __call__(self, moment: "Moment") -> None:
        if (moment.hole, moment.iteration) < self.next:
            self.unused = moment
            return
        if self.unused is not None and self.unused.hole != moment.hole:
            self._add(self.unused)
        self._add(moment)
        following = max(moment.iteration + 1, round(moment.iteration * GROWTH))
        self.next = (moment.hole, following)
        self.unused = None

    def _add(self, moment: "Moment") -> None:
        drawn = moment.drawn()
        frame = Image.new("RGB", (2 * drawn.width, drawn.height + CAPTION))
        which = f"hole {moment.hole}, " if moment.holes > 1 else ""
        ImageDraw.Draw(frame).text((4, 2), f"{which}iteration {moment.iteration}", fill="white")
        frame.paste(drawn, (0, CAPTION))
        frame.paste(moment.glance(), (drawn.width, CAPTION))
        self.frames.append(frame)

    def write(self) -> None:
        """Raises InputError if it cannot be written."""
        if self.unused is not None:
            self._add(self.unused)
        if not self.frames:
            return
        size = (max(each.width for each in self.frames), max(each.height for each in self.frames))
        canvases = []
        for frame in self.frames:  # of several neighbourhoods, of several sizes
            canvas = Image.new("RGB", size)
            canvas.paste(frame)
            canvases.append(canvas)
        durations = [*[FRAME_MS] * (len(canvases) - 1), LAST_FRAME_MS]
        options = {
            "save_all": True,
            "append_images": canvases[1:],
            "duration": durations,
            "loop": 0,
        }
        over = self.places.may_replace(self.path)
        write(canvases[0], self.path, ANIMATIONS[self.path.suffix.lower()], options, over)
        self.places.remember(self.path)
