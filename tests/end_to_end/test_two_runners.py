"""Several runners on one store: every job once, and nothing that one does is lost to another."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.commands import ROOT, Command, Ran
from support.suites import TINY, jobs_of

from benchmarks.jobs import plan as plan_module
from benchmarks.jobs.plan import make_plan
from benchmarks.runner.job_queue import JobQueue
from benchmarks.runner.progress import Display
from benchmarks.scoring import score, tables
from benchmarks.store.run_folder import RunFolder
from benchmarks.store.store import Store
from benchmarks.system.files import LOCK, Claim, write_atomically

Write = Callable[..., Path]
A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def test_a_claim_is_one_process_at_a_time_and_dies_with_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    store.open_for_writing()
    words = f"from benchmarks.store.store import Store; from pathlib import Path; import time;\
claim = Store(Path({str(store.root)!r})).claim({A!r}); print('mine', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", words], cwd=ROOT, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"mine\n"
    assert store.claim(A) is None
    assert store.is_claimed(A)
    other.kill()
    other.wait()
    assert not store.is_claimed(A)
    claim = store.claim(A)
    assert claim is not None
    assert store.claim(A) is None
    claim.release()
    assert not list(store.root.iterdir())


def test_a_run_that_was_replaced_while_it_was_read_is_not_set_aside(
    ran: Ran, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader has the old checksums, the folder the new files: both runs are whole."""
    suite, out = ran(methods=TINY["methods"][:1])
    store, (job,) = Store(out / "runs"), jobs_of(suite)
    whole = store.run(job.key)
    files = {name: whole.read(name) for name in whole.checksums}
    read_trace = score.read_trace

    def replacing(run: RunFolder) -> pd.DataFrame:
        longer = files["trace.csv"].replace(b"\n1,", b"\n1,0.5,", 1)
        store.put(job.key, {**files, "trace.csv": longer})
        return read_trace(run)

    with monkeypatch.context() as patch:
        patch.setattr(score, "read_trace", replacing)
        said = command("benchmarks", "score", suite, "--out", out).stdout
    assert "its run was replaced meanwhile" in said
    assert store.damage(job.key) == ""
    assert {path.name for path in store.root.iterdir()} == {job.key}


def test_a_damaged_run_that_is_replaced_before_it_is_set_aside_stays(
    ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = ran(methods=TINY["methods"][:1])
    store, (job,) = Store(out / "runs"), jobs_of(suite)
    sums = store.folder(job.key) / "SHA256SUMS"
    whole = sums.read_bytes()
    sums.write_bytes(whole[:-9])
    claim = Store.claim

    def replacing(store: Store, key: str) -> Claim | None:
        sums.write_bytes(whole)
        return claim(store, key)

    monkeypatch.setattr(Store, "claim", replacing)
    assert store.set_aside_damaged(job.key) == ""
    assert store.damage(job.key) == ""


def test_a_swap_that_was_broken_off_is_mended_before_anything_is_lost(
    ran: Ran, suite_file: Write, command: Command
) -> None:
    suite, out = ran()
    rows = (out / "tiny" / "results.csv").read_bytes()
    store, job = Store(out / "runs"), jobs_of(suite)[0]
    store.folder(job.key).rename(store.root / f".replaced-{job.key}")
    assert command("benchmarks", "score", suite, "--out", out).returncode == 0
    assert (out / "tiny" / "results.csv").read_bytes() == rows

    # A runner that was there before takes it over with all its checkpoints.
    other = suite_file("other", iterations=[3])
    plan = make_plan(str(other), out)
    queue = JobQueue(plan, plan.jobs[:1], plan.statuses(), fresh=False)
    store.folder(job.key).rename(store.root / f".replaced-{job.key}")
    taken = queue.take(queue.fits)
    assert taken is not None
    assert taken.iterations == (2, 3, 4)
    queue.release_all()
    assert {path.name for path in store.root.iterdir()} == {each.key for each in jobs_of(suite)}


def test_a_job_that_another_runner_finished_meanwhile_is_not_run_again(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = suite_file(), tmp_path / "results"
    plan = make_plan(str(suite), out)
    before = plan.statuses()
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    for fresh, known, over in (
        (False, before, 2),
        (True, before, 2),  # it has been run afresh since this runner looked
        (False, plan.statuses(), 2),
        (True, plan.statuses(), 0),
    ):
        queue = JobQueue(plan, plan.jobs, {**known}, fresh)
        for waiting in (queue.quick, queue.fits):
            queue.take(waiting)
        assert len(queue.done_elsewhere) == over
        queue.release_all()


def test_one_process_at_a_time_writes_tables(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = suite_file(), tmp_path / "results"
    seen = []

    def looking(path: Path, content: str) -> None:
        if path.parent == out / "tiny":
            seen.append(not Claim(path.parent / LOCK).take())
        write_atomically(path, content)

    monkeypatch.setattr(tables, "write_atomically", looking)
    monkeypatch.setattr(plan_module, "write_atomically", looking)
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    assert seen == [True] * 4
    assert not (out / "tiny" / LOCK).exists()


def test_a_run_is_stored_under_its_claim(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    put = Store.put

    def looking(store: Store, key: str, files: Any) -> None:
        seen.append(store.is_claimed(key[-64:]))
        put(store, key, files)

    monkeypatch.setattr(Store, "put", looking)
    out = tmp_path / "results"
    assert command("benchmarks", "run", suite_file(), "--out", out).returncode == 0
    assert seen == [True] * 3  # a state and two runs


def test_two_runners_on_one_store_run_every_job_once(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = suite_file(seeds=[0, 1, 2, 3, 4, 5], iterations=[20, 200]), tmp_path / "results"
    words = [sys.executable, "-m", "benchmarks", "run", str(suite), "--out", str(out)]
    runners = [
        subprocess.Popen(
            [*words, "--workers", "1"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [runner.communicate(timeout=240) for runner in runners]
    assert [runner.returncode for runner in runners] == [0, 0], said
    said_done = [re.findall(r"\] done      (.*/\d+)(?:;|$)", output, re.M) for output, _ in said]
    assert sorted(said_done[0] + said_done[1]) == sorted(job.name for job in jobs_of(suite)[:6])
    assert sum("done      1 quick job" in output for output, _ in said) == 1
    assert all(said_done)  # both had their share
    status = command("benchmarks", "status", suite, "--out", out).stdout
    assert status.endswith("7 done\n")
    assert {path.name for path in (out / "runs").iterdir()} == {job.key for job in jobs_of(suite)}
    assert len(pd.read_csv(out / "tiny" / "results.csv")) == 6 * 2 * 2 + 6 * 2 + 1


def test_a_second_runner_waits_for_what_the_first_is_at(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And takes it over when that is gone."""
    suite, out = suite_file(methods=TINY["methods"][:1], iterations=[4]), tmp_path / "results"
    (job,) = jobs_of(suite)
    store = Store(out / "runs")
    store.open_for_writing()
    claim = store.claim(job.key)
    assert claim is not None
    assert "a runner is at it" in command("benchmarks", "status", suite, "--out", out).stdout
    waits = Display.waits

    def free(display: Display, count: int) -> None:
        waits(display, count)
        claim.release()

    monkeypatch.setattr(Display, "waits", free)
    done = command("benchmarks", "run", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tiny: 1 job, 0 done before, 1 to run\n")
    assert "waiting for 1 job that another runner is at" in done.stdout
    assert f"done      {job.name}" in done.stdout
