"""`dip inpaint` as people use it: what comes out, what it says, and pictures on the way."""

import os
import pty
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.photo_command import OUT, SETTINGS, Inpaint, M, P, known_pixels, pixels, start

import dip
from dip.inpainting.display import progress as progress_lines
from dip.inpainting.display.progress import Progress, blocks

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_photo_is_written_with_its_hole_filled(inpaint: Inpaint, folder: Path) -> None:
    done = inpaint(P, M, *OUT, "--iterations", 3)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "photo.png: 50x40 pixels, RGB, 7.50% of them in the hole"
    assert lines[1] == (
        "fitting photo on cpu: 50x40 pixels, until 3 iterations or held-out; Ctrl-C keeps the best"
    )
    assert re.fullmatch(r"out\.png: iteration [123] of all 3; \d+ s", lines[2])
    np.testing.assert_array_equal(pixels("out.png")[known_pixels()], pixels(P)[known_pixels()])
    assert (pixels("out.png") != pixels(P)).any()
    assert not [*folder.glob("out*state")]


def test_boxes_and_masks_say_the_same(inpaint: Inpaint) -> None:
    how = ("--iterations", 3)
    assert inpaint(P, M, "-o", "a.png", *how).returncode == 0
    boxes = ("--box", "15,10,15,4", "--box", "15,14,15,6")
    assert inpaint(P, "-o", "b.png", *boxes, *how).returncode == 0
    assert inpaint(P, "inverted.png", "--hole-is-white", "-o", "c.png", *how).returncode == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes() == Path("c.png").read_bytes()


def test_a_photo_s_own_transparency_is_a_hole(inpaint: Inpaint) -> None:
    """And opaque in what is restored; other pixels keep their transparency."""
    photo = pixels(P)
    alpha = np.full(photo.shape[:2], 255, np.uint8)
    alpha[10:20, 15:30], alpha[:5], alpha[0, 0] = 0, 128, 1
    Image.fromarray(np.dstack([photo, alpha])).save("cut.png")
    eight = Image.fromarray(photo).quantize(8)
    indexed = Image.fromarray(np.where(alpha == 0, 8, np.asarray(eight)).astype(np.uint8), "P")
    indexed.putpalette([*(eight.getpalette() or [])[:24], 0, 0, 0])
    indexed.save("indexed.png", transparency=8)
    for name in ("cut.png", "indexed.png"):
        done = inpaint(name, "--hole-is-transparent", "-o", f"whole-{name}", "--iterations", 2)
        assert done.returncode == 0, done.stderr
        assert "7.50% of them in the hole" in done.stdout
        paths = (name, f"whole-{name}")
        before, after = (np.array(Image.open(path).convert("RGBA")) for path in paths)
        seen = before[..., 3] > 0
        np.testing.assert_array_equal(after[..., 3], np.where(seen, before[..., 3], 255))
        np.testing.assert_array_equal(after[seen], before[seen])


def test_a_seed_gives_the_same_again_and_another_another(inpaint: Inpaint) -> None:
    for name, seed in (("a.png", 0), ("b.png", 0), ("c.png", 1)):
        assert inpaint(P, M, "-o", name, "--iterations", 3, "--seed", seed).returncode == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes() != Path("c.png").read_bytes()


def test_the_photo_itself_is_overwritten_by_force(inpaint: Inpaint) -> None:
    before = pixels(P)
    assert inpaint(P, M, "-o", P, "--force", "--iterations", 3).returncode == 0
    np.testing.assert_array_equal(pixels(P)[known_pixels()], before[known_pixels()])
    assert (pixels(P) != before).any()


def test_a_mask_that_hides_most_of_the_photo_is_fitted_on_if_it_is_meant(inpaint: Inpaint) -> None:
    done = inpaint(P, "inverted.png", *OUT, "--iterations", 2)
    assert done.returncode == 2
    assert done.stderr == (
        "error: inverted.png: white = known (as here) makes 92.5 % of the photo the hole, white ="
        " hole 7.5 %; add --hole-is-white or --hole-is-black\n"
    )
    done = inpaint(P, "inverted.png", "--hole-is-black", *OUT, "--iterations", 2)
    assert done.returncode == 0
    assert "92.50% of them in the hole" in done.stdout
    most = ("--box", "0,0,49,40")
    assert inpaint(P, *most, "-o", "boxes.png", "--iterations", 2).returncode == 0


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
    last = pixels(f"series/{names[-1]}")
    np.testing.assert_array_equal(last, pixels("out.png")[:40, :45])
    assert Image.open("now.png").size == (45, 40)


def test_a_picture_that_cannot_be_written_is_given_up(
    inpaint: Inpaint, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dip.inpainting.display import previews

    def gone(*_: object) -> None:
        raise previews.InputError("series: cannot be written (No space left on device)")

    monkeypatch.setattr(previews, "write", gone)
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
    running = start(*words, settings=[])
    _, status, usage = os.wait4(running.pid, 0)
    assert status == 0
    assert 2**19 < usage.ru_maxrss < 3 * 2**20  # KiB; 1.4 GiB when this was written
    assert Image.open("large-out.jpg").size == (6000, 4000)


def test_blocks_keep_the_picture_s_shape() -> None:
    rows = blocks(Image.new("RGB", (300, 200)), columns=60, rows=100)
    assert len(rows) == 20
    assert rows[0].count("\u2580") == 60
