"""`make` takes paths as people have them: with spaces, quotes and whatever else a name may hold."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")

# Says what it was called with, a word a line.
PYTHON = f"""#!{sys.executable}
import sys
print("\\n".join(sys.argv[1:]))
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    path = tmp_path / "my $HOME's #1" / "python"
    path.parent.mkdir()
    path.write_text(PYTHON)
    path.chmod(0o755)
    return path


def _make(*words: str, cwd: Path = ROOT, **environment: str) -> list[str]:
    done = subprocess.run(
        ["make", "-s", *words],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        input="",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["my photos", "it's", 'a "b"', "$HOME", "a#b", "a;b", "ä, (b)"])
def test_paths_are_taken_as_they_are(python: Path, name: str) -> None:
    suite, out = f"/suites of {name}/{name}.v2.yaml", f"/results/{name}"
    given = {"PYTHON": str(python), "SUITE": suite, "OUT": out}
    words = [f"{key}={value}" for key, value in given.items()]
    for target, rest in (
        ("bench", [suite, "--out", out]),
        ("report", [suite, "--out", out]),
        ("regress", ["--out", out]),
        ("timing", ["--budget", "10", "--out", out]),
        ("anchors", ["--out", out]),
    ):
        expected = ["-m", "reports", target, *rest]
        assert _make(target, *words) == expected
        assert _make(target, **given) == expected


def test_a_path_at_home_is_found(python: Path) -> None:
    said = _make("report", f"PYTHON={python}", "OUT=~/my results", HOME="/home/my")
    assert said == ["-m", "reports", "report", "quick", "--out", "/home/my/my results"]


def test_clean_removes_what_was_made(tmp_path: Path) -> None:
    """In a folder with a space; results stay without a yes, and so does what nobody made here."""
    checkout = tmp_path / "my checkout"
    shutil.copytree(ROOT / "dip" / "system", checkout / "dip" / "system")
    shutil.copy(ROOT / "Makefile", checkout)
    for name in ("datasets", "benchmarks", "reports", "tests"):
        (checkout / name).mkdir()
    made = ["dist/dip_bench-1.0.tar.gz", ".ruff_cache/a", "dip/system/__pycache__/a.pyc"]
    mine = ["dist/mine.txt", ".venv/mine", "notes/__pycache__/mine", "my results/mine", "my/mine"]
    for name in (*made, *mine):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("mine")
    _make("clean", "OUT=my results", cwd=checkout)
    assert not any((checkout / name).exists() for name in made)
    assert all((checkout / name).exists() for name in mine)
    (checkout / ".venv" / ".uv-1").touch()
    subprocess.run(
        ["make", "-s", "clean", "OUT=my results"], cwd=checkout, input=b"y\n", check=True
    )
    left = [name for name in mine if (checkout / name).exists()]
    assert left == ["dist/mine.txt", "notes/__pycache__/mine", "my/mine"]
