"""Whatever photo and hole come to `dip inpaint`: it restores the hole alone, or refuses in a line.

`PYTHONPATH=tests python tests/end_to_end/test_random_photos.py 500` tries what is drawn from 500
seeds, says of each failure what it is in a line, and counts; `... 17 1` tries the seed 17 alone and
shows all that was said.
"""

import collections
import os
import re
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.commands import Done, signal_handlers_restored
from support.photo_command import NARROW
from support.trials.draw import Draw
from support.trials.laws import (
    broken_pixels,
    lost_metadata,
    read_by_pillow,
    readings,
    still_shows,
)
from support.trials.photos import Photo, draw_photo
from support.trials.requests import Request, draw_request

from dip.__main__ import main

# Behind the first, rare kinds: planes of grey, libtiff's own messages, turned TIFFs without
# compression.
SEEDS = (*range(60), 62, 131, 227, 139, 232)
REFUSED, RESTORED = 2, 0
Files = dict[Path, bytes | None]  # None of a folder


@dataclass
class Trial:
    """What was asked for, what came of it, and which laws that breaks."""

    photo: Photo
    request: Request
    done: Done
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.photo.what}: {shlex.join(self.request.words)}"


def _run(*words: str) -> Done:
    """The command in this process, with what libraries in C print."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        stderr = os.dup(2)
        os.dup2(err.fileno(), 2)
        try:
            with redirect_stdout(out), redirect_stderr(err), signal_handlers_restored():
                code = main(["inpaint", *words])
        except Exception:
            code = -1
            traceback.print_exc(file=err)
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        said = []
        for file in (out, err):
            file.flush()
            file.seek(0)
            said.append(file.read())
    return Done(code, *said)


def _files(folder: Path) -> Files:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def attempt(seed: int, folder: Path) -> Trial:
    """Draw a photo and a hole, have it filled, and look at what is there then.

    folder: an empty one.
    """
    given, temporary, draw = folder / "given", folder / "temporary", Draw(seed)
    given.mkdir()
    temporary.mkdir()
    photo = draw_photo(draw, given)
    source = folder / f"as-it-was{photo.path.suffix}"
    source.write_bytes(photo.path.read_bytes())
    read = read_by_pillow(source)
    request = draw_request(draw, given, photo, read, readings(source).get("Pillow"))
    words = [str(photo.path), *("--iterations", "3"), *NARROW, *request.words]
    before, usual = _files(folder), tempfile.tempdir
    tempfile.tempdir = str(temporary)
    try:
        done = _run(*words)
    finally:
        tempfile.tempdir = usual
    trial = Trial(photo, request, done)
    trial.findings += _broken_rules(trial, before, _files(folder))
    if done.returncode == RESTORED and request.out.is_file():
        trial.findings += _broken_laws(trial, source)
    return trial


def _broken_rules(trial: Trial, before: Files, after: Files) -> Iterator[str]:
    """Of every command: how it ends, what it says, and which files are there then."""
    done, request = trial.done, trial.request
    lines = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    if "Traceback" in done.stderr or done.returncode not in (RESTORED, REFUSED):
        yield f"broken off: exit code {done.returncode}, {' / '.join(lines[-3:])}"
        return
    changed = {path for path in before | after if before.get(path, 0) != after.get(path, 0)}
    if done.returncode == REFUSED:
        if len(lines) != 1 or not lines[0].startswith("error: "):
            yield f"not one line: {lines}"
        if not (request.faults or request.is_doubtful):
            yield f"refused: {lines[0]}"
        if "fitting" in done.stdout:
            yield f"refused after the fit: {lines[0]}"
    else:
        if lines:
            yield f"more words: {lines}"
        if request.faults:
            yield f"restored: although {', '.join(request.faults)}"
        for path in request.written:
            if not path.exists() and "nothing visible" not in done.stdout:  # to draw anything from
                yield f"not written: {path.name}"
            changed = {each for each in changed if path not in (each, *each.parents)}
    if changed:
        yield f"left behind: {sorted(path.name for path in changed)}"


def _broken_laws(trial: Trial, source: Path) -> Iterator[str]:
    """Of what was restored."""
    out, hole, done = trial.request.out, trial.request.hole, trial.done
    said = done.stdout + done.stderr
    if shown := still_shows(out.read_bytes()):
        yield f"hole in the metadata: {shown}"
    if hole is not None:
        yield from broken_pixels(source, out, hole, trial.request.is_opened, said)
    if not trial.photo.is_damaged:
        yield from lost_metadata(source, out, done.stderr)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_photo_is_restored_or_refused(seed: int, tmp_path: Path) -> None:
    trial = attempt(seed, tmp_path)
    assert trial.findings == [], trial


def _reason(message: str) -> str:
    """Why something was refused, without the names and numbers of this time."""
    (line,) = message.splitlines()[-1:] or [""]
    return re.sub(r"\d+", "N", re.sub(r"^error: [^:]*: ", "", line))[:90]


def _try_many(seeds: range) -> int:
    sys.stderr = os.fdopen(os.dup(2), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # on which libraries in C complain of odd files
    kinds, reasons = collections.Counter[str](), collections.Counter[str]()
    restored = failures = 0
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            trial = attempt(seed, Path(folder))
        restored += trial.done.returncode == RESTORED
        if trial.done.returncode == REFUSED:
            reasons[_reason(trial.done.stderr)] += 1
        failures += bool(trial.findings)
        for finding in trial.findings:
            kinds[finding.partition(":")[0]] += 1
            print(f"{seed}: {trial.photo.what}: {finding}"[:300], flush=True)
        if len(seeds) == 1:
            print(trial, trial.done.stdout, trial.done.stderr, sep="\n")
    for count in (reasons, kinds):
        print(*(f"{number:5} {what}" for what, number in count.most_common()), sep="\n")
    print(f"{len(seeds)} tried, {restored} restored, {reasons.total()} refused, {failures} fail")
    return failures


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    first, many = numbers if len(numbers) == 2 else (0, *numbers)
    sys.exit(_try_many(range(first, first + many)) > 0)
