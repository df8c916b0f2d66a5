"""The wheel alone, in an environment that has nothing else: what `pip install dip-bench` gives."""

import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.commands import ROOT

PIP = ["--quiet", "--disable-pip-version-check"]


def _run(*words: object, cwd: Path) -> str:
    kept = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_alone_restores_a_photo(tmp_path: Path) -> None:
    """In the versions that are here, and of these only what the wheel asks for."""
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    _run(*build, cwd=ROOT)
    (wheel,) = tmp_path.glob("dip_bench-*.whl")
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
