"""The table of stopping rules: what each would have kept, beside the last output and the oracle."""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.results import Results
from reports.tables.scores import ABOUT_EXACT, PSNR, exact_holes
from reports.tables.table import NOTHING, Table, mean_values, means, shown

KEPT = ("psnr_hole", "oracle_psnr_hole", "regret")


def stopping(results: Results) -> Table | None:
    """One row per hole, method and what was kept of its fits: last outputs, and what rules chose.

    Seeds are averaged within an image first; means and intervals are over images. Images of which
    any output or oracle has an infinite PSNR are left out of all means of the hole.

    Args:
        results: results of a suite.

    Returns:
        The table, None without any rule's choice. regret: the oracle's hole PSNR less that of what
        was kept, of the same fits; the oracle is the best of the whole trajectory, raw or averaged.
        stopped: fits in which the rule's patience was out before the last iteration. n: jobs with
        a result, N: jobs planned. exact: jobs of which what was kept, or the oracle, has an
        infinite PSNR.
    """
    if results.stops.empty:
        return None
    kept = pd.concat([results.final[results.final["iteration"] > 0], results.stops])
    kept["exact"] = np.isinf(kept["psnr_hole"]) | np.isinf(kept["oracle_psnr_hole"])
    is_out, _ = exact_holes(kept, kept["exact"], "mask")
    kept["regret"] = kept["oracle_psnr_hole"] - kept["psnr_hole"]
    kept[list(KEPT)] = kept[list(KEPT)].mask(is_out)
    cells = dict(list(kept.groupby(["mask", "method"], sort=False)))
    jobs = results.jobs[results.jobs["preset"] != ""]
    rows: list[dict[str, Any]] = []
    for (mask, method), planned in jobs.groupby(["mask", "method"], sort=False):
        found = cells.get((mask, method), kept.iloc[:0])
        if found.empty:  # all its jobs failed
            counts = {"n": 0, "N": len(planned), "exact": 0}
            rows.append({"mask": mask, "method": method, "kept": NOTHING, **counts})
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
                    "stopped": (cell["stopped_at"] < results.last_of(str(method))).sum()
                    if is_rule
                    else None,
                    **means(cell.groupby("image")[list(KEPT)].mean()),
                    "oracle_iteration_median": cell["oracle_iteration"].median(),
                    "n": len(cell),
                    "N": len(planned),
                    "exact": int(cell["exact"].sum()),
                }
            )
    frame = pd.DataFrame(rows)
    return Table(
        "stopping",
        "What stopping rules keep, beside the last output and the oracle",
        frame,
        [
            _stopping_text(part.reset_index(drop=True))
            for _, part in frame.groupby("mask", sort=False)
        ],
        about="± is half the 95 % interval over images. The oracle is the best of a trajectory,"
        " raw or averaged, which only the truth can choose; regret is how much less than that was"
        " kept, in the same fits"
        + (f"; {ABOUT_EXACT}; here also jobs whose oracle has none" if is_out.any() else ""),
    )


def _stopping_text(table: pd.DataFrame) -> pd.DataFrame:
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
            PSNR.title: mean_values(table, "psnr_hole", 2),
            "oracle (dB)": mean_values(table, "oracle_psnr_hole", 2),
            "regret (dB) ↓": mean_values(table, "regret", 2),
            "n of N": [
                f"{n} of {total}" + (f", {exact} exact" if exact else "")
                for n, total, exact in zip(table["n"], table["N"], table["exact"], strict=True)
            ],
        },
        dtype=object,
    )
