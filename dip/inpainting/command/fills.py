"""Runs classical fills: what is said, what is saved, and Ctrl-C."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dip.errors import InputError
from dip.inpainting.classical import fill_holes, to_compare
from dip.inpainting.crop import neighbourhoods
from dip.inpainting.display.progress import FillProgress
from dip.inpainting.display.sheet import Sheet
from dip.inpainting.display.words import (
    fill_in_words,
    fill_outcome,
    fill_planned,
    fill_tile,
    note,
    seconds_in_words,
)
from dip.inpainting.files.photo import Colours, Mask, Photo
from dip.inpainting.request import MOST, FillRequest
from dip.system.signals import ENDINGS, deferring_signals, ending_at_once


def run_fills(
    photo: Photo,
    hole: Mask,
    requests: Sequence[FillRequest],
    put: Callable[[Colours, bool], Path],
    sheet: Sheet | None,
) -> int:
    """Fill the holes with the first of the fills and save the picture; return the exit code."""
    first, *others = requests
    compared = [] if sheet is None else to_compare(first.seed, first.context, others)
    compared = [request for request in compared if request.fill.name != first.fill.name]
    with ending_at_once():
        for request in (first, *compared):
            request.fill.load()
    print(fill_planned(first, neighbourhoods(hole, first.context, MOST)), flush=True)
    colours, left, seconds = _filled(photo, hole, first)
    with deferring_signals(ENDINGS):
        out = put(colours, False)
    print(f"{out}: {fill_outcome(first, left)}; {seconds_in_words(seconds)}", flush=True)
    if sheet is not None:
        compare_fills(photo, hole, compared, sheet)
        with deferring_signals(ENDINGS):
            sheet.add(fill_in_words(first.fill), fill_tile(first.fill, seconds), colours)
            sheet.write()
    return 0


def compare_fills(photo: Photo, hole: Mask, requests: Sequence[FillRequest], sheet: Sheet) -> None:
    """Add to the sheet what fills make of the holes; without those that have too little memory."""
    with ending_at_once():
        for request in requests:
            request.fill.load()
    names = ", ".join(fill_in_words(request.fill) for request in requests)
    print(f"for {sheet.path}: filling with {names}", flush=True)
    for request in requests:
        try:
            colours, _, seconds = _filled(photo, hole, request)
        except InputError as error:
            note(f"not in {sheet.path}: {error}")
            continue
        sheet.add(fill_in_words(request.fill), fill_tile(request.fill, seconds), colours)


def _filled(photo: Photo, hole: Mask, request: FillRequest) -> tuple[Colours, list[int], float]:
    """What `fill_holes` returns, and how many seconds it took.

    In a thread: while a library in C works, the main one could not hear Ctrl-C.
    """
    progress, started = FillProgress(request.fill.name), time.monotonic()
    with ending_at_once(), ThreadPoolExecutor(1) as thread:
        try:
            colours, left = thread.submit(fill_holes, photo, hole, request, progress).result()
        finally:
            progress.finish()
    return colours, left, time.monotonic() - started
