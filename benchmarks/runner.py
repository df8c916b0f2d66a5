"""Runs a suite: validate, fit what is missing, score, write results.csv."""

import contextlib
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.environment import cpu_count
from benchmarks.jobs import Job, expand
from benchmarks.progress import Display, duration
from benchmarks.scoring import score
from benchmarks.store import RECORD, Store, open_folder, to_json, write_atomically
from benchmarks.suite import Suite, load_suite
from benchmarks.workers import Event, Failed, Finished, run_in_processes, run_in_this_process
from dip.errors import InputError
from dip.options import ImportedOptions, Method

if TYPE_CHECKING:
    import pandas as pd

RESULTS = "results.csv"
JOBS = "jobs.csv"
FAILURES = "failures"
SUITE = "suite.json"


@dataclass(frozen=True)
class Plan:
    """A suite with its jobs and the places of its results."""

    suite: Suite
    jobs: list[Job]
    store: Store
    folder: Path

    def failure(self, job: Job) -> Path:
        """Where the log of a failed job is."""
        return self.folder / FAILURES / f"{job.key}.txt"

    def state(self, job: Job) -> tuple[str, str]:
        """done, diverged, failed or missing; and why, where there is something to say."""
        record = self.store.read(job.key)
        if reason := self._failed_since(job):
            return "failed", reason
        if record is None:
            return "missing", ""
        if not self.store.satisfies(job):
            return "missing", "the stored run lacks some of the iterations or rules"
        if record.status_within(job.iterations) == "diverged":
            return "diverged", f"{record.diverged_because} since iteration {record.diverged_at}"
        if record.backtracked_at:
            first, *more = record.backtracked_at
            also = f", and {len(more)} times after" if more else ""
            return "done", f"went back to earlier weights at iteration {first}{also}"
        return "done", ""

    def _failed_since(self, job: Job) -> str:
        """Why the job failed, if it did so after the run that is stored, if one is."""
        try:
            log = self.failure(job)
            reason = log.read_text(encoding="utf-8").splitlines()[0]
            stored = self.store.folder(job.key) / RECORD
            is_newer = not stored.exists() or stored.stat().st_mtime < log.stat().st_mtime
        except OSError:
            return ""
        return reason if is_newer else ""


def make_plan(suite: str, out: Path) -> Plan:
    """Everything checked and nothing begun; raises InputError or DatasetError."""
    loaded = load_suite(suite)
    return Plan(loaded, expand(loaded), Store(out / "runs"), out / loaded.name)


def select(jobs: Iterable[Job], pattern: str) -> list[Job]:
    """The jobs whose name holds the pattern; raises InputError if none does."""
    chosen = [job for job in jobs if pattern in job.name]
    if not chosen:
        raise InputError(f"no job's name holds '{pattern}'; --dry-run prints the names")
    return chosen


def run(
    plan: Plan,
    *,
    pattern: str = "",
    fresh: bool = False,
    workers: int | None = None,
    threads: int = 1,
    device: str = "auto",
    console: Console,
) -> list[Job]:
    """Fit what is missing, then score everything stored; writes results.csv and jobs.csv.

    pattern: run only the jobs whose name holds it. Returns those of them that failed, or whose
    stored run turned out to be damaged. Raises InputError if results cannot be written. Whatever
    ends it early, finished runs are stored.
    """
    chosen = select(plan.jobs, pattern)
    _check_device(device)
    plan.store.open_for_writing()
    open_folder(plan.folder)
    unique = {job.key: job for job in chosen}
    done = () if fresh else ("done", "diverged")
    todo = [job for job in unique.values() if plan.state(job)[0] not in done]
    _say(
        console,
        f"{plan.suite.name}: {len(chosen)} jobs, {len(unique) - len(todo)} done before,"
        f" {len(todo)} to run",
    )
    if todo:
        check_imported_networks(plan.suite, todo)
        started = time.monotonic()
        places = _devices(device, 1 if workers == 0 else workers, threads)
        _run_jobs(plan, todo, places, threads, console, in_this_process=workers == 0)
        _say(console, f"Ran {len(todo)} jobs in {duration(time.monotonic() - started)}")
    write_results(plan, console=console)
    return [job for job in chosen if plan.state(job)[0] in ("failed", "missing")]


def write_results(plan: Plan, *, console: Console, afresh: bool = False) -> "pd.DataFrame":
    """Score what is stored and write results.csv and jobs.csv."""
    import pandas as pd

    open_folder(plan.folder)
    started = time.monotonic()

    def tell(scored: int, total: int) -> None:
        nonlocal started
        if time.monotonic() - started > 10:
            started = time.monotonic()
            _say(console, f"Scored {scored} of {total} runs")

    # A job that failed since its run was stored is no result, whatever the old run says.
    sound = [job for job in plan.jobs if plan.state(job)[0] != "failed"]
    results, reasons = score(plan.store, sound, plan.suite.metrics, afresh=afresh, on_run=tell)
    for reason in reasons:
        _say(console, f"NOTICE: {reason}")
    states = [
        (
            *(job.key, job.image.name, job.mask_label, job.method_label, job.preset, job.seed),
            *plan.state(job),
        )
        for job in plan.jobs
    ]
    columns = ["key", "image", "mask", "method", "preset", "seed", "status", "reason"]
    jobs = pd.DataFrame(states, columns=columns)
    write_atomically(plan.folder / RESULTS, results.to_csv(index=False))
    write_atomically(plan.folder / JOBS, jobs.to_csv(index=False))
    about = {
        **plan.suite.model_dump(mode="json", include={"title", "expect", "metrics", "iterations"}),
        "published": _published(plan),
        "notices": reasons,
        "versions": _versions(plan),
    }
    write_atomically(plan.folder / SUITE, to_json(about))
    return results


def _published(plan: Plan) -> list[dict[str, Any]]:
    """The published figures that some method of the suite is to reproduce."""
    cells = {
        (job.image.name, job.method_label): (job.reproduces, job.image.published)
        for job in plan.jobs
        if job.reproduces is not None
    }
    return [
        {
            "image": image,
            "method": method,
            "published_by": figures.method,
            **figures.model_dump(include={"iteration", "psnr_full", "psnr_hole", "of"}),
        }
        for (image, method), (reproduces, published) in cells.items()
        for figures in published
        if figures.method == reproduces
    ]


def _versions(plan: Plan) -> list[dict[str, str]]:
    """The package versions that the stored runs were made with, each set once."""
    records = (plan.store.read(key) for key in {job.key: None for job in plan.jobs})
    sets = {to_json(record.environment["versions"]): record for record in records if record}
    return [record.environment["versions"] for record in sets.values()]


def _run_jobs(
    plan: Plan,
    jobs: list[Job],
    devices: list[str],
    threads: int,
    console: Console,
    *,
    in_this_process: bool,
) -> None:
    jobs = [_keeping_what_is_stored(plan.store, job) for job in jobs]
    if in_this_process:
        events = run_in_this_process(jobs, device=devices[0], threads=threads)
    else:
        events = run_in_processes(jobs, devices=devices, threads=threads)
    with contextlib.closing(events), Display(jobs, len(devices), console) as display:
        for event in _settle(plan, events):
            display.show(event)


def _settle(plan: Plan, events: Iterable[Event]) -> Iterator[Event]:
    """Store what is finished and note what failed, before it is shown."""
    for event in events:
        if isinstance(event, Finished):
            plan.store.put(event.job.key, event.files)
            plan.failure(event.job).unlink(missing_ok=True)
        elif isinstance(event, Failed):
            plan.failure(event.job).parent.mkdir(exist_ok=True)
            write_atomically(plan.failure(event.job), f"{event.reason}\n\n{event.log}")
        yield event


def check_imported_networks(suite: Suite, jobs: Iterable[Job]) -> None:
    """Build each, and run it once on its smallest image, so that what is wrong is said before fits.

    On the CPU, and with images of that size only. Raises InputError.
    """
    smallest: dict[tuple[str, int], Job] = {}
    for job in jobs:
        if isinstance(job.method, Method) and isinstance(job.method.architecture, ImportedOptions):
            case = job.method_label, len(job.image.pixels)
            smallest[case] = min(job, smallest.get(case, job), key=lambda job: job.mask.size)
    if smallest:
        import torch

        for job in smallest.values():
            try:
                with torch.random.fork_rng(devices=[]), torch.no_grad():
                    _try_network(job)
            except InputError as error:
                raise InputError(
                    f"{suite.place(job.method_label)}: architecture: {error}"
                ) from None


def _try_network(job: Job) -> None:
    import torch

    import dip
    from dip.imports import code_of_others

    assert isinstance(job.method, Method)
    channels, height, width = job.image.pixels.shape
    inputs = job.method.input.channels
    network = dip.build_network(job.method.architecture, inputs, channels, (height, width))
    with code_of_others(f"running it on '{job.image.name}' with {inputs} input channels"):
        network.train()(torch.rand(job.method.batch, inputs, height, width))


def _keeping_what_is_stored(store: Store, job: Job) -> Job:
    """A run that is replaced keeps the checkpoints and rules that other suites may refer to."""
    record = store.read(job.key)
    if record is None or isinstance(job.method, str):
        return job
    return replace(
        job,
        iterations=tuple(sorted({*job.iterations, *record.iterations})),
        rules=tuple(dict.fromkeys((*job.rules, *record.rules))),
    )


def _check_device(device: str) -> None:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise InputError(f"--device {device}: use auto, cpu, cuda or cuda:N")
    if device.startswith("cuda") and not _may_have_gpu():
        raise InputError(f"--device {device}: this machine has no GPU driver; use cpu")


def _devices(device: str, workers: int | None, threads: int) -> list[str]:
    """The torch device of each worker: every GPU there is once, else the cores by threads."""
    gpus = [] if device == "cpu" or not _may_have_gpu() else _gpus()
    if device == "cpu" or (device == "auto" and not gpus):
        return ["cpu"] * (workers or max(1, cpu_count() // threads))
    chosen = gpus if device in ("auto", "cuda") else [device]
    if not chosen or not set(chosen) <= set(gpus):
        here = ", ".join(["cpu", *gpus])
        raise InputError(f"--device {device}: this machine has no such device, only {here}")
    return [chosen[index % len(chosen)] for index in range(workers or len(chosen))]


def _gpus() -> list[str]:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [f"cuda:{index}" for index in range(count)]


def _may_have_gpu() -> bool:
    """Whether it is worth the seconds that asking torch for a GPU takes."""
    drivers = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # CUDA, ROCm, CUDA inside WSL
    return any(Path(path).exists() for path in drivers) or which("nvidia-smi") is not None


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
