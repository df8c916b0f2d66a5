"""Look up what there is: settings that a suite can name, image sets, holes."""

import os
from pathlib import Path
from typing import Annotated

import typer

from dip.errors import InputError
from dip.system.files import replacing
from dip.system.signals import Interrupted
from dip.system.yaml import read_yaml

data = typer.Typer(help="List image sets and fetch them.", no_args_is_help=True)


def list_settings(
    kind: Annotated[
        str | None,
        typer.Argument(help="e.g. networks; default: all kinds"),
    ] = None,
    name: Annotated[
        str | None, typer.Argument(help="one of them, with its options and their defaults")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="everything with its options and defaults")
    ] = False,
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="a folder to draw fills in, one picture each; existing ones are replaced"
        ),
    ] = None,
) -> None:
    """List what a suite can name: all names, one KIND, or one NAME with its options."""
    from benchmarks.jobs import listing

    if pictures is not None:
        _draw_fills(kind, name, pictures)
        return
    for text in listing.lines(kind, name, everything=everything):
        print(text)


def _draw_fills(kind: str | None, name: str | None, folder: Path) -> None:
    """Draw all fills, or the one of that name."""
    from benchmarks.jobs.listing import fill_pictures
    from dip.errors import unknown
    from dip.fills import FILLS

    if kind != "fills":
        raise InputError(
            "`pictures`: draws fills only; write `dip-bench list fills --pictures DIR`"
        )
    if name is not None and name not in FILLS:
        raise InputError(unknown("fill", name, FILLS))
    if not folder.is_dir():
        raise InputError(f"`pictures` {folder}: there is no such folder; make it first")
    for fill in FILLS.values() if name is None else [FILLS[name]]:
        print(f"{fill.name}: {fill_pictures.draw(fill, folder)}", flush=True)


@data.command("list")
def list_data() -> None:
    """Show every image set, its licence, its source and whether it has been fetched."""
    from datasets import load_manifest, manifest_names

    for name in manifest_names():
        manifest = load_manifest(name)
        here = "here" if manifest.is_here else f"`dip-bench data fetch {name}`"
        print(f"{name}: {manifest.title}; images: {len(manifest.images)}; {here}")
        if manifest.licence:
            print(f"  licence: {manifest.licence}; from: {manifest.citation}")
        for image, entry in manifest.images.items():
            if entry.licence or entry.citation:
                licence, citation = entry.licence, entry.citation
                print(
                    f"  {image}: licence: {licence or manifest.licence};"
                    f" from: {citation or manifest.citation}"
                )


@data.command("fetch")
def fetch_data(
    name: Annotated[str, typer.Argument(help="an image set, as `list` shows them")],
    mirror: Annotated[
        str | None,
        typer.Option(envvar="DIP_MIRROR", help="folder or address with the files <set>/<file>"),
    ] = None,
) -> None:
    """Get the files of a set into the cache, each checked by its hash."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from datasets import load_manifest
    from datasets.fetch import fetch

    manifest = load_manifest(name)
    if manifest.package is not None:
        print(f"{name} comes with the package {manifest.package}; there is nothing to fetch")
        return
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=len(manifest.files))

        def tell(file: str) -> None:
            progress.advance(task)
            if not console.is_terminal:
                print(file)

        try:
            folder = fetch(manifest, mirror, tell)
        except Interrupted:
            raise Interrupted("the same command goes on from here") from None
    print(f"{name}: {len(manifest.files)} files in {folder}")


@data.command("preview", hidden=True)
def masks(
    name: Annotated[str, typer.Argument(help="an image set, or a folder of images")],
    mask: Annotated[
        list[str] | None,
        typer.Option(help="a hole as in a suite: 'strokes: {brush: thin}'; default: one of each"),
    ] = None,
    image: Annotated[
        list[str] | None, typer.Option(help="images of the set; default: the first")
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=1, help="centre square resized to this; default: 128")
    ] = None,
    crop: Annotated[
        int | None, typer.Option(min=1, help="centre square of this side, at full resolution")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG file")] = Path("holes.png"),
    force: Annotated[bool, typer.Option("--force", help="overwrite the file")] = False,
) -> None:
    """Draw a contact sheet of holes, missing pixels in magenta."""
    from datasets import DatasetError, load_images, manifest_names, parse_mask
    from datasets.manifest import image_names
    from datasets.preview import EXAMPLES, contact_sheet

    if size is not None and crop is not None:
        raise InputError("`crop` and `size` exclude each other; leave one out")
    is_folder = name not in manifest_names() and ("/" in name or Path(name).is_dir())
    dataset = Path(name) if is_folder else name
    side = 128 if size is None and crop is None else size
    images = load_images(dataset, image or image_names(dataset)[:1], side, crop=crop)
    holes = [parse_mask(_yaml(each)) for each in mask or ()] or EXAMPLES
    if out.suffix.lower() != ".png":
        raise DatasetError(f"--out {out}: the sheet is a PNG; name a file that ends in .png")
    if not out.parent.is_dir():
        raise DatasetError(f"--out {out}: there is no folder {out.parent}")
    if not force and os.path.lexists(out):
        raise DatasetError(f"--out {out}: is there already; name another file, or add --force")
    sheet = contact_sheet(images, holes)
    with replacing(out) as partial:
        sheet.save(partial, format="PNG", optimize=True)
    print(f"Holes: {len(images) * len(holes)}, in {out}")


def _yaml(text: str) -> object:
    try:
        return read_yaml(text)
    except InputError as error:
        raise InputError(
            f"--mask {text!r}: is not YAML ({error}); as in a suite,"
            " 'boxes: {count: 3, side: 12}'"
        ) from None
