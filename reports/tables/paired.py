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
from reports.tables.scores import ABOUT_EXACT
from reports.tables.standings import Standing
from reports.tables.table import NOTHING, Table, Value


def paired(standing: Standing) -> Table:
    """Compare each method and output with the best and with the reference, for one score."""
    whole = standing.column.whole
    p = {
        "best": standing.by_hole.p_against_best[-1],
        "reference": np.full(len(standing.entries), np.nan),
    }
    others = [index for index in whole if index != standing.reference]
    if standing.reference is not None and others:
        differences = difference(standing.scores[others], standing.scores[standing.reference])
        p["reference"][others] = corrected(differences)
    comparisons = {"best": standing.pairs, "reference": len(others)}
    opponents = {"best": standing.best, "reference": standing.reference}
    rows = []
    for index, (method, output) in enumerate(standing.entries):
        row: dict[str, Any] = {"method": method, "output": output}
        row["rank"] = (
            standing.ranks.mean[whole.index(index)] if standing.ranks and index in whole else None
        )
        for kind, opponent in opponents.items():
            fields = (
                _against(standing, index, opponent, p[kind][index], comparisons[kind])
                if opponent is not None and index in whole and index != opponent
                else {}
            )
            row |= {f"{kind}_{field}": fields.get(field) for field in FIELDS}
        row["images"] = int((~np.isnan(standing.column.scores[index])).sum())
        row |= {"n": standing.column.counts[index], "N": standing.column.planned[index]}
        row["exact"] = standing.column.exact[index]
        rows.append(row)
    frame = pd.DataFrame(rows)
    words = ["method", "output", *(f"{kind}_verdict" for kind in opponents)]
    frame = frame.astype({str(name): float for name in frame if name not in words})
    decimals = dict.fromkeys(
        (f"{kind}_{part}" for kind in opponents for part in ("difference", "half_width")),
        standing.score.decimals,
    )
    return Table(
        f"paired-{standing.score.name}",
        f"{standing.score.title}, paired over images, {standing.column.name}",
        frame,
        ("method", "output"),
        decimals | {"rank": 2, "best_p": 3, "reference_p": 3},
        [_text(frame, standing)],
        about=_note(standing, comparisons),
    )


ENOUGH = (
    "how many images would tell: with a chance of 80 %, were the difference and its spread as they"
    " are here"
)
WINS = ("wins", "ties", "losses")
FIELDS = ("difference", "half_width", "p", "verdict", "images_needed", *WINS)


def _against(
    standing: Standing, index: int, opponent: int, p: float, comparisons: int
) -> dict[str, Any]:
    """A method less its opponent."""
    better = difference(standing.scores[index], standing.scores[opponent])
    counts = dict(zip(WINS, wins_ties_losses(better, standing.score.decimals), strict=True))
    return decided(better, p, standing.score, comparisons) | counts


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


def _text(frame: pd.DataFrame, standing: Standing) -> pd.DataFrame:
    rows = frame.to_dict("records")

    def differences(kind: str, opponent: int | None) -> list[Value | str]:
        cells: list[Value | str] = []
        for index, row in enumerate(rows):
            difference, half = row[f"{kind}_difference"], row[f"{kind}_half_width"]
            images = (int(row["images"]), standing.column.planned_images)
            shown = Value(difference, standing.score.decimals, half, images, has_sign=True)
            cells.append("itself" if index == opponent else shown)
        return cells

    def verdicts(kind: str) -> list[str]:
        names = ("p", "verdict", "images_needed")
        return [told(*(row[f"{kind}_{name}"] for name in names)) for row in rows]

    best = NOTHING if standing.best is None else standing.names[standing.best]
    return pd.DataFrame(
        {
            "method": frame["method"],
            "output": frame["output"].replace("", NOTHING),
            "mean rank": [Value(rank, 2) for rank in frame["rank"].astype(float)],
            f"less {best} (best)": differences("best", standing.best),
            "than the best": verdicts("best"),
            f"less {standing.reference_name}": differences("reference", standing.reference),
            f"than {standing.reference_name}": verdicts("reference"),
            "win/tie/loss": [
                NOTHING
                if pd.isna(row["reference_wins"])
                else "/".join(f"{row[f'reference_{name}']:.0f}" for name in WINS)
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


def _note(standing: Standing, comparisons: dict[str, int]) -> str:
    note = (
        "± is half the 95 % interval of the mean difference over images, of one comparison alone; p"
        f" is the larger one of a paired t test's, Holm-corrected for {comparisons['best']} pairs"
        f" of the comparison by holes against the best and for {comparisons['reference']} against"
        f" the reference, and of Wilcoxon's signed-rank test; {ENOUGH}; win/tie/loss: images,"
        " against the reference; n/N: images; a method that lacks a score is not compared"
    )
    if len(standing.column.images) < FEWEST_IMAGES:
        note += f"; with fewer than {FEWEST_IMAGES} images nothing is told apart"
    if any(standing.column.exact):
        note += f"; {ABOUT_EXACT}"
    if standing.ranks:
        note += (
            f"; ranks over images: Friedman p {_p(standing.ranks.p)}, mean ranks more than"
            f" {standing.ranks.critical_difference:.2f} apart differ (Nemenyi)"
        )
    return note


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
