"""The page, in a browser: it sorts, filters, fits any screen, and asks nothing of any network."""

import re
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow
from playwright.sync_api import Browser, expect
from support.commands import Command
from support.many_jobs import multiply
from support.pages import BOLD, HOSTILE, NONE, Look, needs_chromium
from support.suites import HUGE

from benchmarks.scoring.results import Results, load_results
from dip.errors import InputError
from reports.build import build
from reports.page import screenshots
from reports.page.screenshots import SIZES, Scheme, open_job

Write = Callable[..., Path]
pytestmark = needs_chromium


def test_every_job_is_listed_with_its_names_as_text(
    hostile: Path, hostile_results: Results, look: Look
) -> None:
    opened = look(hostile / "report" / "index.html")
    jobs = hostile_results.jobs
    for column in ("image", "mask", "method", "status"):
        assert opened.rows(column) == list(jobs[column])
    assert set(jobs["status"]) == {"done", "failed", "diverged"}
    assert HOSTILE in set(jobs["image"])
    assert BOLD in set(jobs["method"])
    expect(opened.page.locator("h1")).to_have_text(f"Hostile {HOSTILE}")
    expect(opened.page.locator("#count")).to_have_text("12 jobs")
    assert not opened.page.locator("img[onerror]").count()
    assert "bold" not in opened.page.locator("b").all_inner_texts()
    text = opened.page.locator("#problems").inner_text()
    assert HOSTILE in text
    assert "out of memory" in text


def test_findings_and_the_leaderboard_come_first(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html").page
    sections = page.locator("main > section")
    names = [section.get_attribute("id") for section in sections.all()]
    first = ["findings", "pictures", "curves-of-all", "significance", "jobs"]
    assert names == [*first, "problems", "provenance"]
    for link in page.locator("nav a").all():
        assert (link.get_attribute("href") or "").removeprefix("#") in names
    expect(page.locator(".finding").first).to_contain_text("Compared: ")
    ranked = pd.read_csv(hostile / "report" / "tables" / "leaderboard.csv", dtype=str)
    board = page.locator("#findings table")
    assert board.locator("td.stays").all_inner_texts() == list(ranked["method"])
    box = board.bounding_box()
    assert box
    assert box["y"] + box["height"] <= SIZES["desktop"][1]


def test_links_lead_to_the_suite_the_results_and_their_environment(
    hostile: Path, look: Look
) -> None:
    page = look(hostile / "report" / "index.html").page
    links = page.locator("#findings > .files a")
    paths = [hostile / "report" / (link.get_attribute("href") or "") for link in links.all()]
    assert [path.name for path in paths] == ["suite.yaml", "results.csv", "suite.json"]
    assert paths[0].read_text() == (hostile.parent.parent / "hostile.yaml").read_text()
    assert paths[1].samefile(hostile / "results.csv")
    assert paths[2].samefile(hostile / "suite.json")
    expect(page.locator("#findings code")).to_have_text("dip-bench bench hostile.yaml")
    for figure in page.locator("main figure img").all():
        shown = figure.get_attribute("src")
        assert figure.locator("xpath=..").get_attribute("href") == shown  # at full size
    embedded = look(hostile / "report" / "embedded.html").page
    addresses = [link.get_attribute("href") or "" for link in embedded.locator("main a").all()]
    assert [address for address in addresses if not address.startswith("#")] == []


def test_what_the_page_would_be_made_to_run_does_not_run(hostile: Path, look: Look) -> None:
    """Were a name put into the page as HTML by mistake, its script would be refused."""
    opened = look(hostile / "report" / "index.html")
    opened.page.evaluate(
        """document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=alert(1)>")"""
    )
    (hostile / "report" / "planted.js").write_text("alert(2)")
    planted = (hostile / "report" / "planted.html").resolve()
    page = (hostile / "report" / "index.html").read_text()
    planted.write_text(page.replace("<main>", "<main><script src='planted.js'></script>"))
    opened.page.goto(planted.as_uri())
    expect(opened.page.locator("#count")).to_have_text("12 jobs")
    for path in hostile.glob("report/planted.*"):
        path.unlink()
    refused = [said for said in opened.complaints if "Content Security Policy" in said]
    assert len(refused) == 2
    assert not {"1", "2"} & set(opened.complaints)
    opened.complaints.clear()


def test_it_sorts_numbers_as_numbers_and_what_is_missing_last(hostile: Path, look: Look) -> None:
    opened = look(hostile / "report" / "index.html")
    head = opened.page.locator("#table th[data-column=psnr]")
    for direction in ("ascending", "descending"):
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", direction)
        cells = opened.rows("psnr")
        scores = [float(cell) for cell in cells if cell != NONE]
        assert scores == sorted(scores, reverse=direction == "descending")
        assert len(scores) >= 6
        assert cells[len(scores) :] == [NONE] * (len(cells) - len(scores)) != []
    opened.page.locator("#table th[data-column=image]").get_by_role("button").click()
    assert len([name for name, _ in groupby(opened.rows("image"))]) == 2
    opened.page.get_by_role("button", name="Show all").click()
    expect(opened.page.locator("#table [aria-sort]")).to_have_count(0)


def test_it_filters_by_words_and_by_choice(hostile: Path, look: Look) -> None:
    opened = look(hostile / "report" / "index.html")
    count = opened.page.locator("#count")
    opened.page.locator("[name=text]").fill("onerror BIHARMONIC")
    expect(count).to_have_text("1 of 12 jobs")
    opened.page.locator("[name=text]").fill("no such job")
    expect(count).to_have_text("0 of 12 jobs")
    opened.page.get_by_role("button", name="Show all").click()
    expect(count).to_have_text("12 jobs")
    opened.page.locator("[name=status]").select_option("failed")
    expect(count).to_have_text("2 of 12 jobs")
    assert set(opened.rows("method")) == {"huge"}
    opened.page.locator("[name=status]").select_option("")
    opened.page.locator("[name=method]").select_option("mean")
    assert opened.rows("method") == ["mean", "mean"]


def test_the_table_shows_the_output_that_is_chosen(
    hostile: Path, hostile_results: Results, look: Look
) -> None:
    opened = look(hostile / "report" / "index.html")
    rows = hostile_results.rows[hostile_results.rows["method"] == BOLD]
    opened.page.locator("[name=text]").fill("bold")
    for output in ("", "averaged", "raw", "stop:es-wmv[window=4,patience=5]"):
        opened.page.locator("[name=output]").select_option(output)
        stands = rows["output"] == (output or "averaged")
        last = rows[stands].groupby("image", sort=False).last()
        assert opened.rows("psnr") == [f"{score:.2f}" for score in last["psnr_hole"]]
        assert opened.rows("iteration") == [f"{count}" for count in last["iteration"]]


def test_any_width_shows_all_of_it_without_scrolling_sideways(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html", "phone").page
    cut = """[...document.querySelectorAll("#table th button, #table td")]
      .filter(each => each.scrollWidth > each.clientWidth).map(each => each.textContent)"""
    address = page.url
    for width in (320, 390, 800, 1000, 1181, 1280):
        page.set_viewport_size({"width": width, "height": SIZES["phone"][1]})
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(cut) == [], width
        open_job(page, "bold")
        box = page.locator("#compare").bounding_box()
        assert box
        assert 250 < box["width"] <= width
        assert page.evaluate("document.querySelector('#job').scrollWidth") <= width


@pytest.mark.parametrize("scheme", screenshots.SCHEMES)
def test_text_stands_out_from_its_ground(hostile: Path, look: Look, scheme: Scheme) -> None:
    """By WCAG 2.1, 1.4.3: a contrast of 4.5 at least. The ground is dark only where asked for."""
    page = look(hostile / "report" / "index.html", scheme=scheme).page
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    levels = [int(each) for each in re.findall(r"\d+", background)[:3]]
    assert (max(levels) < 60) == (scheme == "dark")
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
        linear = ((channels + 0.055) / 1.055) ** 2.4
        linear = np.where(channels <= 0.04045, channels / 12.92, linear)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    pairs = [(ground, text) for ground in ("paper", "raised") for text in names[2:6]]
    for ground, text in [*pairs, ("warn", "ink")]:
        light, dark = sorted((luminance(ground), luminance(text)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ground, text)


def test_one_file_holds_chosen_jobs_wherever_it_is_taken(
    hostile: Path, hostile_results: Results, look: Look, tmp_path: Path
) -> None:
    shutil.copy(hostile / "report" / "embedded.html", tmp_path / "taken.html")
    opened = look(tmp_path / "taken.html")
    page = opened.page
    jobs = hostile_results.jobs[hostile_results.jobs["image"] == HOSTILE]
    assert opened.rows("method") == list(jobs["method"])
    expect(page.locator("header")).to_contain_text("6 of the 12 jobs are in this file")
    open_job(page, "bold")
    expect(page.locator("#compare")).to_have_attribute("data-file", "averaged-000040.png")
    page.locator("#iteration").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#compare")).to_have_attribute("data-file", "averaged-000015.png")
    expect(page.locator("#curves svg")).to_have_count(2)
    page.keyboard.press("Escape")
    open_job(page, "huge")
    expect(page.locator("#job-status")).to_contain_text("out of memory")
    # Where the log lies on the machine that wrote it is nowhere in what is sent away.
    whole = (tmp_path / "taken.html").read_text()
    assert "out of memory" in whole
    assert f"{hostile / 'failures'}" not in whole
    for name in ("summary.md", "index.html"):
        assert f"{hostile / 'failures'}" not in (hostile / "report" / name).read_text()
    page.keyboard.press("Escape")
    assert page.locator("main figure img").count() >= 3
    assert not page.locator("main a[href^='tables/'], main a[href^='figures/']").count()
    files = [url for url in opened.requests if url.startswith("file:")]
    assert files == [(tmp_path / "taken.html").resolve().as_uri()]


def test_the_page_has_no_place_for_what_is_not_a_key(hostile: Path, tmp_path: Path) -> None:
    """A key is part of a path: one that leads elsewhere is refused."""
    shutil.copytree(hostile.parent, tmp_path / "results")
    folder = tmp_path / "results" / "hostile"
    jobs = pd.read_csv(folder / "jobs.csv", dtype=str, keep_default_na=False)
    jobs.loc[0, "key"] = "../../elsewhere"
    jobs.to_csv(folder / "jobs.csv", index=False)
    with pytest.raises(InputError, match="'../../elsewhere' is no job's key"):
        build(folder)


def test_no_job_of_that_name(hostile: Path) -> None:
    before = (hostile / "report" / "index.html").read_bytes()
    with pytest.raises(InputError, match="`embed`: no job's name holds 'nothing'"):
        build(hostile, embed="nothing")
    assert (hostile / "report" / "index.html").read_bytes() == before


def test_many_jobs_load_few_pictures_and_scrolling_reaches_them_all(
    suite_file: Write, command: Command, tmp_path: Path, look: Look
) -> None:
    out = tmp_path / "results"
    done = command("benchmarks", "run", suite_file(), "--out", out)
    assert done.returncode == 0, done.stderr
    assert multiply(out / "tiny", 199) == 400
    build(out / "tiny")
    opened = look(out / "tiny" / "report" / "index.html")
    page = opened.page
    rows = page.locator("#table tbody tr")
    expect(page.locator("#count")).to_have_text("400 jobs")
    pictures = [url for url in opened.requests if url.endswith(".png")]
    assert 0 < len(pictures) < rows.count()
    assert not any(url.endswith(".js") for url in opened.requests)
    assert rows.count() < 400
    # Past the end of the rows that are there, and up to it again.
    page.locator("nav").get_by_role("link", name="Environment").click()
    for _ in range(20):
        rows.last.scroll_into_view_if_needed()
        page.wait_for_timeout(100)
    expect(rows).to_have_count(400)
    page.locator("[name=text]").fill("0123")
    expect(rows).to_have_count(2)
    # What all jobs have alike is neither a column nor a filter.
    for name in ("status", "mask"):
        expect(page.locator(f"#filters [name={name}]")).not_to_be_visible()
    expect(page.locator("#filters [name=image]")).to_be_visible()
    assert page.locator("#table th[data-column=status]").count() == 0


def test_a_suite_that_failed_has_a_page(
    suite_file: Write, command: Command, tmp_path: Path, look: Look
) -> None:
    suite, out = suite_file(methods=[HUGE]), tmp_path / "results"
    assert command("reports", "bench", suite, "--out", out).returncode == 1
    opened = look(out / "tiny" / "report" / "index.html")
    assert opened.rows("status") == ["failed"]
    opened.page.locator("#table tbody a").click()
    expect(opened.page.locator("#job-status")).to_contain_text("out of memory")


def test_a_suite_without_psnr_has_a_page(
    suite_file: Write, command: Command, tmp_path: Path, look: Look
) -> None:
    suite, out = suite_file(metrics=["ssim"], iterations=[3, 20]), tmp_path / "results"
    assert command("reports", "bench", suite, "--out", out).returncode == 0
    assert load_results(out / "tiny").rows["psnr_hole"].isna().all()
    opened = look(out / "tiny" / "report" / "index.html")
    open_job(opened.page, "quick")
    expect(opened.page.locator("#scores tbody tr")).to_have_count(2)
    expect(opened.page.locator("#curves svg").last).to_have_attribute(
        "aria-label", "loss against iterations"
    )


def test_screenshots(
    hostile: Path,
    chromium: Browser,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the browser that is open here. A job that failed is one, too."""
    monkeypatch.setattr(screenshots, "browser", lambda: nullcontext(chromium))
    words = ("screenshots", hostile, "--out", tmp_path / "shots", "--job")
    for name in ("bold", "huge"):
        done = command("reports", *words, name)
        assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "shots").glob("*.png")}
    assert names == {
        f"{what}-{size}-{scheme}.png"
        for what in screenshots.SHOTS
        for size in SIZES
        for scheme in screenshots.SCHEMES
    }
    with Pillow.open(tmp_path / "shots" / "job-desktop-light.png") as picture:
        assert picture.size == SIZES["desktop"]
    done = command("reports", *words, "no such")
    assert (done.returncode, done.stderr) == (2, "error: --job: the page finds none by 'no such'\n")
    done = command("reports", "screenshots", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path / 'report' / 'index.html'}: is missing; ")
