"""What the suite costs besides fits, and how that grows: runs of any number of fits that take none.

`python tests/support/dummy_fits.py 1250 2500 5000 10000` runs suites of so many jobs, whose
fits answer at once, through each step that a real one has: seconds, milliseconds a job, peak memory
and disk, and what each further job takes from size to size. Every step is a process of its own;
what can be done again is done three times, and the fastest counts.

With `--executor local` or `ray` (a cluster that runs here) the fits are real, two iterations of a
tiny network at 16x16 pixels, which take milliseconds.
"""

import argparse
import contextlib
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import yaml
from PIL import Image as Pillow

from benchmarks.runner.events import Event, Finished, Started
from benchmarks.runner.job.files import run_files
from benchmarks.runner.job.task import Task
from benchmarks.store.layout import TRACE, file_name
from benchmarks.store.pictures import Picture
from benchmarks.store.record import Saved, Timing
from benchmarks.store.trace import write_trace
from benchmarks.system import environment
from benchmarks.system.memory import PeakMemory
from benchmarks.system.text import markdown_table
from dip import Step
from reports.commands.app import main

JOBS_OF_AN_IMAGE = 2 * 5 * 5  # holes, methods, seeds
SIDE = 16
ITERATIONS = (1, 2)
AT_ONCE = "at-once"
RUN, AGAIN, STATUS, SCORE = "run", "run again", "status", "score again"
REPEATED = (AGAIN, STATUS, SCORE)  # what can be, of which the fastest of so many counts
TIMES = 3


def write_suite(folder: Path, jobs: int) -> Path:
    """A suite of so many jobs, rounded to whole images."""
    (folder / "images").mkdir()
    draw = np.random.default_rng(0)
    for index in range(max(1, jobs // JOBS_OF_AN_IMAGE)):
        pixels = draw.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        Pillow.fromarray(pixels).save(folder / "images" / f"{index:05}.png")
    narrow = {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4]}
    rates = [0.001, 0.003, 0.01, 0.03, 0.1]
    suite = {
        "dataset": {"folder": str(folder / "images")},
        "masks": [{"bernoulli": {"missing": 0.5}}, {"boxes": {"count": 1, "side": 5}}],
        "methods": [{"preset": "quick", "set": narrow, "sweep": {"learning_rate": rates}}],
        "iterations": list(ITERATIONS),
        "seeds": [0, 1, 2, 3, 4],
        "metrics": ["psnr"],
        "rules": [],
    }
    path = folder / "dummy.yaml"
    path.write_text(yaml.safe_dump(suite))
    return path


class AtOnce:
    """An executor whose fits take no time: they answer with the mean colour."""

    side_by_side = 100
    spare_cores = 1

    def __init__(self) -> None:
        self.tasks: deque[Task] = deque()
        self.environment = {
            **environment.describe("cpu", 1, 100, uses_torch=True),
            "finished": environment.now(),
        }

    @property
    def has_room(self) -> bool:
        return len(self.tasks) < self.side_by_side

    @property
    def is_busy(self) -> bool:
        return bool(self.tasks)

    def give(self, task: Task) -> None:
        self.tasks.append(task)

    def events(self, _: float) -> list[Event]:
        task = self.tasks.popleft()
        return [Started(task.job, 0), Finished(task.job, self._files(task))]

    def stop(self) -> None: ...
    def close(self) -> None: ...

    def _files(self, task: Task) -> dict[str, bytes]:
        image = task.job.image.pixels
        mean = image.mean((1, 2), keepdims=True).astype(np.uint8)
        picture = Picture.of(np.broadcast_to(mean, image.shape))
        names = [(output, n) for n in ITERATIONS for output in ("raw", "averaged")]
        described = {
            "status": "done",
            "checkpoints": tuple(
                Saved(iteration=n, outputs=("raw", "averaged"), loss=0.1, seconds=0.001)
                for n in ITERATIONS
            ),
            "parameters": 1,
            "timing": Timing(seconds=0.002),
            "environment": self.environment,
        }
        files = run_files(task, described, {file_name(*name): picture for name in names})
        return files | {TRACE: write_trace([Step(n, 0.1, 1.0) for n in ITERATIONS], {})}


def take_a_step(words: Sequence[str]) -> dict[str, float]:
    """Run one command in this process: seconds, and peak memory in MiB."""
    _, *rest = words
    memory = PeakMemory("cpu")
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(StringIO()))
        if AT_ONCE in rest:
            rest.remove(AT_ONCE)
            instead = mock.patch("benchmarks.runner.run._executor", lambda *_: lambda _: AtOnce())
            stack.enter_context(instead)
        begin = time.perf_counter()
        code = main(rest)
        seconds = time.perf_counter() - begin
    assert code == 0, words
    return {"seconds": seconds, "mib": memory.mib() or math.nan}


def steps_of(folder: Path, executor: Sequence[str], has_report: bool) -> dict[str, list[str]]:
    """The commands of each step, in their order."""
    suite, out = str(folder / "dummy.yaml"), str(folder / "results")
    run = ["benchmarks", "run", suite, "--out", out, *executor]
    steps = {
        RUN: run,
        AGAIN: run,
        STATUS: ["benchmarks", "status", suite, "--out", out],
        SCORE: ["benchmarks", "score", suite, "--out", out],
    }
    if has_report:
        steps["report"] = ["reports", "build", f"{out}/dummy"]
    return steps


def measure(jobs: int, executor: Sequence[str], has_report: bool) -> dict[str, dict[str, float]]:
    """Seconds and MiB of each step, with what lies on the disk in the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_suite(folder, jobs)
        found = {}
        for step, words in steps_of(folder, executor, has_report).items():
            times = [_in_a_process(words) for _ in range(TIMES if step in REPEATED else 1)]
            found[step] = min(times, key=lambda each: each["seconds"])
            print(f"{jobs} jobs, {step}: {found[step]}", file=sys.stderr, flush=True)
        runs = [path for path in (folder / "results" / "runs").rglob("*") if path.is_file()]
        found["disk"] = {
            "files": len(runs),
            "mib": sum(path.stat().st_blocks * 512 for path in runs) / 2**20,
        }
    return found


def _in_a_process(words: Sequence[str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--step", json.dumps(words)],
        check=True,
        capture_output=True,
        text=True,
    )
    taken: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return taken


def for_each_more(sizes: Sequence[int], seconds: Sequence[float]) -> list[float]:
    """Milliseconds that each job took which one size has more than the one before."""
    return [1000 * float(each) for each in np.diff(seconds) / np.diff(sizes)]


def to_table(found: dict[int, dict[str, dict[str, float]]]) -> str:
    sizes = sorted(found)
    last = found[sizes[-1]]
    heads = [
        *(f"{size} jobs (s)" for size in sizes),
        "ms a job",
        "jobs a second",
        "ms for each more",
    ]
    rows = []
    for step in last:
        if step == "disk":
            continue
        seconds = [found[size][step]["seconds"] for size in sizes]
        memory = " -> ".join(f"{found[size][step]['mib']:.0f}" for size in sizes)
        growth = " -> ".join(f"{each:.1f}" for each in for_each_more(sizes, seconds))
        cells = [
            *(f"{each:.1f}" for each in seconds),
            f"{1000 * seconds[-1] / sizes[-1]:.1f}",
            f"{sizes[-1] / seconds[-1]:.0f}",
            growth,
        ]
        rows.append([step, *cells, memory])
    disk = last["disk"]
    table = markdown_table(["step", *heads, "peak memory (MiB)"], rows)
    return f"{table}\n{disk['files']} files, {disk['mib']:.0f} MiB on the disk"


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", type=int, nargs="*")
    parser.add_argument("--executor", choices=[AT_ONCE, "local", "ray"], default=AT_ONCE)
    parser.add_argument("--no-report", action="store_true")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(take_a_step(json.loads(asked.step))))
        return
    executor = [AT_ONCE] if asked.executor == AT_ONCE else ["--executor", asked.executor]
    found: dict[int, Any] = {
        jobs: measure(jobs, executor, not asked.no_report) for jobs in asked.jobs
    }
    print(to_table(found))


if __name__ == "__main__":
    _main()
