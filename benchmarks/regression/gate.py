"""`python -m benchmarks regress`: fit the suite afresh and hold it to the baseline, or bless it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks import InputError, environment
from benchmarks.accounting import Clock
from benchmarks.jobs import expand
from benchmarks.plan import Plan, select
from benchmarks.progress import counted
from benchmarks.regression import baseline, pages, speed
from benchmarks.regression.baseline import Baseline
from benchmarks.regression.decision import decide
from benchmarks.regression.pages import Page
from benchmarks.regression.side import Side, side_of
from benchmarks.results import load_results
from benchmarks.runner import How, run
from benchmarks.store import Store
from benchmarks.suite import load_suite
from benchmarks.writing import Claim, open_folder

SUITE = "regression"
FOLDER = "regress"  # of the gate's own results, apart from what other commands keep
BASELINE_SEEDS = 30
HERE = "here"


@dataclass(frozen=True)
class Gate:
    """What to fit and where. seeds: so many, from 0; None: the suite's, or a baseline's usual."""

    suite: str = SUITE
    out: Path = Path("results")
    baselines: Path = baseline.FOLDER
    pattern: str = ""
    seeds: int | None = None
    workers: int | None = None


def regress(gate: Gate, console: Console) -> tuple[Page, list[Path]]:
    """Fit, score and decide; returns the page and where it was written.

    Raises InputError if there is no baseline, or nothing in common with it.
    """
    plan = _plan(gate, gate.seeds, gate.out / FOLDER)
    select(plan.jobs, gate.pattern)  # before anything is removed
    kept = baseline.read_baseline(plan.suite.name, gate.baselines)
    with _alone(gate.out / FOLDER):
        for place in (plan.store.root, plan.folder):  # always afresh
            shutil.rmtree(place, ignore_errors=True)
        side = _fitted(plan, gate, console, fresh=True)
        ratios = []
        if not gate.pattern:
            _say(console, "Timing both engines")
            ratios = speed.compared(speed.session(), kept.speed)
        decision = decide(kept.side.only(gate.pattern), side.only(gate.pattern))
        page = Page((kept.side.label, HERE), decision, _about(kept, side), ratios)
        return page, pages.write(plan.folder, page)


def bless(gate: Gate, because: str, console: Console) -> tuple[Page | None, Path]:
    """Write the baseline; returns how it differs from the one before, and the scores' place.

    Broken off, the same command goes on from where it was. Raises InputError for a tree that is
    not as it was committed, a baseline of a part, and without a reason.
    """
    if not because.strip():
        raise InputError('--because: say why this is the measure from now on: --because "..."')
    if gate.pattern:
        raise InputError("-k: a baseline is of all jobs")
    revision = _committed()
    plan = _plan(gate, gate.seeds or BASELINE_SEEDS, gate.out / f"{FOLDER}-{revision[:12]}")
    if len(plan.suite.seeds) < 2:
        raise InputError("--seeds: one seed says nothing of the spread between seeds")
    with _alone(plan.folder.parent):
        side = _fitted(plan, gate, console, fresh=False)
        if failed := sorted(set(side.scores.loc[side.scores["status"] == "failed", "method"])):
            raise InputError(f"nothing is blessed: fits have failed, of {', '.join(failed)}")
        if len(side.about["environments"]) > 1:
            raise InputError(
                f"nothing is blessed: {plan.folder.parent} has fits of several machines or package"
                " versions; remove it and bless again"
            )
        _say(console, f"Timing both engines in {counted(speed.SESSIONS, 'session')}")
        sessions = [speed.session() for _ in range(speed.SESSIONS)]
        if _committed() != revision:
            raise InputError("nothing is blessed: another commit was checked out meanwhile")
        page = None
        if (gate.baselines / f"{plan.suite.name}.csv").exists():
            kept = baseline.read_baseline(plan.suite.name, gate.baselines)
            page = Page((kept.side.label, HERE), decide(kept.side, side), _about(kept, side))
        path = baseline.write_baseline(
            plan.suite.name,
            side,
            because=because.strip(),
            revision=revision,
            speed=speed.to_keep(sessions),
            folder=gate.baselines,
        )
    shutil.rmtree(plan.folder.parent, ignore_errors=True)
    return page, path


def compare(a: Path, b: Path, out: Path | None) -> tuple[Page, list[Path]]:
    """The same decision for two results folders, b held to a."""
    folders = [load_results(folder) for folder in (a, b)]
    common = set.intersection(*({*each.about["iterations"]} for each in folders))
    if not common:
        raise InputError(f"{a} and {b} have no iteration count in common")
    sides = [side_of(*each, max(common)) for each in zip(folders, map(str, (a, b)), strict=True)]
    about = [f"{side.label}: {line}" for side in sides for line in _from(side)]
    page = Page((str(a), str(b)), decide(*sides), [f"iteration {max(common)}", *about])
    return page, pages.write(out, page) if out else []


def announce(page: Page, say: Callable[[str], None]) -> None:
    """GitHub's annotations, and the page in the summary of the job, where it asks for one."""
    for text in pages.annotations(page):
        say(text)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(pages.to_markdown(page))


def _plan(gate: Gate, seeds: int | None, root: Path) -> Plan:
    suite = load_suite(gate.suite)
    if seeds is not None:
        suite = suite.model_copy(update={"seeds": list(range(seeds))})
    return Plan(suite, expand(suite), Store(root / "runs"), root / suite.name)


def _fitted(plan: Plan, gate: Gate, console: Console, *, fresh: bool) -> Side:
    how = How(
        pattern=gate.pattern, fresh=fresh, retry_failed=True, workers=gate.workers, device="cpu"
    )
    run(plan, how, console, Clock())
    return side_of(load_results(plan.folder), HERE)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Raises InputError while another gate works there."""
    open_folder(folder)
    claim = Claim(folder / ".gate")
    if not claim.take():
        raise InputError(f"{folder}: another gate is at work there; use --out")
    try:
        yield
    finally:
        claim.release()


def _committed() -> str:
    """The commit that is checked out; raises InputError if any file differs from it."""
    environment.git_revision.cache_clear()
    revision, _ = environment.git_revision()
    if not revision:
        raise InputError("--bless: this is no git checkout; a baseline is of a commit")
    if changed := environment.changed_files():
        raise InputError(
            f"--bless: {counted(len(changed), 'file')} differ from the commit, {changed[0]} first;"
            " commit before you bless"
        )
    return revision


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _about(kept: Baseline, side: Side) -> list[str]:
    lines = [
        f"baseline: {kept.revision[:12]}, {kept.written}: {kept.because}",
        *(f"baseline: {line}" for line in _from(kept.side)),
        *(f"{HERE}: {line}" for line in _from(side)),
    ]
    was, now = (each.about["environments"] for each in (kept.side, side))
    if was and now and was[0] != now[0]:
        differing = environment.nested_differences(was[0], now[0])
        lines.append(f"not as the baseline's: {'; '.join(differing)}")
    return lines


def _from(side: Side) -> list[str]:
    revisions = ", ".join(side.about["revisions"]) or "not known"
    lines = [f"revision {revisions}"]
    for each in side.about["environments"]:
        versions = ", ".join(f"{name} {version}" for name, version in each["versions"].items())
        lines.append(f"{each['device']}: {versions}")
    return lines
