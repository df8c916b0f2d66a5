"""`dip inpaint` as people use it: what it refuses, what it says, Ctrl-C, and going on again."""

import os
import pty
import re
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
from conftest import ROOT, Done, signal_handlers_restored
from PIL import Image

import dip
from dip.__main__ import main
from dip.inpainting import progress as progress_lines
from dip.inpainting.progress import Progress, blocks

pytestmark = pytest.mark.usefixtures("one_thread")

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
    (tmp_path / "hard.png").hardlink_to(tmp_path / "photo.png")
    (tmp_path / "of-another.png.dip-state").write_bytes(b"PK no state")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "hole-1-a.png").write_bytes((tmp_path / "photo.png").read_bytes())
    Image.open("photo.png").save("odd.tif", tiffinfo={270: "long" * 20_000})
    (tmp_path / "mynet.py").write_text(NETWORK)
    return tmp_path


@pytest.fixture
def inpaint(folder: Path, capfd: pytest.CaptureFixture[str]) -> Inpaint:
    """Runs the command in this process, with a small network."""

    def run(*words: object) -> Done:
        capfd.readouterr()
        with signal_handlers_restored():
            code = main(["inpaint", *map(str, words), *NARROW])
        return Done(code, *capfd.readouterr())

    assert folder.is_dir()
    return run


P, M, OUT = "photo.png", "mask.png", ("-o", "out.png")


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
            "none.png: no pixel is in the hole, none is black (--hole-is-white: white)",
        ),
        ((P, "all.png", *OUT), "all.png: every pixel is in the hole, and nothing is known"),
        ((P, *OUT), "the hole: either a MASK or --box says where it is"),
        ((P, M, "--box", "1,1,4,4", *OUT), "the hole: either a MASK or --box says where it is"),
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
        ((P, "--box", "1,1,4,4", "--hole-is-white", *OUT), "--hole-is-white is about a mask"),
        ((P, M, "-o", P), "photo.png: that is the photo itself; --force overwrites it"),
        ((P, M, "-o", "linked.png"), "linked.png: that is the photo itself; --force"),
        ((P, M, "-o", "hard.png"), "hard.png: that is the photo itself; --force"),
        ((P, M, "-o", M, "--force"), "--out mask.png: that is another file of this command"),
        ((P, M, "-o", "out.gif"), "out.gif: the output is one of .png, .jpg, .jpeg, .webp, .tif"),
        ((P, M, "-o", "gone/out.png"), "--out gone/out.png: cannot be written (No such file"),
        ((P, M, "-o", "folder.png"), "--out folder.png: is a folder; name a file in it"),
        (("alpha.png", M, "-o", "out.jpg"), "JPEG does not hold a photo of mode RGBA; PNG or"),
        (("deep.png", M, "-o", "out.webp"), "WEBP does not hold a photo of mode I;16; PNG or TIFF"),
        ((P, M, *OUT, "--preset", "foto"), "unknown preset 'foto'. Did you mean 'photo'?"),
        ((P, M, *OUT, "--set", "learning_rat=1"), "unknown key 'learning_rat'. Did you mean"),
        ((P, M, *OUT, "--set", "batch"), "--set batch: a setting is key=value, as learning_rate=0"),
        ((P, M, *OUT, "--set", "batch=[1"), "'[1' is no value"),
        ((P, M, *OUT, "--set", "learning_rate=fast"), "learning_rate: Input should be a valid num"),
        ((P, M, *OUT, "--iterations", "0"), "iterations: a whole number, at least 1, not 0"),
        (
            (P, M, *OUT, "--iterations", "many"),
            "Invalid value for '--iterations': Input should be a valid integer",
        ),
        ((P, M, *OUT, "--seed", "-1"), "seed: a whole number from 0 to 2^63 - 1, not -1"),
        ((P, M, *OUT, "--stop", "es-wm"), "unknown rule 'es-wm'. Did you mean 'es-wmv'?"),
        ((P, M, *OUT, "--stop", "es-wmv[window=1]"), "es-wmv.window: Input should be greater than"),
        (
            (P, M, *OUT, "--stop", "es-wmv[50]"),
            "stop es-wmv[50]: '50' is no setting; write es-wmv[",
        ),
        ((P, M, *OUT, "--context", "0"), "context: a whole number, at least 1, not 0"),
        ((P, M, *OUT, "--max-side", "4"), "max_side: a whole number, at least 16, not 4"),
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
            "--preview terminal: this is none that says it show",
        ),
        ((P, M, *OUT, "--save-every", "0", "series"), "--save-every 0: at least 1 iteration"),
        ((P, M, *OUT, "--save-every", "5", P), "--save-every: photo.png: File exists"),
        (
            (P, M, *OUT, "--resume"),
            "out.png.dip-state: there is no state to go on from; leave --re",
        ),
        ((P, M, "-o", "of-another.png", "--resume"), "of-another.png.dip-state: not a state that"),
        ((P, M, "-o", "of-another.png"), "of-another.png.dip-state: of an interrupted run; --resu"),
        (("hole-1-a.png", M, *OUT, "--save-every", "5", "."), "is one of these pictures; name ano"),
        ((P, M, *OUT, "--set", "learning_rate=2020-99-99"), "'2020-99-99' is no value"),
        (("odd.tif", M, "-o", "odd.jpg"), "odd.jpg: cannot be written (EXIF data is too long)"),
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


def _pixels(path: str) -> Any:
    return np.array(Image.open(path))


def _known() -> Any:
    return _pixels(M) > 127


def test_a_photo_is_written_with_its_hole_filled(inpaint: Inpaint, folder: Path) -> None:
    done = inpaint(P, M, *OUT, "--iterations", 3)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "photo.png: 50x40 pixels, RGB, 7.50% of them in the hole"
    assert lines[1] == (
        "fitting photo on cpu: 50x40 pixels, until 3 iterations or held-out; Ctrl-C keeps the best"
    )
    assert re.fullmatch(r"out\.png: iteration [123] of all 3; \d+ s", lines[2])
    np.testing.assert_array_equal(_pixels("out.png")[_known()], _pixels(P)[_known()])
    assert (_pixels("out.png") != _pixels(P)).any()
    assert not [*folder.glob("out*state")]


def test_boxes_and_masks_say_the_same(inpaint: Inpaint) -> None:
    how = ("--iterations", 3)
    assert inpaint(P, M, "-o", "a.png", *how).returncode == 0
    boxes = ("--box", "15,10,15,4", "--box", "15,14,15,6")
    assert inpaint(P, "-o", "b.png", *boxes, *how).returncode == 0
    assert inpaint(P, "inverted.png", "--hole-is-white", "-o", "c.png", *how).returncode == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes() == Path("c.png").read_bytes()


def test_a_seed_gives_the_same_again_and_another_another(inpaint: Inpaint) -> None:
    for name, seed in (("a.png", 0), ("b.png", 0), ("c.png", 1)):
        assert inpaint(P, M, "-o", name, "--iterations", 3, "--seed", seed).returncode == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes() != Path("c.png").read_bytes()


def test_the_photo_itself_is_overwritten_by_force(inpaint: Inpaint) -> None:
    before = _pixels(P)
    assert inpaint(P, M, "-o", P, "--force", "--iterations", 3).returncode == 0
    np.testing.assert_array_equal(_pixels(P)[_known()], before[_known()])
    assert (_pixels(P) != before).any()


def test_the_wrong_way_round_is_suspected(inpaint: Inpaint) -> None:
    done = inpaint(P, "inverted.png", *OUT, "--iterations", 2)
    assert done.returncode == 0
    assert "note: that is most of it; add --hole-is-white?" in done.stderr


def test_a_fit_that_fails_ends_with_code_1(inpaint: Inpaint, folder: Path) -> None:
    astray = ("--iterations", 100, "--stop", "none", "--set", "learning_rate=10000.0")
    done = inpaint(P, M, *OUT, *astray)
    assert done.returncode == 1
    assert re.fullmatch(r"error: the fit failed: .*\n", done.stderr)
    assert not (folder / "out.png").exists()


def test_pictures_on_the_way(inpaint: Inpaint, folder: Path) -> None:
    """An animation with what is drawn beside what is restored, a series and a preview."""
    ways = ("--animation", "how.gif", "--save-every", 10, "series", "--preview", "now.png")
    done = inpaint(P, "--box", "5,5,8,8", *OUT, "--iterations", 30, "--stop", "none", *ways)
    assert done.returncode == 0, done.stderr
    animation = Image.open("how.gif")
    assert animation.n_frames == 25  # 1 to 19 each, then every 8 per cent, and the last
    assert animation.size == (2 * 45, 40 + 16)  # with 32 pixels around the hole, and a caption
    names = [path.name for path in sorted((folder / "series").iterdir())]
    assert names == [f"hole-1-iteration-{count:06}.png" for count in (10, 20, 30)]
    last = _pixels(f"series/{names[-1]}")
    np.testing.assert_array_equal(last, _pixels("out.png")[:40, :45])
    assert Image.open("now.png").size == (45, 40)


def test_a_picture_that_cannot_be_written_is_given_up(
    inpaint: Inpaint, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dip.inpainting import pictures

    def gone(*_: object) -> None:
        raise pictures.InputError("series: cannot be written (No space left on device)")

    monkeypatch.setattr(pictures, "write", gone)
    done = inpaint(P, M, *OUT, "--iterations", 5, "--save-every", 1, "series")
    assert done.returncode == 0
    assert done.stderr.count("No space left on device); it is given up, the fit goes on") == 1
    assert (folder / "out.png").exists()


def test_a_terminal_shows_a_line_and_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a real terminal: the picture in half blocks, redrawn in its place."""
    reader, writer = pty.openpty()
    monkeypatch.setattr(progress_lines, "REDRAW_SECONDS", 0)
    monkeypatch.setattr(progress_lines, "PICTURE_SECONDS", 0)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "30")
    red = np.full((4, 6, 3), (255, 0, 0), np.uint8)
    known = np.ones((4, 6), bool)
    known[1, 1] = False
    with os.fdopen(writer, "w") as stream:
        progress = Progress(stream, picture=True)
        dip.inpaint(red, known, settings=SETTINGS, iterations=2, stop="none", look=progress)
        progress.finish()
        shown = ""
        while not shown.endswith("left\r\n"):
            shown += os.read(reader, 65536).decode()
    assert shown.count("\u2580") == 2 * 6 * 2
    assert shown.count("\x1b[38;2;255;0;0m\x1b[48;2;255;0;0m\u2580") >= 2 * 6 * 2 - 2
    assert shown.count("\x1b[2A") == 1  # the second one in the place of the first
    assert re.search(r"iteration 2 of 2 at most, loss [\d.]+, [\d.]+ it/s, at most 0 s left", shown)
    os.close(reader)


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_24_megapixels_take_less_than_3_gib() -> None:
    """Reading, a short fit with the network of the default, putting back and writing."""
    draw = np.random.default_rng(0)
    coarse = Image.fromarray(draw.integers(0, 256, (400, 600, 3), dtype=np.uint8))
    coarse.resize((6000, 4000)).save("large.jpg")
    words = ("large.jpg", "--box", "2900,1500,300,200", "-o", "large-out.jpg", "--iterations", 3)
    running = _start(*words, settings=[])
    _, status, usage = os.wait4(running.pid, 0)
    assert status == 0
    assert 2**19 < usage.ru_maxrss < 3 * 2**20  # KiB; 1.4 GiB when this was written
    assert Image.open("large-out.jpg").size == (6000, 4000)


def test_blocks_keep_the_picture_s_shape() -> None:
    rows = blocks(Image.new("RGB", (300, 200)), columns=60, rows=100)
    assert len(rows) == 20
    assert rows[0].count("\u2580") == 60


# Interruptions, of a process of its own.


def _start(*words: object, settings: Sequence[str] = NARROW) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dip", "inpaint", *map(str, words), *settings]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_the_best_and_resume_goes_on(
    number: int, inpaint: Inpaint, folder: Path
) -> None:
    """To the same file that a run without a break writes."""
    rule = ("--stop", "es-wmv[window=10,patience=none]")
    running = _start(P, M, *OUT, *rule, "--iterations", 10**6, "--save-every", 1, "series")
    said, notes = _interrupted(running, number, folder)
    assert running.returncode == 130, notes
    assert "stopping after this iteration; again: at once" in notes
    match = re.search(
        r"out.png: iteration (\d+) of (\d+), where it was interrupted; .* --resume goes on", said
    )
    assert match, said
    chosen, ended_at = map(int, match.groups())
    assert chosen <= ended_at
    known = _known()
    np.testing.assert_array_equal(_pixels("out.png")[known], _pixels(P)[known])
    assert (_pixels("out.png") != _pixels(P)).any()
    bound = ("--iterations", ended_at + 20)
    assert inpaint(P, M, *OUT, *rule, *bound, "--resume").returncode == 0
    assert not (folder / "out.png.dip-state").exists()
    assert inpaint(P, M, "-o", "whole.png", *rule, *bound).returncode == 0
    assert (folder / "out.png").read_bytes() == (folder / "whole.png").read_bytes()


def _interrupted(running: subprocess.Popen[str], number: int, folder: Path) -> tuple[str, str]:
    """What it says, once it has been interrupted some iterations on."""
    while not [*folder.glob("series/*-000020.png")]:
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)
    running.send_signal(number)
    return running.communicate(timeout=60)


def test_the_second_signal_ends_it_at_once(folder: Path) -> None:
    """In the middle of a fit whose iterations take long; nothing is written, nothing broken."""
    Image.fromarray(np.zeros((2000, 2000, 3), np.uint8)).save("big.png")
    running = _start("big.png", "--box", "500,500,1000,1000", *OUT, "--max-side", 2000)
    assert running.stdout is not None
    assert running.stderr is not None
    for _ in range(2):
        running.stdout.readline()
    running.send_signal(signal.SIGINT)
    assert "again: at once" in running.stderr.readline()
    running.send_signal(signal.SIGINT)
    _, notes = running.communicate(timeout=60)
    assert running.returncode == 130
    assert notes == ""
    assert not (folder / "out.png").exists()
    assert not [*folder.glob(".*-partial")]


@pytest.fixture
def interrupted(inpaint: Inpaint, folder: Path) -> Inpaint:
    """The same in this process, with Ctrl-C after some iterations."""

    def run(*words: object) -> Done:
        def press() -> None:
            while not [*folder.glob("series/*-000010.png")]:
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)

        pressing = threading.Thread(target=press, daemon=True)
        pressing.start()
        done = inpaint(*words, "--iterations", 10**6, "--save-every", 1, "series")
        pressing.join()
        return done

    return run


def test_a_state_of_other_settings_is_refused(
    interrupted: Inpaint, inpaint: Inpaint, folder: Path
) -> None:
    assert interrupted(P, M, *OUT).returncode == 130
    for other in (("--seed", 1), ("--max-side", 20), ("--stop", "none")):
        done = inpaint(P, M, *OUT, *other, "--resume")
        assert done.returncode == 2
        assert "the state is of another photo, hole or other settings; use those" in done.stderr
    reached = ("--iterations", 3, "--resume")
    assert "iterations already; --iterations sets" in inpaint(P, M, *OUT, *reached).stderr
    before = (folder / "out.png.dip-state").read_bytes()
    assert "of an interrupted run; --resume goes on with it, or" in inpaint(P, M, *OUT).stderr
    assert (folder / "out.png.dip-state").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "written"), [("photo.png", "photo.png"), ("photo.jpg", "photo-so-far.jpg")]
)
def test_a_photo_that_is_to_be_overwritten_can_be_interrupted(
    name: str, written: str, interrupted: Inpaint, inpaint: Inpaint, folder: Path
) -> None:
    """A JPEG's known pixels would change a little, and the state would be of another photo."""
    before = (folder / name).read_bytes()
    done = interrupted(name, M, "-o", name, "--force")
    assert done.returncode == 130
    assert done.stdout.splitlines()[-1].startswith(f"{written}: iteration ")
    assert ((folder / name).read_bytes() == before) == (written != name)
    further = ("--iterations", 10**3, "--resume")
    assert inpaint(name, M, "-o", name, "--force", *further).returncode == 0
    assert (folder / name).read_bytes() != before


def test_a_link_leads_to_the_photo_and_permissions_stay(inpaint: Inpaint, folder: Path) -> None:
    before = _pixels(P)
    (folder / P).chmod(0o640)
    assert inpaint(P, M, "-o", "linked.png", "--force", "--iterations", 2).returncode == 0
    assert (folder / "linked.png").is_symlink()
    assert (folder / P).stat().st_mode & 0o777 == 0o640
    assert (_pixels(P) != before).any()


def test_it_goes_on_when_nobody_reads_what_it_says(folder: Path) -> None:
    """As when Ctrl-C ends `tee`, too."""
    running = _start(P, M, *OUT, "--iterations", 10**6, "--save-every", 1, "series")
    assert running.stdout is not None
    assert running.stderr is not None
    while not [*folder.glob("series/*-000003.png")]:
        assert running.poll() is None
        time.sleep(0.01)
    running.stdout.close()
    running.stderr.close()
    running.send_signal(signal.SIGINT)
    running.wait(timeout=60)
    assert (_pixels("out.png") != _pixels(P)).any()
    assert (folder / "out.png.dip-state").exists()


def test_what_was_fitted_is_not_lost_with_a_file_that_cannot_be_written(
    inpaint: Inpaint, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is full; once there is room, nothing is fitted again."""
    from dip.inpainting import command

    def full(*_: object) -> None:
        raise command.InputError("out.png: cannot be written (No space left on device)")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(command, "save", full)
        done = inpaint(P, M, *OUT, "--iterations", 5)
    assert done.returncode == 2
    assert done.stderr == "error: out.png: cannot be written (No space left on device)\n"
    done = inpaint(P, M, *OUT, "--iterations", 5, "--resume", "--save-every", 1, "series")
    assert done.returncode == 0
    assert (folder / "out.png").exists()
    assert not [*(folder / "series").iterdir()]
