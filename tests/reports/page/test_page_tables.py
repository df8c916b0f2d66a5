"""The report's tables on the page: rounded once, sorted, filtered, without empty columns."""

from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Page, expect
from support.pages import BOLD, HOSTILE, Look, needs_chromium

from reports.page.tables import panels
from reports.tables.table import Table, Value, shown


def _table(**columns: list[str | Value]) -> Table:
    panel = pd.DataFrame(columns, dtype=object)
    return Table("some", "Some", pd.DataFrame(), [panel])


def test_columns_without_anything_are_left_out() -> None:
    counted = Value(np.nan, 2, of=(0, 2))  # says how many jobs lack a score
    (panel,) = panels(
        _table(
            output=["-", "-"],
            method=["one", "two"],
            hole=["boxes", "strokes"],
            psnr=[Value(22.125, 2), Value(np.nan, 2)],
            spread=[Value(np.nan, 2), Value(np.nan, 2)],
            lacking=[counted, counted],
        )
    )
    assert [head.title for head in panel.heads] == ["method", "hole", "psnr", "lacking"]
    assert [head.is_number for head in panel.heads] == [False, False, True, True]
    assert [head.stays for head in panel.heads] == [True, False, False, False]
    assert [row.names for row in panel.rows] == [
        {"method": "one", "mask": "boxes"},
        {"method": "two", "mask": "strokes"},
    ]


def test_cells_are_sorted_by_their_numbers() -> None:
    values = [Value(22.125, 2), Value(np.inf, 2), Value(-np.inf, 2), Value(np.nan, 2), "itself"]
    words: list[str | Value] = ["0.012", "< 0.001", "0.001", "-", "5 %"]
    (panel,) = panels(_table(psnr=values, p=words))
    numbers, p = zip(*([number for _, number in row.cells] for row in panel.rows), strict=True)
    assert numbers == ("22.125", "Infinity", "-Infinity", None, None)
    assert p[0] == "0.012"
    assert p[1:3] == ("0.0005", "0.001")  # before 0.0006, which reads 0.001
    assert p[3:] == (None, "5.0")


@needs_chromium
def test_numbers_are_rounded_as_tables_round_them(hostile: Path, look: Look) -> None:
    """Where two are equally near, Python takes the even one, which `toFixed` does not."""
    page = look(hostile / "report" / "index.html").page
    draws = np.random.default_rng(0)
    numbers = [0.0195000001, 22.125, 22.135, 22.375, -22.125, -0.001, 0.0, 2.5, 3.5, 0.9995, 1e-9]
    numbers += [float(each) for each in draws.normal(0, 30, 200)]
    numbers += [float(each) / 8 for each in draws.integers(-400, 400, 200)]
    for decimals in range(5):
        on_page = page.evaluate(
            "([numbers, decimals]) => numbers.map((number) => shown(number, decimals))",
            [numbers, decimals],
        )
        assert on_page == [shown(number, decimals) for number in numbers]
    assert page.evaluate("[shown('Infinity', 2), shown('-Infinity', 2)]") == ["inf", "-inf"]


def _numbers(page: Page, column: int) -> list[str | None]:
    cells = page.locator(f"#findings tbody td:nth-child({column + 1})").all()
    return [cell.get_attribute("data-value") for cell in cells]


@needs_chromium
def test_a_click_on_a_head_sorts(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html").page
    heads = page.locator("#findings thead th")
    column = heads.all_inner_texts().index("iterations")  # which fills do not have
    for direction in ("ascending", "descending"):
        heads.nth(column).get_by_role("button").click()
        expect(heads.nth(column)).to_have_attribute("aria-sort", direction)
        found = _numbers(page, column)
        numbers = [float(number) for number in found if number is not None]
        assert numbers == sorted(numbers, reverse=direction == "descending")
        assert 0 < len(numbers) < len(found)
        assert set(found[len(numbers) :]) == {None}
    heads.first.get_by_role("button").click()
    expect(page.locator("#findings [aria-sort]")).to_have_count(1)
    assert page.locator("#findings td.stays").first.inner_text() == "__proto__"


@needs_chromium
def test_filters_act_on_tables_and_pictures(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html").page
    rows = page.locator("#findings tbody tr:visible")
    note = page.locator("#findings .rows")
    expect(rows).to_have_count(6)
    expect(note).to_have_text("")
    page.locator("[name=method]").select_option(BOLD)
    expect(rows).to_have_count(1)
    expect(note).to_have_text("1 of 6 rows match the filters.")
    expect(page.locator("#grid a")).to_have_count(1)
    page.get_by_role("button", name="Show all").click()
    page.locator("[name=status]").select_option("failed")
    expect(rows).to_have_count(1)
    expect(rows.locator(".stays")).to_have_text("huge")
    expect(page.locator("#problems tbody tr:visible")).to_have_count(2)
    page.get_by_role("button", name="Show all").click()
    page.locator("[name=image]").select_option(HOSTILE)
    expect(rows).to_have_count(6)  # means over images are of this one, too
    expect(page.locator("#grid-image")).to_have_value(HOSTILE)
    expect(page.locator("#problems tbody tr:visible")).to_have_count(2)
    page.locator("[name=text]").fill("no such job")
    expect(rows).to_have_count(0)
    expect(page.locator("#grid-of")).to_have_text("No job matches the filters.")
    page.get_by_role("button", name="Show all").click()
    expect(rows).to_have_count(6)


@needs_chromium
def test_on_a_phone_the_method_stays_while_a_table_scrolls(hostile: Path, look: Look) -> None:
    page = look(hostile / "report" / "index.html", "phone").page
    box = page.locator("#findings .wide")
    expect(box.locator(".scrolls")).to_be_visible()
    first, last = box.locator("td.stays").first, box.locator("tbody tr").first.locator("td").last
    before = last.bounding_box(), first.bounding_box()
    box.evaluate("each => { each.scrollLeft = 150; }")
    after = last.bounding_box(), first.bounding_box()
    assert all(before)
    assert all(after)
    assert after[0] != before[0]
    assert after[1] == before[1]
    page.set_viewport_size({"width": 2400, "height": 900})
    expect(box.locator(".scrolls")).not_to_be_visible()
