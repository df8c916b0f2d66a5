"""Our figures beside the published ones of the same images, holes and method.

A published figure is one run with a seed that nobody knows, so it is compared with how far one more
run of ours may fall from the mean of those there are: a prediction interval, by Student's t, from
the spread between seeds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.results import Results
from benchmarks.scoring.statistics import prediction
from reports.tables.table import Table, Value

REGIONS = ("psnr_full", "psnr_hole")


def reproduction(results: Results) -> pd.DataFrame:
    """One row per method, iteration, region and image with a published figure, and of their mean.

    ours: of the raw output in dB, mean over seeds; spread: their standard deviation. tolerance:
    half the prediction interval of one more run, or of the mean of one more run of each image.
    n of N runs have a result; there is a tolerance where all have, and at least two. Only images
    of which that is so are in the mean; its spread is empty.
    """
    published = pd.DataFrame(results.about["published"])
    rows: list[dict[str, Any]] = []
    for region in REGIONS if len(published) else ():
        figures = published[published[region].notna() & published["iteration"].notna()]
        figures = figures.astype({"iteration": int})
        names = ["method", "published_by", "of", "iteration"]
        for values, group in figures.groupby(names, sort=False):
            about = dict(zip(names, values, strict=True))
            cells = [
                _cell(results, about, str(image), float(figure), region)
                for image, figure in zip(group["image"], group[region], strict=True)
            ]
            table = [cell.row() for cell in cells]
            if len(cells) > 1:
                table.append(_mean(cells))
            rows += [{**about, "region": region.removeprefix("psnr_"), **row} for row in table]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Cell:
    """One image: the published figure and those of our runs."""

    image: str
    published: float
    runs: "pd.Series[float]"
    planned: int

    @property
    def is_whole(self) -> bool:
        return len(self.runs) == self.planned >= 2

    def row(self) -> dict[str, Any]:
        ours = self.runs.mean()
        return {
            "image": self.image,
            "published": self.published,
            "ours": ours,
            "difference": ours - self.published,
            "spread": self.runs.std(),
            "tolerance": _tolerance([self]) if self.is_whole else None,
            "n": len(self.runs),
            "N": self.planned,
        }


def _cell(
    results: Results, about: dict[str, Any], image: str, published: float, region: str
) -> _Cell:
    def of_cell(table: pd.DataFrame) -> pd.DataFrame:
        chosen = (table["method"] == about["method"]) & (table["image"] == image)
        return table[chosen & (table["mask"] == "own")]

    rows = of_cell(results.rows)
    rows = rows[(rows["output"] == "raw") & (rows["iteration"] == about["iteration"])]
    finite = rows[region][np.isfinite(rows[region])]  # an exact run has no mean
    return _Cell(image, published, finite, len(of_cell(results.jobs)))


def _mean(cells: list[_Cell]) -> dict[str, Any]:
    """Over the images that are whole."""
    whole = [cell for cell in cells if cell.is_whole]
    row: dict[str, Any] = {
        "image": f"mean of {len(whole)} of {len(cells)}",
        "spread": None,
        "n": sum(len(cell.runs) for cell in cells),
        "N": sum(cell.planned for cell in cells),
    }
    if not whole:
        return row | dict.fromkeys(("published", "ours", "difference", "tolerance"))
    published = sum(cell.published for cell in whole) / len(whole)
    ours = sum(float(cell.runs.mean()) for cell in whole) / len(whole)
    return row | {
        "published": published,
        "ours": ours,
        "difference": ours - published,
        "tolerance": _tolerance(whole),
    }


def _tolerance(cells: list[_Cell]) -> float:
    return prediction([cell.runs.var() for cell in cells], [len(cell.runs) for cell in cells])


def reproduction_table(results: Results) -> Table | None:
    """None where nothing is to be reproduced."""
    found = reproduction(results)
    if found.empty:
        return None
    return Table(
        "reproduction",
        "Beside published figures",
        found,
        [reproduction_text(found)],
        about="The tolerance is how far one more run may be from our mean in 19 of 20 cases, by the"
        " spread between seeds",
    )


def reproduction_text(table: pd.DataFrame) -> pd.DataFrame:
    """The comparison as people read it."""

    def decibels(name: str, has_sign: bool = False) -> list[Value]:
        return [Value(float(value), 2, has_sign=has_sign) for value in table[name].astype(float)]

    def result(difference: float, tolerance: float) -> str:
        if pd.isna(tolerance):
            return "too few runs"
        return "within" if abs(difference) <= tolerance else "outside"

    return pd.DataFrame(
        {
            "method": table["method"],
            "published by": table["published_by"],
            "of its": table["of"],
            "iteration": table["iteration"].astype(str),
            "PSNR": table["region"],
            "image": table["image"],
            "published (dB)": decibels("published"),
            "ours (dB)": decibels("ours"),
            "between seeds": decibels("spread"),
            "difference": decibels("difference", True),
            "tolerance": decibels("tolerance"),
            "result": list(map(result, table["difference"], table["tolerance"])),
            "runs": [f"{n} of {total}" for n, total in zip(table["n"], table["N"], strict=True)],
        },
        dtype=object,
    )
