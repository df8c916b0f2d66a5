"""From stored runs to results.csv: one row per job x iteration x output.

Scores are computed from the saved 8-bit pictures and kept beside them in `scores.json`, so that a
picture is scored once; a new metric, or weights that arrive later, add to what is there.
"""

import json
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.jobs import Job
from benchmarks.metrics import METRICS
from benchmarks.store import Record, RunFolder, Store, file_name, to_json, write_atomically

if TYPE_CHECKING:
    import pandas as pd

SCORES = "scores.json"
REGIONS = ("full", "hole", "composited")
COLUMNS = (
    *("key", "image", "height", "width", "mask", "hole_fraction", "method", "architecture"),
    *("preset", "seed", "iteration", "output"),
    *(f"{metric}_{region}" for metric in METRICS for region in REGIONS),
    *("loss", "seconds", "status", "parameters", "device", "precision", "engine", "threads"),
    *("workers", "milliseconds_median", "milliseconds_p10", "milliseconds_p90"),
    *("peak_memory_mib", "git_revision"),
)


def score(
    store: Store,
    jobs: Sequence[Job],
    metrics: Sequence[str],
    *,
    afresh: bool = False,
    on_run: Callable[[int, int], None] = lambda *_: None,
) -> "tuple[pd.DataFrame, list[str]]":
    """The rows of every job that has a run, and why rows or scores are missing, if any are.

    afresh: compute again what can be computed. on_run is called with (scored runs, all runs).
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    reasons: dict[str, None] = {}
    stored = [(job, record) for job in jobs if (record := store.read(job.key))]
    for index, (job, record) in enumerate(stored):
        folder = store.folder(job.key)
        try:
            scores = _scores(folder, job, record, metrics, afresh, reasons)
        except OSError as error:
            store.set_aside(job.key)
            reasons[f"{job.name}: its run was damaged ({error}) and is set aside; run again"] = None
            continue
        rows += [
            _row(job, record, iteration, output, scores)
            for iteration, output in _pictures(job, record)
        ]
        on_run(index + 1, len(stored))
    return pd.DataFrame(rows, columns=list(COLUMNS)), list(reasons)


def _pictures(job: Job, record: Record) -> list[tuple[int, str]]:
    """(iteration, output) of what the job asks for; the run may hold more."""
    return [
        (saved.iteration, output)
        for saved in record.checkpoints
        if saved.iteration in job.iterations
        for output in saved.outputs
    ]


def _scores(
    folder: Path,
    job: Job,
    record: Record,
    metrics: Sequence[str],
    afresh: bool,
    reasons: dict[str, None],
) -> dict[str, dict[str, float]]:
    """The scores of each picture by file name, computed where they are not kept yet.

    A score that is kept stays even where it could not be computed today.
    """
    path = folder / SCORES
    kept = _kept(path)
    run = RunFolder(folder)
    scores: dict[str, dict[str, float]] = {}
    changed = False
    for (iteration, output), name in product(_pictures(job, record), metrics):
        picture, metric = file_name(output, iteration), METRICS[name]
        entries, entry = kept.setdefault(picture, {}), f"{name} {metric.version}"
        if afresh or entry not in entries:
            reason = metric.unavailable(job.image.height, job.image.width)
            if reason is None:
                restored = run.restoration(output, iteration)
                entries[entry] = list(metric.score(restored, run.truth, run.known))
                changed = True
            elif entry not in entries:
                reasons[f"{name} is empty: {reason}"] = None
        values = zip(REGIONS, entries.get(entry, ()), strict=False)
        scores.setdefault(picture, {}).update({f"{name}_{region}": v for region, v in values})
    if changed:
        write_atomically(path, to_json(kept))
    return scores


def _kept(path: Path) -> dict[str, dict[str, list[float]]]:
    """What `scores.json` holds, leaving out whatever is not three numbers in their place."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        content = None
    return {
        picture: {
            entry: values
            for entry, values in entries.items()
            if isinstance(values, list)
            and len(values) == len(REGIONS)
            and all(isinstance(value, float | int) for value in values)
        }
        for picture, entries in (content.items() if isinstance(content, dict) else ())
        if isinstance(entries, dict)
    }


def _row(
    job: Job, record: Record, iteration: int, output: str, scores: dict[str, dict[str, float]]
) -> dict[str, Any]:
    (saved,) = (saved for saved in record.checkpoints if saved.iteration == iteration)
    environment, timing = record.environment, record.timing
    return {
        "key": job.key,
        "image": job.image.name,
        "height": job.image.height,
        "width": job.image.width,
        "mask": job.mask_label,
        "hole_fraction": job.hole_fraction,
        "method": job.method_label,
        "architecture": job.architecture,
        "preset": job.preset,
        "seed": job.seed,
        "iteration": iteration,
        "output": output,
        **scores.get(file_name(output, iteration), {}),
        "loss": saved.loss,
        "seconds": saved.seconds,
        "status": record.status_within(job.iterations),
        "parameters": record.parameters,
        "device": environment["device"],
        "precision": record.trajectory["precision"],
        "engine": record.trajectory["engine"],
        "threads": environment["threads"],
        "workers": environment["workers"],
        **timing.model_dump(exclude={"seconds", "warm_up_iterations"}),
        "git_revision": environment["git_revision"],
    }
