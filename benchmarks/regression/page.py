"""The decision with all that stands around it, as a page for people."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.regression.decision import (
    ALL,
    CANNOT_TELL,
    ERROR_RATE,
    NOT_COMPARABLE,
    OF_ALL,
    OF_ONE,
    SAME,
    WORSE,
    Decision,
    Row,
)
from benchmarks.regression.scores import MARGINS, SCORES
from benchmarks.regression.significance import MOST_SEEDS
from benchmarks.scoring.results import Score
from benchmarks.system.text import markdown_table

NOTHING = "-"
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
    from.
    """

    sides: tuple[str, str]
    decision: Decision
    about: Sequence[str]

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


def to_markdown(page: Page) -> str:
    """All of it, for people."""
    decision = page.decision
    scores = [score for score in SCORES if any(row.score == score for row in decision.rows)]
    heads = ["method", "output", "cells", "seeds", *(score.heading for score in scores)]
    marks = {True: "**", False: ""}
    found = [f"- {marks[ends]}{text}{marks[ends]}" for ends, text in findings(page)]
    lines = [f"# {page.headline}", "", *found, ""]
    rows = []
    for entry in dict.fromkeys((row.method, row.output) for row in decision.rows):
        own = {row.score: row for row in decision.rows if (row.method, row.output) == entry}
        first = next(iter(own.values()))
        rows.append(
            [
                *entry,
                "{}/{}".format(*first.cells),
                f"{first.seeds[1]} against {first.seeds[0]}" if first.spread else NOTHING,
                *(_cell(own[score]) if score in own else NOTHING for score in scores),
            ]
        )
    lines += [markdown_table(heads, rows), *_how_to_read(page), ""]
    lines += [f"- {each}" for each in (*decision.notices, *page.about)]
    return "\n".join(lines) + "\n"


def _cell(row: Row) -> str:
    """`same: 18.50 (-0.02 ± 0.25)`."""
    if math.isnan(row.here):
        return row.verdict
    return f"{_word(row)}: {_number(row.score, row.here)} ({_change(row)})"


def _word(row: Row) -> str:
    return f"**{row.verdict}**" if row.verdict in ("worse", "better") else row.verdict


def _change(row: Row) -> str:
    """`-0.02 ± 0.25`; of a fill, which nothing but rounding moves, with a digit more."""
    decimals = row.score.decimals + (row.spread is None)
    rounded = round(row.difference, decimals) + 0.0
    half = "" if math.isnan(row.half_width) else f" ± {row.half_width:.{decimals}f}"
    return f"{rounded:{'+' if rounded else ''}.{decimals}f}{half}"


def _number(score: Score, value: float) -> str:
    return f"{value:.{score.decimals}f}"


def _named(row: Row) -> str:
    return f"{row.method}, {row.output}, {row.score.heading}"


def said(row: Row) -> str:
    """What there is to say of a row in words."""
    if row.verdict == "not comparable":
        return f"{_named(row)}: not comparable: {row.reason}"
    if row.verdict == "cannot tell":
        change = "" if math.isnan(row.difference) else f" {_change(row)},"
        why = ": ".join(filter(None, ("cannot tell", row.reason)))
        return f"{_named(row)}:{change} {'; '.join(filter(None, (why, _would_settle(row))))}"
    text = f"{_named(row)}: {row.verdict}, {_change(row)}"
    return f"{text} (a jump may be a leak of the truth)" if row.verdict == "better" else text


def _would_settle(row: Row) -> str:
    """How many seeds, were the difference as it is; empty if seeds are not what is lacking."""
    if row.seeds_needed is None:
        return "" if row.reason else f"not even {MOST_SEEDS} seeds would settle it"
    sides = " on both sides" if row.seeds_needed > row.seeds[0] else ""
    return f"{row.seeds_needed} seeds{sides} would settle it"


def findings(page: Page) -> list[tuple[bool, str]]:
    """Findings for the reader, worst first. True marks those that make the gate fail."""
    decision, lost = page.decision, page.decision.lost
    found = [(True, said(row)) for row in decision.alarms]
    found += [(True, f"FAILED: {name}") for name in lost.failed]
    (was, of), (now, of_here) = lost.reference, lost.here
    if of or of_here:
        text = (
            f"seeds of a method with a fit that diverged: {now} of {of_here}, in {page.sides[0]}"
            f" {was} of {of}: {lost.diverged}"
        )
        found.append((lost.diverged != "same", text))
    reasons: dict[str, list[str]] = {}
    for row in decision.rows:
        if row.verdict == "not comparable":
            reasons.setdefault(row.reason, []).append(row.method)
    found += [
        (True, f"not comparable: {', '.join(dict.fromkeys(methods))}: {reason}")
        for reason, methods in reasons.items()
    ]
    undecided = [row for row in decision.rows if row.verdict == "cannot tell"]
    return found + [(decision.ends_with(row), said(row)) for row in undecided]


def _how_to_read(page: Page) -> list[str]:
    return [
        f"A cell has the mean over images, holes and seeds, and in brackets its difference to that"
        f" of {page.sides[0]}; ± is how far it may lie off by the spread between seeds alone. It is"
        f" told apart beyond that, if Wilcoxon's rank-sum test agrees. Of comparisons of equals at"
        f" most {ERROR_RATE:.0%} find anything in the whole table: {ERROR_RATE * OF_ALL:.1%} among"
        f" the rows of {ALL}, {ERROR_RATE * OF_ONE:.1%} among single methods. A fill has no seeds;"
        f" ± is what rounding may do in a cell. Same: not told apart, and the 95 % interval lies"
        f" within {_margins()}; otherwise it cannot be told."
    ]


def _margins() -> str:
    return ", ".join(
        f"{_number(score, MARGINS[score.name].of_all)} in {score.heading} for {ALL} and"
        f" {_number(score, MARGINS[score.name].of_one)} for one"
        for score in SCORES
    )
