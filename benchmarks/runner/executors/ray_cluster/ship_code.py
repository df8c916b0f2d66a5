"""What travels to the nodes of a cluster with the jobs: this code, as it is here and now.

Ray takes one folder to the nodes and puts it first on Python's path there. In it are the folders
that fitting needs, with uncommitted changes, and the modules of networks that suites import from
elsewhere than installed packages. The packages themselves, torch and all, have to be on the nodes.
"""

import importlib.util
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import ray

from benchmarks.jobs.job import Job
from benchmarks.system.environment import ROOT
from dip.options import Method
from dip.options.networks.imported import ImportedOptions

ROOMS = ("dip", "datasets", "benchmarks")


def copy_code(folder: Path, jobs: Iterable[Job]) -> list[str]:
    """Copy the code that the jobs need into an empty folder; returns the names of its modules."""
    for name in ROOMS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _imported(jobs):
        for place in _places(name):
            for file in place.rglob("*.py") if place.is_dir() else [place]:
                target = folder / file.relative_to(place.parent)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    return sorted(path.stem for path in folder.iterdir())


def _imported(jobs: Iterable[Job]) -> set[str]:
    """The top-level packages of networks that are not ours."""
    methods = {job.method_label: job.method for job in jobs}.values()
    return {
        method.architecture.import_.partition(":")[0].partition(".")[0]
        for method in methods
        if isinstance(method, Method) and isinstance(method.architecture, ImportedOptions)
    } - {*ROOMS}


def _places(name: str) -> list[Path]:
    """The file of a module or the folders of a package; none if it is installed."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return []
    found = map(Path, spec.submodule_search_locations or filter(None, [spec.origin]))
    installed = [Path(sysconfig.get_path(each)) for each in ("stdlib", "purelib", "platlib")]
    return [place for place in found if not any(map(place.is_relative_to, installed))]


def fit_of(revision: str, names: Sequence[str]) -> Callable[[Any, int, bytes], tuple[Any, ...]]:
    """Make the function that nodes run for each task: it checks their code and calls `run_here`.

    revision: of this code, in words; names: as `copy_code` returns them.
    """

    # Ray pickles an inner function by value: the node runs this one, whatever code it has.
    def fit(mailbox: Any, number: int, content: bytes) -> tuple[Any, ...]:
        for name in names:
            spec: Any = importlib.util.find_spec(name)
            place = next(iter(spec.submodule_search_locations or [spec.origin]))
            folder = Path(place).resolve().parent
            if folder != Path.cwd().resolve():
                git = ["git", "-C", str(folder), "rev-parse", "--short=12", "HEAD"]
                other = subprocess.run(git, capture_output=True, text=True).stdout.strip()
                where = ray.util.get_node_ip_address()
                reason = (
                    f"the node {where} has another revision of this code, {other or 'unknown'}"
                    f" ({folder}), than the one that gives it jobs, {revision}: end what brings it"
                    " there, as preloaded modules"
                )
                return "Refused", (reason,), None
        from benchmarks.runner.executors.ray_cluster.node import run_here

        return run_here(mailbox, number, content)

    return fit
