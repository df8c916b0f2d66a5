"""Archive: results to hand on, and whether those that were handed on can be trusted."""

from pathlib import Path
from typing import Annotated

import typer

from dip.errors import InputError
from reports.commands.options import ForceOption
from reports.commands.report import OutOption, ResultsArgument, archive_in, folder_of


def pack(
    results: ResultsArgument,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="the archive; default: SUITE.zip, in this folder"),
    ] = None,
    pictures: Annotated[
        list[str] | None,
        typer.Option(
            help="pack the runs of jobs whose name contains this only, and of the others their"
            " records; may be repeated; default: all runs"
        ),
    ] = None,
    force: ForceOption = False,
    out: OutOption = None,
) -> None:
    """Pack a suite's results with their runs into one file, to hand on."""
    from benchmarks.scoring.results import load_results
    from benchmarks.store.pack import ARCHIVE, is_archive
    from benchmarks.store.pack import pack as write
    from benchmarks.system.text import mebibytes
    from reports.page.contents import name_of

    folder = folder_of(results, out)
    loaded = load_results(folder)
    path = output or Path(f"{folder.resolve().name}{ARCHIVE}")
    if path.suffix != ARCHIVE:
        raise InputError(f"{path}: an archive is named with {ARCHIVE} at its end")
    if path.exists() and not (force or is_archive(path)):
        raise InputError(
            f"{path}: was not written by this program; move it away, use `force` or name another"
            " file"
        )
    whole = None
    if pictures:
        names = {name_of(job): str(job["key"]) for job in loaded.jobs.to_dict("records")}
        for text in pictures:
            if not any(text in name for name in names):
                raise InputError(f"`pictures`: no job's name holds '{text}'")
        whole = {key for name, key in names.items() if any(text in name for text in pictures)}
    sha256 = write(folder, path, whole=whole)
    print(f"Archive: {path}, {mebibytes(path.stat().st_size)}, SHA-256 {sha256}")


def unpack(
    archive: Annotated[Path, typer.Argument(help="what `dip-bench pack` has written")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="a new folder; default: beside the archive, of the same name"
        ),
    ] = None,
) -> None:
    """Check an archive and unpack it to a results folder."""
    import shlex

    from benchmarks.store.pack import unpack as write

    folder = write(archive, output or archive.with_suffix(""))
    print(f"Results: {folder}")
    print(f"To report them: dip-bench report {shlex.quote(str(folder))}")


def audit(results: ResultsArgument, out: OutOption = None) -> None:
    """Check for a reviewer that results are complete, untouched and what they say they are.

    Exit code 0: nothing is wrong; 1: something is, a line each; 2: these are no results. Nothing is
    changed.
    """
    from reports.audit.audit import audit as examine

    done = examine(archive_in(results) or folder_of(results, out))
    for finding in done.findings:
        print(finding.line)
    print(done.summary)
    if done.is_wrong:
        raise typer.Exit(1)
