"""What travels to the nodes of a cluster with the jobs: this code, as it is here and now.

That is what git has, or would add, of the rooms that fitting needs, with uncommitted changes, and
the modules of networks that suites import from elsewhere than installed packages. The packages
themselves, torch and all, have to be on the nodes.
"""

import hashlib
import importlib.util
import json
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.jobs.job import Job
from benchmarks.system.environment import REVISION, ROOT, files_below, git_revision, revision_words
from dip.options import ImportedOptions, Method

ROOMS = ("dip", "datasets", "benchmarks")


@dataclass(frozen=True)
class Code:
    """revision: in words; checksums: the SHA-256 of each file by its path, as `dip/trainer.py`."""

    revision: str
    checksums: dict[str, str]


def pack(folder: Path, jobs: Iterable[Job]) -> Code:
    """Copy into an empty folder what fitting the jobs needs, so that Python finds it there."""
    sources = {path: ROOT / path for path in files_below(*ROOMS)}
    for name in _imported(jobs):
        sources |= _sources(name)
    checksums = {}
    for path, source in sources.items():
        content = source.read_bytes()
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        checksums[path.as_posix()] = hashlib.sha256(content).hexdigest()
    commit, is_dirty = git_revision()
    (folder / REVISION).write_text(json.dumps([commit, is_dirty]), encoding="utf-8")
    return Code(revision_words(commit, is_dirty) or "one outside git", checksums)


def _imported(jobs: Iterable[Job]) -> Iterator[str]:
    """Modules of networks that are neither ours nor installed, by their topmost packages."""
    methods = {job.method_label: job.method for job in jobs}.values()
    paths = {
        method.architecture.import_
        for method in methods
        if isinstance(method, Method) and isinstance(method.architecture, ImportedOptions)
    }
    for name in sorted({path.partition(":")[0].partition(".")[0] for path in paths}):
        if name not in ROOMS:
            yield name


def _sources(name: str) -> dict[Path, Path]:
    """The Python files of a module or package, by their path below the folder it is found in."""
    spec = importlib.util.find_spec(name)
    installed = [Path(sysconfig.get_path(each)) for each in ("stdlib", "purelib", "platlib")]
    found: dict[Path | str, Path] = {}
    if spec is not None and spec.submodule_search_locations is not None:
        for package in map(Path, spec.submodule_search_locations):
            found |= {path.relative_to(package.parent): path for path in package.rglob("*.py")}
    elif spec is not None and spec.origin is not None:
        found = {Path(spec.origin).name: Path(spec.origin)}
    return {
        Path(path): source
        for path, source in sorted(found.items())
        if not any(source.is_relative_to(each) for each in installed)
    }
