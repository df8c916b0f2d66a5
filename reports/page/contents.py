"""What the page knows: of all jobs what its table shows, and of each job all there is to see."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoring.results import REGIONS, Results
from benchmarks.store.layout import FAILURES, file_name
from benchmarks.store.pack import read_records
from benchmarks.store.run_folder import RunFolder
from benchmarks.store.trace import NOTED, read_trace
from reports.figures.style import HOLE
from reports.tables.leaderboard import score_of, standing_output

POINTS = 400  # of a curve that the page draws, at most
LOG_LINES = 60  # of a failed job's log: its end
PLACES = 5  # decimals of a curve's points, which are drawn and not read
UNSHOWN = {"key", "suite", "job", "pixels", "checkpoints", "stops"}  # of a record: shown otherwise

JOB = ["image", "mask", "method", "seed"]
MEASURE = ("name", "column", "title", "decimals", "unit")  # of a score


@dataclass(frozen=True)
class Job:
    """A job on the page: a line of the table, and what is shown when it is opened.

    pictures: the files of its run that the page shows.
    """

    key: str
    line: dict[str, Any]
    details: dict[str, Any]
    run: RunFolder | None = None
    pictures: tuple[str, ...] = ()


def overview(results: Results) -> dict[str, Any]:
    """What is of the whole suite: columns of scores, outputs to choose from, all but the jobs."""
    outputs = dict.fromkeys(("raw", *results.outputs, *results.stops["output"].unique()))
    have = set(results.rows["output"])
    first = score_of(results)
    return {
        "measures": [{name: getattr(score, name) for name in MEASURE} for score in results.scores],
        "score": {"index": results.scores.index(first), "higher": first.is_better_higher},
        "regions": list(REGIONS),
        "outputs": [each for each in outputs if each in have] or ["raw"],
        "hole": list(HOLE),
    }


def jobs(results: Results, pattern: str = "") -> Iterator[Job]:
    """Those whose name holds the pattern, in the order of the suite.

    A job whose run an archive has left out has scores and a record, and no pictures. Raises OSError
    where another run is gone or damaged.
    """
    groups = dict(iter(results.rows.groupby(JOB, sort=False)))
    curves = dict(iter(results.curves.groupby(JOB, sort=False)))
    levels = _levels(results)
    records = read_records(results.folder)
    for job in results.jobs.to_dict("records"):
        if pattern not in name_of(job):
            continue
        place = tuple(job[name] for name in JOB)
        rows = groups.get(place)
        line = {each: job[each] for each in ("key", *JOB, "status", "reason")}
        line |= {"isFill": job["preset"] == "", "stands": standing_output(results, job["method"])}
        line["outputs"] = {}
        if rows is None:
            yield Job(job["key"], line, {"log": _log(results, job["key"])})
            continue
        has_run = results.has_run(job["key"])
        pictures = {
            str(output): [_picture(results, row) for row in part.to_dict("records")]
            for output, part in rows.groupby("output", sort=False)
        }
        columns = [score.column for score in results.scores]
        line["outputs"] = {
            output: {each: shown[-1][each] for each in ("file", "iteration", "seconds")}
            | {"scores": [shown[-1]["scores"].get(column) for column in columns]}
            | ({} if has_run else {"file": None})
            for output, shown in pictures.items()
        }
        if not has_run:
            record = records.get(job["key"])
            shown_of_it = record.model_dump(mode="json", exclude=UNSHOWN) if record else None
            yield Job(job["key"], line, {"record": shown_of_it})
            continue
        run = results.run(job["key"])
        details = {
            "pictures": pictures,
            "levels": levels.get((job["image"], job["mask"]), {}),
            "oracle": _oracle(rows),
            "record": run.record.model_dump(mode="json", exclude=UNSHOWN),
            "log": _log(results, job["key"]) if job["status"] == "failed" else "",
        }
        if not line["isFill"]:
            details |= {
                "curve": _curve(curves.get(place)),
                "loss": _loss(run, int(rows["iteration"].max())),
            }
        files = dict.fromkeys(each["file"] for shown in pictures.values() for each in shown)
        yield Job(job["key"], line, details, run, ("truth.png", "mask.png", *files))


def name_of(job: dict[Any, Any]) -> str:
    """Of a line of jobs.csv, as commands name it."""
    return "/".join(str(job[each]) for each in JOB)


def _picture(results: Results, row: dict[Any, Any]) -> dict[str, Any]:
    scores = {
        column: _number(row[column])
        for metric in results.about["metrics"]
        for column in (f"{metric}_{region}" for region in REGIONS)
        if column in row
    }
    return {
        "file": file_name(row["output"], row["iteration"]),
        "iteration": row["iteration"],
        "seconds": _number(row["seconds"]),
        "loss": _loss_as_shown(row["loss"]),
        "scores": scores,
    }


def _oracle(rows: pd.DataFrame) -> dict[str, Any] | None:
    first = rows.iloc[0]
    if first[["oracle_psnr_hole", "oracle_iteration", "oracle_output"]].isna().any():
        return None
    return {
        "psnr": _number(first["oracle_psnr_hole"]),
        "iteration": int(first["oracle_iteration"]),
        "output": str(first["oracle_output"]),
    }


def _levels(results: Results) -> dict[tuple[str, str], dict[str, Any]]:
    """By image and hole, the hole PSNR of each fill."""
    levels: dict[tuple[str, str], dict[str, Any]] = {}
    fills = results.rows[results.rows["iteration"] == 0]
    for row in fills[["image", "mask", "method", "psnr_hole"]].to_dict("records"):
        of_hole = levels.setdefault((row["image"], row["mask"]), {})
        of_hole[row["method"]] = _number(row["psnr_hole"])
    return levels


def _curve(points: pd.DataFrame | None) -> dict[str, Any]:
    """Hole PSNR over the iterations of the outputs that are noted, thinned out if they are many.

    points: of one job, of `Results.curves`; None if it has none.
    """
    if points is None:
        return {"iteration": [], **{output: [] for output in NOTED}}
    by_output = points.pivot_table(index="iteration", columns="output", values="psnr_hole")
    shown = _thinned(by_output)
    columns = {output: shown.get(output, pd.Series(index=shown.index)) for output in NOTED}
    return {
        "iteration": [int(each) for each in shown.index],
        **{
            output: [_number(each, PLACES) for each in values] for output, values in columns.items()
        },
    }


def _loss(run: RunFolder, until: int) -> dict[str, Any]:
    """The loss over the iterations until that one, thinned out if they are many."""
    losses = _thinned(read_trace(run).loc[:until])["loss"]
    return {
        "iteration": [int(each) for each in losses.index],
        "loss": [_loss_as_shown(each) for each in losses],
    }


def _thinned(points: pd.DataFrame) -> pd.DataFrame:
    """`POINTS` at most, evenly, with the first and the last one."""
    most = min(POINTS, len(points))
    return points.iloc[np.linspace(0, len(points) - 1, most).round().astype(int)]


def _log(results: Results, key: str) -> str:
    """The end of what a job that failed has left."""
    try:
        log = (results.folder / FAILURES / f"{key}.txt").read_text("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(log.splitlines()[-LOG_LINES:])


def _loss_as_shown(loss: Any) -> float | str | None:
    """With four digits."""
    return None if pd.isna(loss) else _number(f"{loss:.4g}")


def _number(value: Any, places: int | None = None) -> float | str | None:
    """As JSON has it; an infinite one as a word that JavaScript reads as a number.

    What people read is rounded once, by the page: places are for what is only drawn.
    """
    if value is None or pd.isna(value):
        return None
    number = float(value)
    if np.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number if places is None else round(number, places)
