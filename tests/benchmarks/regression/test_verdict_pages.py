"""The decision written down: for people all of it, for machines what they can read."""

import json
from xml.etree import ElementTree as Xml

import pytest
from support.sides import baseline, side

from benchmarks.regression.ci import annotations, as_json, to_junit
from benchmarks.regression.decision import ALL, decide
from benchmarks.regression.page import Page, to_markdown


def _page(shift: float = 0.0, deviation: float = 0.2) -> Page:
    decision = decide(baseline(deviation=deviation), side(draw=5, shift=shift, deviation=deviation))
    return Page(("baseline", "here"), decision, ["baseline: 0123456789ab: because"])


def test_the_table_has_every_row_and_the_answer_stands_first() -> None:
    page = _page()
    text = to_markdown(page)
    first, *_ = text.splitlines()
    assert first == "# here against baseline: the same (3 identical, 24 same)"
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len({(row.method, row.output) for row in page.decision.rows})
    assert "| all networks | raw | 12/12 | 6 against 24 | same: " in text
    assert "- baseline: 0123456789ab: because" in text
    assert "the spread between seeds" in text


def test_what_is_worse_stands_above_the_table_with_its_numbers() -> None:
    page = _page(shift=-1)
    text = to_markdown(page)
    row = page.decision.alarms[0]
    above, _, below = text.partition("| method |")
    assert above.startswith("# here against baseline: NOT the same (")
    said = f"- **{ALL}, raw, hole PSNR (dB): worse, {row.difference:.2f} ± {row.half_width:.2f}**"
    assert said in above
    assert "**worse**: " in below


def test_better_comes_with_a_warning() -> None:
    assert "may be a leak of the truth" in to_markdown(_page(shift=1))


def test_cannot_tell_says_how_many_seeds_would() -> None:
    page = _page(deviation=1.5)
    needed = page.decision.rows[0].seeds_needed
    assert needed is not None
    assert needed > 24
    assert f"cannot tell; {needed} seeds on both sides would settle it**" in to_markdown(page)


def test_one_seed_is_not_sent_for_a_thousand() -> None:
    decision = decide(side("a", seeds=range(1)), side("b", seeds=range(1), draw=3))
    text = to_markdown(Page(("a", "b"), decision, []))
    assert "cannot tell: one seed says nothing of the spread between seeds**\n" in text
    assert "1000" not in text


@pytest.mark.parametrize("shift", [0.0, -1.0])
def test_json_has_every_row_and_no_number_that_is_none(shift: float) -> None:
    page = _page(shift)
    content = json.loads(as_json(page), parse_constant=lambda name: pytest.fail(name))
    assert content["exit_code"] == page.decision.exit_code
    assert len(content["rows"]) == len(page.decision.rows)
    first, row = content["rows"][0], page.decision.rows[0]
    assert first["difference"] == pytest.approx(row.difference)
    assert row.spread is not None
    assert first["deviation_between_seeds"] == pytest.approx(row.spread.deviation)


def test_junit_counts_what_failed_as_it_lists_it() -> None:
    page = _page(shift=-1)
    suite = Xml.fromstring(to_junit(page))  # noqa: S314 - our own
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.get("tests", "")) == len(page.decision.rows) + 1
    for attribute, outcome in (
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ):
        found = [case for case in cases if case.find(outcome) is not None]
        assert len(found) == int(suite.get(attribute, ""))
    assert int(suite.get("failures", "")) == len(page.decision.alarms)
    (failure,) = suite.findall(f"testcase[@classname='{ALL}.raw'][@name='psnr_hole']/failure")
    assert "worse" in failure.get("message", "")


def test_junit_of_what_cannot_be_told_is_an_error_for_all_and_skipped_for_one() -> None:
    page = _page(deviation=1.5)
    suite = Xml.fromstring(to_junit(page))  # noqa: S314 - our own
    for method, outcome in ((ALL, "error"), ("skip", "skipped")):
        rows = [row for row in page.decision.rows if (row.method, row.output) == (method, "raw")]
        undecided = [row for row in rows if row.verdict == "cannot tell"]
        assert undecided
        found = suite.findall(f"testcase[@classname='{method}.raw']/{outcome}")
        assert len(found) == len(undecided)


def test_names_cannot_break_out_of_the_pages() -> None:
    name = "a|b<&>\x07"
    networks = {name: 18.0}
    decision = decide(baseline(networks=networks), side(draw=5, networks=networks, shift=-2))
    page = Page(("baseline", "here"), decision, [])
    assert r"| a\|b<&>" in to_markdown(page)
    suite = Xml.fromstring(to_junit(page))  # noqa: S314 - our own
    assert suite.find("testcase[@classname='a|b<&>.raw']") is not None


def test_annotations_are_github_s_own_words() -> None:
    lines = list(annotations(_page(shift=-1)))
    errors = [line for line in lines if line.startswith("::error ")]
    assert errors[0].startswith("::error title=regression gate::all networks, raw, hole PSNR")
    assert lines[-1].startswith("::notice title=regression gate::here against baseline: NOT")
    assert all("\n" not in line for line in lines)
    (only,) = annotations(_page())
    assert only.startswith("::notice")
    assert any(
        line.startswith("::error") and "cannot tell" in line
        for line in annotations(_page(deviation=1.5))
    )


def test_percent_signs_and_line_ends_are_escaped() -> None:
    networks = {"50%, all:\nof it": 18.0}
    decision = decide(baseline(networks=networks), side(draw=5, networks=networks, shift=-2))
    lines = list(annotations(Page(("baseline", "here"), decision, [])))
    assert any("::50%25, all:%0Aof it, raw, hole PSNR (dB): worse" in line for line in lines)
