"""The wheel alone, in an environment that has nothing else: what `pip install dip-bench` gives."""

import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image
from support.commands import ROOT

from dip import __version__

PIP = ["--quiet", "--disable-pip-version-check"]


def _done(*words: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _run(*words: object, cwd: Path) -> str:
    done = _done(*words, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    _run(*build, cwd=ROOT)
    (built,) = folder.glob("dip_bench-*.whl")
    return built


def test_the_wheel_holds_dip_only(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"dip", "dip_bench"}
    assert "dip/presets/quick.yaml" in names


def test_dip_bench_of_the_wheel_finds_the_checkout_or_says_what_it_needs(
    wheel: Path, tmp_path: Path
) -> None:
    """With the packages that are here, and the wheel's `dip` instead of the checkout's."""
    with ZipFile(wheel) as content:
        content.extractall(tmp_path / "site")
    command = (sys.executable, "-c", "import dip.bench; dip.bench.run()", "--version")
    path = {"PYTHONPATH": str(tmp_path / "site")}
    done = _done(*command, cwd=tmp_path, **path)
    assert done.returncode == 2
    assert re.fullmatch(r"error: dip-bench needs a checkout of the project, .*\n", done.stderr)
    done = _done(*command, cwd=ROOT / "docs", **path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"dip-bench {__version__}")


@pytest.mark.slow
def test_the_wheel_alone_restores_a_photo(wheel: Path, tmp_path: Path) -> None:
    """In the versions that are here, and of these only what the wheel asks for."""
    here = {each.name: each.version.partition("+")[0] for each in distributions()}
    del here["dip-bench"]
    versions = "".join(f"{name}=={version}\n" for name, version in here.items())
    (tmp_path / "versions.txt").write_text(versions)
    _run(sys.executable, "-m", "venv", "clean", cwd=tmp_path)
    python = tmp_path / "clean" / "bin" / "python"
    constraints = (wheel, "--constraint", "versions.txt")
    uv = Path(sys.prefix) / "bin" / "uv"  # what `make setup` uses, with what it has downloaded
    if uv.exists():
        _run(uv, "pip", "install", "--quiet", "--python", python, *constraints, cwd=tmp_path)
    else:
        _run(python, "-m", "pip", "install", *PIP, *constraints, cwd=tmp_path)
    asked = "import importlib.util as i; print([n for n in ('dip', 'pandas') if i.find_spec(n)])"
    assert _run(python, "-c", asked, cwd=tmp_path) == "['dip']\n"

    bench = tmp_path / "clean" / "bin" / "dip-bench"
    for folder, says in (
        (tmp_path, "dip-bench needs a checkout of the project"),
        (ROOT, "dip-bench needs the package pandas, which"),
    ):
        done = _done(bench, "list", cwd=folder)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith(f"error: {says}")

    pixels = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    command = (tmp_path / "clean" / "bin" / "dip", "inpaint", "photo.png", "--box", "20,20,9,9")
    said = _run(*command, "-o", "out.png", "--iterations", 2, cwd=tmp_path)
    assert said.splitlines()[-1].startswith("out.png: iteration ")
    restored = np.array(Image.open(tmp_path / "out.png"))
    is_hole = np.zeros((50, 60), bool)
    is_hole[20:29, 20:29] = True
    np.testing.assert_array_equal(restored[~is_hole], pixels[~is_hole])
    assert (restored[is_hole] != pixels[is_hole]).any()
