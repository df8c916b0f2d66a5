"""Where a file can be written, found out before a photo is fitted, without leaving anything."""

import os
import re
from pathlib import Path

import pytest

from dip.errors import InputError
from dip.inpainting.files.places import check_place


def test_a_place_that_takes_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "kept.png").write_bytes(b"kept")
    (tmp_path / "read-only.png").touch(0o444)
    (tmp_path / "loop.png").symlink_to("loop.png")
    for name, message in (
        ("fifo.png", "exists, but is not a regular file; name another one"),
        ("folder", "exists, but is not a regular file; name another one"),
        ("read-only.png", "exists, but is read-only; name another one"),
        (f"{'a' * 250}.png", "cannot be written (File name too long)"),
        ("loop.png", "cannot be written (Too many levels of symbolic links)"),
        ("gone/a.png", "cannot be written (No such file or directory)"),
        ("kept.png/a.png", "cannot be written (Not a directory)"),
    ):
        with pytest.raises(InputError, match=re.escape(f"{name}: {message}")):
            check_place(tmp_path / name, name)
    check_place(tmp_path / "kept.png", "it")
    check_place(tmp_path / f"{'a' * 230}.png", "it")
    # The state lies beside a link, whose name alone has to leave room for more.
    (tmp_path / "link.png").symlink_to(f"{'a' * 250}.png")
    check_place(tmp_path / "link.png", "it")
    (tmp_path / "link.png").unlink()
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == ["fifo.png", "folder", "kept.png", "loop.png", "read-only.png"]
    assert (tmp_path / "kept.png").read_bytes() == b"kept"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_takes_no_file_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(InputError, match="b.png: cannot be written"):
        check_place(tmp_path / "b.png", "b.png")
    tmp_path.chmod(0o755)
