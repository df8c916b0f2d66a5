"""What a run would do: its jobs, how long they may take, and the room on disk they need."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.jobs.job import Job, skipped_images
from benchmarks.jobs.plan import Plan, line, select, sort_out
from benchmarks.runner.job_queue import is_quick
from benchmarks.runner.preflight import check_imported_networks
from benchmarks.runner.run import RunOptions
from benchmarks.store.record import Record
from benchmarks.system.devices import check_device, places
from benchmarks.system.environment import device_name
from benchmarks.system.files import to_json
from benchmarks.system.memory import little_memory
from benchmarks.system.text import counted, mebibytes
from dip.errors import InputError
from dip.fills import Fill
from dip.system.text import duration

TRACE_BYTES = 100  # of a line of the trace, at most
RECORD_BYTES = 20_000


def dry_run(plan: Plan, options: RunOptions) -> Iterator[str]:
    """One line for each job, then the cost of those that would run in time and disk."""
    check_device(options.device)
    if options.executor != "local":
        raise InputError("`dry_run`: tells what this machine would do; leave `executor` out")
    jobs = select(plan.jobs, options.pattern)
    check_imported_networks(plan.suite, jobs)
    statuses = {job.key: plan.explain(job) for job in jobs}
    for job in jobs:
        yield line(job, statuses[job.key])
    _, _, todo = sort_out(statuses, jobs, fresh=options.fresh, retry_failed=options.retry_failed)
    devices = places(options.device, options.workers, options.threads, options.workers_per_gpu)
    for notice in skipped_images(plan.suite, plan.jobs):
        yield f"NOTICE: {notice}"
    yield f"{len(todo)} of {counted(len(jobs), 'job')} to run, {len(devices)} side by side"
    yield from _fills(todo)
    if todo:
        records = [record for key in plan.store.stored() if (record := plan.store.read(key))]
        begun = {} if options.fresh else {job.key: plan.begun(job) for job in todo}
        if timed := [job for job in todo if job.picture is None]:
            yield _time(records, timed, begun, devices, options.threads)
        fits = sum(not is_quick(job) for job in todo)
        if warning := little_memory(devices[:fits].count("cpu")):
            yield warning
        yield _room(todo, plan.store.root)


def _fills(jobs: Sequence[Job]) -> Iterator[str]:
    """The cost of fills that may take long, and the jobs that fills will refuse."""
    for label, job in {job.method_label: job for job in jobs}.items():
        fill = job.method
        if isinstance(fill, Fill) and fill.cost:
            defaults = "" if fill.has_defaults else " with default options; not known with these"
            yield f"{label}: {fill.cost}{defaults}"
    for job in jobs:
        if isinstance(job.method, Fill):
            try:
                job.method.check_memory(job.mask[0] == 0, len(job.image.pixels))
            except InputError as error:
                yield f"NOTICE: {job.name}: {error}"


def _time(
    records: Sequence[Record],
    jobs: Sequence[Job],
    begun: Mapping[str, int],
    devices: Sequence[str],
    threads: int,
) -> str:
    """From what earlier runs took on such a device with so many threads.

    begun: the iterations that are there already, by key.
    """
    paces: dict[tuple[str, int], list[float]] = {}  # by method and pixels, or 0 for any number
    here = device_name(devices[0]), threads
    for record in records:
        is_fit = "architecture" in record.trajectory["method"]
        if record.timing.seconds is None:  # of a published picture
            continue
        if not is_fit or here == (record.environment["device"], record.environment["threads"]):
            pixels = record.height * record.width
            iterations = max(1, *record.iterations, record.noticed_at or 0)
            pace = record.timing.seconds / (pixels * iterations)
            for case in (pixels, 0):
                paces.setdefault((to_json(record.trajectory["method"]), case), []).append(pace)
    seconds = []
    unknown: dict[str, None] = {}
    for job in jobs:
        method, pixels = to_json(job.trajectory["method"]), job.mask.size
        if known := paces.get((method, pixels)) or paces.get((method, 0)):
            left = max(1, *job.iterations) - begun.get(job.key, 0)
            seconds.append(median(known) * pixels * left)
        else:
            unknown[job.method_label] = None
    if not seconds:
        return "time: cannot be told, because no such method was ever timed on this device"
    took = duration(max(sum(seconds) / len(devices), max(seconds)))
    text = f"time: about {took}, by earlier runs of the same methods"
    return text + (f"; without {', '.join(unknown)}, never timed here" if unknown else "")


def _room(jobs: Sequence[Job], root: Path) -> str:
    """An upper bound, because pictures are counted uncompressed."""
    needed = 0
    for job in jobs:
        pictures = (len(job.stored_outputs) + len(job.rules)) * len(job.iterations)
        needed += (pictures + len(("truth", "mask", "coverage"))) * job.image.pixels.size
        needed += TRACE_BYTES * max(job.iterations) + RECORD_BYTES
    root = root.absolute()
    free = shutil.disk_usage(next(each for each in (root, *root.parents) if each.is_dir())).free
    text = f"disk: at most {mebibytes(needed)}, besides states of fits; {mebibytes(free)} are free"
    return text + (": NOT ENOUGH" if needed > free else "")
