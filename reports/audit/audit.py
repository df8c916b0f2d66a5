"""Examines the results of a suite for somebody who has to trust them; changes nothing.

Are they complete, is every run as it was written, are they those of their suite and of today's
code, do the pictures give the scores, and was the question asked before the fits were made?
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.jobs.job import OVER
from benchmarks.scoring.results import Results, load_results
from benchmarks.store.layout import JOBS, RESULTS, RUNS, SCORES, SUITE
from benchmarks.store.pack import ARCHIVE, unpack
from benchmarks.system.text import counted
from dip.errors import InputError
from reports.audit.finding import Finding, note, some, wrong
from reports.audit.runs import Runs, origins, read_runs
from reports.audit.scores import scores_differ, tables_differ
from reports.audit.suite import expanded, jobs_differ, question_differs, suite_json_differs
from reports.page.contents import name_of


@dataclass(frozen=True)
class Audit:
    """What was found, and what was looked at, in a line."""

    findings: list[Finding]
    summary: str

    @property
    def is_wrong(self) -> bool:
        return any(finding.is_wrong for finding in self.findings)


def audit(path: Path) -> Audit:
    """Examine a results folder, or an archive of one, which is unpacked elsewhere.

    Args:
        path: `results/<suite>`, or what `dip-bench pack` has written.

    Returns:
        All findings.

    Raises:
        InputError: it is neither.
    """
    if path.suffix != ARCHIVE:
        if not any((path / name).exists() for name in (RESULTS, JOBS, SUITE)):
            load_results(path)  # says so
        return _audit(path, path.resolve().name, {})
    with tempfile.TemporaryDirectory() as temporary:
        damage: dict[str, str] = {}
        folder = unpack(path, Path(temporary) / "archive", damage.__setitem__)
        return _audit(folder, folder.name, damage)


def _audit(folder: Path, name: str, damage: dict[str, str]) -> Audit:
    """damage: by member of the archive, what is wrong with it."""
    try:
        results = load_results(folder)
    except InputError as error:
        what = str(error).removeprefix(f"{folder}: ")
        found = _damage(damage) or [Finding(what)]
        return Audit(found, _summary(name, "not readable", found))
    runs = read_runs(results)
    suite, jobs, found = expanded(results)
    found += [*_unfinished(results), *runs.findings]
    # Findings on the runs name these members.
    found += _damage({m: what for m, what in damage.items() if not _is_found(m, runs)})
    rows = 0
    if suite is not None:
        found += [*jobs_differ(results, runs, jobs), *suite_json_differs(results, suite, jobs)]
        rows, differing = scores_differ(results, runs, jobs, suite.metrics)
        found += differing
    found += question_differs(results, runs, suite, jobs)
    found += [*tables_differ(results), *origins(runs)]
    done = f"{int((results.jobs['status'] == 'done').sum())} of {len(results.jobs)} jobs done"
    read = f"{counted(len(runs.whole) + len(runs.damaged), 'run')} read"
    found.sort(key=lambda finding: not finding.is_wrong)
    return Audit(found, _summary(name, f"{done}, {read}, {counted(rows, 'row')} checked", found))


def _summary(name: str, checked: str, found: list[Finding]) -> str:
    count = sum(finding.is_wrong for finding in found)
    return f"{name}: {checked}: {counted(count, 'finding') if count else 'nothing wrong'}"


def _damage(damage: dict[str, str]) -> list[Finding]:
    return wrong([f"{member} {what}" for member, what in damage.items()], "the archive")


def _is_found(member: str, runs: Runs) -> bool:
    """Whether the run that a member is part of is one that was found damaged."""
    top, _, rest = member.partition("/")
    return top == RUNS and rest.partition("/")[0] in runs.damaged and not member.endswith(SCORES)


def _unfinished(results: Results) -> Iterator[Finding]:
    """Jobs without a full result; a fit that diverged is one."""
    jobs = results.jobs[results.jobs["status"] != "done"]
    for status, group in jobs.groupby("status", sort=False):
        names = [name_of(job) for job in group.to_dict("records")]
        text = f"{len(names)} of {counted(len(results.jobs), 'job')} {status}: {some(names)}"
        yield note(text) if status in OVER else Finding(text)
