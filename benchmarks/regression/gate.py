"""`dip-bench regress`: fit the suite afresh and hold it to the baseline, or bless it."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.jobs.plan import Plan, make_plan, select
from benchmarks.jobs.seeds import PerImage
from benchmarks.regression.baseline import Baseline, check_free, read_baseline, write_baseline
from benchmarks.regression.ci import annotations, as_json, to_junit
from benchmarks.regression.decision import decide
from benchmarks.regression.page import Page, to_markdown
from benchmarks.regression.scores import SCORES, Side, side_of
from benchmarks.regression.significance import FEWEST_SEEDS
from benchmarks.runner.overhead import Clock
from benchmarks.runner.run import RunOptions, run
from benchmarks.scoring.results import Results, at_common_iteration, load_results, origin
from benchmarks.store.layout import ACCOUNTING, FAILURES, JOBS, OWNER, RESULTS
from benchmarks.store.layout import SUITE as ABOUT
from benchmarks.store.store import KEY
from benchmarks.system import environment
from benchmarks.system.files import Claim, open_folder, write_atomically
from benchmarks.system.refill import refilled, remove_listed
from benchmarks.system.text import counted
from dip.errors import InputError

SUITE = "regression"
FOLDER = "regress"  # of the gate's own results, apart from what other commands keep
BASELINE_SEEDS = 30
HERE = "here"
VERDICTS = ("verdict.md", "verdict.json", "verdict.xml")


@dataclass(frozen=True)
class Gate:
    """What to fit and where. seeds: so many, from 0; None: the suite's, or a baseline's usual."""

    suite: str
    out: Path
    baselines: Path
    pattern: str
    seeds: int | None
    workers: int | None


def regress(gate: Gate, console: Console) -> tuple[Page, list[Path]]:
    """Fit, score and decide; returns the page and where it was written.

    Raises InputError if there is no baseline, or nothing in common with it.
    """
    plan = make_plan(gate.suite, gate.out / FOLDER, gate.seeds)
    select(plan.jobs, gate.pattern)  # before anything is removed
    if any(isinstance(seed, PerImage) for seed in plan.suite.asked_seeds):
        raise InputError(
            f"{plan.suite.file}: seeds: the gate takes means over images of one seed; write a list"
            " of seeds, or use `seeds`"
        )
    reference, kept = read_baseline(plan.suite.name, gate.baselines)
    with _alone(gate.out / FOLDER):
        _remove_results(plan)  # always afresh
        side = _fitted(plan, gate, console, fresh=True)
        decision = decide(reference.only(gate.pattern), side)
        page = Page((reference.label, HERE), decision, _about(reference, kept, side))
        return page, write_pages(plan.folder, page, is_ours=True)


def bless(gate: Gate, because: str, console: Console) -> tuple[str, Path]:
    """Write the baseline; returns in Markdown how it differs from the one before, and its place.

    Broken off, the same command goes on from where it was. Raises InputError for a tree that is
    not as it was committed, a baseline of a part or with gaps, and without a reason.
    """
    if not because.strip():
        raise InputError('`because`: say why this is the measure from now on: `because` "..."')
    if gate.pattern:
        raise InputError("`pattern`: a baseline is of all jobs")
    seeds = gate.seeds or BASELINE_SEEDS
    if seeds < FEWEST_SEEDS:
        raise InputError(
            f"`seeds` {seeds}: a baseline has {FEWEST_SEEDS} at least, to say how far they spread"
        )
    revision = _committed()
    plan = make_plan(gate.suite, gate.out / f"{FOLDER}-{revision[:12]}", seeds)
    check_free(plan.suite.name, gate.baselines)
    folder = plan.folder.parent
    with _alone(folder):
        _committed()  # still, with that folder in it
        side = _fitted(plan, gate, console, fresh=False)
        _check_whole(side, plan.suite.metrics)
        if side.about["revisions"] != [revision[:12]] or len(side.about["environments"]) > 1:
            raise InputError(
                f"nothing is blessed: {folder} has fits of a changed tree, of several machines or"
                " package versions; remove it and bless again"
            )
        if _committed() != revision:
            raise InputError("nothing is blessed: another commit was checked out meanwhile")
        changes = _changes(plan.suite.name, gate, side)
        path = write_baseline(
            plan.suite.name,
            side,
            because=because.strip(),
            revision=revision,
            folder=gate.baselines,
        )
        _remove_results(plan)
    with suppress(OSError):  # it holds something else
        folder.rmdir()
    return changes, path


def compare(
    a: Path, b: Path, out: Path | None, *, force: bool | None = None
) -> tuple[Page, list[Path]]:
    """The same decision for two results folders, b held to a.

    out: where it is written; force: whether files that this program did not write are replaced.
    """
    results = at_common_iteration([load_results(folder) for folder in (a, b)])
    sides = [side_of(each, str(each.folder)) for each in results]
    about = [f"{side.label}: {line}" for side in sides for line in _from(side)]
    about = [*_ends(results), *about]
    page = Page((str(a), str(b)), decide(*sides), about)
    return page, write_pages(out, page, force=force) if out else []


def _ends(results: Sequence[Results]) -> list[str]:
    """The iteration that is compared, and those of methods with another."""
    first = results[0]
    own = {method: each.last_of(method) for each in results for method in each.own_iterations}
    return [
        f"iteration {first.last_iteration}",
        *(f"iteration {last} of {method}" for method, last in own.items()),
    ]


def write_pages(
    folder: Path, page: Page, *, force: bool | None = None, is_ours: bool = False
) -> list[Path]:
    """verdict.md, .json and .xml; raises CannotWriteError, and InputError if others' are there.

    force, is_ours: as for `refilled`.
    """
    texts = (to_markdown(page), as_json(page), to_junit(page))
    with refilled(folder, "verdict", VERDICTS, force=force, is_ours=is_ours) as place:
        for name, text in zip(VERDICTS, texts, strict=True):
            write_atomically(place / name, text)
    return [folder / name for name in VERDICTS]


def announce(page: Page, say: Callable[[str], None]) -> None:
    """GitHub's annotations, and the page in the summary of the job, where it asks for one."""
    for text in annotations(page):
        say(text)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(to_markdown(page))
        except OSError as error:  # the verdict stands
            say(f"::warning title=no summary::{summary}: {error.strerror}")


def _fitted(plan: Plan, gate: Gate, console: Console, *, fresh: bool) -> Side:
    """All chosen jobs, run; raises InputError if one was not."""
    options = RunOptions(
        pattern=gate.pattern, fresh=fresh, retry_failed=True, workers=gate.workers, device="cpu"
    )
    run(plan, options, console, Clock())
    side = side_of(load_results(plan.folder), HERE).only(gate.pattern)
    if side.not_run:
        raise InputError(
            f"{plan.folder}: {counted(len(side.not_run), 'job')} left nothing that can be read:"
            f" {side.not_run[0]}; run again"
        )
    return side


def _check_whole(side: Side, metrics: Sequence[str]) -> None:
    """Raises InputError for a side that nothing could be held to."""
    scores = side.scores
    if failed := sorted({*scores.loc[scores["status"] == "failed", "method"]}):
        raise InputError(f"nothing is blessed: fits have failed, of {', '.join(failed)}")
    if diverged := sorted({*scores.loc[scores["status"] == "diverged", "method"]}):
        raise InputError(f"nothing is blessed: fits have diverged, of {', '.join(diverged)}")
    for score in SCORES:
        if score.name in metrics and scores[score.column].isna().any():
            raise InputError(
                f"nothing is blessed: {score.heading} has gaps; `make setup` gets what it needs"
            )


def _changes(suite: str, gate: Gate, side: Side) -> str:
    """How a side differs from the baseline that there is, if it can be read and compared."""
    try:
        reference, kept = read_baseline(suite, gate.baselines)
        about = _about(reference, kept, side)
        return to_markdown(Page((reference.label, HERE), decide(reference, side), about))
    except InputError as error:
        return f"The new baseline is compared with none before: {error}"


def _remove_results(plan: Plan) -> None:
    """Remove a suite's runs and tables, and nothing else that may lie beside them."""
    keys = {job.key for job in plan.jobs}
    for path in [*plan.store.root.iterdir()] if plan.store.root.is_dir() else []:
        record = plan.store.read(path.name)
        if path.name[-64:] in keys or (record and record.suite == plan.suite.name):
            plan.store.remove(path.name)
    with suppress(OSError):  # it holds something else
        plan.store.root.rmdir()
    remove_listed(plan.folder / "report", "report")
    for name in (RESULTS, JOBS, ABOUT, ACCOUNTING, OWNER):
        (plan.folder / name).unlink(missing_ok=True)
    for log in (plan.folder / FAILURES).glob("*.txt"):
        if KEY.fullmatch(log.stem):
            log.unlink()
    with suppress(OSError):
        (plan.folder / FAILURES).rmdir()
    remove_listed(plan.folder, "verdict")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Raises InputError while another gate works there."""
    open_folder(folder)
    claim = Claim(folder / ".gate")
    if not claim.take():
        raise InputError(f"{folder}: another gate is at work there; use `out`")
    try:
        yield
    finally:
        claim.release()


def _committed() -> str:
    """The commit that is checked out; raises InputError if any file differs from it."""
    environment.git_revision.cache_clear()
    revision, _ = environment.git_revision()
    if not revision:
        raise InputError("`bless`: this is no git checkout; a baseline is of a commit")
    if changed := environment.changed_files():
        raise InputError(
            f"`bless`: {counted(len(changed), 'file')} differ from the commit, {changed[0]} first;"
            " commit before you bless, and keep `out` outside or where git ignores it"
        )
    return revision


def _about(reference: Side, kept: Baseline, side: Side) -> list[str]:
    lines = [
        f"{reference.label}: {kept.revision[:12]}, {kept.written}: {kept.because}",
        *(f"{each.label}: {line}" for each in (reference, side) for line in _from(each)),
    ]
    was, now = (each.about["environments"] for each in (reference, side))
    if was and now and was[0] != now[0]:
        differing = environment.nested_differences(was[0], now[0])
        lines.append(f"not as the {reference.label}'s: {'; '.join(differing)}")
    return lines


def _from(side: Side) -> list[str]:
    about = side.about
    return [*origin(about["revisions"], about["environments"]), *about["notices"]]
