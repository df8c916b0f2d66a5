"""What the command says: of the photo, of what it will do, and of what came of it."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dip.fills import Fill
from dip.inpainting.crop import Neighbourhood
from dip.inpainting.files.photo import Mask
from dip.inpainting.request import FillRequest
from dip.system.text import duration

if TYPE_CHECKING:
    from dip.inpainting.fill import Filled
    from dip.inpainting.plan import Plan


def described(image: Path, mode: str, hole: Mask) -> str:
    height, width = hole.shape
    return f"{image}: {width}x{height} pixels, {mode}, {hole.mean():.2%} of them in the hole"


def planned(plan: "Plan", preset: str, stop: str) -> str:
    end = f"{plan.request.iterations} iterations" + (f" or {stop}" if stop != "none" else "")
    where = _sizes(plan.places)
    return f"fitting {preset} on {plan.device}: {where}, until {end}; Ctrl-C keeps the best"


def fill_planned(request: FillRequest, places: Sequence[Neighbourhood]) -> str:
    fill = request.fill
    cost = f" ({fill.cost})" if fill.slow and fill.has_defaults else ""
    return f"filling with {fill_in_words(fill)}{cost}: {_sizes(places)}; Ctrl-C ends it"


def fill_in_words(fill: Fill) -> str:
    """Its name, with the settings that were changed."""
    settings = fill.options.model_dump(mode="json", exclude_defaults=True)
    changed = [f"{key}={value}" for key, value in settings.items()]
    return f"{fill.name} ({', '.join(changed)})" if changed else fill.name


def fill_outcome(request: FillRequest, left: Sequence[int]) -> str:
    """left: numbers of the holes that were left as they are."""
    parts = [f"filled with {fill_in_words(request.fill)}"]
    parts += [f"hole {number}: left as it is, with nothing visible around it" for number in left]
    return "; ".join(parts)


def fill_tile(fill: Fill, seconds: float) -> str:
    """What stands below a fill's picture."""
    return f"{fill.summary}\n{seconds_in_words(seconds)}"


def network_tile(preset: str, ends: Sequence["Filled"]) -> str:
    """What stands below a network's picture."""
    seconds = seconds_in_words(sum(end.seconds for end in ends))
    return f"An untrained network, preset {preset}, {outcome(ends)}.\n{seconds}"


def seconds_in_words(seconds: float) -> str:
    """Tenths where a second is much."""
    if seconds < 0.1:
        return "< 0.1 s"
    return f"{seconds:.1f} s" if seconds < 9.95 else duration(seconds)


def _sizes(places: Sequence[Neighbourhood]) -> str:
    sizes = []
    for place in places:
        height, width = (each.stop - each.start for each in place.around)
        reduced = f" of {width}x{height}" if (place.width, place.height) != (width, height) else ""
        sizes.append(f"{place.width}x{place.height}{reduced}")
    where = f"{', '.join(sizes[:5])}{' ...' if len(sizes) > 5 else ''} pixels"
    return f"{len(sizes)} holes apart, {where}" if len(sizes) > 1 else where


def outcome(ends: Sequence["Filled"]) -> str:
    words = {
        "iterations": "iteration {0} of all {1}",
        "rule": "iteration {0} of {1}, where the rule ended the fit",
        "interrupted": "iteration {0} of {1}, where it was interrupted",
        "diverged": "iteration {0} of {1}, where the fit failed",
        "failed": "filled smoothly, because its fit failed",
        "not fitted": "filled smoothly, without a fit",
        "nothing known": "left as it is, with nothing visible around it",
    }
    said = [words[end.why].format(end.iteration, end.ended_at) for end in ends]
    if len(said) == 1:
        return said[0]
    return "; ".join(f"hole {number}: {text}" for number, text in enumerate(said, start=1))


def note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def say_stopping() -> None:
    """Not by `print`, which this may have interrupted in the middle of another line."""
    below = b"\n" if os.isatty(2) else b""
    with suppress(OSError):  # nobody may be there to read it
        os.write(2, below + b"stopping after this iteration; again: at once\n")
