"""`python -m datasets list | fetch | preview`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from datasets.errors import DatasetError
from datasets.manifest import MIRROR, image_names, load_images, load_manifest, manifest_names
from datasets.masks import parse_mask

app = typer.Typer(
    help="Image sets and holes.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
)


@app.command("list")
def list_command() -> None:
    """Show every image set, its licence, its source and whether it is here."""
    for name in manifest_names():
        manifest = load_manifest(name)
        here = "here" if manifest.is_here else f"`python -m datasets fetch {name}`"
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


@app.command("fetch")
def fetch_command(
    name: Annotated[str, typer.Argument(help="an image set, as `list` shows them")],
    mirror: Annotated[
        str | None,
        typer.Option(envvar=MIRROR, help="folder or address with the files <set>/<file>"),
    ] = None,
) -> None:
    """Get the files of a set into the cache, each checked by its hash."""
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

        folder = fetch(manifest, mirror, tell)
    print(f"{name}: {len(manifest.files)} files in {folder}")


@app.command("preview")
def preview_command(
    name: Annotated[str, typer.Argument(help="an image set, or a folder of images")],
    mask: Annotated[
        list[str] | None,
        typer.Option(help="a hole as in a suite: 'strokes: {brush: thin}'; default: one of each"),
    ] = None,
    image: Annotated[
        list[str] | None, typer.Option(help="images of the set; default: the first")
    ] = None,
    size: Annotated[int, typer.Option(min=1, help="centre square resized to this")] = 128,
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG file")] = Path("holes.png"),
) -> None:
    """Draw a contact sheet of holes, missing pixels in magenta."""
    from datasets.preview import EXAMPLES, contact_sheet

    is_folder = name not in manifest_names() and ("/" in name or Path(name).is_dir())
    dataset = Path(name) if is_folder else name
    images = load_images(dataset, image or image_names(dataset)[:1], size)
    masks = [parse_mask(_yaml(each)) for each in mask or ()] or EXAMPLES
    if out.suffix.lower() != ".png":
        raise DatasetError(f"--out {out}: the sheet is a PNG; name a file that ends in .png")
    if not out.parent.is_dir():
        raise DatasetError(f"--out {out}: there is no folder {out.parent}")
    sheet = contact_sheet(images, masks)
    partial = out.with_name(f".{out.name}-{os.getpid()}")
    try:
        sheet.save(partial, format="PNG", optimize=True)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    print(f"Holes: {len(images) * len(masks)}, in {out}")


def _yaml(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # ValueError: of a day that does not exist
        raise DatasetError(
            f"--mask {text!r}: is not YAML; as in a suite, 'boxes: {{count: 3, side: 12}}'"
        ) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; a user's mistake is one line and 2."""
    try:
        return app(args=arguments, standalone_mode=False) or 0
    except (DatasetError, OSError) as error:
        message = str(error)
    except (KeyboardInterrupt, typer.Abort):
        message, code = "interrupted; the same command goes on from here", 130
        print(message, file=sys.stderr)
        return code
    except Exception as error:
        if not hasattr(error, "format_message"):  # wrong options and arguments have it
            raise
        message = error.format_message()
    if message:  # none where the help has been shown
        print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
