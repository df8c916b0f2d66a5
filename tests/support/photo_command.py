"""`dip inpaint` for tests: a folder of photos, masks and worse, and the command given in it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dip.__main__ import main
from support.commands import ROOT, Done, signal_handlers_restored

SETTINGS = {
    "architecture.channels": [4, 4],
    "architecture.skip_channels": [0, 0],
    "input.channels": 4,
}
NARROW = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
NETWORK = """
import torch
class Net(torch.nn.Conv2d):
    def __init__(self):
        super().__init__(32, 3, 1)
    def forward(self, x):
        raise RuntimeError("no three channels")
"""
Inpaint = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is given: photos, masks, and things that are neither."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (40, 50, 4), dtype=np.uint8)
    Image.fromarray(pixels[..., :3].copy()).save(tmp_path / "photo.png")
    Image.fromarray(pixels).save(tmp_path / "alpha.png")
    Image.fromarray(pixels[..., :2].copy().view(np.uint16)[..., 0]).save(tmp_path / "deep.png")
    Image.fromarray(pixels[..., :3].copy()).save(tmp_path / "photo.jpg")
    mask = np.full((40, 50), 255, np.uint8)
    mask[10:20, 15:30] = 0
    for name, array in {
        "mask": mask,
        "inverted": 255 - mask,
        "none": np.full_like(mask, 255),
        "all": np.zeros_like(mask),
        "turned": mask.T,
    }.items():
        Image.fromarray(array).save(tmp_path / f"{name}.png")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.png").write_bytes((tmp_path / "photo.png").read_bytes()[:900])
    frames = [Image.new("L", (50, 40), shade) for shade in (0, 99)]
    frames[0].save(tmp_path / "moves.gif", save_all=True, append_images=frames[1:])
    (tmp_path / "linked.png").symlink_to("photo.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "hard.png").hardlink_to(tmp_path / "photo.png")
    (tmp_path / "of-another.png.dip-state").write_bytes(b"PK no state")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "hole-1-iteration-000005.png").write_bytes((tmp_path / "photo.png").read_bytes())
    Image.open("photo.png").save("odd.tif", tiffinfo={270: "long " * 20_000})
    (tmp_path / "mynet.py").write_text(NETWORK)
    return tmp_path


@pytest.fixture
def inpaint(dip_inpaint: Inpaint) -> Inpaint:
    """Runs the command in this process, with a small network."""
    return lambda *words: dip_inpaint(*words, *NARROW)


@pytest.fixture
def dip_inpaint(folder: Path, capfd: pytest.CaptureFixture[str]) -> Inpaint:
    """Runs the command in this process, as it is given."""

    def run(*words: object) -> Done:
        capfd.readouterr()
        with signal_handlers_restored():
            code = main(["inpaint", *map(str, words)])
        return Done(code, *capfd.readouterr())

    assert folder.is_dir()
    return run


@pytest.fixture
def interrupted(inpaint: Inpaint, folder: Path) -> Inpaint:
    """The command in this process, with a signal after some iterations."""

    def run(*words: object, number: int = signal.SIGINT) -> Done:
        def press() -> None:
            while not [*folder.glob("series/*-000010.png")]:
                time.sleep(0.01)
            os.kill(os.getpid(), number)

        pressing = threading.Thread(target=press, daemon=True)
        pressing.start()
        done = inpaint(*words, "--iterations", 10**6, "--save-every", 1, "series")
        pressing.join()
        return done

    return run


P, M, OUT = "photo.png", "mask.png", ("-o", "out.png")


def pixels(path: str) -> Any:
    return np.array(Image.open(path))


def known_pixels() -> Any:
    return pixels(M) > 127


def start(*words: object, settings: Sequence[str] = NARROW) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dip", "inpaint", *map(str, words), *settings]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)
