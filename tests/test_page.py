"""The page, in a browser: it sorts, filters, shows every job, and asks nothing of any network."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import HUGE, TINY, Command
from many_jobs import multiply
from numpy.typing import NDArray
from PIL import Image as Pillow
from playwright.sync_api import Browser, Page, expect

from benchmarks.results import Results, load_results
from dip.errors import InputError
from reports.build import build
from reports.page import screenshots
from reports.page.screenshots import SIZES, Scheme, open_job, open_page

Write = Callable[..., Path]

pytestmark = pytest.mark.skipif(
    screenshots.chromium() is None, reason="Chromium is not here (Debian's package `chromium`)"
)

NONE = "\N{EN DASH}"  # where there is no number
HOSTILE = "<img src=x onerror=alert(1)>"  # a file may have that name, a method any label
QUICK = TINY["methods"][0]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with screenshots.browser() as started:
        yield started


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a suite ran whose names are hostile, with a job that failed and one that diverged."""
    import yaml

    from benchmarks.__main__ import app, main

    folder = tmp_path_factory.mktemp("page")
    (folder / "photos").mkdir()
    colours = np.random.default_rng(0)
    for name, side in ((HOSTILE, 40), ("<script>&amp;'", 36)):
        pixels = colours.integers(0, 256, (side // 4, side // 4, 3), dtype=np.uint8)
        picture = Pillow.fromarray(pixels).resize((side, side - 4), Pillow.Resampling.BICUBIC)
        picture.save(folder / "photos" / f"{name}.png")
    wild = {**QUICK, "label": "wild", "set": {**QUICK["set"], "learning_rate": 100}}
    content = {
        **TINY,
        "title": f"Hostile {HOSTILE}",
        "dataset": {"folder": "photos"},
        "masks": [{"boxes": {"count": 1, "side": 8}}],
        "methods": [
            {**QUICK, "label": "'\"></script><b>bold</b>"},
            {"fill": "mean"},
            {"fill": "biharmonic"},
            wild,
            HUGE,
        ],
        "iterations": [1, 20, 40],
        "rules": [{"es-wmv": {"window": 4, "patience": 5}}],
    }
    del content["images"], content["size"]
    path = folder / "hostile.yaml"
    path.write_text(yaml.safe_dump(content))
    assert main(app, ["run", str(path), "--out", str(folder / "results"), "--workers", "0"]) == 1
    build(folder / "results" / "hostile", embed="/biharmonic/")
    return folder / "results" / "hostile"


@pytest.fixture(scope="module")
def results(suite: Path) -> Results:
    return load_results(suite)


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
        self.page.on(
            "console",
            lambda said: (
                self.complaints.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        self.page.goto(path.resolve().as_uri())

    def rows(self, column: str) -> list[str]:
        return self.page.locator(f"#table tbody td.{column}").all_inner_texts()


Look = Callable[..., Opened]


@pytest.fixture
def look(chromium: Browser) -> Iterator[Look]:
    """Opens a page; at the end it must have asked for its own files only, and not complained."""
    opened: list[tuple[Opened, Path]] = []

    def go(path: Path, size: str = "desktop", scheme: Scheme = "light") -> Opened:
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        each = Opened(context.new_page())
        opened.append((each, path.parent))
        each.go(path)
        return each

    yield go
    for each, folder in opened:
        each.page.context.close()
        assert each.complaints == []
        inside = (f"{folder.resolve().as_uri()}/", "data:")
        assert [url for url in each.requests if not url.startswith(inside)] == []


def test_every_job_is_listed_with_its_names_as_text(
    suite: Path, results: Results, look: Look
) -> None:
    opened = look(suite / "report" / "index.html")
    jobs = results.jobs
    assert opened.rows("image") == list(jobs["image"])
    assert opened.rows("mask") == list(jobs["mask"])
    assert opened.rows("method") == list(jobs["method"])
    assert opened.rows("status") == list(jobs["status"])
    assert set(jobs["status"]) == {"done", "failed", "diverged"}
    assert HOSTILE in set(jobs["image"])
    expect(opened.page.locator("h1")).to_have_text(f"Hostile {HOSTILE}")
    expect(opened.page.locator("#count")).to_have_text("10 jobs")
    assert not opened.page.locator("img[onerror]").count()
    assert not opened.page.locator("b").count()
    text = opened.page.locator("#problems").inner_text()
    assert HOSTILE in text
    assert "out of memory" in text


def test_what_the_page_would_be_made_to_run_does_not_run(suite: Path, look: Look) -> None:
    """Were a name put into the page as HTML by mistake, its script would be refused."""
    opened = look(suite / "report" / "index.html")
    opened.page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')"
    )
    opened.page.wait_for_timeout(300)
    assert any("Content Security Policy" in said for said in opened.complaints)
    assert not any(said == "1" for said in opened.complaints)
    opened.complaints.clear()


def test_it_sorts_numbers_as_numbers_and_what_is_missing_last(suite: Path, look: Look) -> None:
    opened = look(suite / "report" / "index.html")
    head = opened.page.locator("#table th[data-column=psnr]")
    for direction in ("ascending", "descending"):
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", direction)
        cells = opened.rows("psnr")
        scores = [float(cell) for cell in cells if cell != NONE]
        assert scores == sorted(scores, reverse=direction == "descending")
        assert len(scores) >= 6
        assert cells[len(scores) :] == [NONE] * (len(cells) - len(scores)) != []
    opened.page.locator("#filters [name=sort]").select_option("image")
    assert len([name for name, _ in groupby(opened.rows("image"))]) == 2
    opened.page.get_by_role("button", name="Show all").click()
    assert not opened.page.locator("#table [aria-sort]").count()


def test_it_filters_by_words_and_by_choice(suite: Path, look: Look) -> None:
    opened = look(suite / "report" / "index.html")
    count = opened.page.locator("#count")
    opened.page.locator("[name=text]").fill("onerror BIHARMONIC")
    expect(count).to_have_text("1 of 10 jobs")
    opened.page.locator("[name=text]").fill("no such job")
    expect(count).to_have_text("0 of 10 jobs")
    opened.page.get_by_role("button", name="Show all").click()
    expect(count).to_have_text("10 jobs")
    opened.page.locator("[name=status]").select_option("failed")
    expect(count).to_have_text("2 of 10 jobs")
    assert set(opened.rows("method")) == {"huge"}
    opened.page.locator("[name=status]").select_option("")
    opened.page.locator("[name=method]").select_option("mean")
    assert opened.rows("method") == ["mean", "mean"]


def test_the_table_shows_the_output_that_is_chosen(
    suite: Path, results: Results, look: Look
) -> None:
    opened = look(suite / "report" / "index.html")
    rows = results.rows[results.rows["method"].str.contains("bold")]
    opened.page.locator("[name=text]").fill("bold")
    expect(opened.page.locator("[name=output]")).to_have_value("averaged")
    for output in ("averaged", "raw", "stop:es-wmv[window=4,patience=5]"):
        opened.page.locator("[name=output]").select_option(output)
        last = rows[rows["output"] == output].groupby("image", sort=False).last()
        assert opened.rows("psnr") == [f"{score:.2f}" for score in last["psnr_hole"]]
        assert opened.rows("iteration") == [f"{count}" for count in last["iteration"]]


def test_a_job_opens_and_closes_by_keyboard(suite: Path, look: Look) -> None:
    opened = look(suite / "report" / "index.html")
    page = opened.page
    links = page.locator("#table tbody a")
    links.nth(3).focus()  # of two images each: bold, mean, biharmonic
    page.keyboard.press("Enter")
    title = page.locator("#job-title")
    expect(title).to_contain_text("mean")
    expect(page.locator("#divider")).to_be_focused()
    before = page.locator("#right").evaluate("each => each.style.clipPath")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.locator("#right").evaluate("each => each.style.clipPath") != before
    page.keyboard.press("n")
    expect(title).to_contain_text("biharmonic")
    for _ in range(4):
        page.keyboard.press("p")
    expect(title).to_contain_text("bold")
    expect(page.locator("#previous")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.locator("#job")).not_to_be_visible()
    assert page.url.endswith("#jobs")


def test_a_link_leads_to_a_job_and_back_leads_out_of_it(suite: Path, look: Look) -> None:
    opened = look(suite / "report" / "index.html")
    page = opened.page
    page.locator("#table tbody a").nth(4).click()
    expect(page.locator("#job")).to_be_visible()
    link = page.url
    page.locator("#next").click()
    page.go_back()
    expect(page.locator("#job")).not_to_be_visible()
    again = look(suite / "report" / "index.html").page
    again.goto(link)
    again.reload()
    expect(again.locator("#job-title")).to_contain_text("biharmonic")


def _painted(page: Page, kind: str, shape: tuple[int, ...], tmp_path: Path) -> NDArray[np.int16]:
    """(H, W, 3): what the right picture shows at the middle of each of the image's pixels."""
    page.locator("#right-of").select_option(kind)
    page.locator("#divider").evaluate(
        "each => { each.value = 0; each.dispatchEvent(new Event('input')) }"
    )
    page.locator("#line").evaluate("each => { each.style.visibility = 'hidden' }")
    page.wait_for_timeout(100)
    page.locator("#compare").screenshot(path=tmp_path / "painted.png")
    with Pillow.open(tmp_path / "painted.png") as shot:
        pixels = np.asarray(shot.convert("RGB"), dtype=np.int16)
    _, height, width = shape
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(width / height, abs=0.02)
    rows = ((np.arange(height) + 0.5) * pixels.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * pixels.shape[1] / width).astype(int)
    return pixels[np.ix_(rows, columns)]


def test_the_pictures_are_those_of_the_run(
    suite: Path, results: Results, look: Look, tmp_path: Path
) -> None:
    """Painted by the browser from truth, mask and output, to the last pixel of each checkpoint."""
    opened = look(suite / "report" / "index.html")
    page = opened.page
    rows = results.rows[results.rows["method"].str.contains("bold")]
    run = results.run(rows["key"].iloc[0])
    open_job(page, "bold")
    slider, compare = page.locator("#iteration"), page.locator("#compare")
    page.locator("#output").select_option("raw")
    slider.focus()
    seen = []
    for iteration in (40, 20, 1):
        file = f"raw-{iteration:06}.png"
        expect(compare).to_have_attribute("data-file", file)
        expect(page.locator("#at")).to_have_text(f"iteration {iteration} of 40")
        truth, output = run.truth, run.restoration("raw", iteration)
        expected = {
            "truth": truth,
            "output": output,
            "masked": np.where(run.known, truth, 255),
            "composited": np.where(run.known, truth, output),
            "error": np.minimum(255, 4 * np.abs(truth.astype(int) - output)),
        }
        for kind, pixels in expected.items():
            painted = _painted(page, kind, truth.shape, tmp_path).transpose(2, 0, 1)
            # Doubling twice rounds nothing; screens may round by one.
            assert np.abs(painted - pixels).max() <= 1, kind
        row = rows[(rows["output"] == "raw") & (rows["iteration"] == iteration)].iloc[0]
        cells = page.locator("#scores tbody tr").first.locator("td").all_inner_texts()
        regions = ("full", "hole", "composited")
        assert cells == [f"{row[f'psnr_{region}']:.2f}" for region in regions]
        seen.append(row["psnr_hole"])
        slider.focus()
        page.keyboard.press("ArrowLeft")
    assert len(set(seen)) == 3
    assert page.locator("#curves svg").count() == 2
    assert f"{rows['oracle_psnr_hole'].iloc[0]:.2f} dB" in page.locator("#oracle").inner_text()
    record = json.loads(page.locator("#record").text_content() or "")
    assert record["trajectory"] == run.record.trajectory


def test_checkpoints_play_and_a_click_on_the_curve_leads_to_one(suite: Path, look: Look) -> None:
    page = look(suite / "report" / "index.html").page
    open_job(page, "bold")
    page.locator("#play").click()
    expect(page.locator("#at")).to_have_text("iteration 1 of 40")
    expect(page.locator("#play")).to_have_text("pause")
    expect(page.locator("#at")).to_have_text("iteration 40 of 40")
    expect(page.locator("#play")).to_have_text("play")
    chart = page.locator("#curves svg").first
    box = chart.bounding_box()
    assert box
    chart.click(position={"x": box["width"] * 0.55, "y": box["height"] / 2})
    expect(page.locator("#at")).to_have_text("iteration 20 of 40")


def test_jobs_without_a_result_say_why(suite: Path, look: Look) -> None:
    page = look(suite / "report" / "index.html").page
    page.locator("[name=text]").fill("huge")
    page.locator("#table tbody a").first.click()
    expect(page.locator("#job-status")).to_contain_text("failed: out of memory")
    expect(page.locator("#view")).not_to_be_visible()
    page.locator("#log-of summary").click()
    expect(page.locator("#log")).to_contain_text("out of memory")
    page.keyboard.press("Escape")
    page.locator("[name=text]").fill("wild")
    page.locator("#table tbody a").first.click()
    expect(page.locator("#job-status")).to_contain_text("diverged: the fit has collapsed")
    expect(page.locator("#compare")).to_have_attribute("data-file", re.compile("-000001.png"))


def test_a_job_whose_files_are_gone_says_so(suite: Path, look: Look, tmp_path: Path) -> None:
    shutil.copytree(suite / "report", tmp_path / "report")
    for path in (tmp_path / "report" / "jobs").glob("*/job.js"):
        path.unlink()
    opened = look(tmp_path / "report" / "index.html")
    opened.page.locator("#table tbody a").first.click()
    expect(opened.page.locator("#job-status")).to_contain_text("job.js is missing")
    assert any("ERR_FILE_NOT_FOUND" in said for said in opened.complaints)
    opened.complaints.clear()


@pytest.mark.parametrize("scheme", screenshots.SCHEMES)
def test_a_phone_shows_all_of_it_without_scrolling_sideways(
    suite: Path, look: Look, scheme: Scheme
) -> None:
    page = look(suite / "report" / "index.html", "phone", scheme).page
    width = SIZES["phone"][0]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    levels = [int(each) for each in re.findall(r"\d+", background)[:3]]
    assert (max(levels) < 60) == (scheme == "dark")
    open_job(page, "bold")
    box = page.locator("#compare").bounding_box()
    assert box
    assert 250 < box["width"] <= width
    assert page.evaluate("document.querySelector('#job').scrollWidth") <= width


@pytest.mark.parametrize("scheme", screenshots.SCHEMES)
def test_text_stands_out_from_its_ground(suite: Path, look: Look, scheme: Scheme) -> None:
    """By WCAG 2.1, 1.4.3: a contrast of 4.5 at least."""
    page = look(suite / "report" / "index.html", scheme=scheme).page
    names = ("paper", "raised", "ink", "faint", "accent", "bad", "warn")
    colours = page.evaluate(
        """names => Object.fromEntries(names.map(name => {
             const probe = document.body.appendChild(document.createElement("i"));
             probe.style.color = `var(--${name})`;
             return [name, getComputedStyle(probe).color.match(/\\d+/g).map(Number)];
           }))""",
        list(names),
    )

    def luminance(name: str) -> float:
        channels = np.array(colours[name]) / 255
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for ground in ("paper", "raised"):
        for text in ("ink", "faint", "accent", "bad"):
            light, dark = sorted((luminance(ground), luminance(text)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ground, text)
    light, dark = sorted((luminance("warn"), luminance("ink")), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_one_file_holds_chosen_jobs_wherever_it_is_taken(
    suite: Path, look: Look, tmp_path: Path
) -> None:
    shutil.copy(suite / "report" / "embedded.html", tmp_path / "taken.html")
    opened = look(tmp_path / "taken.html")
    page = opened.page
    assert opened.rows("method") == ["biharmonic", "biharmonic"]
    expect(page.locator("header")).to_contain_text("2 of them are in this file")
    open_job(page, "onerror")
    expect(page.locator("#compare")).to_have_attribute("data-file", "raw-000000.png")
    page.keyboard.press("Escape")
    assert page.locator("main figure img").count() >= 3
    assert not page.locator("main a[href^='tables/'], main a[href^='figures/']").count()
    assert [url for url in opened.requests if url.startswith("file:")] == [page.url.split("#")[0]]


def test_the_page_has_no_place_for_what_is_not_a_key(suite: Path, tmp_path: Path) -> None:
    """A key is part of a path: one that leads elsewhere is refused."""
    shutil.copytree(suite.parent, tmp_path / "results")
    folder = tmp_path / "results" / "hostile"
    jobs = pd.read_csv(folder / "jobs.csv", dtype=str, keep_default_na=False)
    jobs.loc[0, "key"] = "../../elsewhere"
    jobs.to_csv(folder / "jobs.csv", index=False)
    with pytest.raises(InputError, match="'../../elsewhere' is no job's key"):
        build(folder)


def test_no_job_of_that_name(suite: Path) -> None:
    before = (suite / "report" / "index.html").read_bytes()
    with pytest.raises(InputError, match="--embed: no job's name holds 'nothing'"):
        build(suite, embed="nothing")
    assert (suite / "report" / "index.html").read_bytes() == before


def test_many_jobs_load_few_pictures_and_scrolling_reaches_them_all(
    suite_file: Write, command: Command, tmp_path: Path, look: Look
) -> None:
    out = tmp_path / "results"
    done = command("benchmarks", "run", suite_file(), "--out", out)
    assert done.returncode == 0, done.stderr
    many = multiply(out / "tiny", 199)
    assert many == 400
    build(out / "tiny")
    opened = look(out / "tiny" / "report" / "index.html")
    page = opened.page
    expect(page.locator("#count")).to_have_text("400 jobs")
    pictures = [url for url in opened.requests if url.endswith(".png")]
    assert len(pictures) < 150
    assert not any(url.endswith(".js") for url in opened.requests)
    assert page.locator("#table tbody tr").count() < 400
    for _ in range(8):
        page.locator("#table tbody tr").last.scroll_into_view_if_needed()
        page.wait_for_timeout(100)
    assert page.locator("#table tbody tr").count() == 400
    page.locator("[name=text]").fill("0123")
    expect(page.locator("#table tbody tr")).to_have_count(2)


def test_screenshots(suite: Path, process: Command, tmp_path: Path) -> None:
    words = ("screenshots", suite, "--job", "bold", "--out", tmp_path / "shots")
    done = process("reports", *words)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "shots").iterdir()}
    assert names == {
        f"{what}-{size}-{scheme}.png"
        for what in ("jobs", "job")
        for size in SIZES
        for scheme in screenshots.SCHEMES
    }
    with Pillow.open(tmp_path / "shots" / "job-desktop-light.png") as picture:
        assert picture.size == SIZES["desktop"]
    done = process("reports", *words[:3], "no such", "--out", tmp_path / "shots")
    assert done.returncode == 2
    assert done.stderr == "error: --job: the page finds none by 'no such'\n"


def test_open_page_is_what_screenshots_are_of(suite: Path, chromium: Browser) -> None:
    page = open_page(chromium, suite / "report" / "index.html", "phone", "dark")
    assert page.viewport_size == dict(zip(("width", "height"), SIZES["phone"], strict=True))
    page.context.close()
