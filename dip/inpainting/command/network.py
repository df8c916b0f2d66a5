"""Runs fits of a network: what is said, what is saved, and Ctrl-C."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dip.errors import InputError
from dip.inpainting.display.previews import all_of
from dip.inpainting.display.progress import Progress
from dip.inpainting.display.words import outcome, say_stopping
from dip.inpainting.files.photo import Colours
from dip.inpainting.resume import Saved
from dip.system.signals import ENDINGS, deferring_signals, ending_at_once
from dip.system.text import duration

if TYPE_CHECKING:
    from dip.inpainting.fill import Filled, Look
    from dip.inpainting.plan import Plan


def run_fit(
    plan: "Plan",
    saved: Saved,
    looks: Sequence["Look"],
    announcement: str,
    put: Callable[[Colours, bool], Path],
    draw: Callable[[Colours, Sequence["Filled"]], None],
    show_here: bool,
) -> int:
    """Fill the holes and save the picture; return the exit code.

    announcement: printed first; put: saves the photo; draw: writes pictures of the whole fit;
    show_here: draw previews in the terminal.
    """
    with ending_at_once():
        from dip.engine.engine import keep_memory
        from dip.inpainting.fill import CUT_SHORT, fill

    if plan.device == "cpu":
        keep_memory()
    progress = Progress(picture=show_here)
    started = time.monotonic()
    failure: InputError | None = None
    with deferring_signals(ENDINGS, say_stopping) as was_interrupted:
        print(announcement, flush=True)
        try:
            colours, ends = fill(plan, all_of([progress, *looks]), was_interrupted, saved)
            progress.finish()
            cut_short = was_interrupted() and any(end.why in CUT_SHORT for end in ends)
            out = _put(put, colours, cut_short, saved)
        except BaseException:
            progress.finish()
            saved.catch_up()  # what has been fitted is not lost with the rest
            raise
        try:
            draw(colours, ends)
        except InputError as error:  # the photo is saved; report that first
            failure = error
        can_resume = cut_short and saved.finish()
        if not cut_short:
            saved.remove()
    took = duration(time.monotonic() - started)
    print(f"{out}: {outcome(ends)}; {took}{'; --resume goes on' if can_resume else ''}")
    if failure is not None:
        raise failure
    if any(end.why == "failed" for end in ends):
        return 1
    return 130 if cut_short else 0


def _put(
    put: Callable[[Colours, bool], Path], colours: Colours, cut_short: bool, saved: Saved
) -> Path:
    """Save the restoration; if that fails, the InputError says that the fit is kept."""
    try:
        return put(colours, cut_short)
    except InputError as error:
        saved.catch_up()
        if not (saved.is_own and saved.path.is_file()):
            raise
        raise InputError(f"{error}; the fit is kept, and `resume` writes it") from None
