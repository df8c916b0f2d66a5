"""The command: checks everything it is given, says what it found, and only then imports torch."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dip.errors import InputError
from dip.fills import FILLS
from dip.fills.tones import Hole
from dip.inpainting.classical import to_compare
from dip.inpainting.command.fills import compare_fills, run_fills
from dip.inpainting.command.network import run_fit
from dip.inpainting.display.previews import (
    Animation,
    Preview,
    Series,
    check_animation,
    check_preview,
)
from dip.inpainting.display.sheet import Sheet, check_sheet
from dip.inpainting.display.words import (
    described,
    network_tile,
    note,
    planned,
)
from dip.inpainting.files.losses import losses
from dip.inpainting.files.photo import Colours, Mask, Photo, open_picture, photo_in, with_hole
from dip.inpainting.files.places import Places, are_one, check_places
from dip.inpainting.files.samples import mode_in_words
from dip.inpainting.files.save import APPEARED, check_format, is_lossless, save
from dip.inpainting.mask import (
    Box,
    hole_in_file,
    hole_marker,
    hole_of_boxes,
    parse_box,
    transparent_hole,
)
from dip.inpainting.request import (
    MAX_SIDES,
    PRESET,
    STOP,
    check_for_fill,
    make_fill_request,
    make_request,
    parse_setting,
)
from dip.inpainting.resume import Saved, check_state, state_path
from dip.options import RULES
from dip.system.signals import ending_at_once

if TYPE_CHECKING:
    from dip.inpainting.fill import Filled, Look


def inpaint(
    image: Annotated[
        Path, typer.Argument(metavar="IMAGE", help="the photo: PNG, JPEG, WebP or TIFF")
    ],
    mask: Annotated[
        Path | None,
        typer.Argument(
            metavar="MASK",
            help="a picture of the same size, white = known, black = hole; or strokes in a colour",
        ),
    ] = None,
    *,
    given: typer.Context,
    out: Annotated[Path, typer.Option("-o", "--out", help="the file to write")],
    box: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,W,H", help="a hole, instead of a mask; may be repeated"),
    ] = None,
    hole_is_white: Annotated[
        bool, typer.Option("--hole-is-white", help="the mask is white in the hole")
    ] = False,
    hole_is_black: Annotated[
        bool,
        typer.Option(
            "--hole-is-black", help="the hole is black in the mask, even if that is most of it"
        ),
    ] = False,
    hole_is_transparent: Annotated[
        bool,
        typer.Option(
            "--hole-is-transparent",
            help="the hole is where the mask, or without one the photo, is transparent",
        ),
    ] = False,
    fill: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"fill without a network: {', '.join(FILLS)}; may be repeated for --compare",
        ),
    ] = None,
    preset: Annotated[str, typer.Option(help="network and settings to start from")] = PRESET,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="change one of them, or of the fill; may be repeated"
        ),
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
        typer.Option(help="pixels around a hole to use with it; default: half its longer side"),
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
    compare: Annotated[
        Path | None,
        typer.Option(metavar="SHEET", help="a picture to write: what several fills make of it"),
    ] = None,
    save_every: Annotated[
        tuple[int, Path] | None,
        typer.Option(metavar="N DIR", help="the restoration so far, every N iterations"),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with an interrupted run")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="overwrite files that exist; OUT may be the photo itself"),
    ] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="refuse a photo of which something cannot be kept"),
    ] = False,
) -> int:
    """Fill the hole in a photo. Ctrl-C stops a fit early and writes the best so far; of a fill it
    writes nothing.
    """
    changes = dict(map(parse_setting, settings or []))
    fills = [
        make_fill_request(name, {} if number else changes, seed=seed, context=context)
        for number, name in enumerate(fill or [])
    ]
    if fills:
        check_for_fill(name for name in given.params if _is_typed(given, name))
    if len(fills) > 1 and compare is None:
        raise InputError("`fill`: several need `compare`, or name one of them")
    request = make_request(
        preset,
        {} if fills else changes,
        iterations=iterations,
        seed=seed,
        stop=stop,
        context=context,
        max_side=max_side,
        device=device,
    )
    boxes = [parse_box(each) for each in box or []]
    marker = hole_marker(hole_is_white, hole_is_black, hole_is_transparent)
    if (mask is not None) + bool(boxes) + (mask is None and marker == "transparent") != 1:
        raise InputError("the hole: either a MASK, --box or --hole-is-transparent says where it is")
    if marker is not None and marker != "transparent" and mask is None:
        raise InputError(f"--hole-is-{marker} needs a MASK")
    places = Places(force)
    picture = open_picture(image)
    pictures = _check_files(image, mask, out, animation, preview, compare, places)
    if not fills:  # which neither leave a state nor go on from one
        check_state(state_path(out), resume)
    if not resume:
        for path in pictures.values():
            places.check(path)
    check_format(out, picture)
    lost = losses(picture, out)
    if lost and strict:
        raise InputError(f"{out}: would lose {', '.join(lost)}; leave out `strict` to continue")
    photo = photo_in(picture, str(image))
    hole = _hole(image, mask, boxes, photo, marker)
    looks: list[Look] = []
    if save_every is not None:
        others = [image, *([mask] if mask is not None else []), *pictures.values()]
        looks.append(Series(*save_every, places, others=others, resume=resume))
    if "preview" in pictures:
        looks.append(Preview(pictures["preview"], places))
    frames = Animation(animation, places) if animation is not None else None
    if frames is not None:
        looks.append(frames)
    print(described(image, mode_in_words(picture.mode), hole), flush=True)
    if lost:
        note(f"not kept in {out}: {', '.join(lost)}")

    sheet = Sheet(compare, places, photo, hole, context) if compare is not None else None
    # A lossy format changes the known pixels, and the saved state would not fit the new photo.
    must_stay = are_one(out, image) and not is_lossless(out, picture)

    def put(colours: Colours, cut_short: bool) -> Path:
        """Save the photo with these colours in its hole; returns where."""
        place = places.free_beside(out) if cut_short and must_stay else out
        over = places.may_replace(place) if place == out else places.is_own(place)
        if not over and place.exists():
            raise InputError(f"{place}: {APPEARED}")
        opaque = mask is None and marker == "transparent"
        save(with_hole(picture, colours, hole, opaque), picture, place, over)
        places.remember(place)
        return place

    # From here on it takes seconds.
    if fills:
        return run_fills(photo, hole, fills, put, sheet)
    with ending_at_once():
        from dip.inpainting.plan import make_plan

    plan = make_plan(photo, hole, request)
    saved = Saved(state_path(out), plan, note, places.wrote, resume=resume)
    for path in pictures.values():
        places.check(path)  # again, now that the state says what the interrupted run wrote
    if sheet is not None:
        compare_fills(photo, hole, to_compare(seed, context), sheet)

    def draw(colours: Colours, ends: Sequence["Filled"]) -> None:
        """Write the pictures that are made of the whole fit."""
        if frames is not None:
            frames.write()
        if sheet is not None:
            sheet.add("network", network_tile(preset, ends), colours)
            sheet.write()

    announcement = planned(plan, preset, stop)
    return run_fit(plan, saved, looks, announcement, put, draw, preview == "terminal")


def _is_typed(given: typer.Context, name: str) -> bool:
    """Whether an option was given, and does not have its default."""
    source = given.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _check_files(
    image: Path,
    mask: Path | None,
    out: Path,
    animation: Path | None,
    preview: str | None,
    compare: Path | None,
    places: Places,
) -> dict[str, Path]:
    """List the pictures to write, by option; raises InputError if one cannot be written."""
    written = {"out": out}
    if animation is not None:
        check_animation(animation)
        written["animation"] = animation
    if preview == "terminal":
        _check_terminal()
    elif preview is not None:
        check_preview(Path(preview))
        written["preview"] = Path(preview)
    if are_one(out, image) and not places.force:
        raise InputError(f"{out}: that is the photo itself; --force overwrites it")
    if compare is not None:
        check_sheet(compare)
        written["compare"] = compare
    check_places(written, [mask] if mask is not None else [], image)
    return written


def _hole(
    image: Path, mask: Path | None, boxes: Sequence[Box], photo: Photo, marker: Hole | None
) -> Mask:
    size = (photo.visible.shape[0], photo.visible.shape[1])
    if mask is not None:
        return hole_in_file(mask, size, marker)
    return hole_of_boxes(boxes, size) if boxes else transparent_hole(photo.visible, str(image))


def _check_terminal() -> None:
    shows_colours = os.environ.get("COLORTERM") in ("truecolor", "24bit")
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb" or not shows_colours:
        raise InputError(
            "--preview terminal: the terminal does not say that it shows 24-bit colours"
            " (COLORTERM); name a file instead"
        )
