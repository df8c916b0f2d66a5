"""A disk that fills up, or may no longer be written to: one clear line, and earlier runs intact.

The first on a real file system of its own, in a namespace where one can be mounted without being
root.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands import ROOT, Command, Ran
from support.suites import TINY, pictures_in

Write = Callable[..., Path]

IN_A_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    words = [*IN_A_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


needs_mount = pytest.mark.skipif(not _can_mount(), reason="no file system may be mounted here")

# Runs in the namespace: arguments are the mount point and options for `run`, as JSON.
DRIVER = """
import contextlib, io, json, subprocess, sys
from pathlib import Path
from reports.commands.app import main

def pictures(out):
    return {str(path): path.read_bytes() for path in out.glob("runs/*/*.png")}

out, first, second, size = json.loads(sys.argv[1])
mount = Path(out)
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", out], check=True)
with contextlib.redirect_stdout(io.StringIO()):
    assert main(["run", first, "--out", out, "--workers", "0"]) == 0
before = pictures(mount)
words = [sys.executable, "-m", "benchmarks", "run", second, "--out", out]
runner = subprocess.run(words, capture_output=True, text=True, timeout=120)
with contextlib.redirect_stdout(io.StringIO()) as status:
    main(["status", first, "--out", out])
print(json.dumps({
    "code": runner.returncode,
    "errors": runner.stderr,
    "intact": bool(before) and {path: pictures(mount)[path] for path in before} == before,
    "left": [path.name for path in mount.glob("runs/.*")],
    "status": status.getvalue(),
}))
"""


def _run(tmp_path: Path, first: Path, second: Path, size: str) -> dict[str, object]:
    out = tmp_path / "disk"
    out.mkdir()
    told = json.dumps([str(out), str(first), str(second), size])
    words = [*IN_A_NAMESPACE, sys.executable, "-c", DRIVER, told]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_mount
@pytest.mark.parametrize(
    ("what", "size", "iterations"),
    [("a picture", "700k", [2, 4, *range(5, 60)]), ("a state", "1m", [2, 4, 50_000])],
)
def test_a_disk_that_fills_up(
    suite_file: Write, tmp_path: Path, what: str, size: str, iterations: list[int]
) -> None:
    first = suite_file()
    many = {**TINY["methods"][0], "label": "many"}
    if what == "a state":  # which is larger than the disk
        many = {"preset": "quick", "label": "many"}
    second = suite_file("second", methods=[many], seeds=[1, 2], size=64, iterations=iterations)
    said = _run(tmp_path, first, second, size)
    assert said["code"] == 2, said
    errors = str(said["errors"])
    assert errors.count("\n") == 1
    assert "a run cannot be written (No space left on device); earlier ones are intact" in errors
    assert said["intact"]
    assert said["left"] == []
    assert str(said["status"]).endswith("2 done\n")


def test_a_results_folder_that_becomes_read_only(
    suite_file: Write, ran: Ran, command: Command
) -> None:
    first, out = ran()
    second = suite_file("second", seeds=[1, 2], iterations=[4, 1200])
    before = pictures_in(out)
    words = [sys.executable, "-m", "benchmarks", "run", str(second), "--out", str(out)]
    # Root may write to what is read-only, unless that is taken from it.
    as_anybody = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []
    runner = subprocess.Popen(
        [*as_anybody, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert runner.stdout is not None
    while not any((out / "runs").glob("unfinished-*")):
        assert runner.poll() is None
        time.sleep(0.02)
    folders = [out, *(path for path in out.rglob("*") if path.is_dir())]
    try:
        for folder in folders:
            folder.chmod(0o555)
        _, errors = runner.communicate(timeout=120)
        status = command("benchmarks", "status", first, "--out", out).stdout
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert runner.returncode == 2
    assert errors.count("\n") == 1
    assert "(Permission denied)" in errors
    assert {path: c for path, c in pictures_in(out).items() if path in before} == before
    assert status.endswith("2 done\n")
    assert command("benchmarks", "run", second, "--out", out).returncode == 0
    assert not list((out / "runs").glob("*-*"))
