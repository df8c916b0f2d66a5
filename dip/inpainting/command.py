"""The command: checks everything it is given, says what it found, and only then imports torch."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from PIL import Image

from dip.errors import InputError
from dip.inpainting.display.previews import (
    Animation,
    Preview,
    Series,
    check_animation,
    check_preview,
)
from dip.inpainting.files.photo import Mask, loses_depth, open_picture, photo_in, with_hole
from dip.inpainting.files.save import check_format, is_lossless, save
from dip.inpainting.mask import Box, hole_in_file, hole_of_boxes, parse_box
from dip.inpainting.request import MAX_SIDES, PRESET, STOP, make_request, parse_setting
from dip.inpainting.resume import Saved, state_path
from dip.options import RULES
from dip.system.signals import SIGNALS, deferring_signals
from dip.system.text import duration

if TYPE_CHECKING:
    from dip.inpainting.fill import Filled, Look, Moment
    from dip.inpainting.plan import Plan

# A terminal that is closed is an interruption, too.
ENDINGS = (*SIGNALS, signal.SIGHUP)
MOSTLY = 0.8  # share of the photo in its hole from which the mask is probably the wrong way round


def inpaint(
    image: Annotated[
        Path, typer.Argument(metavar="IMAGE", help="the photo: PNG, JPEG, WebP or TIFF")
    ],
    mask: Annotated[
        Path | None,
        typer.Argument(
            metavar="MASK", help="a picture of the same size, white = known, black = hole"
        ),
    ] = None,
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="the file to write")],
    box: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,W,H", help="a hole, instead of a mask; may be repeated"),
    ] = None,
    hole_is_white: Annotated[
        bool, typer.Option("--hole-is-white", help="the mask is white in the hole")
    ] = False,
    preset: Annotated[str, typer.Option(help="network and settings to start from")] = PRESET,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="change one; may be repeated"),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(help="of each fit, at most; default: the preset's")
    ] = None,
    stop: Annotated[
        str, typer.Option(metavar="RULE", help=f"what ends a fit: {', '.join(RULES)} or none")
    ] = STOP,
    seed: Annotated[int, typer.Option(help="another one draws another restoration")] = 0,
    context: Annotated[
        int | None,
        typer.Option(help="pixels around a hole to fit with it; default: half its longer side"),
    ] = None,
    max_side: Annotated[
        int | None,
        typer.Option(
            help="what is fitted is reduced to this; default: "
            + ", ".join(f"{side} on {kind}" for kind, side in MAX_SIDES.items())
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N")] = "auto",
    preview: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="a picture to refresh; `terminal` draws it there"),
    ] = None,
    animation: Annotated[
        Path | None, typer.Option(help="how it was drawn: a .gif, .webp or .png")
    ] = None,
    save_every: Annotated[
        tuple[int, Path] | None,
        typer.Option(metavar="N DIR", help="the restoration so far, every N iterations"),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with an interrupted run")] = False,
    force: Annotated[bool, typer.Option("--force", help="OUT may be the photo itself")] = False,
) -> int:
    """Fill the hole in a photo. Ctrl-C stops early, and writes the best so far."""
    request = make_request(
        preset,
        dict(map(parse_setting, settings or [])),
        iterations=iterations,
        seed=seed,
        stop=stop,
        context=context,
        max_side=max_side,
        device=device,
    )
    boxes = [parse_box(each) for each in box or []]
    if bool(boxes) == (mask is not None):
        raise InputError("the hole: either a MASK or --box says where it is")
    if hole_is_white and mask is None:
        raise InputError("--hole-is-white is about a mask, and there is none")
    picture = open_picture(image)
    _check_places(image, mask, out, animation, preview, force)
    check_format(out, picture)
    photo = photo_in(picture, str(image))
    hole = _hole(mask, boxes, photo.colours.shape[:2], hole_is_white)
    show_here = preview == "terminal"
    if show_here:
        _check_terminal()
    state = state_path(out)
    _check_state(state, resume)
    looks: list[Look] = []
    if save_every is not None:
        looks.append(Series(*save_every, photo=image))
    if preview is not None and not show_here:
        looks.append(Preview(Path(preview)))
    frames = Animation(animation) if animation is not None else None
    if frames is not None:
        looks.append(frames)
    print(_described(image, picture.mode, hole), flush=True)
    if loses_depth(image):
        _note("its colours have 16 bits, of which 8 are read and written")
    if mask is not None and hole.mean() > MOSTLY:
        _note(f"that is most of it; {'leave out' if hole_is_white else 'add'} --hole-is-white?")

    # From here on it takes seconds.
    from dip.inpainting.plan import make_plan

    plan = make_plan(photo, hole, request)
    saved = Saved(state, plan, _note, resume=resume)
    announcement = _planned(plan, preset, stop)
    # A lossy format changes the known pixels, and the saved state would not fit the new photo.
    must_stay = _are_one(out, image) and not is_lossless(out, picture)
    code = _restore(plan, saved, looks, announcement, picture, out, show_here, must_stay)
    if frames is not None:
        frames.write()
    return code


def _restore(
    plan: "Plan",
    saved: Saved,
    looks: Sequence["Look"],
    announcement: str,
    picture: Image.Image,
    out: Path,
    show_here: bool,
    must_stay: bool,
) -> int:
    """Fill the holes and save the picture; return the exit code.

    announcement: printed first; show_here: draw previews in the terminal; must_stay: `out` is also
    the photo, so an unfinished restoration is saved beside it.
    """
    from dip.engine.engine import keep_memory
    from dip.inpainting.display.progress import Progress
    from dip.inpainting.fill import CUT_SHORT, fill

    if plan.device == "cpu":
        keep_memory()
    progress = Progress(picture=show_here)
    started = time.monotonic()
    with deferring_signals(ENDINGS, _say_stopping) as was_interrupted:
        print(announcement, flush=True)
        try:
            colours, ends = fill(plan, _all([progress, *looks]), was_interrupted, saved)
            progress.finish()
            cut_short = was_interrupted() and any(end.why in CUT_SHORT for end in ends)
            if cut_short and must_stay:
                out = out.with_stem(f"{out.stem}-so-far")
            save(with_hole(picture, colours, plan.hole), picture, out)
        except BaseException:
            progress.finish()
            saved.catch_up()  # what has been fitted is not lost with the rest
            raise
        if cut_short:
            saved.catch_up()
        else:
            saved.remove()
    took = duration(time.monotonic() - started)
    goes_on = "; --resume goes on" if cut_short and saved.can_write else ""
    print(f"{out}: {_outcome(ends)}; {took}{goes_on}")
    if any(end.why == "failed" for end in ends):
        return 1
    return 130 if cut_short else 0


def _check_state(state: Path, resume: bool) -> None:
    """Raises InputError if the state is missing although it is needed, or would be overwritten."""
    if resume and not state.is_file():
        raise InputError(f"{state}: no saved state to resume; leave out --resume")
    if state.exists() and not resume:
        raise InputError(f"{state}: left by an interrupted run; add --resume, or delete it")


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def _check_places(
    image: Path,
    mask: Path | None,
    out: Path,
    animation: Path | None,
    preview: str | None,
    force: bool,
) -> None:
    """Raises InputError if a file cannot be written, or would overwrite another one of these."""
    written = {"--out": out}
    if animation is not None:
        check_animation(animation)
        written["--animation"] = animation
    if preview is not None and preview != "terminal":
        check_preview(Path(preview))
        written["--preview"] = Path(preview)
    if _are_one(out, image) and not force:
        raise InputError(f"{out}: that is the photo itself; --force overwrites it")
    for name, path in written.items():
        others = [each for other, each in written.items() if other != name]
        others += [mask] if mask is not None else []
        others += [image] if name != "--out" else []
        for other in others:
            if _are_one(path, other):
                raise InputError(f"{name} {path}: that is another file of this command, {other}")
        if path.is_dir():
            raise InputError(f"{name} {path}: is a folder; name a file in it")
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise InputError(f"{name} {path}: cannot be written ({error.strerror})") from None


def _are_one(path: Path, other: Path) -> bool:
    return path.resolve() == other.resolve() or (
        path.exists() and other.exists() and path.samefile(other)
    )


def _hole(mask: Path | None, boxes: Sequence[Box], size: tuple[int, int], is_white: bool) -> Mask:
    if mask is None:
        return hole_of_boxes(boxes, size)
    return hole_in_file(mask, size, is_white)


def _check_terminal() -> None:
    if not sys.stderr.isatty() or os.environ.get("COLORTERM") not in ("truecolor", "24bit"):
        raise InputError(
            "--preview terminal: this is none that says it shows 24-bit colours (COLORTERM); name a"
            " file to refresh instead"
        )


def _described(image: Path, mode: str, hole: Mask) -> str:
    height, width = hole.shape
    return f"{image}: {width}x{height} pixels, {mode}, {hole.mean():.2%} of them in the hole"


def _planned(plan: "Plan", preset: str, stop: str) -> str:
    sizes = []
    for place in plan.places:
        height, width = (each.stop - each.start for each in place.around)
        reduced = f" of {width}x{height}" if (place.width, place.height) != (width, height) else ""
        sizes.append(f"{place.width}x{place.height}{reduced}")
    where = f"{', '.join(sizes[:5])}{' ...' if len(sizes) > 5 else ''} pixels"
    apart = f"{len(sizes)} holes apart, " if len(sizes) > 1 else ""
    end = f"{plan.request.iterations} iterations" + (f" or {stop}" if stop != "none" else "")
    return f"fitting {preset} on {plan.device}: {apart}{where}, until {end}; Ctrl-C keeps the best"


def _outcome(ends: Sequence["Filled"]) -> str:
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


def _all(looks: Sequence["Look"]) -> "Look":
    """Looks that are no reason to end a fit: one that cannot write is left out from then on."""
    active = [*looks]

    def look(moment: "Moment") -> None:
        for each in [*active]:
            try:
                each(moment)
            except (InputError, OSError) as error:  # as when nobody reads what is printed
                active.remove(each)
                with suppress(OSError):
                    _note(f"{error}; it is given up, the fit goes on")

    return look


def _say_stopping() -> None:
    """Not by `print`, which this may have interrupted in the middle of another line."""
    below = b"\n" if os.isatty(2) else b""
    with suppress(OSError):  # nobody may be there to read it
        os.write(2, below + b"stopping after this iteration; again: at once\n")
