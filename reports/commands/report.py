"""Report what is stored: tables, figures and a page."""

from pathlib import Path
from typing import Annotated

import typer

from dip.errors import InputError


def report(
    results: Annotated[
        list[Path],
        typer.Argument(
            help="a results folder (results/quick) or timings (results/timing/DEVICE); several are"
            " put side by side"
        ),
    ],
    label: Annotated[
        list[str] | None,
        typer.Option(help="name of each of several folders, in their order; default: paths"),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="method that all others are compared with, e.g. 'quick, raw'")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the side-by-side tables")] = None,
    embed: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="also write one file that holds all pictures of the jobs whose name contains this",
        ),
    ] = None,
) -> None:
    """Build the report again from what is stored; several folders are put side by side."""
    if len(results) == 1 and not label and not out:
        from reports.build import build

        built = build(results[0], reference, embed)
        print(built.headline)
        if built.embedded:
            print(f"In one file: {built.embedded}")
        print(f"Report: {built.page or built.summary}")
        return
    if len(results) == 1:
        raise InputError("--label and --out are for several folders")
    if reference:
        raise InputError("--reference: several folders are compared with the first one")
    if embed is not None:
        raise InputError("--embed: of one folder's jobs")
    from reports.compare import build_side_by_side
    from reports.tables.formats.write import to_markdown

    summary, tables = build_side_by_side(results, label or [], out)
    for table in tables:
        print(f"{table.title}\n\n{to_markdown(table)}")
    print(f"Report: {summary}")


def open_page(
    results: Annotated[Path, typer.Argument(help="a suite's results with a report")],
) -> None:
    """Open a report's page in the browser."""
    page = results / "report" / "index.html"
    if not page.is_file():
        raise InputError(
            f"{page}: there is no page; `dip-bench bench SUITE` or `dip-bench report {results}`"
            " makes it"
        )
    print(f"Report: {page}")
    if typer.launch(page.resolve().as_uri()):
        raise InputError("no browser could be started here; open the file above in one")


def screenshots(
    results: Annotated[Path, typer.Argument(help="a suite's results with a report")],
    job: Annotated[str, typer.Option(help="words that the page finds the job by")] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="folder for the pictures; default: screenshots, beside the report"),
    ] = None,
) -> None:
    """Take pictures of the page and of a job: desktop and phone, light and dark (with Chromium)."""
    from reports.page.screenshots import take_screenshots

    # Not in the report, which is replaced whole.
    for path in take_screenshots(results / "report", out or results / "screenshots", job):
        print(path)
