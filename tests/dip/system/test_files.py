"""Files that are there whole or not at all, beside whatever others have there."""

import os
import time
from pathlib import Path

import pytest

from dip.system.files import LEFT_SECONDS, replacing


def _write(path: Path, content: str) -> None:
    with replacing(path) as partial:
        partial.write_text(content)


def test_a_file_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    _write(place, "first")
    with pytest.raises(RuntimeError), replacing(place) as partial:
        partial.write_text("half of the sec")
        raise RuntimeError
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "first"}


def test_no_file_beside_it_is_taken_for_its_own(tmp_path: Path) -> None:
    names = (".a.txt-partial", "a.txt.part", "a.txt~", ".dip-partial", ".dip-1-partial")
    for name in names:
        (tmp_path / name).write_text(name)
    _write(tmp_path / "a.txt", "new")
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {"a.txt": "new", **{name: name for name in names}}


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    with replacing(place) as one, replacing(place) as other:
        one.write_text("one")
        other.write_text("other")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert place.read_text() == "one"  # the last that was done


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    place, other = tmp_path / "a.txt", tmp_path / "b.txt"
    left = []
    for path in (place, other):
        with replacing(path) as partial:
            partial.write_text("left")
            left.append(partial.rename(partial.with_suffix(".kept")))
            partial.touch()
    for path in left:
        path.rename(path.with_suffix(""))
    _write(place, "while it may still be written to")
    assert len([*tmp_path.iterdir()]) == 4
    old = time.time() - LEFT_SECONDS - 1
    for path in left:
        os.utime(path.with_suffix(""), (old, old))
    _write(place, "new")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("a.txt", "b.txt", left[1].with_suffix("").name),
    }


def test_a_link_leads_on(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "a.txt").symlink_to("real/b.txt")
    for content in ("first", "second"):
        _write(tmp_path / "a.txt", content)
        assert (tmp_path / "real" / "b.txt").read_text() == content
    assert (tmp_path / "a.txt").is_symlink()
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["b.txt"]


def test_a_name_may_be_as_long_as_a_file_system_takes(tmp_path: Path) -> None:
    place = tmp_path / ("ä" * 125 + ".png")
    _write(place, "new")
    assert [*tmp_path.iterdir()] == [place]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    _write(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "other").stat().st_mode
