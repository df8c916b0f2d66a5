"""Tables of one kind each: what rules would have kept, and what each network costs and gives."""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results import OUTPUTS, Results
from benchmarks.statistics import mean_interval
from reports.formats import NOTHING, Table, Value, shown
from reports.scores import PSNR, columns, holes_of

KEPT = ("psnr_hole", "oracle_psnr_hole", "regret")


def stopping(results: Results) -> Table | None:
    """One row per hole, method and what was kept of its fits: last outputs, and what rules chose.

    None without any rule's choice. Seeds are averaged within an image first; means and intervals
    are over images. regret: the oracle's hole PSNR less that of what was kept, of the same fits;
    the oracle is the best of the whole trajectory, raw or averaged. stopped: fits in which the
    rule's patience was out before the last iteration. n: jobs with a result, N: jobs planned.
    """
    if results.stops.empty:
        return None
    kept = pd.concat([results.final[results.final["iteration"] > 0], results.stops])
    regret = kept["oracle_psnr_hole"] - kept["psnr_hole"]
    is_best = kept["oracle_psnr_hole"] == kept["psnr_hole"]  # infinite ones have no difference
    kept = kept.assign(regret=regret.mask(is_best, 0.0))
    cells = dict(list(kept.groupby(["mask", "method"], sort=False)))
    jobs = results.jobs[results.jobs["preset"] != ""]
    rows: list[dict[str, Any]] = []
    for (mask, method), planned in jobs.groupby(["mask", "method"], sort=False):
        found = cells.get((mask, method), kept.iloc[:0])
        if found.empty:  # all its jobs failed
            rows.append(
                {"mask": mask, "method": method, "kept": NOTHING, "n": 0, "N": len(planned)}
            )
        for output, cell in found.groupby("output", sort=False):
            is_rule = str(output).startswith("stop:")
            rows.append(
                {
                    "mask": mask,
                    "method": method,
                    "kept": str(output) if is_rule else f"final, {output}",
                    "iteration_median": cell["iteration"].median(),
                    "iteration_least": cell["iteration"].min(),
                    "iteration_most": cell["iteration"].max(),
                    "stopped": (cell["stopped_at"] < results.last_iteration).sum()
                    if is_rule
                    else None,
                    **_over_images(cell.groupby("image")[list(KEPT)].mean()),
                    "oracle_iteration_median": cell["oracle_iteration"].median(),
                    "n": len(cell),
                    "N": len(planned),
                }
            )
    frame = pd.DataFrame(rows)
    measured = [f"{name}_{part}" for name in KEPT for part in ("mean", "half_width")]
    return Table(
        "stopping",
        "What stopping rules keep, beside the last output and the oracle",
        frame,
        ("mask", "method", "kept"),
        dict.fromkeys(measured, 2)
        | dict.fromkeys(("iteration_median", "oracle_iteration_median", "stopped", "n", "N"), 0),
        [
            _stopping_text(part.reset_index(drop=True))
            for _, part in frame.groupby("mask", sort=False)
        ],
        about="± is half the 95 % interval over images. The oracle is the best of a trajectory,"
        " raw or averaged, which only the truth can choose; regret is how much less than that was"
        " kept, in the same fits",
    )


def _over_images(scores: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in scores:
        mean, half = mean_interval(scores[name].dropna())
        found |= {f"{name}_mean": float(mean), f"{name}_half_width": float(half)}
    return found


def _stopping_text(table: pd.DataFrame) -> pd.DataFrame:
    def decibels(name: str) -> list[Value]:
        pairs = zip(table[f"{name}_mean"], table[f"{name}_half_width"], strict=True)
        return [Value(mean, 2, half) for mean, half in pairs]

    return pd.DataFrame(
        {
            "hole": table["mask"],
            "method": table["method"],
            "kept": table["kept"],
            "iteration": [
                shown(median, 0) + (f" ({least:.0f}-{most:.0f})" if least < most else "")
                for median, least, most in zip(
                    table["iteration_median"],
                    table["iteration_least"],
                    table["iteration_most"],
                    strict=True,
                )
            ],
            "stopped early": [
                NOTHING if pd.isna(stopped) else f"{stopped:.0f} of {n}"
                for stopped, n in zip(table["stopped"], table["n"], strict=True)
            ],
            PSNR.title: decibels("psnr_hole"),
            "oracle (dB)": decibels("oracle_psnr_hole"),
            "regret (dB) ↓": decibels("regret"),
            "n of N": [f"{n} of {total}" for n, total in zip(table["n"], table["N"], strict=True)],
        },
        dtype=object,
    )


def architectures(results: Results) -> Table | None:
    """One row per network: what it is, what it costs and what it gives, over all holes.

    None without networks. Milliseconds are medians over fits of each fit's median.
    """
    fits = results.final[results.final["method"].isin(results.networks)]
    if fits.empty:
        return None
    jobs = results.jobs[results.jobs["method"].isin(results.networks)]
    names = list(jobs["method"].unique())
    planned = pd.concat([jobs.assign(column=output) for output in OUTPUTS])
    rows = fits.assign(column=fits["output"], output="")
    found = columns([(name, "") for name in names], rows, planned, PSNR)
    by_method = fits.drop_duplicates(["method", "key"]).groupby("method", sort=False)
    first, medians = by_method.first(), by_method["milliseconds_median"].median()
    frame = pd.DataFrame({"method": names})
    frame["architecture"] = frame["method"].map(first["architecture"])
    frame["parameters"] = frame["method"].map(first["parameters"])
    for column in found:
        scores = [row[~np.isnan(row)] for row in column.scores]
        frame[f"{column.name}_mean"] = [float(mean_interval(each)[0]) for each in scores]
        frame[f"{column.name}_half_width"] = [float(mean_interval(each)[1]) for each in scores]
        frame[f"{column.name}_between_seeds"] = column.deviations
        frame[f"{column.name}_n"], frame[f"{column.name}_N"] = column.counts, column.of
    frame["milliseconds_median"] = frame["method"].map(medians)
    decimals = {
        f"{column.name}_{part}": 2
        for column in found
        for part in ("mean", "half_width", "between_seeds")
    }
    return Table(
        "architectures",
        f"Networks: size, time and {PSNR.title}, {holes_of(results)},"
        f" after {results.last_iteration} iterations",
        frame,
        ("method",),
        decimals | {"parameters": 0, "milliseconds_median": 1},
        [_architectures_text(frame)],
        about="± is half the 95 % interval over images, n/N how many of all jobs planned have a"
        " score; parameters are without the learned input; fits that ran side by side slow each"
        " other down",
    )


def _architectures_text(frame: pd.DataFrame) -> pd.DataFrame:
    text: dict[str, Any] = {
        "method": frame["method"],
        "architecture": frame["architecture"].fillna(NOTHING),
        "parameters": [
            NOTHING if pd.isna(count) else f"{count:,.0f}" for count in frame["parameters"]
        ],
    }
    for output in OUTPUTS:
        if f"{output}_mean" in frame:
            text[f"{output} {PSNR.title}"] = [
                Value(
                    row[f"{output}_mean"],
                    PSNR.decimals,
                    row[f"{output}_half_width"],
                    (row[f"{output}_n"], row[f"{output}_N"]),
                )
                for row in frame.to_dict("records")
            ]
            deviations = frame[f"{output}_between_seeds"]
            text[f"{output}, between seeds"] = [Value(each, PSNR.decimals) for each in deviations]
    text["ms per iteration"] = [Value(each, 1) for each in frame["milliseconds_median"]]
    return pd.DataFrame(text, dtype=object)
