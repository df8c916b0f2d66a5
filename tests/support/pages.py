"""What the tests of the page share: a suite of names that mean harm, and a browser to look with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image as Pillow
from playwright.sync_api import Browser, Page

from benchmarks.scoring.results import Results, load_results
from reports.build import build
from reports.commands.app import main
from reports.page import screenshots
from reports.page.screenshots import Scheme, new_page

needs_chromium = pytest.mark.skipif(
    screenshots.chromium() is None, reason="Chromium is not here (Debian's package `chromium`)"
)

NONE = "\N{EN DASH}"  # where there is no number
HOSTILE = "<img src=x onerror=alert(1)>"  # a file may have that name, a method any label
BOLD = "'\"></script><b>bold</b>"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with screenshots.browser() as started:
        yield started


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a suite of hostile names, one image grey, with jobs that failed and diverged."""
    from support.suites import HUGE, TINY

    folder = tmp_path_factory.mktemp("page")
    (folder / "photos").mkdir()
    draws = np.random.default_rng(0)
    for name, side, channels in ((HOSTILE, 40, 3), ("<script>&amp;'", 36, 1)):
        pixels = draws.integers(0, 256, (side // 4, side // 4, channels), dtype=np.uint8)
        picture = Pillow.fromarray(pixels.squeeze())
        picture = picture.resize((side, side - 4), Pillow.Resampling.BICUBIC)
        picture.save(folder / "photos" / f"{name}.png")
    quick = TINY["methods"][0]
    wild = {**quick, "label": "wild", "set": {**quick["set"], "learning_rate": 100}}
    content = {
        **TINY,
        "title": f"Hostile {HOSTILE}",
        "dataset": {"folder": "photos"},
        "methods": [
            {**quick, "label": BOLD},
            {"fill": "mean"},
            {"fill": "biharmonic"},
            wild,
            HUGE,
            {**quick, "label": "__proto__"},  # of the same settings, and so of the same runs
        ],
        "iterations": [1, 15, 40],
        "rules": [{"es-wmv": {"window": 4, "patience": 5}}, {"es-emv": {"warm_up": 3}}],
    }
    del content["images"], content["size"]
    path = folder / "hostile.yaml"
    path.write_text(yaml.safe_dump(content))
    assert main(["run", str(path), "--out", str(folder / "results"), "--workers", "0"]) == 1
    build(folder / "results" / "hostile", embed=f"{HOSTILE}/")
    return folder / "results" / "hostile"


@pytest.fixture(scope="session")
def hostile_results(hostile: Path) -> Results:
    return load_results(hostile)


@dataclass
class Opened:
    """A page, and what it has asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, path: Path) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("console", lambda said: self._hear(said.type, said.text))
        self.page.goto(path.resolve().as_uri())

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def rows(self, column: str) -> list[str]:
        return self.page.locator(f"#table tbody td.{column}").all_inner_texts()


Look = Callable[..., Opened]


@pytest.fixture
def look(chromium: Browser) -> Iterator[Look]:
    """Opens a page; at the end it must have asked for its own files only, and not complained."""
    opened: list[tuple[Opened, Path]] = []

    def go(path: Path, size: str = "desktop", scheme: Scheme = "light") -> Opened:
        each = Opened(new_page(chromium, size, scheme))
        opened.append((each, path.parent))
        each.go(path)
        return each

    yield go
    for each, folder in opened:
        each.page.context.close()
        assert each.complaints == []
        inside = (f"{folder.resolve().as_uri()}/", "data:")
        assert [url for url in each.requests if not url.startswith(inside)] == []
