"""The decision for machines: JSON, JUnit XML, and annotations of GitHub's workflows."""

import math
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as Xml

from benchmarks.regression.decision import ERROR_RATE, Row
from benchmarks.regression.page import Page, said
from benchmarks.system.files import to_json


def as_json(page: Page) -> str:
    """Everything, numbers at full precision; what is not known is null."""
    decision = page.decision
    return to_json(
        {
            "sides": page.sides,
            "exit_code": decision.exit_code,
            "headline": page.headline,
            "error_rate": ERROR_RATE,
            "rows": [_numbers(row) for row in decision.rows],
            "seeds_diverged": {"reference": decision.lost.reference, "here": decision.lost.here},
            "diverged_verdict": decision.lost.verdict,
            "failed": decision.lost.failed,
            "notices": decision.notices,
            "about": page.about,
        }
    )


def _numbers(row: Row) -> dict[str, Any]:
    return {
        "method": row.method,
        "output": row.output,
        "score": row.score.column,
        "verdict": row.verdict,
        "reason": row.reason,
        "reference": _known(row.reference),
        "here": _known(row.here),
        "difference": _known(row.difference),
        "half_width": _known(row.half_width),
        "cells": row.cells[0],
        "cells_planned": row.cells[1],
        "seeds_reference": row.seeds[0],
        "seeds_here": row.seeds[1],
        "deviation_between_seeds": _known(row.spread.deviation) if row.spread else None,
        "seeds_needed": row.seeds_needed,
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def to_junit(page: Page) -> str:
    """A test case for each row: worse and better fail; what ends the gate otherwise is an error,
    and what does not is skipped with its reason.
    """
    decision = page.decision
    suite = Xml.Element("testsuite", name=f"{page.sides[1]} against {page.sides[0]}")
    counts = dict.fromkeys(("failure", "error", "skipped"), 0)

    def case(kind: str, name: str, outcome: str, message: str) -> None:
        element = Xml.SubElement(suite, "testcase", classname=_plain(kind), name=_plain(name))
        if outcome:
            Xml.SubElement(element, outcome, message=_plain(message))
            counts[outcome] += 1
        else:
            Xml.SubElement(element, "system-out").text = _plain(message)

    for row in decision.rows:
        outcome = {"worse": "failure", "better": "failure", "not comparable": "error"}.get(
            row.verdict, ""
        )
        if row.verdict == "cannot tell":
            outcome = "error" if row.leaves_open else "skipped"
        case(f"{row.method}.{row.output}", row.score.column, outcome, said(row))
    (was, of), (now, of_here) = decision.lost.reference, decision.lost.here
    outcome = {"worse": "failure", "cannot tell": "error"}.get(decision.lost.verdict, "")
    failed = "".join(f"; failed: {name}" for name in decision.lost.failed)
    text = f"{now} of {of_here} seeds diverged, in {page.sides[0]} {was} of {of}{failed}"
    case("fits", "diverged or failed", outcome, text)
    suite.set("tests", str(len(suite)))
    for attribute, outcome in (
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ):
        suite.set(attribute, str(counts[outcome]))
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _plain(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(letter for letter in text if letter.isprintable())


def annotations(page: Page) -> Iterator[str]:
    """GitHub's workflow commands: errors for what ends the gate."""
    decision = page.decision
    for row in decision.alarms:
        yield _annotation("error", f"{row.method} {row.verdict}", said(row))
    for name in decision.lost.failed:
        yield _annotation("error", "a fit failed", name)
    if decision.lost.verdict != "same" and not decision.lost.failed:
        now, of = decision.lost.here
        yield _annotation("error", "fits diverged", f"of {now} of {of} seeds of a method")
    unlike = [row for row in decision.rows if row.verdict == "not comparable"]
    for method, reason in dict.fromkeys((row.method, row.reason) for row in unlike):
        yield _annotation("error", f"{method} is not comparable", reason)
    for row in decision.rows:
        if row.leaves_open:
            yield _annotation("error", "cannot tell", said(row))
    yield _annotation("notice", "regression gate", page.headline)


def _annotation(kind: str, title: str, message: str) -> str:
    title, message = (
        text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        for text in (title, message)
    )
    return f"::{kind} title={title.replace(':', '%3A').replace(',', '%2C')}::{message}"
