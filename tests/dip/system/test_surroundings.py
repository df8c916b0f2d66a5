"""Commands where something is missing: streams, letters, the current folder, a home, a terminal."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.commands import ROOT
from support.photo_command import NARROW

PHOTO = ("inpaint", "photo.png", "--box", "2,2,4,4", "-o", "out.png", "--iterations", "2", *NARROW)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    shades = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    Image.fromarray(shades).save(tmp_path / "photo.png")
    return tmp_path


def _in_shell(
    script: str, here: Path, *words: str, module: str = "dip", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a script of the shell in which "$@" is the command."""
    command = ["bash", "-c", script, "bash", sys.executable, "-m", module, *words]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(command, cwd=here, env=variables, capture_output=True, check=False)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_place_for_a_photo(closed: str, here: Path) -> None:
    """A file that is opened gets the number of a closed one, and messages then go into it."""
    done = _in_shell(f'"$@" {closed}', here, *PHOTO)
    assert (done.returncode, done.stderr) == (0, b"")
    assert Image.open(here / "out.png").size == (32, 24)
    assert _in_shell(f'"$@" {closed}', here, "inpaint", "gone.png").returncode == 2


@pytest.mark.parametrize("module", ["dip", "reports"])
def test_an_output_that_is_full_is_a_line(module: str, here: Path) -> None:
    done = _in_shell('"$@" > /dev/full', here, "--help", module=module)
    assert done.returncode == 2
    assert re.fullmatch(rb"error: .*No space left on device\)?\n", done.stderr)
    done = _in_shell('"$@" 2> /dev/full', here, "no-such-command", module=module)
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("coding", ["utf-8:strict", "latin-1", "ascii"])
def test_what_cannot_be_printed_is_replaced(coding: str, here: Path) -> None:
    """Names of files are bytes, and need not be of any language."""
    name = os.fsdecode("caf\xe9".encode("latin-1") + "фото".encode() + b".png")
    (here / "photo.png").rename(here / name)
    words = ["inpaint", name, *PHOTO[2:]]
    done = _in_shell('"$@"', here, *words, PYTHONIOENCODING=coding)
    assert done.returncode == 0, done.stderr
    assert b"?" in done.stdout.splitlines()[0]


def test_a_folder_that_is_gone_is_a_line(here: Path) -> None:
    (here / "gone").mkdir()
    photo = ("inpaint", str(here / "photo.png"), *PHOTO[2:5], str(here / "out.png"))
    done = _in_shell('cd gone; rmdir ../gone; "$@"', here, *photo)
    assert done.returncode == 2
    assert done.stderr == (
        b"error: the current folder cannot be read (No such file or directory); change into another"
        b" one\n"
    )


@pytest.mark.parametrize("size", ["1", "0", "-5", "wide", "9" * 20])
@pytest.mark.parametrize("module", ["dip", "reports"])
def test_any_size_of_a_terminal_will_do(size: str, module: str, here: Path) -> None:
    environment = {"COLUMNS": size, "LINES": size}
    done = _in_shell('"$@"', here, "--help", module=module, **environment)
    assert (done.returncode, done.stderr) == (0, b"")


def test_without_docstrings_and_assertions_lists_are_printed(here: Path) -> None:
    for words in (["list"], ["list", "holes"], ["list", "networks", "skip"]):
        done = _in_shell('"$@"', here, *words, module="reports", PYTHONOPTIMIZE="2")
        assert (done.returncode, done.stderr) == (0, b"")


def test_without_a_home_sets_are_listed(here: Path) -> None:
    """As in containers, where a user may be a number only."""
    (here / "sitecustomize.py").write_text(
        "import pwd\ndef nobody(_):\n    raise KeyError('no such user')\npwd.getpwuid = nobody\n"
    )
    path = {"PYTHONPATH": f"{here}:{ROOT}", "XDG_CACHE_HOME": ""}
    script = 'unset HOME; exec "$@"'
    done = _in_shell(script, here, "data", "list", module="reports", **path)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("module", ["dip", "reports"])
def test_ctrl_c_in_the_middle_of_an_import_is_a_line(module: str, here: Path) -> None:
    (here / "typer.py").write_text("import os, time\nos.kill(os.getpid(), 2)\ntime.sleep(9)\n")
    done = _in_shell('"$@"', here, "--help", module=module, PYTHONPATH=f"{here}:{ROOT}")
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"interrupted\n")
