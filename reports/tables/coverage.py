"""What reach has to do with what is drawn: hole pixels out of reach beside all others of the hole.

T. Lemsky suspects that the coloured ellipses in his holes come from where a learned input is never
trained. Such pixels lie deep in the hole, where any method is worse. So all methods are measured on
the same pixels: those that some method of the suite leaves out of reach, and the others. A method
that reaches them all, and is no better there, speaks against the suspicion.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.scoring.results import Results
from reports.tables.scores import exact_holes
from reports.tables.table import Table, mean_values, means

MEASURED = ("uncovered", "psnr_beyond", "psnr_within", "vivid_beyond", "vivid_within")


def per_image(results: Results) -> pd.DataFrame:
    """One row per hole, image and method with a learned input, where not all of it is reached.

    Last raw outputs; seeds are averaged. uncovered: the method's own share of hole pixels out of
    reach. beyond: the pixels that some method of the suite leaves out of reach, within: the other
    hole pixels. vivid: share of pixels more colourful (largest less smallest channel) than any
    known pixel; empty for images without colour. Holes that every method reaches are left out, and
    those that not every method has a result for, so that all are measured on the same, or of which
    an archive has left out a run.
    """
    fits = results.last_raw[results.last_raw["uncovered"].notna()]
    rows: list[dict[str, Any]] = []
    for _, group in fits.groupby(["mask", "image"], sort=False):
        if not all(map(results.has_run, group["key"])):
            continue
        runs = {key: results.run(str(key)) for key in group["key"].unique()}
        maps = [reached for run in runs.values() if (reached := run.reached) is not None]
        hole = ~next(iter(runs.values())).known
        beyond = hole & ~np.logical_and.reduce(maps)
        is_whole = set(group["method"]) == set(fits["method"])
        if not (is_whole and beyond.any()):
            continue
        for fit in group.to_dict("records"):
            run = runs[fit["key"]]
            restored = run.restoration("raw", int(fit["iteration"]))
            rows.append(
                {
                    **{name: fit[name] for name in ("mask", "image", "method", "seed")},
                    "uncovered": fit["uncovered"],
                    **_measure("beyond", restored, run.truth, run.known, beyond),
                    **_measure("within", restored, run.truth, run.known, hole & ~beyond),
                }
            )
    names = ["mask", "image", "method"]
    if not rows:
        return pd.DataFrame(columns=[*names, *MEASURED])
    return pd.DataFrame(rows).groupby(names, sort=False)[list(MEASURED)].mean().reset_index()


def coverage(measured: pd.DataFrame, results: Results) -> Table | None:
    """Average over images, with one row per hole and method.

    Args:
        measured: of `per_image`.
        results: results of the same suite.

    Returns:
        The table, None if nothing was measured. n: images measured, coloured: those with colour,
        N: images planned.
    """
    if measured.empty:
        return None
    for name in ("psnr_beyond", "psnr_within"):  # an infinite one is left out of all means
        is_out, _ = exact_holes(measured, np.isinf(measured[name]), "mask")
        measured = measured.assign(**{name: measured[name].mask(is_out)})
    rows = []
    for (mask, method), group in measured.groupby(["mask", "method"], sort=False):
        row: dict[str, Any] = {"mask": mask, "method": method, **means(group[list(MEASURED)])}
        row |= {"n": len(group), "coloured": group["vivid_beyond"].count()}
        row["N"] = results.jobs[results.jobs["mask"] == mask]["image"].nunique()
        rows.append(row)
    frame = pd.DataFrame(rows)
    return Table(
        "coverage",
        "What the known pixels reach",
        frame,
        [coverage_text(frame)],
        about="± is half the 95 % interval over images",
    )


def coverage_text(table: pd.DataFrame) -> pd.DataFrame:
    """The coverage as people read it."""
    return pd.DataFrame(
        {
            "hole": table["mask"],
            "method": table["method"],
            "out of its reach (%)": mean_values(table, "uncovered", 1, 100),
            "PSNR beyond (dB) ↑": mean_values(table, "psnr_beyond", 2),
            "PSNR within (dB) ↑": mean_values(table, "psnr_within", 2),
            "vivid beyond (%)": mean_values(table, "vivid_beyond", 0, 100),
            "vivid within (%)": mean_values(table, "vivid_within", 0, 100),
            "images": [
                f"{row.n} of {row.N}, {row.coloured} in colour" for row in table.itertuples()
            ],
        },
        dtype=object,
    )


def _measure(
    where: str,
    restored: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    known: NDArray[np.bool_],
    pixels: NDArray[np.bool_],
) -> dict[str, float]:
    if not pixels.any():
        return {f"psnr_{where}": float("nan"), f"vivid_{where}": float("nan")}
    errors = ((restored.astype(np.float64) - truth) / 255)[:, pixels] ** 2
    with np.errstate(divide="ignore"):
        psnr = float(-10 * np.log10(errors.mean()))
    vivid = float("nan")
    if _colour(truth).any():
        vivid = float((_colour(restored)[pixels] > _colour(truth)[known].max()).mean())
    return {f"psnr_{where}": psnr, f"vivid_{where}": vivid}


def _colour(image: NDArray[np.uint8]) -> NDArray[np.int16]:
    """(H, W): the largest channel less the smallest."""
    return image.max(axis=0).astype(np.int16) - image.min(axis=0)
