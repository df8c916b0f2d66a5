"""The decision written down: Markdown for people, JSON and JUnit XML for machines, annotations."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from benchmarks.progress import counted
from benchmarks.regression.decision import (
    ALL,
    CANNOT_TELL,
    ERROR_RATE,
    FEW,
    NOT_COMPARABLE,
    OF_ALL,
    OF_ONE,
    SAME,
    WORSE,
    Decision,
    Row,
)
from benchmarks.regression.side import SCORES, Score
from benchmarks.regression.speed import Ratio
from benchmarks.writing import open_folder, to_json, write_atomically

NAME = "verdict"
ENDINGS = {
    SAME: "the same",
    WORSE: "NOT the same",
    CANNOT_TELL: "cannot tell",
    NOT_COMPARABLE: "not comparable",
}


@dataclass(frozen=True)
class Page:
    """A decision with what stands around it.

    sides: what the reference and what is held to it are called. about: lines of where both are
    from. speed: empty where nothing was timed.
    """

    sides: tuple[str, str]
    decision: Decision
    about: Sequence[str]
    speed: Sequence[Ratio] = field(default_factory=tuple)

    @property
    def headline(self) -> str:
        """The answer in a line."""
        decision = self.decision
        ending = ENDINGS[decision.exit_code]
        parts = [
            f"{len(some)} {verdict}"
            for verdict in ("worse", "better", "identical", "same", "cannot tell", "not comparable")
            if (some := [row for row in decision.rows if row.verdict == verdict])
        ]
        return f"{self.sides[1]} against {self.sides[0]}: {ending} ({', '.join(parts)})"


def write(folder: Path, page: Page) -> list[Path]:
    """verdict.md, .json and .xml; raises CannotWriteError."""
    open_folder(folder)
    paths = [folder / f"{NAME}.{ending}" for ending in ("md", "json", "xml")]
    for path, text in zip(paths, (to_markdown(page), as_json(page), to_junit(page)), strict=True):
        write_atomically(path, text)
    return paths


def to_markdown(page: Page) -> str:
    """All of it, for people."""
    decision = page.decision
    scores = [score for score in SCORES if any(row.score == score for row in decision.rows)]
    heads = ["method", "output", "cells", "seeds", *(score.heading for score in scores)]
    lines = [f"# {page.headline}", "", *_findings(page), ""]
    lines += [_line(heads), _line(["---"] * len(heads))]
    for entry in dict.fromkeys((row.method, row.output) for row in decision.rows):
        own = {row.score: row for row in decision.rows if (row.method, row.output) == entry}
        first = next(iter(own.values()))
        lines.append(
            _line(
                [
                    *entry,
                    "{}/{}".format(*first.cells),
                    f"{first.seeds[1]} against {first.seeds[0]}" if first.spread else "-",
                    *(_cell(own[score]) if score in own else "-" for score in scores),
                ]
            )
        )
    lines += ["", *_how_to_read(page), ""]
    if page.speed:
        lines += [*_speed(page.speed), ""]
    lines += [f"- {each}" for each in (*decision.notices, *page.about)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _cell(row: Row) -> str:
    """`same: 18.50 (-0.02 ± 0.25)`."""
    if math.isnan(row.here):
        return row.verdict
    return f"{_word(row)}: {_number(row.score, row.here)} ({_change(row)})"


def _word(row: Row) -> str:
    return f"**{row.verdict}**" if row.verdict in ("worse", "better") else row.verdict


def _change(row: Row) -> str:
    """`-0.02 ± 0.25`."""
    half = "" if math.isnan(row.half_width) else f" ± {_number(row.score, row.half_width)}"
    return f"{_number(row.score, row.difference, has_sign=True)}{half}"


def _number(score: Score, value: float, *, has_sign: bool = False) -> str:
    rounded = round(value, score.decimals) + 0.0
    return f"{rounded:{'+' if has_sign and rounded else ''}.{score.decimals}f}"


def _named(row: Row) -> str:
    return f"{row.method}, {row.output}, {row.score.heading}"


def _said(row: Row) -> str:
    """What there is to say of a row in words."""
    if row.verdict == "not comparable":
        return f"{_named(row)}: not comparable: {row.reason}"
    if row.verdict == "cannot tell" and math.isnan(row.difference):
        return f"{_named(row)}: cannot tell: {row.reason}"
    if row.verdict == "cannot tell":
        needed = f"{row.seeds_needed} seeds" if row.seeds_needed else "more than 1000 seeds"
        why = f": {row.reason}" if row.reason else ""
        would = "may" if row.reason else "would"
        return f"{_named(row)}: {_change(row)}, cannot tell{why}; {needed} {would} settle it"
    said = f"{_named(row)}: {row.verdict}"
    if math.isnan(row.difference):
        return said
    said += f", {_change(row)}"
    if row.verdict == "better":
        said += " (a jump may be a leak of the truth)"
    return said


def _findings(page: Page) -> list[str]:
    """What a reader has to look at, the worst first."""
    decision = page.decision
    lines = [f"- **{_said(row)}**" for row in decision.alarms]
    lines += [f"- **FAILED: {name}**" for name in decision.lost.failed]
    (was, of), (now, of_here) = decision.lost.reference, decision.lost.here
    if of or of_here:
        lines.append(
            f"- fits that diverged: {now} of {of_here}, in {page.sides[0]} {was} of {of}:"
            f" {decision.lost.verdict}"
        )
    lines += [
        f"- **{ratio.preset}: slower: {_ratio(ratio)}**" for ratio in page.speed if ratio.has_fallen
    ]
    reasons: dict[str, list[str]] = {}
    for row in decision.rows:
        if row.verdict == "not comparable":
            reasons.setdefault(row.reason, []).append(row.method)
    lines += [
        f"- not comparable: {', '.join(dict.fromkeys(methods))}: {reason}"
        for reason, methods in reasons.items()
    ]
    lines += [f"- {_said(row)}" for row in decision.rows if row.verdict == "cannot tell"]
    return lines


def _how_to_read(page: Page) -> list[str]:
    lines = [
        f"A cell has the mean over images, holes and seeds, and in brackets its difference to that"
        f" of {page.sides[0]}; ± is how far it may lie off by the spread between seeds alone. It is"
        f" told apart beyond that, which at most {ERROR_RATE:.0%} of all comparisons of equals do"
        f" anywhere in the table ({ERROR_RATE * OF_ALL:.1%} among the rows of {ALL},"
        f" {ERROR_RATE * OF_ONE:.1%} among single methods); a fill has no seeds, and ± is what"
        f" rounding may do. Same: besides, its 95 % interval lies within"
        f" {_margins()}; otherwise it cannot be told."
    ]
    powers = [
        f"{_number(row.score, row.score.margin)} in {row.score.heading}: {row.power:.0%}"
        for row in page.decision.rows
        if row.is_of_all and row.output == "raw" and not math.isnan(row.power)
    ]
    if powers:
        lines += ["", f"The chance to see {ALL} (raw) worse by {'; '.join(powers)}."]
    return lines


def _margins() -> str:
    return ", ".join(
        f"{_number(score, score.margin)} in {score.heading} for {ALL} and"
        f" {_number(score, score.margin_of_one)} for one"
        for score in SCORES
    )


def _speed(ratios: Sequence[Ratio]) -> list[str]:
    heads = ["iterations per second over the plain loop's", "here", "baseline", "fallen below"]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for ratio in ratios:
        here = "{:.2f} [{:.2f}, {:.2f}]".format(ratio.here, *ratio.interval)
        kept = [f"{ratio.baseline:.2f}", f"{ratio.limit:.2f}"] if not ratio.reason else ["-", "-"]
        lines.append(_line([ratio.preset, here, *kept]))
    reasons = dict.fromkeys(ratio.reason for ratio in ratios if ratio.reason)
    return [*lines, *(line for reason in reasons for line in ("", f"Not compared: {reason}."))]


def _ratio(ratio: Ratio) -> str:
    return (
        f"{ratio.here:.2f} times the plain loop's iterations per second, below {ratio.limit:.2f};"
        f" the baseline has {ratio.baseline:.2f}"
    )


def as_json(page: Page) -> str:
    """Everything, numbers at full precision; what is not known is null."""
    decision = page.decision
    return to_json(
        {
            "sides": page.sides,
            "exit_code": decision.exit_code,
            "headline": page.headline,
            "error_rate": ERROR_RATE,
            "rows": [_row(row) for row in decision.rows],
            "diverged": {"reference": decision.lost.reference, "here": decision.lost.here},
            "diverged_verdict": decision.lost.verdict,
            "failed": decision.lost.failed,
            "speed": [
                {
                    "preset": ratio.preset,
                    "ratio": ratio.here,
                    "interval": ratio.interval,
                    "baseline": _known(ratio.baseline),
                    "limit": _known(ratio.limit),
                    "has_fallen": ratio.has_fallen,
                    "not_compared_because": ratio.reason,
                }
                for ratio in page.speed
            ],
            "notices": decision.notices,
            "about": page.about,
        }
    )


def _row(row: Row) -> dict[str, Any]:
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
        "power_at_margin": _known(row.power),
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
            outcome = "error" if row.is_of_all or row.reason == FEW else "skipped"
        case(f"{row.method}.{row.output}", row.score.column, outcome, _said(row))
    (was, of), (now, of_here) = decision.lost.reference, decision.lost.here
    outcome = {"worse": "failure", "cannot tell": "error"}.get(decision.lost.verdict, "")
    failed = "".join(f"; failed: {name}" for name in decision.lost.failed)
    said = f"{now} of {of_here} diverged, in {page.sides[0]} {was} of {of}{failed}"
    case("fits", "diverged or failed", outcome, said)
    for ratio in page.speed:
        outcome = "skipped" if ratio.has_fallen else ""
        case("speed", ratio.preset, outcome, ratio.reason or _ratio(ratio))
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
    """GitHub's workflow commands: errors for what ends the gate, warnings for slower engines."""
    decision = page.decision
    for row in decision.alarms:
        yield _annotation("error", f"{row.method} {row.verdict}", _said(row))
    for name in decision.lost.failed:
        yield _annotation("error", "a fit failed", name)
    if decision.lost.verdict != "same" and not decision.lost.failed:
        now, of = decision.lost.here
        yield _annotation("error", "fits diverged", f"{counted(now, 'fit')} of {of} diverged")
    for row in decision.rows:
        if row.verdict == "not comparable" and row.score == SCORES[0] and row.output == "raw":
            yield _annotation("error", "not comparable", _said(row))
        if row.verdict == "cannot tell" and (row.is_of_all or row.reason == FEW):
            yield _annotation("error", "cannot tell", _said(row))
    for ratio in page.speed:
        if ratio.has_fallen:
            yield _annotation("warning", f"{ratio.preset} is slower", _ratio(ratio))
    yield _annotation("notice", "regression gate", page.headline)


def _annotation(kind: str, title: str, message: str) -> str:
    title, message = (
        text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        for text in (title, message)
    )
    return f"::{kind} title={title.replace(':', '%3A').replace(',', '%2C')}::{message}"
