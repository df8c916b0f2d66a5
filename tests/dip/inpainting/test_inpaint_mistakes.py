"""What `dip inpaint` refuses, in one line each, and before it imports torch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import ROOT
from support.photo_command import OUT, Inpaint, M, P

from dip.__main__ import main

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("gone.png", M, *OUT), "gone.png: there is no such file"),
        (("folder.png", M, *OUT), "folder.png: is a folder, not a picture"),
        (("text.png", M, *OUT), "text.png: not a picture that can be read (PNG, JPEG, WebP, TIFF)"),
        (("cut.png", M, *OUT), "cut.png: cannot be read: "),
        (("moves.gif", M, *OUT), "moves.gif: has 2 frames or pages; one photo is filled at a time"),
        ((P, "gone.png", *OUT), "gone.png: there is no such file"),
        ((P, "text.png", *OUT), "text.png: not a picture that can be read"),
        (
            (P, "turned.png", *OUT),
            "turned.png: 40x50 pixels, but the photo as it is shown has 50x40",
        ),
        (
            (P, "none.png", *OUT),
            "none.png: no pixel is in the hole: none is black (or white, with --hole-is-white)",
        ),
        ((P, "all.png", *OUT), "all.png: every pixel is in the hole, and nothing is known"),
        ((P, *OUT), "the hole: either a MASK, --box or --hole-is-tr"),
        (
            (P, M, "--box", "1,1,4,4", *OUT),
            "the hole: either a MASK, --box or --hole-is-tr",
        ),
        ((P, "--box", "1,1,4", *OUT), "--box 1,1,4: a box is x,y,width,height in whole pixels"),
        ((P, "--box", "1,1,0,4", *OUT), "--box 1,1,0,4: a box is at least one pixel wide and high"),
        (
            (P, "--box", "9,9,42,4", *OUT),
            "--box 9,9,42,4: reaches out of the photo of 50x40 pixels",
        ),
        (
            (P, "--box", "0,0,50,40", *OUT),
            "the boxes: every pixel is in them, and nothing is known",
        ),
        ((P, "--box", "1,1,4,4", "--hole-is-white", *OUT), "--hole-is-white needs a MASK"),
        ((P, M, "-o", P), "photo.png: that is the photo itself; --force overwrites it"),
        ((P, M, "-o", "linked.png"), "linked.png: that is the photo itself; --force"),
        ((P, M, "-o", "hard.png"), "hard.png: that is the photo itself; --force"),
        ((P, M, "-o", M, "--force"), "--out mask.png: that is another file of this command"),
        ((P, M, "-o", "out.gif"), "out.gif: the output is one of .png, .jpg, .jpeg, .webp, .tif"),
        ((P, M, "-o", "gone/out.png"), "--out gone/out.png: cannot be written (No such file"),
        ((P, M, "-o", "folder.png"), "--out folder.png: exists, but is not a regular file"),
        (("alpha.png", M, "-o", "out.jpg"), "JPEG does not hold a photo of mode RGBA; PNG or"),
        (
            ("deep.png", M, "-o", "out.webp"),
            "WEBP does not hold a photo of mode I;16 (16-bit grey)",
        ),
        ((P, M, *OUT, "--preset", "foto"), "unknown preset 'foto'. Did you mean 'photo'?"),
        ((P, M, *OUT, "--set", "learning_rat=1"), "unknown key 'learning_rat'. Did you mean"),
        ((P, M, *OUT, "--set", "batch"), "--set batch: a setting is key=value, as learning_rate=0"),
        ((P, M, *OUT, "--set", "batch=[1"), "'[1' is no value"),
        (
            (P, M, *OUT, "--set", "learning_rate=fast"),
            "learning_rate: a number is needed, not",
        ),
        ((P, M, *OUT, "--iterations", "0"), "--iterations: a whole number, at least 1, not 0"),
        (
            (P, M, *OUT, "--iterations", "many"),
            "Invalid value for '--iterations': Input should be a valid integer",
        ),
        ((P, M, *OUT, "--seed", "-1"), "--seed: a whole number from 0 to 2^63 - 1, not -1"),
        ((P, M, *OUT, "--stop", "es-wm"), "unknown rule 'es-wm'. Did you mean 'es-wmv'?"),
        ((P, M, *OUT, "--stop", "es-wmv[window=1]"), "es-wmv.window: Input should be greater than"),
        (
            (P, M, *OUT, "--stop", "es-wmv[50]"),
            "stop es-wmv[50]: '50' is no setting; write es-wmv[",
        ),
        ((P, M, *OUT, "--context", "0"), "context: a whole number, at least 1, not 0"),
        ((P, M, *OUT, "--max-side", "4"), "--max-side: a whole number, at least 16, not 4"),
        ((P, M, *OUT, "--device", "tpu"), "device tpu: use auto, cpu, cuda or cuda:N"),
        (
            (P, M, *OUT, "--device", "cuda:99"),
            "device cuda:99: this machine has no such GPU; use c",
        ),
        (
            (P, M, *OUT, "--animation", "a.mp4"),
            "--animation a.mp4: an animation is one of .gif, .w",
        ),
        ((P, M, *OUT, "--animation", "out.png"), "that is another file of this command, out.png"),
        (
            (P, M, *OUT, "--preview", "p.txt"),
            "--preview p.txt: `terminal`, or a file of .png, .jpg",
        ),
        ((P, M, *OUT, "--preview", P), "--preview photo.png: that is another file of this command"),
        (
            (P, M, *OUT, "--preview", "terminal"),
            "--preview terminal: the terminal does not say that it",
        ),
        ((P, M, *OUT, "--save-every", "0", "series"), "--save-every 0: at least 1 iteration"),
        ((P, M, *OUT, "--save-every", "5", P), "--save-every: photo.png: File exists"),
        (
            (P, M, *OUT, "--resume"),
            "out.png.dip-state: no saved state to resume; leave out --re",
        ),
        ((P, M, "-o", "of-another.png", "--resume"), "of-another.png.dip-state: not a state that"),
        (
            (P, M, "-o", "of-another.png"),
            "of-another.png.dip-state: not a state that this program has saved",
        ),
        (
            ("hole-1-iteration-000005.png", M, *OUT, "--save-every", "5", "."),
            "is one of these pictures; name ano",
        ),
        ((P, M, *OUT, "--set", "input={a: 1, a: 2}"), "line 1: 'a' is named twice"),
        (("odd.tif", M, "-o", "odd.jpg"), "odd.jpg: cannot be written (EXIF data is too long)"),
        ((P, "--box", f"1,1,{'9' * 5000},1", *OUT), "... "),
        ((P, "--box", "1,1,٣,1", *OUT), "a box is x,y,width,height in whole pixels"),
        ((P, M, *OUT, "--device", f"cuda:{'9' * 5000}"), "use auto, cpu, cuda or cuda:N"),
        ((P, M, *OUT, "--max-side", "1" + "0" * 400), "--max-side: a whole number, at most 10^9"),
        ((P, M, *OUT, "--set", f"batch={'[' * 3000}"), "is no value"),
        ((P, M, *OUT, "--set", "learning_rate=1e-300"), "learning_rate: a number is 0, or from 1e"),
        (
            (P, M, *OUT, "--set", "batch=10000000000"),
            "batch: Input should be less than or equal to 10000",
        ),
        ((P, M, "-o", "loop.png"), "--out loop.png: cannot be written (Too many levels of"),
        ((P, M, *OUT, "--preview", "loop.png"), "cannot be written (Too many levels of sym"),
        (("loop.png", M, *OUT), "loop.png: there is no such file"),
        ((P, M, *OUT, "--preview", f"{'x' * 300}.png"), "cannot be written (File name too long)"),
        (
            (P, M, "--hole-is-white", "--hole-is-black", *OUT),
            "--hole-is-white and --hole-is-black exclude each other",
        ),
        ((P, "--hole-is-transparent", *OUT), "photo.png: no pixel is fully transparent; give"),
        (
            (P, "--hole-is-transparent", "--box", "1,1,4,4", *OUT),
            "the hole: either a MASK, --box",
        ),
        ((P, M, "--hole-is-transparent", *OUT), "mask.png: has no transparent pixels beside opaqu"),
        ((P, M), "Missing option '-o' / '--out'."),
        ((P, M, *OUT, "--itrations", "5"), "No such option: --itrations"),
    ],
)
def test_a_mistake_is_answered_in_one_line(
    words: tuple[str, ...], message: str, inpaint: Inpaint, folder: Path
) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    done = inpaint(*words)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert line.startswith("error: ")
    assert message in line
    after = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert after == before


@pytest.mark.usefixtures("folder")
def test_a_network_of_one_s_own_that_fails_is_a_mistake(capfd: pytest.CaptureFixture[str]) -> None:
    """The command finds it in the folder it is given in."""
    assert main(["inpaint", P, M, *OUT, "--set", "architecture={import: mynet:Net}"]) == 2
    assert capfd.readouterr().err == "error: the network fails: no three channels\n"


def test_the_first_line_is_there_before_torch(folder: Path) -> None:
    """With a torch that ends the program as soon as it is imported."""
    (folder / "torch.py").write_text("raise SystemExit('torch was imported')")
    command = [sys.executable, "-m", "dip", "inpaint", P, M, *OUT]
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "photo.png: 50x40 pixels, RGB, 7.50% of them in the hole\n"
    assert "torch was imported" in done.stderr
