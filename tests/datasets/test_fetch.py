"""Fetching, from a real server on the loopback address and from a folder."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from pytest import CaptureFixture, MonkeyPatch
from support.commands import Done, signal_handlers_restored

import datasets
import datasets.fetch
from datasets import DatasetError, Image, make_mask, parse_mask
from datasets.fetch import fetch
from datasets.manifest import Manifest, cache_folder
from datasets.preview import _caption
from reports.commands.app import main

FILES = {"a.png": b"the first" * 5000, "b.png": b"the second" * 5000}


@dataclass
class Server:
    """files: by their path; cut_off: those of which half is sent; asked: the paths asked for."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut_off: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch: MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DIP_MIRROR", raising=False)
    monkeypatch.setattr(datasets.fetch, "RETRIES", 0)  # which wait a second
    state = Server(files={f"/set/{name}": content for name, content in FILES.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            content = state.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            half = len(content) // 2 if self.path in state.cut_off else None
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content[:half])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    yield state
    listening.shutdown()
    listening.server_close()
    thread.join()


def _manifest(server: Server) -> Manifest:
    images = {
        name[0]: {
            "file": name,
            "height": 1,
            "width": 1,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        for name, content in FILES.items()
    }
    content = {
        "name": "set",
        "title": "A set",
        "address": f"{server.address}/set/",
        "licence": "MIT",
        "citation": "this test",
        "images": images,
    }
    return Manifest.model_validate(content)


def _kept() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (cache_folder() / "set").glob("*")}


def test_files_are_fetched_once(server: Server) -> None:
    told: list[str] = []
    manifest = _manifest(server)
    assert fetch(manifest, on_file=told.append) == cache_folder() / "set"
    assert told == list(FILES)
    assert _kept() == FILES
    assert manifest.is_here
    assert manifest.path("a.png") == cache_folder() / "set" / "a.png"
    server.asked.clear()
    fetch(manifest, on_file=told.append)
    assert server.asked == []
    assert told == [*FILES, *FILES]


def test_a_wrong_file_is_refused_and_not_kept(server: Server) -> None:
    server.files["/set/b.png"] = b"something else"
    with pytest.raises(DatasetError, match=r"/set/b.png: not the expected file, its SHA-256"):
        fetch(_manifest(server))
    assert _kept() == {"a.png": FILES["a.png"]}
    server.files["/set/b.png"] = FILES["b.png"]
    fetch(_manifest(server))
    assert _kept() == FILES


def test_a_transfer_that_is_cut_off_leaves_nothing(server: Server) -> None:
    server.cut_off.add("/set/b.png")
    with pytest.raises(DatasetError, match=r"/set/b.png: (cannot be fetched|not the expected)"):
        fetch(_manifest(server))
    assert _kept() == {"a.png": FILES["a.png"]}
    server.cut_off.clear()
    server.asked.clear()
    fetch(_manifest(server))
    assert server.asked == ["/set/b.png"]
    assert _kept() == FILES


def test_a_missing_file_is_named(server: Server) -> None:
    del server.files["/set/a.png"]
    with pytest.raises(DatasetError, match=r"/set/a.png: cannot be fetched: 404 .*; `mirror`"):
        fetch(_manifest(server))
    assert _kept() == {}


def test_a_server_that_is_not_there_is_named(server: Server) -> None:
    with pytest.raises(
        DatasetError, match=r"a.png: cannot be fetched: .*refused; without `mirror`"
    ):
        fetch(_manifest(server), mirror="http://127.0.0.1:9")


def test_what_is_damaged_in_the_cache_is_replaced(server: Server) -> None:
    fetch(_manifest(server))
    (cache_folder() / "set" / "a.png").write_bytes(b"damaged")
    with pytest.raises(DatasetError, match=r"not the expected file .* `dip-bench data fetch"):
        _manifest(server).path("a.png")
    fetch(_manifest(server))
    assert _kept() == FILES


def test_a_cache_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(DatasetError, match="files cannot be kept there .* XDG_CACHE_HOME"):
        fetch(_manifest(server))


@pytest.mark.parametrize("kind", ["folder", "address"])
def test_a_mirror_has_the_same_files(server: Server, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "mirror"
    (folder / "set").mkdir(parents=True)
    manifest = _manifest(server).model_copy(update={"address": "http://127.0.0.1:9/"})
    mirror = str(folder) if kind == "folder" else f"{server.address}/"
    if kind == "folder":
        with pytest.raises(
            DatasetError, match="a.png: there is no such file in the mirror; without"
        ):
            fetch(manifest, mirror)
        (folder / "set" / "a.png").write_bytes(b"something else")
        with pytest.raises(DatasetError, match="not the expected file"):
            fetch(manifest, mirror)
        for name, content in FILES.items():
            (folder / "set" / name).write_bytes(content)
    fetch(manifest, mirror)
    assert _kept() == FILES


def _command(capture: CaptureFixture[str], *words: object) -> Done:
    capture.readouterr()
    with signal_handlers_restored():
        code = main(["data", *map(str, words)])
    return Done(code, *capture.readouterr())


def test_the_command(
    server: Server, monkeypatch: MonkeyPatch, capsys: CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(datasets, "load_manifest", lambda _: _manifest(server))
    done = _command(capsys, "fetch", "set")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [*FILES, f"set: 2 files in {cache_folder() / 'set'}"]
    monkeypatch.setenv("DIP_MIRROR", str(tmp_path / "none"))
    done = _command(capsys, "fetch", "set")
    assert done.returncode == 2
    assert done.stderr.startswith("error: the mirror ")
    assert done.stderr.count("\n") == 1


def test_a_set_of_a_package_needs_no_fetching(capsys: CaptureFixture[str]) -> None:
    done = _command(capsys, "fetch", "scikit-image")
    assert done.returncode == 0
    assert "nothing to fetch" in done.stdout


def test_mistakes_are_one_line(capsys: CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "holes.png"
    for words, message in (
        (["fetch", "set13"], "unknown dataset 'set13'. Did you mean 'set12'?"),
        (["fetch"], "Missing argument"),
        (["preview", "scikit-image", "--mask", "boxes: {"], "is not YAML"),
        (["preview", "scikit-image", "--mask", "blob"], "unknown hole 'blob'"),
        (["preview", "scikit-image", "--image", "lena", "-o", picture], "unknown image 'lena'"),
        (["preview", "scikit-image", "-o", tmp_path / "a.jpg"], "the sheet is a PNG"),
        (["preview", "scikit-image", "-o", tmp_path / "none" / "a.png"], "there is no folder"),
        (["preview", tmp_path / "none", "-o", picture], "there is no such folder"),
        (
            ["preview", "scikit-image", "--size", 9, "--crop", 9],
            "--crop and --size exclude",
        ),
        (
            ["preview", "scikit-image", "--crop", 999],
            "smaller than crop 999; use crop: 512 or",
        ),
        (["preview", "scikit-image", "--mask", "{boxes: 2001-13-45}"], "boxes: settings are"),
    ):
        done = _command(capsys, *words)
        assert done.returncode == 2
        assert message in done.stderr
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_preview_reads_only_what_it_draws(capsys: CaptureFixture[str], tmp_path: Path) -> None:
    """Others of the set are smaller than 200 pixels, or no images."""
    out = tmp_path / "holes.png"
    done = _command(capsys, "preview", "scikit-image", "--mask", "blobs", "--size", 200, "-o", out)
    assert done.returncode == 0
    Pillow.new("L", (64, 64)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no picture")
    again = ("preview", tmp_path, "--mask", "blobs", "--size", 64, "-o", out)
    done = _command(capsys, *again)
    assert "is there already; name another file, or add --force" in done.stderr
    assert _command(capsys, *again, "--force").returncode == 0
    cropped = ("preview", tmp_path, "--mask", "blobs", "--crop", 32, "-o", out, "--force")
    assert _command(capsys, *cropped).returncode == 0


def test_list_says_what_is_here(capsys: CaptureFixture[str]) -> None:
    done = _command(capsys, "list")
    assert done.returncode == 0
    assert "scikit-image: Images that come with scikit-image; images: 13; here" in done.stdout
    assert "licence: CC-BY-SA" in done.stdout
    assert "  coffee: licence: CC0-1.0; from: Rachel Michetti" in done.stdout


def test_without_a_command_there_is_help_and_no_empty_error(capsys: CaptureFixture[str]) -> None:
    done = _command(capsys)
    assert done.returncode == 2
    assert "fetch" in done.stdout + done.stderr
    assert "error:" not in done.stderr


def test_captions_say_the_missing_share() -> None:
    image = Image("a", np.zeros((3, 64, 64), np.uint8))
    lines = parse_mask({"lines": {"every": 4}})
    assert _caption(lines, make_mask(lines, image)) == ["lines, 25.0% missing", "every=4"]
