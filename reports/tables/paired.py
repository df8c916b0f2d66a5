"""Every method against the best and against a reference, image by image, and their ranks.

Against the best of the table all pairs are one family, against the reference only its own are: it
was chosen before anybody saw the scores.
"""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.results import Score
from benchmarks.scoring.statistics import (
    FEWEST_IMAGES,
    MOST_IMAGES,
    Array,
    corrected,
    difference,
    images_needed,
    mean_interval,
    verdict,
    wins_ties_losses,
)
from reports.tables.scores import Standing
from reports.tables.table import NOTHING, Table, Value


def paired(who: Standing) -> Table:
    """Of one score: a row for each method and output."""
    whole = who.column.whole
    p = {
        "best": who.by_hole.p_against_best[-1],
        "reference": np.full(len(who.entries), np.nan),
    }
    others = [index for index in whole if index != who.reference]
    if who.reference is not None and others:
        differences = difference(who.scores[others], who.scores[who.reference])
        p["reference"][others] = corrected(differences)
    comparisons = {"best": who.pairs, "reference": len(others)}
    opponents = {"best": who.best, "reference": who.reference}
    rows = []
    for index, (method, output) in enumerate(who.entries):
        row: dict[str, Any] = {"method": method, "output": output}
        row["rank"] = who.ranks.mean[whole.index(index)] if who.ranks and index in whole else None
        for kind, opponent in opponents.items():
            found = (
                _against(who, index, opponent, p[kind][index], comparisons[kind])
                if opponent is not None and index in whole and index != opponent
                else {}
            )
            row |= {f"{kind}_{field}": found.get(field) for field in FIELDS}
        row["images"] = int((~np.isnan(who.column.scores[index])).sum())
        row |= {"n": who.column.counts[index], "N": who.column.of[index]}
        rows.append(row)
    frame = pd.DataFrame(rows)
    words = ["method", "output", *(f"{kind}_verdict" for kind in opponents)]
    frame = frame.astype({str(name): float for name in frame if name not in words})
    decimals = dict.fromkeys(
        (f"{kind}_{each}" for kind in opponents for each in ("difference", "half_width")),
        who.score.decimals,
    )
    return Table(
        f"paired-{who.score.name}",
        f"{who.score.title}, paired over images, {who.column.name}",
        frame,
        ("method", "output"),
        decimals | {"rank": 2, "best_p": 3, "reference_p": 3},
        [_text(frame, who)],
        about=_about(who, comparisons),
    )


ENOUGH = (
    "how many images would tell: with a chance of 80 %, were the difference and its spread as they"
    " are here"
)
WINS = ("wins", "ties", "losses")
FIELDS = ("difference", "half_width", "p", "verdict", "images_needed", *WINS)


def _against(
    who: Standing, index: int, opponent: int, p: float, comparisons: int
) -> dict[str, Any]:
    """A method less its opponent."""
    better = difference(who.scores[index], who.scores[opponent])
    counts = dict(zip(WINS, wins_ties_losses(better, who.score.decimals), strict=True))
    return decided(better, p, who.score, comparisons) | counts


def decided(better: Array, p: float, score: Score, comparisons: int) -> dict[str, Any]:
    """Of differences where more is better; their mean has the sign of the scores as they are."""
    mean, half = mean_interval(better)
    decision = verdict(better, p)
    return {
        "difference": score.sign * float(mean) + 0.0,
        "half_width": float(half),
        "p": p,
        "verdict": decision,
        "images_needed": images_needed(better, comparisons) if decision == "cannot tell" else None,
    }


def _text(frame: pd.DataFrame, who: Standing) -> pd.DataFrame:
    rows = frame.to_dict("records")

    def differences(kind: str, opponent: int | None) -> list[Value | str]:
        found: list[Value | str] = []
        for index, row in enumerate(rows):
            difference, half = row[f"{kind}_difference"], row[f"{kind}_half_width"]
            of = (int(row["images"]), len(who.column.images))
            shown = Value(difference, who.score.decimals, half, of, has_sign=True)
            found.append("itself" if index == opponent else shown)
        return found

    def verdicts(kind: str) -> list[str]:
        names = ("p", "verdict", "images_needed")
        return [told(*(row[f"{kind}_{name}"] for name in names)) for row in rows]

    best = NOTHING if who.best is None else who.names[who.best]
    return pd.DataFrame(
        {
            "method": frame["method"],
            "output": frame["output"].replace("", NOTHING),
            "mean rank": [Value(each, 2) for each in frame["rank"].astype(float)],
            f"less {best} (best)": differences("best", who.best),
            "than the best": verdicts("best"),
            f"less {who.reference_name}": differences("reference", who.reference),
            f"than {who.reference_name}": verdicts("reference"),
            "win/tie/loss": [
                NOTHING
                if pd.isna(row["reference_wins"])
                else "/".join(f"{row[f'reference_{each}']:.0f}" for each in WINS)
                for row in rows
            ],
        },
        dtype=object,
    )


def told(p: float | None, decision: str | None, needed: float | None) -> str:
    """A verdict in words: with its p value, or with how many images would do."""
    if p is None or pd.isna(p):
        return NOTHING
    shown = f"p {_p(p)}"
    if decision == "identical":
        return decision
    if decision != "cannot tell":
        return f"{decision}, {shown}"
    enough = f"more than {MOST_IMAGES}" if pd.isna(needed) else f"{needed:.0f}"
    return f"cannot tell; {enough} images would"


def _about(who: Standing, comparisons: dict[str, int]) -> str:
    said = (
        "± is half the 95 % interval of the mean difference over images, of one comparison alone; p"
        f" is the larger one of a paired t test's, Holm-corrected for {comparisons['best']} pairs"
        f" of the comparison by holes against the best and for {comparisons['reference']} against"
        f" the reference, and of Wilcoxon's signed-rank test; {ENOUGH}; win/tie/loss: images,"
        " against the reference; n/N: images; a method that lacks a score is not compared"
    )
    if len(who.column.images) < FEWEST_IMAGES:
        said += f"; with fewer than {FEWEST_IMAGES} images nothing is told apart"
    if who.ranks:
        said += (
            f"; ranks over images: Friedman p {_p(who.ranks.p)}, mean ranks more than"
            f" {who.ranks.critical_difference:.2f} apart differ (Nemenyi)"
        )
    return said


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
