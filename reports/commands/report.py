"""Report what is stored: tables, figures and a page."""

from pathlib import Path
from typing import Annotated

import typer

from dip.errors import InputError
from reports.commands.options import ForceOption

ResultsArgument = Annotated[
    Path, typer.Argument(help="a suite, or its results folder, e.g. results/quick")
]
OutOption = Annotated[
    Path | None, typer.Option(help="folder of a suite's results (default: results)")
]


def report(
    results: Annotated[
        list[Path],
        typer.Argument(
            help="a suite, a results folder (results/quick), an archive of one (quick.zip), which"
            " is unpacked, or timings (results/timing/DEVICE); several folders are put side by side"
        ),
    ],
    label: Annotated[
        list[str] | None,
        typer.Option(help="name of each of several folders, in their order; default: paths"),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="method that all others are compared with, e.g. 'quick, raw'")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="folder of a suite's results (default: results), for an unpacked archive, or for"
            " side-by-side tables"
        ),
    ] = None,
    force: ForceOption = False,
    embed: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="also write one file that holds all pictures of the jobs whose name contains this",
        ),
    ] = None,
    numbers: Annotated[
        bool, typer.Option("--numbers", help="also write tables/numbers.tex: macros for prose")
    ] = False,
) -> None:
    """Build the report again from what is stored; several folders are put side by side."""
    if len(results) == 1:
        from rich.console import Console

        from benchmarks.store.pack import unpack
        from reports.build import build
        from reports.commands.ending import show

        if label:
            raise InputError("--label is for several folders")
        if archive := archive_in(results[0]):
            beside = archive.with_suffix("")
            if archive != results[0]:  # a published result, whose folder is of the repository
                beside = Path("results") / "published" / results[0].name
            folder = unpack(archive, out or beside)
        else:
            folder = folder_of(results[0], out)
        built = build(folder, reference, embed, has_numbers=numbers, force=force)
        show(built, Console(highlight=False))
        if built.embedded:
            print(f"In one file: {built.embedded}")
        print(f"Report: {built.page or built.summary}")
        return
    if reference:
        raise InputError("--reference: several folders are compared with the first one")
    if embed is not None:
        raise InputError("--embed: of one folder's jobs")
    if numbers:
        raise InputError("--numbers: of one folder")
    from reports.compare import build_side_by_side
    from reports.tables.formats.write import to_markdown

    summary, tables = build_side_by_side(results, label or [], out, force=force)
    for table in tables:
        print(f"{table.title}\n\n{to_markdown(table)}")
    print(f"Report: {summary}")


def archive_in(results: Path) -> Path | None:
    """The archive that is meant: the file itself, or that of a published result's folder."""
    from benchmarks.store.layout import PACK, RESULTS
    from benchmarks.store.pack import ARCHIVE

    if results.suffix == ARCHIVE:
        return results
    is_published = (results / PACK).is_file() and not (results / RESULTS).exists()
    return results / PACK if is_published else None


def folder_of(results: Path, out: Path | None) -> Path:
    """The folder itself, or the one in `out` that holds the results of that suite."""
    from benchmarks.jobs.owner import check_owner, owner_of
    from benchmarks.jobs.suite import load_suite, suite_names
    from benchmarks.store.layout import RESULTS
    from reports.tables.timing import is_timing

    is_name = str(results) in suite_names()
    if out and results.is_dir() and not is_name:
        raise InputError(
            f"--out: {results} is a folder, whose report is written into it; leave out --out, which"
            " says where the results of a suite are"
        )
    has_results = (results / RESULTS).exists() or is_timing(results)
    if not out and (has_results or not (is_name or results.is_file())):
        return results
    suite = str(results if is_name or not results.is_file() else results.absolute())
    loaded = load_suite(suite)
    folder = (out or Path("results")) / loaded.name
    check_owner(folder, owner_of(suite), loaded)
    return folder


def open_page(results: ResultsArgument, out: OutOption = None) -> None:
    """Open a report's page in the browser."""
    folder = folder_of(results, out)
    page = folder / "report" / "index.html"
    if not page.is_file():
        raise InputError(
            f"{page}: there is no page; `dip-bench bench SUITE` or `dip-bench report {folder}`"
            " makes it"
        )
    print(f"Report: {page}")
    if typer.launch(page.resolve().as_uri()):
        raise InputError("no browser could be started here; open the file above in one")


def screenshots(
    results: Annotated[Path, typer.Argument(help="a suite's results with a report")],
    job: Annotated[str, typer.Option(help="words that the page finds the job by")] = "",
    force: ForceOption = False,
    out: Annotated[
        Path | None,
        typer.Option(help="folder for the pictures; default: screenshots, beside the report"),
    ] = None,
) -> None:
    """Take pictures of the page and of a job: desktop and phone, light and dark (with Chromium)."""
    from reports.page.screenshots import take_screenshots

    folder = out or results / "screenshots"  # not in the report, which is written again as a whole
    for path in take_screenshots(results / "report", folder, job, force=force):
        print(path)
