"""`dip inpaint` writes over nothing that it has not written itself, unless it is told to."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.photo_command import OUT, Inpaint, M, P, pixels, start

pytestmark = pytest.mark.usefixtures("one_thread")

STRANGER = b"what somebody else has written"
STAYS = {
    "out.png": ("-o", "out.png"),
    "now.png": (*OUT, "--preview", "now.png"),
    "how.gif": (*OUT, "--animation", "how.gif"),
    "series/hole-1-iteration-000001.png": (*OUT, "--save-every", "1", "series"),
    "series/hole-2-iteration-000099.png": (*OUT, "--save-every", "7", "series"),
}


def _put(path: str) -> Path:
    place = Path(path)
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(STRANGER)
    return place


@pytest.mark.parametrize("path", STAYS)
def test_a_file_that_exists_is_overwritten_by_force_only(path: str, inpaint: Inpaint) -> None:
    place = _put(path)
    done = inpaint(P, M, *STAYS[path], "--iterations", 2)
    assert (done.returncode, done.stdout) == (2, "")
    message = f"{path}: exists already; add --force to overwrite it, or name another file"
    assert message in done.stderr
    assert place.read_bytes() == STRANGER
    if path.endswith("99.png"):
        return  # no picture of this run has its name
    assert inpaint(P, M, *STAYS[path], "--iterations", 2, "--force").returncode == 0
    assert place.read_bytes() != STRANGER


def test_a_link_is_followed_and_never_replaced(inpaint: Inpaint) -> None:
    place = _put("there.png")
    Path("out.png").symlink_to("there.png")
    assert inpaint(P, M, *OUT, "--iterations", 2).returncode == 2
    assert place.read_bytes() == STRANGER
    assert inpaint(P, M, *OUT, "--iterations", 2, "--force").returncode == 0
    place.unlink()
    assert inpaint(P, M, *OUT, "--iterations", 2).returncode == 0
    assert Path("out.png").is_symlink()
    assert pixels("there.png").shape == (40, 50, 3)


def test_a_device_is_no_file_even_by_force(inpaint: Inpaint) -> None:
    """Whoever may do everything would replace it."""
    Path("out.png").symlink_to(os.devnull)
    os.mkfifo("now.png")
    for words in (OUT, ("-o", "other.png", "--preview", "now.png")):
        done = inpaint(P, M, *words, "--iterations", 2, "--force")
        assert done.returncode == 2
        assert "exists, but is not a regular file; name another one" in done.stderr
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


FILES = ("--preview", "now.png", "--animation", "how.gif")


def test_a_run_that_resumes_writes_over_what_it_wrote(
    interrupted: Inpaint, inpaint: Inpaint
) -> None:
    assert interrupted(P, M, *OUT, *FILES).returncode == 130
    before = {name: Path(name).read_bytes() for name in ("out.png", "now.png", "how.gif")}
    further = ("--iterations", 100, "--save-every", 1, "series", "--resume")
    done = inpaint(P, M, *OUT, *FILES, *further)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("note") == 0
    assert all(Path(name).read_bytes() != content for name, content in before.items())


def test_files_of_one_name_in_two_folders_are_resumed(
    interrupted: Inpaint, inpaint: Inpaint
) -> None:
    Path("now").mkdir()
    words = (P, M, *OUT, "--preview", "now/out.png")
    assert interrupted(*words).returncode == 130
    done = inpaint(*words, "--iterations", 100, "--resume")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["out.png", "now.png", "how.gif"])
def test_a_run_that_resumes_leaves_what_came_later(
    name: str, interrupted: Inpaint, inpaint: Inpaint
) -> None:
    assert interrupted(P, M, *OUT, *FILES).returncode == 130
    place = _put(name)
    done = inpaint(P, M, *OUT, *FILES, "--iterations", 100, "--resume")
    assert done.returncode == 2
    assert f"{name}: exists already; add --force" in done.stderr
    assert place.read_bytes() == STRANGER
    further = ("--iterations", 100, "--resume", "--force")
    assert inpaint(P, M, *OUT, *FILES, *further).returncode == 0


NETWORK = """
import pathlib, torch
class Net(torch.nn.Conv2d):
    def __init__(self):
        super().__init__(32, 3, 1)
        pathlib.Path("out.png").write_bytes(b"what somebody else has written")
"""


@pytest.mark.usefixtures("folder")
def test_a_file_that_comes_while_a_photo_is_fitted_stays() -> None:
    """And nothing of the fit is lost: it is written when there is room."""
    Path("meanwhile.py").write_text(NETWORK)
    words = (P, M, *OUT, "--iterations", "2")
    network = ("--set", "architecture={import: meanwhile:Net}")
    running = start(*words, settings=network)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 2
    assert errors == (
        "error: out.png: appeared during the run and was not overwritten; move it; the fit"
        " is kept, and --resume writes it\n"
    )
    assert Path("out.png").read_bytes() == STRANGER
    Path("out.png").unlink()
    assert start(*words, "--resume", settings=network).wait(60) == 0
    assert pixels("out.png").shape == (40, 50, 3)


def test_an_unfinished_photo_gets_a_name_that_is_free(interrupted: Inpaint) -> None:
    """`--force` is about the photo, not about a file that nobody has named."""
    place = _put("photo-so-far.jpg")
    done = interrupted("photo.jpg", M, "-o", "photo.jpg", "--force")
    assert done.returncode == 130
    assert done.stdout.splitlines()[-1].startswith("photo-so-far-2.jpg: iteration ")
    assert place.read_bytes() == STRANGER
    assert Image.open("photo-so-far-2.jpg").size == (50, 40)


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_has_the_state_s_name_and_is_none_stays(kind: str, inpaint: Inpaint) -> None:
    place = Path("out.png.dip-state")
    if kind == "folder":
        place.mkdir()
    else:
        _put("other.zip" if kind == "link" else place.name)
        if kind == "link":
            place.symlink_to("other.zip")
    for words in ((), ("--resume",), ("--force",), ("--resume", "--force")):
        done = inpaint(P, M, *OUT, "--iterations", 2, *words)
        assert done.returncode == 2
        assert "not a state that this program has saved" in done.stderr
    assert place.is_dir() or place.read_bytes() == STRANGER
    assert place.is_symlink() == (kind == "link")


def test_nothing_else_in_the_folder_changes(inpaint: Inpaint, folder: Path) -> None:
    for name in (".out.png-partial", "out.png-partial", "out.png~"):
        _put(name)
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert inpaint(P, M, *OUT, "--iterations", 2).returncode == 0
    after = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert {*after} - {*before} == {folder / "out.png"}
    assert all(after[path] == content for path, content in before.items())
    np.testing.assert_array_equal(pixels("out.png").shape, (40, 50, 3))
