"""From stored runs to results.csv: one row per job x iteration x output.

Scores are computed from the saved 8-bit pictures and kept beside them in `scores.json`, so that a
picture is scored once; a new metric, or weights that arrive later, add to what is there.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.jobs import ENGINE, PRECISION, Job
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
    metrics: Iterable[str],
    *,
    afresh: bool = False,
    on_run: Callable[[int, int], None] = lambda *_: None,
) -> "tuple[pd.DataFrame, list[str]]":
    """The rows of every job that has a run, and why scores are missing, if any are.

    afresh: do not trust the scores that are kept. on_run is called with (scored runs, all runs).
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    reasons: dict[str, None] = {}
    stored = [(job, record) for job in jobs if (record := store.read(job.key))]
    for index, (job, record) in enumerate(stored):
        names = _available(job, metrics, reasons)
        scores = _scores(store.folder(job.key), job, record, names, afresh)
        rows += [
            _row(job, record, iteration, output, scores)
            for iteration, output in _pictures(job, record)
        ]
        on_run(index + 1, len(stored))
    return pd.DataFrame(rows, columns=list(COLUMNS)), list(reasons)


def _available(job: Job, metrics: Iterable[str], reasons: dict[str, None]) -> list[str]:
    names = []
    for name in metrics:
        reason = METRICS[name].unavailable(job.image.height, job.image.width)
        if reason is None:
            names.append(name)
        else:
            reasons[f"{name} is empty: {reason}"] = None
    return names


def _pictures(job: Job, record: Record) -> list[tuple[int, str]]:
    """(iteration, output) of what the job asks for; the run may hold more."""
    return [
        (saved.iteration, output)
        for saved in record.checkpoints
        if saved.iteration in job.iterations
        for output in saved.outputs
    ]


def _scores(
    folder: Path, job: Job, record: Record, metrics: Sequence[str], afresh: bool
) -> dict[str, dict[str, float]]:
    """The scores of each picture by file name, computed where they are not kept yet."""
    path = folder / SCORES
    try:
        kept = {} if afresh else json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        kept = {}
    run = RunFolder(folder)
    changed = False
    for iteration, output in _pictures(job, record):
        picture = file_name(output, iteration)
        for name in metrics:
            metric = METRICS[name]
            entry = f"{name} {metric.version}"
            if entry not in kept.setdefault(picture, {}):
                restored = run.restoration(output, iteration)
                kept[picture][entry] = list(metric.score(restored, run.truth, run.known))
                changed = True
    if changed:
        write_atomically(path, to_json(kept))
    return {
        picture: {
            f"{name}_{region}": value
            for name in metrics
            for region, value in zip(
                REGIONS, entries.get(f"{name} {METRICS[name].version}", ()), strict=False
            )
        }
        for picture, entries in kept.items()
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
        "status": record.status,
        "parameters": record.parameters,
        "device": environment["device"],
        "precision": PRECISION,
        "engine": ENGINE,
        "threads": environment["threads"],
        "workers": environment["workers"],
        **timing.model_dump(include={name for name in COLUMNS if name != "seconds"}),
        "git_revision": environment["git_revision"],
    }
