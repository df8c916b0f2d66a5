"""The pictures of one hole by all methods."""

from pathlib import Path

from playwright.sync_api import expect
from support.pages import BOLD, HOSTILE, Look, needs_chromium

from benchmarks.scoring.results import Results

pytestmark = needs_chromium


def test_all_methods_of_a_hole_stand_beside_each_other_best_first(
    hostile: Path, hostile_results: Results, look: Look
) -> None:
    page = look(hostile / "report" / "index.html").page
    page.locator("#grid-image").select_option(HOSTILE)
    final = hostile_results.final
    final = final[(final["image"] == HOSTILE) & (final["status"] == "done")]
    standing = final[(final["output"] == "averaged") | (final["iteration"] == 0)]
    ranked = standing.sort_values("psnr_hole", ascending=False, kind="stable")
    cells = page.locator("#grid a")
    expect(cells).to_have_count(6)
    names = cells.locator(".method").all_inner_texts()
    scores = cells.locator("b").all_inner_texts()
    assert scores[:4] == [f"{score:.2f} dB" for score in ranked["psnr_hole"]]
    assert names[:4] == list(ranked["method"])
    # What diverged has outputs, but no result.
    assert dict(zip(names[4:], scores[4:], strict=True)) == {"wild": "diverged", "huge": "failed"}
    captions = page.locator("#grid figcaption").all_inner_texts()
    assert captions == ["truth", "masked"]
    size = f"{final['width'].iloc[0]}"
    for canvas in page.locator("#grid figure:not(.none) canvas").all():
        expect(canvas).to_have_js_property("width", int(size))  # painted


def test_a_picture_opens_its_job(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html").page
    page.locator("#grid-image").select_option(HOSTILE)
    page.locator("#grid a").filter(has_text="bold").click()
    expect(page.locator("#job-title")).to_contain_text(f"{HOSTILE} / ")
    expect(page.locator("#job-title")).to_contain_text(BOLD)
    expect(page.locator("#compare")).to_have_attribute("data-file", "averaged-000040.png")


def test_a_choice_of_one_is_none(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html").page
    expect(page.locator("#grid-image")).to_be_visible()
    expect(page.locator("#grid-mask")).not_to_be_visible()
    expect(page.locator("#filters [name=mask]")).not_to_be_visible()
    expect(page.locator("#filters [name=status]")).to_be_visible()
    embedded = look(hostile / "report" / "embedded.html").page
    expect(embedded.locator("#grid-image")).not_to_be_visible()
    expect(embedded.locator("#grid figure:not(.none) canvas")).to_have_count(6)
