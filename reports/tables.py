"""The tables, as data first and then in three formats: CSV, Markdown and LaTeX (booktabs).

Each table exists twice: with numbers, which the CSV keeps at full precision, and with text, which
Markdown and LaTeX show.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pandas as pd

from reports.results import Results

CELLS = ("psnr_hole", "ssim_composited", "lpips_composited")
HEADINGS = {
    "psnr_hole": "PSNR hole (dB) ↑",
    "ssim_composited": "SSIM composited ↑",
    "lpips_composited": "LPIPS composited ↓",
}
DECIMALS = {"psnr_hole": 2, "ssim_composited": 3, "lpips_composited": 3}
NOTHING = "-"

LATEX_SYMBOLS = {
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
}


def comparison(results: Results) -> pd.DataFrame:
    """One row per hole, method and output, at the last iteration.

    Seeds are averaged within an image first; `_mean` and `_sd` are over images, `_sd` the sample
    standard deviation (empty for one image), `_images` how many images have that score. n: jobs
    with a result, N: jobs planned.
    """
    rows = []
    final = results.final
    for mask, method in product(results.jobs["mask"].unique(), results.jobs["method"].unique()):
        jobs = results.jobs[(results.jobs["mask"] == mask) & (results.jobs["method"] == method)]
        found = final[(final["mask"] == mask) & (final["method"] == method)]
        is_fill = (jobs["preset"] == "").all()
        for output in found["output"].unique() if len(found) else [""]:
            cell = found[found["output"] == output]
            per_image = cell.groupby("image")[list(CELLS)].mean()
            rows.append(
                {
                    "mask": mask,
                    "method": method,
                    "output": output,
                    "iteration": 0 if is_fill else results.last_iteration,
                    **{f"{name}_mean": per_image[name].mean() for name in CELLS},
                    **{f"{name}_sd": per_image[name].std() for name in CELLS},
                    **{f"{name}_images": per_image[name].count() for name in CELLS},
                    "images": jobs["image"].nunique(),
                    "n": len(cell),
                    "N": len(jobs),
                }
            )
    return pd.DataFrame(rows)


def comparison_text(table: pd.DataFrame) -> pd.DataFrame:
    """The comparison as people read it: `20.47 ± 1.20`, `4 of 4`.

    A mean over fewer images than planned says so in its own cell.
    """
    return pd.DataFrame(
        {
            "hole": table["mask"],
            "method": table["method"],
            "output": table["output"].replace("", NOTHING),
            "iterations": table["iteration"].astype(str).replace("0", NOTHING),
            **{
                HEADINGS[name]: [
                    with_spread(mean, sd, DECIMALS[name])
                    + (f" ({scored} of {images} images)" if 0 < scored < images else "")
                    for mean, sd, scored, images in zip(
                        table[f"{name}_mean"],
                        table[f"{name}_sd"],
                        table[f"{name}_images"],
                        table["images"],
                        strict=True,
                    )
                ]
                for name in CELLS
            },
            "n of N": [f"{n} of {total}" for n, total in zip(table["n"], table["N"], strict=True)],
        }
    )


def stopping(results: Results) -> pd.DataFrame:
    """One row per hole, method and what was kept of its fits: last outputs, and what rules chose.

    Seeds are averaged within an image first; `_mean` and `_sd` are over images. regret: the
    oracle's hole PSNR less that of what was kept, of the same fits; the oracle is the best of the
    whole trajectory, raw or averaged. iteration_median, _least and _most are over fits, stopped
    counts those in which the rule's patience was out before the last iteration. n: jobs with a
    result, N: jobs planned.
    """
    kept = pd.concat([results.final[results.final["iteration"] > 0], results.stops])
    regret = kept["oracle_psnr_hole"] - kept["psnr_hole"]
    is_best = kept["oracle_psnr_hole"] == kept["psnr_hole"]  # infinite ones have no difference
    kept = kept.assign(regret=regret.mask(is_best, 0.0))
    jobs = results.jobs[results.jobs["preset"] != ""]
    rows = []
    for (mask, method), planned in jobs.groupby(["mask", "method"], sort=False):
        of_method = kept[(kept["mask"] == mask) & (kept["method"] == method)]
        for output, cell in of_method.groupby("output", sort=False):
            measured = ["psnr_hole", "oracle_psnr_hole", "regret"]
            per_image = cell.groupby("image")[measured].mean()
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
                    **{f"{name}_mean": per_image[name].mean() for name in measured},
                    **{f"{name}_sd": per_image[name].std() for name in measured},
                    "oracle_iteration_median": cell["oracle_iteration"].median(),
                    "n": len(cell),
                    "N": len(planned),
                }
            )
    return pd.DataFrame(rows)


def stopping_text(table: pd.DataFrame) -> pd.DataFrame:
    """The stopping rules as people read them."""
    return pd.DataFrame(
        {
            "hole": table["mask"],
            "method": table["method"],
            "kept": table["kept"],
            "iteration": [
                f"{median:.0f}" + (f" ({least:.0f}-{most:.0f})" if least < most else "")
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
            HEADINGS["psnr_hole"]: _decibels(table, "psnr_hole"),
            "oracle (dB)": _decibels(table, "oracle_psnr_hole"),
            "regret (dB) ↓": _decibels(table, "regret"),
            "n of N": [f"{n} of {total}" for n, total in zip(table["n"], table["N"], strict=True)],
        }
    )


def _decibels(table: pd.DataFrame, name: str) -> list[str]:
    means, deviations = table[f"{name}_mean"], table[f"{name}_sd"]
    return [with_spread(mean, sd, 2) for mean, sd in zip(means, deviations, strict=True)]


def timing(results: Results) -> pd.DataFrame:
    """One row per method, image size and way of running it, over its fits of full length.

    Milliseconds per iteration: medians over fits of each fit's median, 10th and 90th percentile.
    fits_beside: the other workers on the same machine, each with a job of its own.
    """
    fits = results.final[results.final["architecture"].notna()]
    fits = fits.drop_duplicates(["method", "key"])
    how = ["method", "height", "width", "device", "engine", "precision", "threads", "workers"]
    groups = fits.groupby(how, sort=False)
    table = groups.agg(
        parameters=("parameters", "first"),
        milliseconds_median=("milliseconds_median", "median"),
        milliseconds_p10=("milliseconds_p10", "median"),
        milliseconds_p90=("milliseconds_p90", "median"),
        iterations=("iteration", "max"),
        seconds_per_fit=("seconds", "median"),
        peak_memory_mib=("peak_memory_mib", "max"),
        fits=("key", "nunique"),
    ).reset_index()
    table["fits_beside"] = table.pop("workers") - 1
    return table


def timing_text(table: pd.DataFrame) -> pd.DataFrame:
    """The timing table as people read it."""
    size = table["width"].astype(str) + "x" + table["height"].astype(str)
    return pd.DataFrame(
        {
            "method": table["method"],
            "size": size,
            "parameters": [f"{count:,.0f}" for count in table["parameters"]],
            "ms per iteration (10-90 %)": [
                f"{median:.1f} ({p10:.1f}-{p90:.1f})"
                for median, p10, p90 in zip(
                    table["milliseconds_median"],
                    table["milliseconds_p10"],
                    table["milliseconds_p90"],
                    strict=True,
                )
            ],
            "seconds per fit": [
                f"{row.seconds_per_fit:.1f} ({row.iterations} iterations)"
                for row in table.itertuples()
            ],
            "peak MiB": [
                NOTHING if pd.isna(memory) else f"{memory:.0f}"
                for memory in table["peak_memory_mib"]
            ],
            "fits beside": table["fits_beside"].astype(str),
            "fits": table["fits"].astype(str),
            "device": table["device"] + ", " + table["threads"].astype(str) + " thread(s)",
            "engine": table["engine"] + ", " + table["precision"],
        }
    )


def to_markdown(table: pd.DataFrame) -> str:
    """A table of strings as Markdown."""
    lines = [list(table.columns), ["---"] * len(table.columns), *table.values.tolist()]
    cells = [[str(cell).replace("|", r"\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def to_latex(table: pd.DataFrame) -> str:
    """A table of strings as a booktabs tabular."""
    latex = (
        table.style.hide(axis="index")
        .format(escape="latex")
        .format_index(escape="latex", axis="columns")
        .to_latex(hrules=True, column_format="l" * len(table.columns))
    )
    for symbol, command in LATEX_SYMBOLS.items():
        latex = latex.replace(symbol, command)
    return latex


def write(
    folder: Path,
    name: str,
    table: pd.DataFrame,
    text: Callable[[pd.DataFrame], pd.DataFrame],
) -> str:
    """Write a table as `name`.csv, .md and .tex; returns its Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / f"{name}.csv", index=False)
    markdown = to_markdown(text(table))
    (folder / f"{name}.md").write_text(markdown, encoding="utf-8")
    (folder / f"{name}.tex").write_text(to_latex(text(table)), encoding="utf-8")
    return markdown


def with_spread(mean: float, sd: float, decimals: int) -> str:
    """`20.47 ± 1.20`, or a dash where there is none."""
    if pd.isna(mean):
        return NOTHING
    return f"{mean:.{decimals}f} ± " + (NOTHING if pd.isna(sd) else f"{sd:.{decimals}f}")
