"""Kills at random moments lose nothing: not a byte of a result, no process, no folder."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.commands import ROOT, Command
from support.suites import TINY, jobs_of, pictures_in

from benchmarks.store.store import Store

Write = Callable[..., Path]

KILLS = 7
# What a kill may change: how long it took, and with whom beside it.
TIMES = ["seconds", "workers", "peak_memory_mib"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc"),
]


def _children(session: int) -> list[int]:
    """The processes of a session, but for its leader."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = path.read_text().rpartition(")")[2].split()
            pid = int(path.parent.name)
            if int(fields[3]) == session and fields[0] != "Z" and pid != session:
                found.append(pid)
    return found


def _kill(runner: subprocess.Popen[bytes], whom: str) -> int:
    """Kill the runner, all its workers or everything; returns how many processes."""
    workers = _children(runner.pid)
    victims = {"runner": [runner.pid], "workers": workers, "all": [*workers, runner.pid]}[whom]
    killed = 0
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


def _expect_no_process(session: int) -> None:
    deadline = time.monotonic() + 20
    while left := _children(session):
        assert time.monotonic() < deadline, f"processes outlived their runner: {left}"
        time.sleep(0.05)


def _scores(out: Path) -> str:
    rows = pd.read_csv(out / "tiny" / "results.csv", dtype=str)
    times = [*TIMES, *(column for column in rows if column.startswith("milliseconds"))]
    return rows.drop(columns=times).to_csv()


def _has_continued(out: Path, keys: set[str]) -> bool:
    """Whether a fit that is there went on from where another one was killed."""
    records = [Store(out / "runs").read(key) for key in keys]
    return any(record.continued for record in records if record)


def test_a_suite_that_is_killed_again_and_again_ends_as_if_it_never_was(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    narrow = TINY["methods"][0]["set"]
    methods = [
        {"preset": "quick", "label": "adam", "set": {**narrow, "input_noise": 0.05}},
        {"preset": "quick", "label": "sgld", "set": {**narrow, "sgld_noise": 2.0}},
        {"fill": "all"},
    ]
    suite = suite_file(methods=methods, iterations=[80, 160, 240, 320], seeds=[0, 1])
    whole, out = tmp_path / "whole", tmp_path / "results"
    words = [sys.executable, "-m", "benchmarks", "run", str(suite), "--workers", "2"]
    began = time.monotonic()
    subprocess.run([*words, "--out", str(whole)], cwd=ROOT, check=True, capture_output=True)
    seconds = time.monotonic() - began  # on this machine, with what else it has to do

    words += ["--out", str(out), "--retry-failed"]
    draw = np.random.default_rng(20)
    kills = 0
    ended = 0
    keys = {job.key for job in jobs_of(suite)}
    has_continued = False  # on a machine with less to do than it had, kills may miss the fits
    while kills < KILLS or (kills < 3 * KILLS and not has_continued):
        # Its own session, by which its workers are found when it is dead.
        runner = subprocess.Popen(
            words,
            cwd=ROOT,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            runner.wait(draw.uniform(0.05, 1) * seconds)
        ended += runner.poll() is not None
        whom = str(draw.choice(["runner", "workers", "all"]))
        kills += _kill(runner, whom) > 0
        if whom == "workers":  # it goes on with others, until it is killed as well
            with contextlib.suppress(subprocess.TimeoutExpired):
                runner.wait(draw.uniform(0, 0.3) * seconds)
            kills += _kill(runner, "runner") > 0
        runner.kill()
        runner.wait()
        _expect_no_process(runner.pid)
        has_continued |= _has_continued(out, keys)
        if ended > 2:  # all is done: begin again with some of it
            for run in sorted((out / "runs").glob("[0-9a-f]*"))[::3]:
                (run / "SHA256SUMS").unlink(missing_ok=True)
            ended = 0
    done = command("benchmarks", "run", suite, "--out", out, "--retry-failed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path: c for path, c in pictures_in(out).items() if "damaged" not in path} == (
        pictures_in(whole)
    )
    assert _scores(out) == _scores(whole)
    assert has_continued or _has_continued(out, keys)  # kills have met fits
    left = {path.name for path in (out / "runs").iterdir() if not path.name.startswith("damaged-")}
    assert left == keys
    assert {path.name for path in (out / "tiny").iterdir()} <= {
        *("results.csv", "jobs.csv", "suite.json", "accounting.json", "failures"),
        ".dip-bench-suite",
    }
    assert not list((out / "tiny").glob("failures/*"))
