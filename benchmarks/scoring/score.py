"""From stored runs to results.csv: one row per job x iteration x output.

An output is `raw`, or one that the job asks for, at an iteration asked for, or `stop:<rule>` at the
one that a stopping rule chose. Beside them, in columns of its own, stands the oracle: the best hole
PSNR of the trajectory, which nobody could choose without the truth.

Scores are computed from the saved 8-bit pictures and kept beside them in `scores.json`, so that a
picture is scored once; a new metric, or weights that arrive later, add to what is there.
"""

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from benchmarks.jobs.job import Job
from benchmarks.metrics import METRICS
from benchmarks.scoring.results import COLUMNS, NAMES, REGIONS, WHOLE, WORDS
from benchmarks.store.layout import SCORES, file_name
from benchmarks.store.record import Record, Saved
from benchmarks.store.run_folder import DamagedError, RunFolder
from benchmarks.store.store import Store
from benchmarks.store.trace import NOTED, read_trace
from benchmarks.system.environment import revision_words
from benchmarks.system.files import to_json, write_atomically
from dip.options import Method

if TYPE_CHECKING:
    import pandas as pd


Kept = dict[str, dict[str, list[float]]]  # by picture, and metric with its version; the regions


def score(
    store: Store,
    jobs: Sequence[Job],
    metrics: Sequence[str],
    *,
    afresh: bool = False,
    kept: Mapping[str, Sequence[Mapping[str, str]]] = MappingProxyType({}),
    until: float = math.inf,
    on_run: Callable[[int, int], None] = lambda *_: None,
) -> "tuple[pd.DataFrame, list[str], list[Job]]":
    """Compute the rows of every job that has a run, or whose rows were kept.

    Args:
        store: where the runs are.
        jobs: the jobs of a suite.
        metrics: names of the scores.
        afresh: compute again what can be computed.
        kept: by name, the rows of jobs that need no run, as their results.csv had them.
        until: by `time.monotonic`; no score is computed then.
        on_run: called with the numbers of scored runs and of all runs.

    Returns:
        The rows; why rows or scores are missing, if any are; and the jobs that lack scores because
        the time was up, of which there are no rows.
    """
    import pandas as pd

    rows: list[tuple[Any, ...]] = []  # in a dictionary each they would take three times as much
    reasons: dict[str, None] = {}
    unscored = []
    stored = [job for job in jobs if job.name in kept or store.folder(job.key).exists()]
    for index, job in enumerate(stored):
        if job.name in kept:
            rows += (tuple(_value(row, column) for column in COLUMNS) for row in kept[job.name])
            continue
        try:
            for row in _rows(store, job, metrics, afresh, until, reasons):
                rows.append(tuple(row.get(column) for column in COLUMNS))
        except _TimeIsUp:
            unscored.append(job)
        except DamagedError as error:
            if damage := store.set_aside_damaged(job.key):
                reason = f"its run was damaged ({damage}) and is set aside; run again"
            else:
                reason = f"its run was replaced meanwhile ({error}); score again"
            reasons[f"{job.name}: {reason}"] = None
        on_run(index + 1, len(stored))
    return pd.DataFrame(rows, columns=list(COLUMNS)), list(reasons), unscored


class _TimeIsUp(Exception):
    """A run lacks scores, and it is too late to compute them."""


def _value(row: Mapping[str, str], column: str) -> str | int | float | None:
    """A cell of a kept row as the same number, or text, that was written."""
    text = row.get(column, "")
    if column in (*NAMES, *WORDS) or not text:
        return text or None
    return int(text) if column in WHOLE or text.isdecimal() else float(text)


def keep_scores(
    store: Store,
    job: Job,
    metrics: Sequence[str],
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Score a job's run and keep the scores beside it; those that are there if it is to stop.

    Raises DamagedError, and CannotWriteError. What cannot be scored is left out.
    """
    run = store.run(job.key)
    _, _, pictures = _opened(run, job)
    some = takewhile(lambda _: not should_stop(), pictures)
    _scores(store, run, job, some, metrics, afresh=False, until=math.inf, reasons={})


def computed_again(run: RunFolder, job: Job, metrics: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a job from what its run holds, without the scores that are kept beside it.

    Args:
        run: the run, which is left as it is.
        job: the job whose run it is.
        metrics: those to compute; one that cannot be computed here has no scores.

    Returns:
        The rows, by the columns of results.csv.

    Raises:
        DamagedError: a file of the run is not as it was written.
    """
    record, trace, pictures = _opened(run, job)
    scores, _ = _computed(run, job, pictures, metrics, {}, True, math.inf, {})
    oracle = _oracle(job, record, trace, pictures, scores)
    return [_row(job, record, picture, metrics, scores, oracle) for picture in pictures]


def _rows(
    store: Store,
    job: Job,
    metrics: Sequence[str],
    afresh: bool,
    until: float,
    reasons: dict[str, None],
) -> list[dict[str, Any]]:
    """Of one job; raises DamagedError, and _TimeIsUp."""
    run = store.run(job.key)
    record, trace, pictures = _opened(run, job)
    scores = _scores(store, run, job, pictures, metrics, afresh, until, reasons)
    oracle = _oracle(job, record, trace, pictures, scores)
    if record.uncovered_reason:
        about = f"uncovered is empty for {job.method_label}: {record.uncovered_reason}"
        reasons[about] = None
    return [_row(job, record, picture, metrics, scores, oracle) for picture in pictures]


def _opened(run: RunFolder, job: Job) -> "tuple[Record, pd.DataFrame | None, list[_Picture]]":
    """What a run holds, with its trace unless it is a fill's; raises DamagedError."""
    record = run.check()
    trace = read_trace(run) if isinstance(job.method, Method) else None
    return record, trace, _pictures(job, record, trace)


@dataclass(frozen=True)
class _Picture:
    """An output of a run at one iteration, and what is known of it without its scores."""

    output: str
    iteration: int
    loss: float | None
    seconds: float | None
    out_of_range: float | None
    stopped_at: int | None = None

    @property
    def file(self) -> str:
        return file_name(self.output, self.iteration)


def _pictures(job: Job, record: Record, trace: "pd.DataFrame | None") -> list[_Picture]:
    """Select the outputs that the job asks for; none if their definition has changed."""
    if not record.has_outputs_of_today(job.stored_outputs.values()):
        return []
    # Raw outputs are scored unasked: coverage, times and published figures are told by them.
    outputs = {"raw", *(output.label for output in job.outputs)}
    end = record.last_good(job.iterations)
    asked = [
        saved
        for saved in record.checkpoints
        if saved.iteration in job.iterations and saved.iteration <= end
    ]
    pictures = [
        _Picture(output, saved.iteration, saved.loss, saved.seconds, saved.out_of_range.get(output))
        for saved in asked
        for output in saved.outputs
        if output in outputs
    ]
    if trace is not None:
        pictures += _chosen(job, record, asked, trace)
    return pictures


def _chosen(
    job: Job, record: Record, asked: Sequence[Saved], trace: "pd.DataFrame"
) -> Iterator[_Picture]:
    """What the rules chose until the job's last iteration, or before the fit failed.

    asked: the checkpoints that there are. Seconds are those until the rule stopped.
    """
    end = max(job.iterations)
    is_whole = bool(asked) and asked[-1].iteration == end
    stops = asked[-1].stops if is_whole else record.stops
    for rule in job.rules:
        if record.has_followed(rule) and (stop := stops.get(rule.label)) is not None:
            until = stop.stopped_at or end
            yield _Picture(
                f"stop:{rule.label}",
                stop.iteration,
                float(trace["loss"][stop.iteration]),
                float(trace["milliseconds"].loc[:until].sum() / 1000),
                stop.out_of_range,
                stop.stopped_at,
            )


Oracle = tuple[float, int, str]  # hole PSNR, iteration, output


def _oracle(
    job: Job,
    record: Record,
    trace: "pd.DataFrame | None",
    pictures: Sequence[_Picture],
    scores: dict[str, dict[str, float]],
) -> Oracle | None:
    """The best hole PSNR of the trajectory, within the job's iterations and before a failure.

    Of raw and averaged output only, so that it is the same whatever other outputs are asked for.
    """
    if trace is None:
        return None
    end = record.last_good(job.iterations)
    seen = [
        (psnr, picture.iteration, picture.output)
        for picture in pictures
        if picture.output.startswith((*NOTED, "stop:"))
        and (psnr := scores[picture.file].get("psnr_hole")) is not None
    ]
    for output in NOTED:
        noted = trace[f"psnr_hole_{output}"].loc[:end].dropna()
        if len(noted):
            seen.append((float(noted.max()), int(str(noted.idxmax())), output))
    return max(seen, key=lambda each: each[0], default=None)


def _scores(
    store: Store,
    run: RunFolder,
    job: Job,
    pictures: Iterable[_Picture],
    metrics: Sequence[str],
    afresh: bool,
    until: float,
    reasons: dict[str, None],
) -> dict[str, dict[str, float]]:
    """The scores of each picture by file name; those that had to be computed are kept."""
    kept = _kept(run)
    try:
        scores, has_more = _computed(run, job, pictures, metrics, kept, afresh, until, reasons)
    except _TimeIsUp:
        _keep(store, run, job, kept)
        raise
    if has_more:
        _keep(store, run, job, kept)
    return scores


def _keep(store: Store, run: RunFolder, job: Job, scores: Kept) -> None:
    """Write scores beside the run, unless it was replaced meanwhile, or somebody replaces it."""
    if claim := store.claim(job.key):
        try:
            if store.run(job.key).sha256 == run.sha256:
                write_atomically(run.folder / SCORES, _sealed(run, scores))
        finally:
            claim.release()


def _computed(
    run: RunFolder,
    job: Job,
    pictures: Iterable[_Picture],
    metrics: Sequence[str],
    kept: Kept,
    afresh: bool,
    until: float,
    reasons: dict[str, None],
) -> tuple[dict[str, dict[str, float]], bool]:
    """The scores of each picture by file name, and whether `kept` has more of them now.

    PSNR is among them whatever the metrics, because the oracle needs it. A score that is kept stays
    even where it could not be computed today. Raises _TimeIsUp; then `kept` has what there is.
    """
    scores: dict[str, dict[str, float]] = {}
    changed = False
    for picture in pictures:
        restored = None  # until a score asks for it
        entries = kept.setdefault(picture.file, {})
        for name in dict.fromkeys((*metrics, "psnr")):
            metric = METRICS[name]
            entry = f"{name} {metric.version}"
            if afresh or entry not in entries:
                reason = metric.unavailable(job.image.height, job.image.width)
                if reason is None:
                    if time.monotonic() >= until:
                        raise _TimeIsUp
                    if restored is None:
                        restored = run.restoration(picture.output, picture.iteration)
                    entries[entry] = list(metric.score(restored, run.truth, run.known))
                    changed = True
                elif entry not in entries:
                    reasons[f"{name} is empty: {reason}"] = None
            values = zip(REGIONS, entries.get(entry, ()), strict=False)
            scores.setdefault(picture.file, {}).update(
                {f"{name}_{region}": value for region, value in values}
            )
    return scores, changed


def _kept(run: RunFolder) -> Kept:
    """What `scores.json` holds, if it is of this run and as it was written."""
    try:
        content = (run.folder / SCORES).read_text(encoding="utf-8")
        scores: Kept = json.loads(content)["scores"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return scores if content == _sealed(run, scores) else {}


def _sealed(run: RunFolder, scores: Kept) -> str:
    """The content of `scores.json`: scores, the run they are of, and a checksum of both."""
    about = {"of": run.sha256, "scores": scores}
    return to_json({**about, "sha256": sha256(to_json(about).encode()).hexdigest()})


def _row(
    job: Job,
    record: Record,
    picture: _Picture,
    metrics: Sequence[str],
    scores: dict[str, dict[str, float]],
    oracle: Oracle | None,
) -> dict[str, Any]:
    environment, timing = record.environment, record.timing
    best, best_iteration, best_output = oracle or (None, None, None)
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
        "iteration": picture.iteration,
        "output": picture.output,
        "stopped_at": picture.stopped_at,
        **{
            column: value
            for column, value in scores[picture.file].items()
            if column.rpartition("_")[0] in metrics
        },
        "oracle_psnr_hole": best,
        "oracle_iteration": best_iteration,
        "oracle_output": best_output,
        "out_of_range": picture.out_of_range,
        "uncovered": record.uncovered,
        "loss": picture.loss,
        "seconds": picture.seconds,
        "status": record.status_within(job.iterations),
        "parameters": record.parameters,
        "device": environment["device"],
        "precision": record.trajectory["precision"],
        "engine": record.trajectory["engine"],
        "threads": environment["threads"],
        "workers": max([environment["workers"], *(each.workers for each in record.continued)]),
        **timing.model_dump(exclude={"seconds", "warm_up_iterations"}),
        "git_revision": _revisions(record),
    }


def _revisions(record: Record) -> str:
    """Of the code that the fit was made with, as a rule one."""
    of = [(part.git_revision, part.git_dirty) for part in record.continued]
    of.append((record.environment["git_revision"], record.environment["git_dirty"]))
    return ", ".join(dict.fromkeys(revision_words(commit, is_dirty) for commit, is_dirty in of))
