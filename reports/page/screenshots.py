"""Pictures of the page as a browser shows it: on a desktop and on a phone, in light and in dark.

Drives the machine's own Chromium through Playwright.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks.system.refill import refilled
from dip.errors import InputError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing that the browser does of its own.
ARGUMENTS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
# What is photographed: the first screen, sections by their id, and a job that is opened.
SHOTS = {"top": "", "pictures": "#pictures", "jobs": "#jobs", "job": ""}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def chromium() -> str | None:
    """Where it is, if it is there."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser() -> Iterator["Browser"]:
    """Raises InputError if there is none, or if it fails."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise InputError("screenshots need the package playwright (extra `dev`)") from None
    found = chromium()
    if found is None:
        raise InputError(f"screenshots need Chromium: none of {', '.join(NAMES)} is in PATH")
    try:
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(
                executable_path=found,
                args=list(ARGUMENTS),
                chromium_sandbox=os.geteuid() != 0,  # root may have none
            )
            try:
                yield started
            finally:
                started.close()
    except Error as error:
        why = error.message.splitlines()[0]
        raise InputError(f"the browser gave up ({why}); is the report of this version?") from None


def new_page(browser: "Browser", size: str, scheme: Scheme) -> "Page":
    """An empty one; size: of `SIZES`."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=2 if size == "phone" else 1,
        has_touch=size == "phone",
        color_scheme=scheme,
    )
    return context.new_page()


def open_job(page: "Page", name: str) -> None:
    """Open the first job found by these words, and wait until it is painted, or says why not.

    Raises InputError if there is none.
    """
    page.locator("#filters [name=text]").fill(name)
    found = page.locator("#table tbody a")
    if not found.count():
        raise InputError(f"`job`: the page finds none by '{name}'")
    found.first.click()
    page.locator("#compare[data-file], #view[hidden]").first.wait_for(state="attached")


def take_screenshots(
    report: Path, folder: Path, job: str, *, force: bool | None = None
) -> list[Path]:
    """Of the page in a report's folder: each of `SHOTS`, in each size and scheme.

    job: words that the job to open is found by. force: whether files that this program did not
    write are replaced. Raises InputError.
    """
    page = report / "index.html"
    if not page.exists():
        raise InputError(f"{page}: is missing; `dip-bench report` makes it")
    names = [
        f"{what}-{size}-{scheme}.png" for size in SIZES for scheme in SCHEMES for what in SHOTS
    ]
    with refilled(folder, "screenshots", names, force=force) as place, browser() as started:
        for size in SIZES:
            for scheme in SCHEMES:
                opened = new_page(started, size, scheme)
                opened.goto(page.resolve().as_uri())
                for what, section in SHOTS.items():
                    if section:
                        opened.locator(section).evaluate("each => each.scrollIntoView()")
                    if what == "job":
                        open_job(opened, job)
                    opened.wait_for_load_state("networkidle")
                    opened.screenshot(path=place / f"{what}-{size}-{scheme}.png")
                opened.context.close()
    return [folder / name for name in names]
