"""Whether jobs.csv and suite.json are those of the suite, as today's code reads it.

The suite is the YAML in suite.json, whatever has become of its file since.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.jobs.asked import question_sha256
from benchmarks.jobs.job import OVER, Job, expand
from benchmarks.jobs.owner import noted_owner
from benchmarks.jobs.plan import changes, status_of
from benchmarks.jobs.suite import Folder, Suite, find_suite, load_suite, suite_names
from benchmarks.scoring.results import Results
from benchmarks.scoring.tables import described
from benchmarks.store.asked import PARTS_OF_HISTORY
from benchmarks.store.layout import JOBS, SUITE
from benchmarks.store.pack import SUITE_NAME
from benchmarks.system.environment import nested_differences
from datasets import DatasetError, load_manifest
from dip.errors import InputError
from reports.audit.finding import Finding, note, some
from reports.audit.runs import Runs
from reports.page.contents import name_of

Jobs = Mapping[str, Job]  # by name


def expanded(results: Results) -> tuple[Suite | None, Jobs, list[Finding]]:
    """The suite of the results and its jobs, as today's code expands it.

    Returns:
        The suite and its jobs, nothing if they cannot be told, and what was found meanwhile.
    """
    own = results.about.get("suite")
    if not own or not SUITE_NAME.fullmatch(own["name"]):
        return None, {}, [note(f"{SUITE} has no suite: jobs, scores and question are not checked")]
    name, text = Path(own["name"]), own["yaml"]
    found = []
    if name.stem in suite_names() and find_suite(name.stem).read_text(encoding="utf-8") != text:
        found.append(note(f"the suite '{name.stem}' of this checkout has another text"))
    suite = None
    try:
        suite = _load(results.folder, name, text)
        return suite, {job.name: job for job in expand(suite)}, found
    except (InputError, DatasetError) as error:
        if suite is not None and not _has_images(suite):
            more = "jobs, scores and question are not checked"
            return None, {}, [*found, note(f"its images are not here, so {more}: {error}")]
        return None, {}, [*found, Finding(f"today's code does not take the suite: {error}")]


def _load(folder: Path, name: Path, text: str) -> Suite:
    """Read the suite from its own file, beside which its images may be, or from its text."""
    owner = Path(noted_owner(folder) or "")
    if owner.is_absolute() and owner.is_file() and owner.read_bytes() == text.encode():
        return load_suite(str(owner))
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / (name if name.suffix in (".yaml", ".yml") else f"{name}.yaml")
        path.write_text(text, encoding="utf-8")
        return load_suite(str(path))


def _has_images(suite: Suite) -> bool:
    if isinstance(suite.dataset, Folder):
        return suite.dataset.folder.is_dir()
    try:
        return load_manifest(suite.dataset).is_here
    except DatasetError:  # there is no such set
        return True


def jobs_differ(results: Results, runs: Runs, jobs: Jobs) -> Iterator[Finding]:
    """Whether jobs.csv has the jobs of the suite, and says of them what their runs say."""
    noted = {name_of(job): job for job in results.jobs.to_dict("records")}
    if missing := [name for name in jobs if name not in noted]:
        yield Finding(f"{JOBS} lacks {len(missing)} of {len(jobs)} jobs: {some(missing)}")
    if foreign := [name for name in noted if name not in jobs]:
        yield Finding(f"{JOBS} has {len(foreign)} jobs that are not in its suite: {some(foreign)}")
    found: dict[str, list[str]] = {}
    for name, job in jobs.items():
        if name not in noted:
            continue
        key, status = str(noted[name]["key"]), noted[name]["status"]
        record = runs.records.get(key)
        if key != job.key:
            differences = changes(record, job) if record else []
            for what in differences or ["another key, whose run is not here"]:
                found.setdefault(what, []).append(name)
        elif record and status in OVER and status != (today := status_of(record, job)).word:
            what = f"{status} in {JOBS}, {': '.join(filter(None, (today.word, today.reason)))}"
            found.setdefault(what, []).append(name)
    for what, names in found.items():
        yield Finding(f"{len(names)} of {len(jobs)} jobs: {what}")


def suite_json_differs(results: Results, suite: Suite, jobs: Jobs) -> Iterator[Finding]:
    """Whether suite.json says what the suite says; of its question see `question_differs`."""
    today = described(suite, list(jobs.values()))
    for key, value in today.items():
        if results.about.get(key, value) != value:
            yield Finding(f"{SUITE}: {key} is {results.about[key]}, its suite has {value}")


def question_differs(
    results: Results, runs: Runs, suite: Suite | None, jobs: Jobs
) -> Iterator[Finding]:
    """Whether the question is the suite's, and was asked before the fits were made.

    suite: None if it cannot be told; then the question is taken as suite.json has it.
    """
    noted = asked = results.question
    if suite is not None:
        asked = suite.asked
    if asked is None or noted is None:
        if asked is not noted:
            yield Finding(f"question: asked in one only of {SUITE} and its suite")
        return
    sha256 = question_sha256(asked, jobs.values()) if suite is not None else noted.sha256
    one, other = (each.model_dump(mode="json", exclude=PARTS_OF_HISTORY) for each in (noted, asked))
    if differences := nested_differences(one, other):
        shown = "; ".join(each.replace(", now ", ", its suite has ") for each in differences)
        yield Finding(f"question: {SUITE} has {shown}")
    elif noted.sha256 != sha256:
        yield Finding(f"question: its hash in {SUITE} is not the one of its suite")
    fits = {*results.jobs[results.jobs["preset"] != ""]["key"]} & runs.records.keys()
    after = sum(runs.records[key].question != sha256 for key in fits)
    told = f"{noted.asked_after} of {noted.fits}"
    if after:
        more = f"; {SUITE} says {told}" if noted.asked_after != after else ""
        yield Finding(f"question: changed after {after} of {len(fits)} fits were made{more}")
    elif noted.asked_after or noted.fits < len(fits):
        yield Finding(
            f"question: {SUITE} says that it was asked after {told} fits, their records say 0 of"
            f" {len(fits)}"
        )
