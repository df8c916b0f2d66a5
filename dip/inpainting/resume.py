"""The state of a restoration on disk, from which an interrupted one goes on.

One file beside the output: what fills the holes that are done, and the state of the fit that was
under way. It is gone when the restoration is there.
"""

import hashlib
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dip.errors import InputError
from dip.options.canonical import method_text
from dip.system.files import replacing

if TYPE_CHECKING:
    from torch import Tensor

    from dip.inpainting.plan import Plan
    from dip.training.state import State

EVERY_SECONDS = 60.0


def state_path(out: Path) -> Path:
    """Where the state of a restoration is that will be written to `out`."""
    return out.with_name(f"{out.name}.dip-state")


def check_state(state: Path, resume: bool) -> None:
    """Raises InputError if the state is missing although it is needed, or would be overwritten."""
    if not os.path.lexists(state):
        if resume:
            raise InputError(f"{state}: no saved state to resume; leave out `resume`")
    elif not _looks_saved(state):
        raise InputError(
            f"{state}: not a state that this program has saved, and the state of this run would be"
            " there; move it, or name another file to write"
        )
    elif not resume:
        raise InputError(f"{state}: left by an interrupted run; add `resume`, or delete it")


def _looks_saved(path: Path) -> bool:
    """Whether a file has the form in which torch saves, told without importing it."""
    try:
        with zipfile.ZipFile(path) as file:
            return any(name.endswith("/data.pkl") for name in file.namelist())
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


class Saved:
    """What is known of a restoration so far.

    outputs: for each hole that is done, its output and how its fit ended; fit: the state of the one
    that was under way, to go on from.
    """

    def __init__(
        self,
        path: Path,
        plan: "Plan",
        note: Callable[[str], None],
        wrote: dict[str, str] | None = None,
        *,
        resume: bool = False,
    ):
        """note: is told what the user should know. wrote: hashes of files, which are saved with it.

        Raises InputError if it is to go on from a state that cannot be read or is of something
        else.
        """
        self.path = path
        self.note = note
        self.can_write = True
        self.is_own = resume  # whether the file on the disk is this run's, or what it resumes
        self.wrote = {} if wrote is None else wrote
        self.of = _name(plan)
        self.outputs: list[dict[str, Any]] = []
        self.fit: State | None = None
        self.is_behind = False  # whether there are outputs that are not on the disk
        self.last_write = time.monotonic()
        if resume:
            self._read()

    def _read(self) -> None:
        import torch

        try:
            content = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever a damaged or foreign file makes torch raise
            raise InputError(
                f"{self.path}: not a state that can be read ({type(error).__name__});"
                " leave `resume` out"
            ) from None
        if not isinstance(content, dict) or content.get("of") != self.of:
            raise InputError(
                f"{self.path}: the state is of another photo, hole or other settings; use those, or"
                " leave `resume` out"
            )
        self.outputs, self.fit = content["outputs"], content["fit"]
        self.wrote.update(content.get("wrote", {}))

    def add(self, output: "Tensor", end: dict[str, Any]) -> None:
        """A hole is done."""
        self.outputs.append({"output": output, "end": end})
        self.fit = None
        self.is_behind = True

    def is_due(self) -> bool:
        """Whether the last one was written so long ago that another should be."""
        return self.can_write and time.monotonic() - self.last_write >= EVERY_SECONDS

    def catch_up(self) -> None:
        """Write what is done, if it is not there."""
        if self.is_behind:
            self.write(None)

    def finish(self) -> bool:
        """Write all for the run that resumes this one; returns whether there is something now."""
        self.write(self.fit)
        return self.can_write

    def write(self, fit: "State | None") -> None:
        """With the state of the fit under way.

        Where it cannot be written that is noted, once, and what was there before stays.
        """
        import torch

        if not self.can_write:
            return
        content = {"of": self.of, "outputs": self.outputs, "fit": fit, "wrote": self.wrote}
        place = Path(os.path.realpath(self.path))
        try:
            # torch itself opens no file whose name begins with a dot.
            with replacing(place, over=self.is_own) as partial, partial.open("wb") as file:
                torch.save(content, file)
            self.fit, self.is_behind, self.is_own = fit, False, True
        except (OSError, RuntimeError) as error:  # torch's own, when the disk is full
            self.can_write = False
            self.note(
                f"{self.path}: the state cannot be written ({error}), so this run cannot be resumed"
            )
        self.last_write = time.monotonic()

    def remove(self) -> None:
        if self.is_own:
            self.path.unlink(missing_ok=True)


def _name(plan: "Plan") -> str:
    """A hash of all that decides what comes out, but for how long it goes on."""
    request = plan.request
    rule = request.rule.model_dump_json() if request.rule else None
    described = [method_text(request.method), request.seed, rule]
    places = [(vars(each)) for each in plan.places]
    digest = hashlib.sha256(repr([described, places, plan.device.partition(":")[0]]).encode())
    digest.update(np.packbits(plan.hole).tobytes())
    digest.update(np.packbits(plan.photo.visible).tobytes())
    known = plan.photo.colours.copy()
    known[plan.hole] = 0
    digest.update(known.tobytes())
    return digest.hexdigest()
