"""The table of networks: what each one is, what it costs and what it gives."""

from typing import Any

import pandas as pd

from benchmarks.scoring.results import Results
from reports.tables.scores import ABOUT_EXACT, PSNR, columns
from reports.tables.table import NOTHING, Table, Value


def architectures(results: Results, holes: str) -> Table | None:
    """One row per network with its size, its time and its scores over all holes.

    Args:
        results: results of a suite.
        holes: name of the column of all holes, for the title.

    Returns:
        The table; None without networks. Milliseconds are medians over fits of each fit's median.
    """
    fits = results.final[results.final["method"].isin(results.networks)]
    if fits.empty:
        return None
    jobs = results.jobs[results.jobs["method"].isin(results.networks)]
    names = list(jobs["method"].unique())
    planned = pd.concat(
        [results.planned(output).assign(column=output) for output in results.outputs]
    )
    planned = planned[planned["method"].isin(names)]
    rows = fits.assign(column=fits["output"], output="")
    found = columns([(name, "") for name in names], rows, planned, PSNR)
    by_method = fits.drop_duplicates(["method", "key"]).groupby("method", sort=False)
    first, medians = by_method.first(), by_method["milliseconds_median"].median()
    frame = pd.DataFrame({"method": names})
    frame["architecture"] = frame["method"].map(first["architecture"])
    frame["parameters"] = frame["method"].map(first["parameters"])
    for column in found:
        frame[f"{column.name}_mean"], frame[f"{column.name}_half_width"] = column.over_images
        frame[f"{column.name}_between_seeds"] = column.deviations
        frame[f"{column.name}_n"], frame[f"{column.name}_N"] = column.counts, column.planned
        frame[f"{column.name}_exact"] = column.exact
    frame["milliseconds_median"] = frame["method"].map(medians)
    return Table(
        "architectures",
        f"Networks: size, time and {PSNR.title}, {holes}, {results.after_last}",
        frame,
        [_architectures_text(frame, results.outputs)],
        about="± is half the 95 % interval over images, n/N how many of all jobs planned have a"
        " score; parameters are without the learned input; fits that ran side by side slow each"
        " other down" + (f"; {ABOUT_EXACT}" if any(any(each.exact) for each in found) else ""),
    )


def _architectures_text(frame: pd.DataFrame, outputs: list[str]) -> pd.DataFrame:
    text: dict[str, Any] = {
        "method": frame["method"],
        "architecture": frame["architecture"].fillna(NOTHING),
        "parameters": [
            NOTHING if pd.isna(count) else f"{count:,.0f}" for count in frame["parameters"]
        ],
    }
    for output in outputs:
        if f"{output}_mean" in frame:
            text[f"{output} {PSNR.title}"] = [
                Value(
                    row[f"{output}_mean"],
                    PSNR.decimals,
                    row[f"{output}_half_width"],
                    (row[f"{output}_n"], row[f"{output}_N"]),
                    exact=row[f"{output}_exact"],
                )
                if row[f"{output}_N"]
                else NOTHING  # the method is not asked for it
                for row in frame.to_dict("records")
            ]
            deviations = frame[f"{output}_between_seeds"]
            text[f"{output}, between seeds"] = [Value(each, PSNR.decimals) for each in deviations]
    text["ms per iteration"] = [Value(each, 1) for each in frame["milliseconds_median"]]
    return pd.DataFrame(text, dtype=object)
