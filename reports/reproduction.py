"""Our figures beside the published ones of the same images, holes and method.

A published figure is one run with a seed that nobody knows, so it is compared with how far one more
run of ours may fall from the mean of those there are: a prediction interval, by Student's t, from
the spread between seeds.
"""

from typing import Any

import pandas as pd
from scipy import stats

from reports.results import Results
from reports.tables import NOTHING

CONFIDENCE = 0.95
REGIONS = ("psnr_full", "psnr_hole")


def reproduction(results: Results) -> pd.DataFrame:
    """One row per method, iteration, region and image with a published figure, and of their mean.

    ours: of the raw output in dB, mean over seeds. spread: the standard deviation between seeds,
    pooled over images; tolerance: half the prediction interval of one more run, of their mean over
    images in the row `mean of ...`. Empty where there are no two seeds. n: runs.
    """
    rows: list[dict[str, Any]] = []
    published = pd.DataFrame(results.about["published"])
    for region in REGIONS if len(published) else ():
        figures = published[published[region].notna() & published["iteration"].notna()]
        figures = figures.astype({"iteration": int})
        groups = figures.groupby(["method", "published_by", "iteration"], sort=False)
        for (method, by, iteration), group in groups:
            about = {"method": method, "published_by": by, "iteration": int(str(iteration))}
            rows += [{**about, **row} for row in _rows(results, about, group, region)]
    return pd.DataFrame(rows)


def _rows(
    results: Results, about: dict[str, Any], published: pd.DataFrame, region: str
) -> list[dict[str, Any]]:
    rows = results.rows
    chosen = (rows["method"] == about["method"]) & (rows["iteration"] == about["iteration"])
    ours = rows[chosen & (rows["output"] == "raw") & (rows["mask"] == "own")]
    of_image = ours.groupby("image")[region]
    means, seeds = of_image.mean(), of_image.count()
    freedom = int((seeds - 1).sum())
    variance = (of_image.var() * (seeds - 1)).sum() / freedom if freedom else float("nan")
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, freedom) if freedom else float("nan")

    found = published[published["image"].isin(means.index)].set_index("image")[region]
    expected = variance * (1 + 1 / seeds)  # of one more run, less the mean of ours
    table = [
        _row(region, image, found[image], means[image], variance, reach * expected[image] ** 0.5)
        | {"n": int(seeds[image])}
        for image in found.index
    ]
    if len(table) > 1:
        tolerance = reach * (expected[found.index].sum() ** 0.5 / len(found))
        mean = means[found.index].mean()
        name = f"mean of {len(found)}"
        if len(found) < len(published):
            name += f" of {len(published)}"
        table.append(
            _row(region, name, found.mean(), mean, variance, tolerance)
            | {"n": int(seeds[found.index].sum())}
        )
    return table


def _row(
    region: str, image: str, published: float, ours: float, variance: float, tolerance: float
) -> dict[str, Any]:
    return {
        "region": region.removeprefix("psnr_"),
        "image": image,
        "published": published,
        "ours": ours,
        "difference": ours - published,
        "spread": variance**0.5,
        "tolerance": tolerance,
    }


def reproduction_text(table: pd.DataFrame) -> pd.DataFrame:
    """The comparison as people read it."""

    def verdict(difference: float, tolerance: float) -> str:
        if pd.isna(tolerance):
            return "cannot tell"
        return "agrees" if abs(difference) <= tolerance else "differs"

    return pd.DataFrame(
        {
            "method": table["method"],
            "published by": table["published_by"],
            "iteration": table["iteration"].astype(str),
            "PSNR": table["region"],
            "image": table["image"],
            "published (dB)": [f"{value:.2f}" for value in table["published"]],
            "ours (dB)": [f"{value:.2f}" for value in table["ours"]],
            "difference": [f"{value:+.2f}" for value in table["difference"]],
            "tolerance": [
                NOTHING if pd.isna(value) else f"{value:.2f}" for value in table["tolerance"]
            ],
            "verdict": list(map(verdict, table["difference"], table["tolerance"])),
            "runs": table["n"].astype(str),
        }
    )
