"""Archives: what is packed comes back to the last byte, and nothing else is written."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest
from support.commands import Ran

from benchmarks.scoring.results import load_results
from benchmarks.store.layout import CHECKSUMS, JOBS, RECORDS, RESULTS, SUITE
from benchmarks.store.pack import pack, read_records, unpack
from benchmarks.store.store import Store
from dip.errors import InputError

Members = dict[str, bytes]


@pytest.fixture
def folder(ran: Ran) -> Path:
    return ran()[1] / "tiny"


@pytest.fixture
def archive(folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.zip"
    pack(folder, path)
    return path


def _contents(folder: Path) -> Members:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _members(path: Path) -> Members:
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _write(path: Path, members: Members) -> None:
    with ZipFile(path, "w", ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _sealed(members: Members) -> Members:
    """The same with checksums of all members, as somebody writes them who means harm."""
    rest = {name: content for name, content in members.items() if name != CHECKSUMS}
    lines = [f"{hashlib.sha256(rest[name]).hexdigest()}  {name}\n" for name in rest]
    return {**rest, CHECKSUMS: "".join(lines).encode()}


def test_what_is_packed_comes_back(folder: Path, archive: Path, tmp_path: Path) -> None:
    suite = unpack(archive, tmp_path / "there")
    assert suite == tmp_path / "there" / "tiny"
    came, own = _contents(suite.parent), _contents(folder.parent)
    records = came.pop(f"tiny/{RECORDS}")
    tables = {f"tiny/{name}" for name in (RESULTS, JOBS, SUITE)}
    assert came == {name: own[name] for name in own if name in tables or name.startswith("runs/")}
    assert len(load_results(suite).rows) == len(load_results(folder).rows)
    store = Store(folder.parent / "runs")
    assert read_records(suite) == {key: store.run(key).record for key in store.stored()}
    assert list(read_records(suite)) == store.stored()
    assert records.count(b"\n") == 2
    assert read_records(folder) == {}


def test_the_same_results_give_the_same_bytes(folder: Path, archive: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder.parent, other)
    sha256 = pack(other / "tiny", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()
    assert sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()
    # An archive of what was unpacked is the same, too.
    assert pack(unpack(archive, tmp_path / "there"), tmp_path / "third.zip") == sha256


def test_chosen_runs_are_packed_whole_and_all_records(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "some.zip"
    jobs = load_results(folder).jobs
    (fill,) = jobs[jobs["method"] == "mean"]["key"]
    pack(folder, path, whole={fill})
    suite = unpack(path, tmp_path / "there")
    assert Store(suite.parent / "runs").stored() == [fill]
    assert {*read_records(suite)} == {*jobs["key"]}
    # Records of an earlier archive are handed on.
    pack(suite, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == path.read_bytes()
    (suite / RECORDS).unlink()
    pack(suite, tmp_path / "less.zip")
    assert {*read_records(unpack(tmp_path / "less.zip", tmp_path / "less"))} == {fill}


def test_a_damaged_run_is_not_packed(folder: Path, tmp_path: Path) -> None:
    picture = min(folder.parent.glob("runs/*/raw-*.png"))
    picture.write_bytes(picture.read_bytes()[:-1])
    with pytest.raises(InputError, match="is not what was written; `dip-bench score SUITE`"):
        pack(folder, tmp_path / "tiny.zip")
    assert not (tmp_path / "tiny.zip").exists()


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "/evil.png",
        "runs/../../evil.png",
        f"runs/{'0' * 64}/../evil.png",
        f"runs/{'0' * 64}/evil.sh",
        "runs/results.csv",
        "..\\evil\\results.csv",
        "C:/results.csv",
        "tiny/evil.py",
        "tiny/.dip-bench-suite",
    ],
)
def test_names_that_lead_elsewhere_are_refused(archive: Path, tmp_path: Path, name: str) -> None:
    _write(archive, _sealed(_members(archive) | {name: b"evil"}))
    with pytest.raises(InputError, match="is no archive of `dip-bench pack`: it has '"):
        unpack(archive, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def _flip(members: Members, name: str) -> Members:
    content = members[name]
    return members | {name: bytes([content[0] ^ 1]) + content[1:]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda m: m | {f"runs/{'0' * 64}/trace.csv": b""},
            "trace.csv is not listed in SHA256SUMS",
        ),
        (lambda m: {n: m[n] for n in m if n != f"tiny/{RECORDS}"}, "records.jsonl is missing"),
        (lambda m: _flip(m, "tiny/results.csv"), "results.csv is not what was packed"),
        (lambda m: _flip(_flip(m, "tiny/jobs.csv"), "tiny/suite.json"), r"packed \(and 1 more\)"),
        (lambda m: m | {CHECKSUMS: b"?"}, "SHA256SUMS is not what was packed"),
        (lambda m: {n: m[n] for n in m if n != CHECKSUMS}, "it has no SHA256SUMS"),
        (lambda m: m | {"other/results.csv": b""}, "the results of 2 suites"),
    ],
)
def test_other_members_are_refused(
    archive: Path, tmp_path: Path, change: Callable[[Members], Members], message: str
) -> None:
    _write(archive, change(_members(archive)))
    with pytest.raises(InputError, match=message):
        unpack(archive, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_flipped_bit_is_found_and_the_rest_unpacked(archive: Path, tmp_path: Path) -> None:
    with ZipFile(archive) as opened:
        member = next(each for each in opened.infolist() if each.filename.endswith("mask.png"))
    content = bytearray(archive.read_bytes())
    content[member.header_offset + 30 + len(member.filename) + 20] ^= 1
    archive.write_bytes(content)
    with pytest.raises(InputError, match=r"mask\.png is not what was packed; get another copy"):
        unpack(archive, tmp_path / "there")
    found: list[tuple[str, str]] = []
    suite = unpack(archive, tmp_path / "there", lambda *damage: found.append(damage))
    assert found == [(member.filename, "is not what was packed")]
    with ZipFile(archive) as opened:
        assert len(_contents(suite.parent)) == len(opened.namelist()) - 2  # and SHA256SUMS


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_what_is_no_whole_zip_is_refused(
    archive: Path, tmp_path: Path, content: bytes | None
) -> None:
    archive.write_bytes(archive.read_bytes()[:-40] if content is None else content)
    with pytest.raises(InputError, match="is no whole zip file"):
        unpack(archive, tmp_path / "there")


def test_an_archive_that_would_fill_the_disk_is_refused(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.store.pack.LARGEST_GIB", 0)
    with pytest.raises(InputError, match="it would take more than 0 GiB"):
        unpack(archive, tmp_path / "there")


def test_nothing_is_unpacked_over_other_files(archive: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    unpack(archive, there)  # an empty folder will do
    with pytest.raises(InputError, match="is there already"):
        unpack(archive, there)
    with pytest.raises(InputError, match="there is no such archive"):
        unpack(tmp_path / "none.zip", tmp_path / "other")


def test_damaged_records_are_told(archive: Path, tmp_path: Path) -> None:
    suite = unpack(archive, tmp_path / "there")
    (suite / RECORDS).write_text("{}\n")
    with pytest.raises(InputError, match=r"records\.jsonl: is not as it was written"):
        read_records(suite)
