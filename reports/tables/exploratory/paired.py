"""Every method against the best and against a reference, image by image, and their ranks.

All of it is exploratory; the planned comparisons stand in `reports.tables.question`. Against the
best of the table all pairs are one family, because the best was chosen by the same scores; against
the reference only the comparisons with it are.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.max_t import sign_flip_p
from benchmarks.scoring.statistics import difference, mean_interval, wins_ties_losses
from reports.tables.exploratory.standings import MAX_T, Standing, few_images
from reports.tables.scores import ABOUT_EXACT
from reports.tables.table import NOTHING, Cell, Table, Value

WINS = ("wins", "ties", "losses")
FIELDS = ("difference", "half_width", "p", *WINS)


def paired(standing: Standing) -> Table:
    """Compare each method and output with the best and with the reference, for one score.

    Args:
        standing: how the methods stand by the score.

    Returns:
        The table. best_, reference_: against which of the two. difference: in the unit of the
        score; half_width: of the 95 % interval of this comparison alone; p: corrected.
    """
    whole = standing.column.whole
    p = {
        "best": standing.by_hole.p_against_best[-1],
        "reference": np.full(len(standing.entries), np.nan),
    }
    others = [index for index in whole if index != standing.reference]
    if standing.reference is not None and others:
        differences = difference(standing.scores[others], standing.scores[standing.reference])
        p["reference"][others] = sign_flip_p(differences)
    opponents = {"best": standing.best, "reference": standing.reference}
    rows = []
    for index, (method, output) in enumerate(standing.entries):
        row: dict[str, Any] = {"method": method, "output": output}
        row["rank"] = (
            standing.ranks.mean[whole.index(index)] if standing.ranks and index in whole else None
        )
        for kind, opponent in opponents.items():
            fields = (
                _against(standing, index, opponent, p[kind][index])
                if opponent is not None and index in whole and index != opponent
                else {}
            )
            row |= {f"{kind}_{field}": fields.get(field) for field in FIELDS}
        row["images"] = int((~np.isnan(standing.column.scores[index])).sum())
        row |= {"n": standing.column.counts[index], "N": standing.column.planned[index]}
        row["exact"] = standing.column.exact[index]
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame = frame.astype({name: float for name in frame if name not in ("method", "output")})
    return Table(
        f"paired-{standing.score.name}",
        f"{standing.score.title}, paired over images, {standing.column.name}, exploratory",
        frame,
        [_text(frame, standing)],
        about=_note(standing, len(others)),
    )


def _against(standing: Standing, index: int, opponent: int, p: float) -> dict[str, Any]:
    """A method less its opponent; the mean has the sign of the scores as they are."""
    better = difference(standing.scores[index], standing.scores[opponent])
    mean, half = mean_interval(better)
    counts = dict(zip(WINS, wins_ties_losses(better, standing.score.decimals), strict=True))
    signed = standing.score.sign * float(mean) + 0.0
    return {"difference": signed, "half_width": float(half), "p": p, **counts}


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

    cells: dict[str, Sequence[Cell]] = {
        "method": list(frame["method"]),
        "output": [output or NOTHING for output in frame["output"]],
        "mean rank": [Value(rank, 2) for rank in frame["rank"].astype(float)],
    }
    if standing.best is not None and standing.best != standing.reference:
        cells |= {
            f"Δ vs best ({standing.names[standing.best]})": differences("best", standing.best),
            "p (best)": [as_p(row["best_p"]) for row in rows],
        }
    cells |= {
        f"Δ vs {standing.reference_name}": differences("reference", standing.reference),
        f"p ({standing.reference_name})": [as_p(row["reference_p"]) for row in rows],
        "win/tie/loss": [
            NOTHING
            if pd.isna(row["reference_wins"])
            else "/".join(f"{row[f'reference_{name}']:.0f}" for name in WINS)
            for row in rows
        ],
    }
    return pd.DataFrame(cells, dtype=object)


def as_p(p: float | None) -> str:
    """A p value as tables show it: `0.012`, `< 0.001`; `-` if there is none."""
    if p is None or pd.isna(p):
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _note(standing: Standing, others: int) -> str:
    note = (
        "exploratory: these comparisons were not planned, and none of them is a verdict. ± is half"
        " the 95 % interval of the mean difference over images, of one comparison alone; p is"
        f" corrected for all {standing.pairs} pairs of the comparison by holes (best) and for the"
        f" {others} comparisons with the reference, by {MAX_T}; win/tie/loss: images, against the"
        " reference; n/N: images; a method that lacks a score is not compared"
    )
    note += few_images(len(standing.column.images))
    if any(standing.column.exact):
        note += f"; {ABOUT_EXACT}"
    if standing.ranks:
        note += (
            f"; ranks over images: p {as_p(standing.ranks.p)} (Friedman), critical difference of"
            f" mean ranks {standing.ranks.critical_difference:.2f} (Nemenyi)"
        )
    return note
