"""Ctrl-C and worse in the middle of `dip inpaint`, and going on again."""

import re
import resource
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.photo_command import OUT, Inpaint, M, P, known_pixels, pixels, start

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_the_best_and_resume_goes_on(
    number: int, interrupted: Inpaint, inpaint: Inpaint, folder: Path
) -> None:
    """To the same file that a run without a break writes."""
    rule = ("--stop", "es-wmv[window=10,patience=none]")
    done = interrupted(P, M, *OUT, *rule, number=number)
    assert done.returncode == 130, done.stderr
    assert "stopping after this iteration; again: at once" in done.stderr
    match = re.search(
        r"out.png: iteration (\d+) of (\d+), where it was interrupted; .* --resume goes on",
        done.stdout,
    )
    assert match, done.stdout
    chosen, ended_at = map(int, match.groups())
    assert chosen <= ended_at
    known = known_pixels()
    np.testing.assert_array_equal(pixels("out.png")[known], pixels(P)[known])
    assert (pixels("out.png") != pixels(P)).any()
    bound = ("--iterations", ended_at + 20)
    assert inpaint(P, M, *OUT, *rule, *bound, "--resume").returncode == 0
    assert not (folder / "out.png.dip-state").exists()
    assert inpaint(P, M, "-o", "whole.png", *rule, *bound).returncode == 0
    assert (folder / "out.png").read_bytes() == (folder / "whole.png").read_bytes()


@pytest.mark.usefixtures("folder")
def test_before_the_first_iteration_there_is_something_to_resume() -> None:
    """What is written then is no more than a smooth fill, which the next run overwrites."""
    running = start(P, M, *OUT)
    assert running.stdout is not None
    for _ in range(2):
        line = running.stdout.readline()
    assert line.startswith("fitting")
    running.send_signal(signal.SIGINT)
    last = running.communicate(timeout=60)[0].splitlines()[-1]
    assert running.returncode == 130
    assert last.endswith("; --resume goes on")
    running = start(P, M, *OUT, "--iterations", 3, "--resume")
    assert running.wait(60) == 0


@pytest.mark.usefixtures("folder")
def test_nothing_is_promised_where_no_state_can_be_written(
    interrupted: Inpaint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dip.inpainting import resume

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(resume, "replacing", full)
    done = interrupted(P, M, *OUT)
    assert done.returncode == 130
    assert "so this run cannot be resumed" in done.stderr
    assert "--resume" not in done.stdout


def test_the_second_signal_ends_it_at_once(folder: Path) -> None:
    """In the middle of a fit whose iterations take long; nothing is written, nothing broken."""
    Image.fromarray(np.zeros((2000, 2000, 3), np.uint8)).save("big.png")
    running = start("big.png", "--box", "500,500,1000,1000", *OUT, "--max-side", 2000)
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


def test_a_state_of_other_settings_is_refused(
    interrupted: Inpaint, inpaint: Inpaint, folder: Path
) -> None:
    assert interrupted(P, M, *OUT).returncode == 130
    for other in (("--seed", 1), ("--max-side", 20), ("--stop", "none")):
        done = inpaint(P, M, *OUT, *other, "--resume")
        assert done.returncode == 2
        assert "the state is of another photo, hole or other settings; use those" in done.stderr
    reached = ("--iterations", 3, "--resume")
    assert "iterations; set a larger --iterations" in inpaint(P, M, *OUT, *reached).stderr
    before = (folder / "out.png.dip-state").read_bytes()
    assert "left by an interrupted run; add --resume, or delete it" in inpaint(P, M, *OUT).stderr
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
    before = pixels(P)
    (folder / P).chmod(0o640)
    assert inpaint(P, M, "-o", "linked.png", "--force", "--iterations", 2).returncode == 0
    assert (folder / "linked.png").is_symlink()
    assert (folder / P).stat().st_mode & 0o777 == 0o640
    assert (pixels(P) != before).any()


def test_it_goes_on_when_nobody_reads_what_it_says(folder: Path) -> None:
    """As when Ctrl-C ends `tee`, too."""
    running = start(P, M, *OUT, "--iterations", 10**6, "--save-every", 1, "series")
    assert running.stdout is not None
    assert running.stderr is not None
    while not [*folder.glob("series/*-000003.png")]:
        assert running.poll() is None
        time.sleep(0.01)
    running.stdout.close()
    running.stderr.close()
    running.send_signal(signal.SIGINT)
    running.wait(timeout=60)
    assert (pixels("out.png") != pixels(P)).any()
    assert (folder / "out.png.dip-state").exists()


def test_what_was_fitted_is_not_lost_with_a_file_that_cannot_be_written(
    inpaint: Inpaint, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is full; once there is room, nothing is fitted again."""
    from dip.inpainting.command import inpaint as command

    def full(*_: object) -> None:
        raise command.InputError("out.png: cannot be written (No space left on device)")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(command, "save", full)
        done = inpaint(P, M, *OUT, "--iterations", 5)
    assert done.returncode == 2
    assert done.stderr == (
        "error: out.png: cannot be written (No space left on device); the fit is kept, and"
        " --resume writes it\n"
    )
    done = inpaint(P, M, *OUT, "--iterations", 5, "--resume", "--save-every", 1, "series")
    assert done.returncode == 0
    assert (folder / "out.png").exists()
    assert not [*(folder / "series").iterdir()]


def test_a_disk_that_is_full_after_the_fit_loses_nothing(inpaint: Inpaint, folder: Path) -> None:
    Image.effect_noise((400, 400), 99).convert("RGB").save("large.tif")
    words = ("large.tif", "--box", "9,9,4,4", "-o", "out.tif", "--iterations", 2, "--context", 9)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**18, limits[1]))
    try:
        done = inpaint(*words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.returncode == 2
    assert "error: out.tif: cannot be written (" in done.stderr
    assert "; the fit is kept, and --resume writes it" in done.stderr
    assert not [*folder.glob("*out.tif"), *folder.glob(".*partial")]
    assert inpaint(*words, "--resume").returncode == 0
    assert Path("out.tif").is_file()
    assert not Path("out.tif.dip-state").exists()
