"""Folders that are written again as a whole: nothing of anybody else is lost in them."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.system.refill import PARTIAL, refilled, remove_listed
from dip.errors import InputError

KIND, LISTING = "report", ".dip-bench-report"
ALWAYS = ("summary.md", "tables/numbers.tex")
NAMES = ("a", "b", "tables/c", "tables/d", "jobs/e/f", "jobs/e/g", "jobs/h/i")
FILES = st.dictionaries(st.sampled_from(NAMES), st.text("xyz"))


def _put(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def _refill(folder: Path, files: dict[str, str], force: bool | None = None, **more: bool) -> None:
    with refilled(folder, KIND, ALWAYS, force=force, **more) as place:
        _put(place, {**dict.fromkeys(ALWAYS, "always"), **files})


def _files(folder: Path) -> dict[str, str]:
    """All but the listing."""
    found = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
    found.pop(LISTING, None)
    return found


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(FILES, FILES), min_size=1, max_size=5))
def test_others_files_stay_whatever_is_written(steps: list[tuple[dict[str, str], ...]]) -> None:
    """Between one time and the next, somebody puts files there under names that are free."""
    with tempfile.TemporaryDirectory() as name:
        folder, others, own = Path(name) / "report", {}, {}
        for put, written in steps:
            new = {each: content for each, content in put.items() if each not in own}
            _put(folder, new)
            others |= new
            if others.keys() & written.keys():
                with pytest.raises(InputError, match=r"was not written by this program; move"):
                    _refill(folder, written)
            else:
                _refill(folder, written)
                own = {**dict.fromkeys(ALWAYS, "always"), **written}
            assert (_files(folder) if folder.exists() else {}) == {**others, **own}
            assert not (folder / PARTIAL).exists()
        remove_listed(folder, KIND)
        assert (_files(folder) if folder.exists() else {}) == others


def test_what_stopped_half_way_is_listed_and_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "report"
    _refill(folder, {"a": "1", "tables/c": "1"})
    (folder / "tables" / "mine").write_text("mine")
    replace, calls = Path.replace, []

    def stops(path: Path, target: Path) -> Path:
        if PARTIAL in path.parts:
            calls.append(path)
            if len(calls) == 3:
                raise OSError(5, "Input/output error")
        return replace(path, target)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="Input/output"):
        patch.setattr(Path, "replace", stops)
        _refill(folder, {"a": "2", "b": "2"})
    listed = {*(folder / LISTING).read_text().splitlines()}
    assert _files(folder).keys() - {"tables/mine"} <= listed
    _refill(folder, {"b": "3"})
    assert _files(folder) == {**dict.fromkeys(ALWAYS, "always"), "b": "3", "tables/mine": "mine"}


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    for folder in (tmp_path / "new", tmp_path / "old"):
        if folder.name == "old":
            _refill(folder, {"a": "1"})
        before = _files(folder)
        with pytest.raises(RuntimeError), refilled(folder, KIND, ALWAYS) as place:
            _put(place, {"a": "2"})
            raise RuntimeError
        assert _files(folder) == before
        assert folder.exists() == bool(before)


def test_links_and_folders_are_not_replaced(tmp_path: Path) -> None:
    def a_link(folder: Path) -> None:
        (folder / "a").symlink_to(tmp_path / "kept")

    def a_broken_link(folder: Path) -> None:
        (folder / "a").symlink_to("nowhere")

    def a_folder(folder: Path) -> None:
        (folder / "a").mkdir()

    def a_linked_folder(folder: Path) -> None:
        (folder / "tables").symlink_to(tmp_path, target_is_directory=True)

    def a_file(folder: Path) -> None:
        (folder / "tables").write_text("mine")

    (tmp_path / "kept").write_text("kept")
    cases: tuple[Callable[[Path], None], ...]
    cases = (a_link, a_broken_link, a_folder, a_linked_folder, a_file)
    for make in cases:
        folder = tmp_path / make.__name__
        folder.mkdir()
        make(folder)
        with pytest.raises(InputError, match=r"/(a|tables): .*; move it away"):
            _refill(folder, {"a": "new"})
        assert len([*folder.iterdir()]) == 1
    assert (tmp_path / "kept").read_text() == "kept"


def test_a_listing_leads_nowhere_else(tmp_path: Path) -> None:
    folder, kept = tmp_path / "report", tmp_path / "kept"
    _refill(folder, {})
    kept.mkdir()
    (kept / "mine").write_text("mine")
    (folder / "link").symlink_to(kept)
    names = (f"{kept}/mine", "../kept/mine", "tables/../../kept/mine", "link/mine")
    with (folder / LISTING).open("a") as file:
        file.writelines(f"{name}\n" for name in names)
    _refill(folder, {})
    remove_listed(folder, KIND)
    assert (kept / "mine").read_text() == "mine"


def test_a_folder_of_an_earlier_version_has_no_listing(tmp_path: Path) -> None:
    """What is written again is replaced there, unless somebody chose the folder."""
    old = {**dict.fromkeys(ALWAYS, "old"), "a": "old", "b": "old"}
    _put(tmp_path, old)
    with pytest.raises(InputError, match="summary.md: was not written .*, use `force` or name"):
        _refill(tmp_path, {"a": "new"}, force=False)
    remove_listed(tmp_path, KIND)
    assert _files(tmp_path) == old
    _refill(tmp_path, {"a": "new"}, is_ours=True)
    assert _files(tmp_path) == {**dict.fromkeys(ALWAYS, "always"), "a": "new", "b": "old"}


def test_force_replaces_files(tmp_path: Path) -> None:
    _put(tmp_path, {"a": "mine", "b": "mine"})
    with pytest.raises(InputError, match="a: was not written .*, use `force` or name another"):
        _refill(tmp_path, {"a": "new"}, force=False)
    _refill(tmp_path, {"a": "new"}, force=True)
    assert _files(tmp_path) == {**dict.fromkeys(ALWAYS, "always"), "a": "new", "b": "mine"}


def test_one_folder_may_hold_several_kinds(tmp_path: Path) -> None:
    _refill(tmp_path, {"a": "report"})
    for content in ("1", "2"):
        with refilled(tmp_path, "verdict", ["verdict.md"]) as place:
            _put(place, {"verdict.md": content})
    message = "a: belongs to the report in this folder; move it away"
    with pytest.raises(InputError, match=message), refilled(tmp_path, "verdict", ["a"]):
        pass
    _refill(tmp_path, {})
    written = {*ALWAYS, "verdict.md", ".dip-bench-verdict"}
    assert _files(tmp_path).keys() == written
