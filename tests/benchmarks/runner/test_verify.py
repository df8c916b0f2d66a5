"""`verify` runs stored jobs again, and tells what is the same, what is close and what is wrong."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.commands import Command, Ran
from support.suites import TINY, jobs_of, pictures_in

from benchmarks.store.pictures import png
from benchmarks.store.run_folder import RunFolder, write_run

Write = Callable[..., Path]


@pytest.fixture
def stored(ran: Ran) -> tuple[Path, Path]:
    """A suite and its results."""
    suite, out = ran(seeds=[0, 1], rules=[{"es-wmv": {"window": 2}}])
    return suite, out


def _rewrite(folder: Path, change: Callable[[dict[str, Any]], None], **files: bytes) -> None:
    """Store a run otherwise, with checksums that agree."""
    run = RunFolder(folder)
    record = json.loads(run.read("record.json"))
    change(record)
    content = {name: run.read(name) for name in run.checksums} | files
    content["record.json"] = json.dumps(record).encode()
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    write_run(folder, content)


def test_what_is_run_again_is_the_same(stored: tuple[Path, Path], command: Command) -> None:
    suite, out = stored
    before = pictures_in(out)
    done = command("benchmarks", "verify", suite, "--out", out, "--workers", 0)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "3 jobs run again: 3 byte-identical, 0 close, 0 wrong"
    assert "quick/1: 6 of 6 pictures the same to the last bit" in done.stdout
    assert pictures_in(out) == before
    one = command("benchmarks", "verify", suite, "--out", out, "--sample", 1, "--workers", 0)
    assert one.stdout.splitlines()[-1] == "1 job run again: 1 byte-identical, 0 close, 0 wrong"


@pytest.mark.parametrize("output", ["averaged-000004", "raw-000002", "stop-es-wmv[windo"])
def test_one_pixel_that_differs_is_found(
    stored: tuple[Path, Path], command: Command, output: str
) -> None:
    suite, out = stored
    folder = out / "runs" / jobs_of(suite)[0].key
    name, *_ = [path.name for path in folder.iterdir() if path.name.startswith(output)]
    pixels = RunFolder(folder).picture(name).copy()
    pixels[0, 3, 3] ^= 1
    digest = sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()

    def forge(record: dict[str, Any]) -> None:
        record["pixels"][name] = digest

    _rewrite(folder, forge, **{name: png(np.asarray(pixels))})
    words = ("--out", out, "--workers", 0, "-k", "quick/0")
    done = command("benchmarks", "verify", suite, *words)
    assert done.returncode == 1
    assert (
        f"WRONG     astronaut/boxes[count=1,side=8]/quick/0: other pixels in {name}" in done.stdout
    )
    assert done.stdout.splitlines()[-1] == "1 job run again: 0 byte-identical, 0 close, 1 wrong"


def test_in_another_environment_scores_are_compared(
    stored: tuple[Path, Path], command: Command
) -> None:
    suite, out = stored
    first, second, _ = jobs_of(suite)

    def older(record: dict[str, Any]) -> None:
        record["environment"]["versions"]["torch"] = "1.0"

    _rewrite(out / "runs" / first.key, older)
    white = png(np.full((3, 36, 36), 255, np.uint8))
    _rewrite(out / "runs" / second.key, older, **{"raw-000004.png": white})
    words = ("benchmarks", "verify", suite, "--out", out, "--workers", 0)
    done = command(*words)
    assert done.returncode == 1
    assert f"ok        {first.name}: hole PSNR of 6 pictures within +0.00 dB" in done.stdout
    assert "(another environment: versions.torch: 1.0, now 2." in done.stdout
    assert f"WRONG     {second.name}: hole PSNR of 6 pictures within " in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last == "3 jobs run again: 1 byte-identical, 1 close, 1 wrong"
    assert command(*words, "--tolerance-db", 99).returncode == 0


def test_a_fit_with_two_threads_is_run_again_with_two(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = suite_file(), tmp_path / "results"
    done = command("benchmarks", "run", suite, "--out", out, "--threads", 2)
    torch.set_num_threads(1)
    assert done.returncode == 0, done.stderr
    done = command("benchmarks", "verify", suite, "--out", out, "--workers", 1)
    assert done.stdout.splitlines()[-1] == "2 jobs run again: 2 byte-identical, 0 close, 0 wrong"


def test_a_diverged_fit_diverges_again(ran: Ran, command: Command) -> None:
    """Also where it has no checkpoint from before; and one that does not is told."""
    wild = {**TINY["methods"][0], "label": "wild"}
    wild["set"] = {**wild["set"], "learning_rate": 100}
    suite, out = ran(methods=[wild], iterations=[400])
    words = ("benchmarks", "verify", suite, "--out", out, "--workers", 0)
    done = command(*words)
    assert done.returncode == 0, done.stdout
    assert "1 byte-identical" in done.stdout

    def calm(record: dict[str, Any]) -> None:
        record.update(diverged_at=30, noticed_at=60)

    _rewrite(out / "runs" / jobs_of(suite)[0].key, calm)
    done = command(*words)
    assert done.returncode == 1
    assert "diverged at 1, and was diverged at 29" in done.stdout


def test_nothing_to_verify_is_said(suite_file: Write, command: Command, tmp_path: Path) -> None:
    done = command("benchmarks", "verify", suite_file(), "--out", tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr == "error: tiny: none of the jobs is stored; run them first\n"
