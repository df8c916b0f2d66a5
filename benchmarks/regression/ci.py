"""The decision for machines: JSON, JUnit XML, and annotations of GitHub's workflows."""

import math
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as Xml

from benchmarks.regression.decision import ERROR_RATE, Row
from benchmarks.regression.page import Page, findings, said
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


OUTCOMES = {"worse": "failure", "better": "failure", "not comparable": "error"}


def to_junit(page: Page) -> str:
    """A test case for each row: worse and better fail; what ends the gate otherwise is an error,
    and what does not is skipped with its reason.
    """
    decision, lost = page.decision, page.decision.lost
    cases = []
    for row in decision.rows:
        outcome = OUTCOMES.get(row.verdict, "")
        if row.verdict == "cannot tell":
            outcome = "error" if decision.ends_with(row) else "skipped"
        cases.append((f"{row.method}.{row.output}", row.score.column, outcome, said(row)))
    (was, of), (now, of_here) = lost.reference, lost.here
    outcome = {"worse": "failure", "cannot tell": "error"}.get(lost.verdict, "")
    failed = "".join(f"; failed: {name}" for name in lost.failed)
    text = f"{now} of {of_here} seeds diverged, in {page.sides[0]} {was} of {of}{failed}"
    cases.append(("fits", "diverged or failed", outcome, text))
    suite = Xml.Element("testsuite", name=_plain(f"{page.sides[1]} against {page.sides[0]}"))
    for kind, name, outcome, message in cases:
        element = Xml.SubElement(suite, "testcase", classname=_plain(kind), name=_plain(name))
        if outcome:
            Xml.SubElement(element, outcome, message=_plain(message))
        else:
            Xml.SubElement(element, "system-out").text = _plain(message)
    suite.set("tests", str(len(cases)))
    for attribute, outcome in (("failures", "failure"), ("errors", "error"), ("skipped",) * 2):
        suite.set(attribute, str(len(suite.findall(f"*/{outcome}"))))
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _plain(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(letter for letter in text if letter.isprintable())


def annotations(page: Page) -> Iterator[str]:
    """GitHub's workflow commands: errors for what ends the gate, and the answer."""
    for kind, text in (
        *(("error", text) for ends, text in findings(page) if ends),
        ("notice", page.headline),
    ):
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        yield f"::{kind} title=regression gate::{escaped}"
