"""`dip inpaint --fill`: holes filled without a network."""

import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from support.commands import ROOT
from support.photo_command import OUT, Inpaint, M, P, known_pixels, pixels, start

import dip
from dip.fills import FILLS
from dip.inpainting.blend import corrected
from dip.inpainting.crop import Patch, neighbourhoods
from dip.inpainting.display.progress import FillProgress
from dip.inpainting.files.photo import photo_in


@pytest.fixture
def holes(folder: Path) -> Any:
    """`large.png`, 300x240, with two holes in `holes.png` that are filled apart."""
    assert folder.is_dir()
    small = np.random.default_rng(1).integers(0, 256, (12, 15, 3), dtype=np.uint8)
    Image.fromarray(small).resize((300, 240), Image.Resampling.BICUBIC).save("large.png")
    hole = np.zeros((240, 300), bool)
    hole[20:30, 15:40], hole[200:212, 250:270] = True, True
    Image.fromarray(np.where(hole, 0, 255).astype(np.uint8)).save("holes.png")
    return hole


def test_a_hole_is_filled_as_opencv_fills_the_whole_photo(dip_inpaint: Inpaint, holes: Any) -> None:
    """Known pixels keep their bytes, and what the command says is complete."""
    done = dip_inpaint("large.png", "holes.png", *OUT, "--fill", "telea", "--set", "radius=5")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == f"large.png: 300x240 pixels, RGB, {holes.mean():.2%} of them in the hole"
    assert lines[1] == (
        "filling with telea (radius=5): 2 holes apart, 72x62, 82x72 pixels; Ctrl-C ends it"
    )
    assert re.fullmatch(r"out\.png: filled with telea \(radius=5\); [<\d. ]+ s", lines[2])
    before, after = pixels("large.png"), pixels("out.png")
    np.testing.assert_array_equal(after[~holes], before[~holes])
    expected = cv2.inpaint(before, holes.astype(np.uint8), 5, cv2.INPAINT_TELEA)
    np.testing.assert_array_equal(after, expected)


@pytest.mark.parametrize("name", FILLS)
def test_every_fill_fills_and_nothing_stays_of_the_hole(
    name: str, dip_inpaint: Inpaint, folder: Path
) -> None:
    """A photo whose hole has other contents gives the same restoration."""
    known = known_pixels()
    other = pixels(P)
    other[~known] = 255 - other[~known]
    Image.fromarray(other).save("other.png")
    for photo, out in ((P, "a.png"), ("other.png", "b.png")):
        done = dip_inpaint(photo, M, "-o", out, "--fill", name)
        assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(pixels("a.png")[known], pixels(P)[known])
    np.testing.assert_array_equal(pixels("a.png"), pixels("b.png"))
    assert not [*folder.glob("a.png.*"), *folder.glob(".*partial")]


def test_16_bits_stay_16_bits(dip_inpaint: Inpaint) -> None:
    before = pixels("deep.png")
    assert dip_inpaint("deep.png", M, *OUT, "--fill", "harmonic").returncode == 0
    after, known = Image.open("out.png"), known_pixels()
    assert after.mode == "I;16"
    np.testing.assert_array_equal(np.array(after)[known], before[known])
    filled = np.array(after)[~known]
    assert (filled % 257 != 0).any()  # between the levels of 8 bits
    assert before.min() <= filled.min() <= filled.max() <= before.max()


@pytest.mark.parametrize(
    ("mode", "ending"),
    [
        *[(mode, "png") for mode in ("1", "L", "LA", "P", "RGBA")],
        *[(mode, "tif") for mode in ("I", "F", "CMYK", "YCbCr")],
    ],
)
def test_photos_of_every_mode_keep_their_known_pixels(
    mode: str, ending: str, dip_inpaint: Inpaint
) -> None:
    photo = Image.open("alpha.png") if mode in ("LA", "RGBA") else Image.open(P)
    photo = photo.convert("L").convert(mode) if mode in "IF" else photo.convert(mode)
    given, written = f"given.{ending}", f"out.{ending}"
    photo.save(given)
    done = dip_inpaint(given, M, "-o", written, "--fill", "telea")
    assert done.returncode == 0, done.stderr
    known, after = known_pixels(), Image.open(written)
    assert after.mode == mode
    before = np.array(Image.open(given))
    np.testing.assert_array_equal(np.array(after)[known], before[known])
    assert (np.array(after)[~known] != before[~known]).any()
    if mode in ("LA", "RGBA"):
        np.testing.assert_array_equal(np.array(after)[..., -1], before[..., -1])


def test_metadata_and_transparent_holes_are_as_with_a_network(dip_inpaint: Inpaint) -> None:
    photo = pixels("alpha.png")
    photo[..., 3] = np.where(known_pixels(), 255, 0)
    exif = Image.Exif()
    exif[270] = "a sentence of words"
    Image.fromarray(photo).save("cut-out.png", exif=exif, dpi=(300, 300))
    done = dip_inpaint("cut-out.png", "--hole-is-transparent", *OUT, "--fill", "telea")
    assert done.returncode == 0, done.stderr
    with Image.open("out.png") as after:
        assert after.getexif()[270] == "a sentence of words"
        assert round(after.info["dpi"][0]) == 300
        assert (np.array(after)[..., 3] == 255).all()


def test_a_hole_with_nothing_visible_around_it_is_left_as_it_is(dip_inpaint: Inpaint) -> None:
    photo = np.full((200, 200, 4), 200, np.uint8)
    photo[:120, :120, 3] = 0
    Image.fromarray(photo).save("seen.png")
    boxes = ("--box", "40,40,10,10", "--box", "180,180,4,4")
    done = dip_inpaint("seen.png", *boxes, *OUT, "--fill", "harmonic")
    assert done.returncode == 0, done.stderr
    assert "filled with harmonic; hole 1: left as it is, with nothing visible around" in done.stdout
    np.testing.assert_array_equal(pixels("out.png"), photo)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--fill", "tela"), "unknown fill 'tela'. Did you mean 'telea'?"),
        (("--fill", "telea", "--preset", "photo"), "--preset: only for networks, and --fill uses"),
        (("--fill", "telea", "--iterations", "5"), "--iterations: only for networks, and --fill"),
        (("--fill", "telea", "--stop", "none"), "--stop: only for networks"),
        (("--fill", "telea", "--device", "cpu"), "--device: only for networks"),
        (("--fill", "telea", "--max-side", "99"), "--max-side: only for networks"),
        (("--fill", "telea", "--preview", "now.png"), "--preview: only for networks"),
        (("--fill", "telea", "--animation", "a.gif"), "--animation: only for networks"),
        (("--fill", "telea", "--save-every", "5", "d"), "--save-every: only for networks"),
        (("--fill", "telea", "--resume", "--stop", "none"), "--stop and --resume: only for netw"),
        (("--fill", "telea", "--set", "radius=0"), "radius: Input should be greater than or equal"),
        (("--fill", "telea", "--set", "batch=2"), "unknown key 'batch'"),
        (("--fill", "mean", "--set", "radius=2"), "the fill 'mean' has no options; leave out"),
        (("--fill", "telea", "--context", "0"), "--context: a whole number, at least 1, not 0"),
        (("--fill", "telea", "--seed", "-1"), "--seed: a whole number from 0 to 2^63 - 1, not -1"),
        (("--fill", "telea", "--fill", "fsr"), "--fill: several need --compare"),
        (("--fill", "telea", "--compare", "s.gif"), "--compare s.gif: a sheet is one of .png"),
        (("--compare", "out.png"), "out.png: that is another file of this command, out.png"),
        (("--compare", "photo.jpg"), "photo.jpg: exists already; add --force to overwrite it"),
        (("--compare", "gone/s.png"), "--compare gone/s.png: cannot be written (No such file"),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_in_one_line(
    words: tuple[str, ...], message: str, dip_inpaint: Inpaint, folder: Path
) -> None:
    before = {*folder.rglob("*")}
    done = dip_inpaint(P, M, *OUT, *words)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert {*folder.rglob("*")} == before


def test_a_missing_package_is_named_before_the_work(
    dip_inpaint: Inpaint, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any fill of the sheet, too: a network is not fitted for minutes first."""
    monkeypatch.setitem(sys.modules, "cv2", None)
    sheet = ("--compare", "s.png")
    for words in (("--fill", "telea"), ("--fill", "mean", *sheet), sheet):
        done = dip_inpaint(P, M, *OUT, *words)
        assert done.returncode == 2
        assert re.fullmatch(
            r"error: the fill '[\w-]+' needs the package 'cv2'; the extra `fills` of dip-bench has"
            r" it\n",
            done.stderr,
        )
        assert not (folder / "out.png").exists()
        assert not (folder / "s.png").exists()


def test_too_little_memory_is_noticed_before_the_work(
    dip_inpaint: Inpaint, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sheet does without that fill."""
    greedy = replace(FILLS["biharmonic"], memory=lambda *_: 2.0**60)
    monkeypatch.setitem(FILLS, "biharmonic", greedy)
    done = dip_inpaint(P, M, *OUT, "--fill", "biharmonic")
    assert done.returncode == 2
    assert done.stderr.startswith("error: the fill 'biharmonic' needs about")
    assert not (folder / "out.png").exists()
    done = dip_inpaint(P, M, *OUT, "--fill", "telea", "--compare", "s.png")
    assert done.returncode == 0
    assert done.stderr.startswith("note: not in s.png: the fill 'biharmonic' needs about")
    assert (folder / "s.png").exists()


def test_memory_that_runs_out_in_the_middle_is_said_in_one_line(
    dip_inpaint: Inpaint, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restore(*_: object) -> Any:
        raise MemoryError

    monkeypatch.setitem(FILLS, "mean", replace(FILLS["mean"], function=restore))
    done = dip_inpaint(P, M, *OUT, "--fill", "mean")
    assert done.returncode == 2
    assert re.fullmatch(r"error: the fill 'mean': too little memory for 50x40 .*\n", done.stderr)
    assert not (folder / "out.png").exists()


def test_files_are_overwritten_by_force_only(dip_inpaint: Inpaint, folder: Path) -> None:
    before = pixels(P)
    assert dip_inpaint(P, M, "-o", P, "--fill", "telea").returncode == 2
    np.testing.assert_array_equal(pixels(P), before)
    assert dip_inpaint(P, M, "-o", P, "--fill", "telea", "--force").returncode == 0
    assert (pixels(P) != before).any()
    assert dip_inpaint("photo.jpg", M, *OUT, "--fill", "telea").returncode == 0
    done = dip_inpaint("photo.jpg", M, *OUT, "--fill", "telea")
    assert "out.png: exists already; add --force to overwrite it" in done.stderr
    # The state of a network's fit is of no concern, and stays.
    state = folder / "of-another.png.dip-state"
    assert dip_inpaint(P, M, "-o", "of-another.png", "--fill", "telea").returncode == 0
    assert state.read_bytes() == b"PK no state"


def test_a_photo_of_which_something_would_be_lost_is_refused_if_strict(
    dip_inpaint: Inpaint,
) -> None:
    Image.open(P).save("commented.jpg", comment=b"a sentence of words")
    words = ("commented.jpg", M, *OUT, "--fill", "telea")
    done = dip_inpaint(*words, "--strict")
    assert done.returncode == 2
    assert "out.png: would lose" in done.stderr
    done = dip_inpaint(*words)
    assert done.returncode == 0
    assert done.stderr.startswith("note: not kept in out.png: ")


def test_torch_is_not_imported(folder: Path) -> None:
    """Nor by a sheet of fills; and it takes little time."""
    code = (
        "import sys; from dip.__main__ import main;"
        "code = main(sys.argv[1:]);"
        "print(code, 'torch' in sys.modules)"
    )
    words = ("inpaint", P, M, *OUT, "--fill", "telea", "--compare", "s.png")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "0 False"


def test_ctrl_c_ends_a_fill_at_once(folder: Path) -> None:
    """In the middle of a call of OpenCV that takes long; nothing is written."""
    draw = np.random.default_rng(0)
    Image.fromarray(draw.integers(0, 256, (600, 600, 3), dtype=np.uint8)).save("noise.png")
    words = ("noise.png", "--box", "100,100,400,400", *OUT, "--fill", "fsr")
    running = start(*words, settings=[])
    assert running.stdout is not None
    for _ in range(2):
        running.stdout.readline()
    time.sleep(0.5)
    asked = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, notes = running.communicate(timeout=60)
    assert time.monotonic() - asked < 5
    assert running.returncode == 130
    assert notes == "interrupted\n"
    assert not [*folder.glob("out*"), *folder.glob(".*partial")]


def test_the_seam_of_a_fill_needs_no_correction(holes: Any) -> None:
    """What is done to networks' drawings would change nothing: a fill keeps the known pixels."""
    photo = photo_in(Image.open("large.png"))
    for place in neighbourhoods(holes, None, 10**9):
        patch = Patch(place, photo.colours, holes, photo.visible)
        masked = np.moveaxis(patch.values, 2, 0)
        for fill in FILLS.values():
            filled = fill.restore(masked, patch.known[None]).clip(0, 1)
            drawn = np.moveaxis(filled, 0, 2).astype(np.float32)
            blended = corrected(drawn, patch.values, patch.known, patch.own)
            np.testing.assert_array_equal(blended[patch.own], drawn[patch.own])


def test_in_python_a_fill_takes_pictures_and_arrays(dip_inpaint: Inpaint) -> None:
    assert dip_inpaint(P, M, *OUT, "--fill", "telea", "--set", "radius=5").returncode == 0
    how: Any = {"fill": "telea", "settings": {"radius": 5}}
    restored = dip.inpaint(pixels(P), pixels(M), **how)
    np.testing.assert_array_equal(restored, pixels("out.png"))
    picture = dip.inpaint(Image.open(P), Image.open(M), **how)
    np.testing.assert_array_equal(np.array(picture), restored)
    floats = pixels(P).astype(np.float64)
    floats[~known_pixels()] = np.nan
    filled = dip.inpaint(floats, known_pixels(), fill="harmonic")
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[known_pixels()], floats[known_pixels()])
    for wrong in ({"iterations": 5}, {"device": "cpu"}, {"preset": "quick"}, {"look": print}):
        with pytest.raises(dip.InputError, match="only for networks, and `fill` uses none"):
            dip.inpaint(pixels(P), pixels(M), fill="telea", **wrong)
    floats[0, 0] = np.nan
    with pytest.raises(dip.InputError, match="are no numbers"):
        dip.inpaint(floats, known_pixels(), fill="harmonic")


def test_a_fill_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere than in a terminal with lines that come now and then."""
    monkeypatch.setattr("dip.inpainting.display.progress.LINE_SECONDS", 0)
    monkeypatch.setattr("dip.inpainting.display.progress.REDRAW_SECONDS", 0)
    monkeypatch.setenv("TERM", "xterm")
    file = io.StringIO()
    progress = FillProgress("fsr", file)
    progress(0.25)
    progress(0.5)
    progress(1.0)
    progress.finish()
    assert file.getvalue() == "fsr: 25% done, about 0 s left\nfsr: 50% done, about 0 s left\n"
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as stream:
        progress = FillProgress("fsr", stream)
        progress(0.5)
        progress.finish()
        shown = ""
        while not shown.endswith("left\r\x1b[K"):
            shown += os.read(reader, 65536).decode()
    os.close(reader)
    assert shown == "\r\x1b[Kfsr ...\r\x1b[Kfsr: 50% done, about 0 s left\r\x1b[K"
