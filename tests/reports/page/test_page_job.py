"""One job on the page: its pictures to the last pixel, its checkpoints, and why there are none."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from playwright.sync_api import Page, expect
from support.commands import Command, Ran
from support.pages import BOLD, HOSTILE, Look, needs_chromium

from benchmarks.scoring.results import Results
from reports.figures.style import HOLE
from reports.page.screenshots import open_job

pytestmark = needs_chromium
GREY = "<script>&amp;'"
# A dialog closes first and says so afterwards, and only then does the address change.
OPENED, CLOSED = re.compile("#job-"), re.compile("#jobs$")


def test_a_job_opens_and_closes_by_keyboard(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html").page
    links = page.locator("#table tbody a")
    links.nth(3).focus()  # of two images each: bold, mean, biharmonic
    page.keyboard.press("Enter")
    title = page.locator("#job-title")
    expect(title).to_contain_text("mean")
    divider = page.locator("#divider")
    expect(divider).to_be_focused()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(divider).to_have_attribute("aria-valuetext", "60 % from the left")
    clip = page.locator("#right").evaluate("each => each.style.clipPath")
    assert clip.endswith("60%)")
    page.keyboard.press("n")
    expect(title).to_contain_text("biharmonic")
    for _ in range(4):
        page.keyboard.press("p")
    expect(title).to_contain_text("bold")
    expect(page.locator("#previous")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.locator("#job")).not_to_be_visible()
    expect(links.nth(3)).to_be_focused()


def test_keys_go_on_past_a_job_that_has_no_pictures(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html").page
    page.locator("#table tbody a").nth(7).click()  # the last one that diverged
    expect(page.locator("#job-title")).to_contain_text("wild")
    for name in ("huge", "huge", "__proto__"):
        page.keyboard.press("n")
        expect(page.locator("#job-title")).to_contain_text(name)
    page.mouse.click(5, 5)  # beside it
    expect(page.locator("#job")).not_to_be_visible()
    page.locator("#table tbody a").nth(10).click()
    expect(page.locator("#compare")).to_have_attribute("data-file", "averaged-000040.png")
    box = page.locator("#job").bounding_box()
    assert box
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)  # within, between its parts
    expect(page.locator("#job")).to_be_visible()
    expect(page.locator("#compare")).to_have_attribute("data-file", "averaged-000040.png")


def test_a_link_leads_to_a_job_and_back_leads_out_of_it(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html").page
    page.locator("#table tbody a").nth(4).click()
    expect(page).to_have_url(OPENED)
    expect(page.locator("#job")).to_be_visible()
    link = page.url
    page.locator("#next").click()
    page.go_back()
    expect(page.locator("#job")).not_to_be_visible()
    for _ in range(2):
        page.locator("#table tbody a").first.click()
        expect(page.locator("#job")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#job")).not_to_be_visible()
        expect(page).to_have_url(CLOSED)
    page.go_back()  # a job that was closed is no place to come back to
    expect(page).to_have_url(CLOSED)
    expect(page.locator("#job")).not_to_be_visible()
    page.goto(link.split("#")[0] + "#job-gone")
    expect(page.locator("#count")).to_have_text("12 jobs; none has the address asked for")
    again = look(hostile / "report" / "index.html").page
    again.goto(link)
    again.reload()
    expect(again.locator("#job-title")).to_contain_text("biharmonic")
    again.locator("#close").click()
    expect(again).to_have_url(CLOSED)


def _painted(page: Page, kind: str, shape: tuple[int, ...], tmp_path: Path) -> NDArray[np.int16]:
    """(3, H, W): what the right picture shows at the middle of each of the image's pixels."""
    page.locator("#right-of").select_option(kind)
    page.locator("#divider").evaluate(
        "each => { each.value = 0; each.dispatchEvent(new Event('input')); }"
    )
    page.locator("#line").evaluate("each => { each.style.visibility = 'hidden'; }")
    page.wait_for_timeout(100)
    page.locator("#compare").screenshot(path=tmp_path / "painted.png")
    with Pillow.open(tmp_path / "painted.png") as shot:
        pixels = np.asarray(shot.convert("RGB"), dtype=np.int16)
    _, height, width = shape
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(width / height, abs=0.02)
    rows = ((np.arange(height) + 0.5) * pixels.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * pixels.shape[1] / width).astype(int)
    return pixels[np.ix_(rows, columns)].transpose(2, 0, 1)


@pytest.mark.parametrize("image", [HOSTILE, GREY])
def test_the_pictures_are_those_of_the_run(
    hostile: Path, hostile_results: Results, look: Look, tmp_path: Path, image: str
) -> None:
    """Painted by the browser from truth, mask and output, in colour and grey, each checkpoint."""
    page = look(hostile / "report" / "index.html").page
    rows = hostile_results.rows
    rows = rows[(rows["method"] == BOLD) & (rows["image"] == image)]
    run = hostile_results.run(rows["key"].iloc[0])
    assert len(run.truth) == (3 if image == HOSTILE else 1)
    open_job(page, f"bold {image}")
    slider, compare = page.locator("#iteration"), page.locator("#compare")
    page.locator("#output").select_option("raw")
    slider.focus()
    seen = []
    for iteration in (40, 15, 1):
        expect(compare).to_have_attribute("data-file", f"raw-{iteration:06}.png")
        expect(page.locator("#at")).to_have_text(f"iteration {iteration} of 40")
        truth, output = run.truth, run.restoration("raw", iteration)
        expected = {
            "truth": truth,
            "output": output,
            "masked": np.where(run.known, truth, np.array(HOLE)[:, None, None]),
            "composited": np.where(run.known, truth, output),
            "error": np.minimum(255, 4 * np.abs(truth.astype(int) - output)),
        }
        for kind, pixels in expected.items():
            painted = _painted(page, kind, truth.shape, tmp_path)
            # Screens may round by one.
            assert np.abs(painted - pixels).max() <= 1, kind
        row = rows[(rows["output"] == "raw") & (rows["iteration"] == iteration)].iloc[0]
        cells = page.locator("#scores tbody tr").first.locator("td").all_inner_texts()
        regions = ("full", "hole", "composited")
        assert cells == [f"{row[f'psnr_{region}']:.2f}" for region in regions]
        seen.append(row["psnr_hole"])
        slider.focus()
        page.keyboard.press("ArrowLeft")
    assert len(set(seen)) == 3
    assert f"{rows['oracle_psnr_hole'].iloc[0]:.2f} dB" in page.locator("#oracle").inner_text()
    record = json.loads(page.locator("#record").text_content() or "")
    assert record["trajectory"] == run.record.trajectory


def test_any_two_methods_of_a_hole_are_compared(
    hostile: Path, hostile_results: Results, look: Look, tmp_path: Path
) -> None:
    """Whatever job is open: the pictures are theirs, and so are the scores below."""
    page = look(hostile / "report" / "index.html").page
    open_job(page, f"bold {HOSTILE}")
    left, right = page.locator("#left-of"), page.locator("#right-of")
    others = ["mean", "biharmonic", "__proto__"]  # neither what failed nor what diverged
    assert left.locator("optgroup").nth(1).locator("option").all_inner_texts() == others
    rows = hostile_results.rows[hostile_results.rows["image"] == HOSTILE].set_index("method")

    def scores(method: str) -> str:
        row = rows.loc[method]
        row = row if row.ndim == 1 else row[row["output"] == "averaged"].iloc[-1]
        return ", ".join(
            f"{score.name.upper()} {row[score.column]:.{score.decimals}f} {score.unit}".strip()
            for score in hostile_results.scores
        )

    expect(page.locator("#left-scores")).to_have_text("")  # the masked image has none
    expect(page.locator("#right-scores")).to_have_text(scores(BOLD))
    left.select_option("method mean")
    expect(page.locator("#left-scores")).to_have_text(scores("mean"))
    run = hostile_results.run(rows.loc["biharmonic"]["key"])
    restored = np.where(run.known, run.truth, run.restoration("raw", 0))
    painted = _painted(page, "method biharmonic", run.truth.shape, tmp_path)
    assert np.abs(painted - restored).max() <= 1  # screens may round by one
    expect(page.locator("#right-scores")).to_have_text(scores("biharmonic"))
    # The choice stays from job to job, except where it is the open job itself.
    page.locator("#close").click()
    open_job(page, f"mean {HOSTILE}")
    expect(right).to_have_value("method biharmonic")
    expect(left).to_have_value("composited")
    expect(page.locator("#left-scores")).to_have_text(scores("mean"))


def test_curves_have_the_checkpoints_and_what_the_rules_chose(
    hostile: Path, hostile_results: Results, look: Look
) -> None:
    page = look(hostile / "report" / "index.html").page
    open_job(page, f"bold {HOSTILE}")
    expect(page.locator("#curves svg")).to_have_count(2)
    rows = hostile_results.rows[hostile_results.rows["method"] == BOLD]
    key = rows["key"].iloc[0]
    details = page.evaluate("key => loaded.get(key).curve", key)
    # Every tenth iteration, and the checkpoints between them.
    assert details["iteration"] == [1, 10, 15, 20, 30, 40]
    raw = rows[(rows["output"] == "raw") & (rows["key"] == key)].set_index("iteration")
    assert details["raw"][2] == pytest.approx(raw["psnr_hole"][15], abs=1e-4)
    legend = page.locator("#curves figcaption").first
    for name in ("raw", "averaged", "es-wmv", "es-emv", "fills, best first: biharmonic, mean"):
        expect(legend).to_contain_text(name)
    assert page.locator("#curves svg").first.locator(".mark").count() == 2
    page.locator("#output").select_option("stop:es-wmv[window=4,patience=5]")
    expect(page.locator("#scores")).to_contain_text("seconds until the rule had stopped")


def test_checkpoints_play_and_a_click_on_the_curve_leads_to_one(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html").page
    open_job(page, "bold")
    page.locator("#play").click()
    expect(page.locator("#at")).to_have_text("iteration 1 of 40")
    expect(page.locator("#play")).to_have_text("pause")
    expect(page.locator("#at")).to_have_text("iteration 40 of 40")
    expect(page.locator("#play")).to_have_text("play")
    chart = page.locator("#curves svg").first
    box = chart.bounding_box()
    assert box
    chart.click(position={"x": box["width"] * 0.45, "y": box["height"] / 2})
    expect(page.locator("#at")).to_have_text("iteration 15 of 40")


def test_a_job_opens_with_the_output_of_its_row(hostile: Path, look: Look) -> None:
    """Whatever was looked at before; from job to job the choice stays."""
    page = look(hostile / "report" / "index.html").page
    output = page.locator("#output")
    open_job(page, "biharmonic")
    expect(output).to_have_value("raw")
    page.keyboard.press("Escape")
    open_job(page, "bold")
    expect(output).to_have_value("averaged")
    output.select_option("raw")
    page.locator("#next").click()
    expect(page.locator("#compare")).to_have_attribute("data-file", "raw-000040.png")
    page.keyboard.press("Escape")
    page.locator("[name=output]").select_option("stop:es-emv[warm_up=3]")
    open_job(page, "bold")
    expect(output).to_have_value("stop:es-emv[warm_up=3]")


def test_jobs_without_a_result_say_why(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html").page
    open_job(page, "huge")
    expect(page.locator("#job-status")).to_contain_text("failed: out of memory")
    expect(page.locator("#view")).not_to_be_visible()
    page.locator("#log-of summary").click()
    expect(page.locator("#log")).to_contain_text("out of memory")
    page.keyboard.press("Escape")
    open_job(page, "wild")
    expect(page.locator("#job-status")).to_contain_text("diverged: the fit has collapsed")
    expect(page.locator("#compare")).to_have_attribute("data-file", re.compile("-000001.png"))


def test_a_job_whose_files_are_gone_says_so_and_shows_no_other_one_s(
    hostile: Path, look: Look, tmp_path: Path
) -> None:
    shutil.copytree(hostile / "report", tmp_path / "report")
    opened = look(tmp_path / "report" / "index.html")
    page = opened.page
    page.locator("#table tbody a").first.click()
    compare, said = page.locator("#compare"), page.locator("#job-status")
    expect(compare).to_have_attribute("data-file", "averaged-000040.png")
    first, second = (page.evaluate(f"jobs[{index}].key") for index in (0, 1))
    (tmp_path / "report" / "jobs" / second / "job.js").unlink()
    (tmp_path / "report" / "jobs" / first / "averaged-000015.png").unlink()
    page.keyboard.press("n")
    expect(said).to_contain_text("job.js is missing")
    assert compare.get_attribute("data-file") is None
    assert page.locator("#scores td").count() == 0
    assert page.locator("#record").text_content() == ""
    assert page.locator("#output option").count() == 0
    page.locator("#left-of").select_option("truth")  # nothing to paint, and nothing breaks
    page.locator("#previous").click()
    expect(compare).to_have_attribute("data-file", "averaged-000040.png")
    expect(said).not_to_be_visible()
    page.locator("#iteration").focus()
    page.keyboard.press("ArrowLeft")
    expect(said).to_have_text("averaged-000015.png is missing")
    page.keyboard.press("ArrowLeft")
    expect(compare).to_have_attribute("data-file", "averaged-000001.png")
    expect(said).not_to_be_visible()
    assert all("ERR_FILE_NOT_FOUND" in each for each in opened.complaints)
    assert len(opened.complaints) == 2
    third = page.evaluate("jobs[2].key")
    damaged = tmp_path / "report" / "jobs" / third / "job.js"
    damaged.write_text(damaged.read_text()[:200])
    page.locator("#close").click()
    page.locator("#table tbody a").nth(2).click()
    expect(said).to_contain_text("job.js is damaged")
    opened.complaints.clear()


def test_a_logarithmic_axis_says_where_its_ticks_are(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html").page
    wide = ["1e-7", "0.000001", "0.00001", "0.0001", "0.001", "0.01", "0.1", "1", "10"]
    for low, high, labels in (
        (0.0008, 0.05, ["0.001", "0.002", "0.005", "0.01", "0.02", "0.05"]),
        (1e-7, 10, wide),
        (1.1, 1.8, ["1.1", "1.8"]),
    ):
        ends = [np.log10(low), np.log10(high) + 1e-9]
        ticks = page.evaluate("([low, high]) => decades(low, high)", ends)
        assert [label for _, label in ticks] == labels
        assert [10**at for at, _ in ticks] == pytest.approx([float(label) for label in labels])


def test_a_job_whose_run_the_archive_has_left_out_has_scores_and_no_pictures(
    ran: Ran, command: Command, look: Look, tmp_path: Path
) -> None:
    suite, out = ran(images=["astronaut", "camera"])
    path = tmp_path / "some.zip"
    words = ("-o", path, "--pictures", "camera/", "--pictures", "mean")
    assert command("reports", "pack", suite, "--out", out, *words).returncode == 0
    done = command("reports", "report", path)
    assert done.returncode == 0, done.stderr
    report = tmp_path / "some" / "tiny" / "report"
    assert "left out 1 of 4 runs" in (report / "summary.md").read_text()
    opened = look(report / "index.html")
    page = opened.page
    scores = opened.rows("psnr")
    assert len(scores) == 4
    assert all(re.fullmatch(r"\d+\.\d+", score) for score in scores)
    pictures = [cell.locator("img").count() for cell in page.locator("td.picture").all()]
    assert pictures == [0, 1, 1, 1]
    expect(page.locator("#grid .gone")).to_have_count(0)
    page.locator("#table tbody a").first.click()
    expect(page.locator("#record")).to_contain_text('"trajectory"')
    expect(page.locator("#view")).not_to_be_visible()
    page.keyboard.press("n")
    expect(page.locator("#compare")).to_have_attribute("data-file", re.compile("averaged"))
