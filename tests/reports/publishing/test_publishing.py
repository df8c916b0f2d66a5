"""Published results: how far each is, and how one is made, gone on with and drawn."""

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from rich.console import Console
from support.commands import ROOT, Command

from benchmarks.scoring.results import Results, load_results
from benchmarks.store.layout import PACK, PARTIAL_PACK
from dip.errors import InputError
from dip.options.losses import LOSSES
from reports.publishing import catalogue, pages
from reports.publishing.catalogue import Entry, load_catalogue
from reports.publishing.make import Making, make_all
from reports.publishing.pages import filled
from reports.publishing.state import State, state_of

# What differs between two runs of the same jobs.
TIMES = ["seconds", "milliseconds_median", "milliseconds_p10", "milliseconds_p90"]
MEASURED = [*TIMES, "peak_memory_mib", "workers", "git_revision"]


@dataclass(frozen=True)
class Desk:
    """A folder of published results with one tiny suite, and folders of results."""

    published: Path
    out: Path
    entry: Entry

    @property
    def state(self) -> State:
        return state_of("tiny", self.entry, self.published)

    @property
    def results(self) -> Results:
        return load_results(self.published / "tiny")

    def make(self, out: Path | None = None, deadline: float = math.inf) -> bool:
        """out: another machine's folder of results; deadline: as of `Making`."""
        making = Making(self.published, out or self.out, "cpu", deadline)
        return make_all({"tiny": self.entry}, making, Console())


@pytest.fixture
def desk(suite_file: Callable[..., Path], tmp_path: Path) -> Desk:
    (tmp_path / "published").mkdir()
    images = {"images": ["astronaut", "chelsea"]}
    return Desk(
        tmp_path / "published",
        tmp_path / "results",
        Entry(
            suite=str(suite_file(**images)),
            evidence=("README.md",),
            minutes=1,
            worth=1,
            figures=("contact-sheet-1",),
            pictures=("astronaut",),
        ),
    )


def _numbers(results: Results) -> pd.DataFrame:
    """Rows without what was timed."""
    return results.rows.drop(columns=MEASURED)


@pytest.mark.usefixtures("one_thread")
def test_a_missing_result_is_made_and_then_current(desk: Desk) -> None:
    assert desk.state == State("missing")
    assert desk.make()
    assert desk.state == State("current")
    folder = desk.published / "tiny"
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert names == {PACK, "summary.md", "contact-sheet-1.webp"}
    assert "contact-sheet-1.webp" in (folder / "summary.md").read_text()
    before = (folder / PACK).read_bytes()
    assert desk.make()  # there is nothing to do
    assert (folder / PACK).read_bytes() == before


@pytest.mark.usefixtures("one_thread")
def test_a_component_of_another_version_makes_it_stale(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.make()
    monkeypatch.setattr(LOSSES["squared"], "VERSION", 9)
    word, detail = desk.state.word, desk.state.detail
    assert word == "stale"
    assert detail == "2 of 4 jobs as today; versions.loss squared: 1, now 9 (2 jobs)"
    before = desk.results.rows.set_index("method")
    assert desk.make()
    assert desk.state == State("current")
    after = desk.results.rows.set_index("method")
    assert {*after.loc["mean", "key"]} == {*before.loc["mean", "key"]}
    assert {*after.loc["quick", "key"]}.isdisjoint({*before.loc["quick", "key"]})


@pytest.mark.usefixtures("one_thread")
def test_a_text_of_other_code_is_drawn_again_without_a_fit(desk: Desk) -> None:
    desk.make()
    summary = desk.published / "tiny" / "summary.md"
    text = summary.read_text()
    summary.write_text(f"{text}An earlier version's last line.\n")
    assert desk.state == State("to redraw")
    shutil.rmtree(desk.out)
    sheet = desk.published / "tiny" / "figures" / "contact-sheet-1.webp"
    figure = sheet.read_bytes()
    assert desk.make()
    assert sheet.read_bytes() == figure  # most of its runs are gone
    assert summary.read_text() == text
    runs = {path.name for path in (desk.out / "runs").iterdir()}
    assert len(runs) == 2  # those that have kept their pictures
    sheet.unlink()
    assert desk.state == State("to redraw", "no figure contact-sheet-1")


@pytest.mark.usefixtures("one_thread")
def test_another_machine_goes_on_from_what_is_kept(
    desk: Desk, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two machines and of one the rows are the same, but for times."""
    suite = desk.entry.suite
    done = command("reports", "run", suite, "--out", desk.out, "-k", "astronaut")
    assert done.returncode == 0, done.stderr
    assert not desk.make(deadline=time.monotonic())  # which is over
    assert desk.state == State("missing")  # what is not begun is not looked at
    with monkeypatch.context() as patch:
        patch.setattr(Making, "seconds_left", 1.0)  # until the suite is read
        assert not desk.make(deadline=time.monotonic())
    kept = desk.published / "tiny" / PARTIAL_PACK
    assert kept.exists()
    assert desk.state == State("partial", "2 of 4 jobs")

    assert desk.make(tmp_path / "of another machine")
    assert not kept.exists()
    assert desk.state == State("current")
    whole = replace(desk, published=tmp_path / "whole", out=tmp_path / "at once")
    whole.published.mkdir()
    assert whole.make()
    pd.testing.assert_frame_equal(_numbers(desk.results), _numbers(whole.results))


@pytest.mark.usefixtures("one_thread")
def test_a_result_that_is_made_again_stands_until_it_is_whole(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.make()
    before = (desk.published / "tiny" / PACK).read_bytes()
    monkeypatch.setattr(LOSSES["squared"], "VERSION", 9)
    monkeypatch.setattr(Making, "seconds_left", 1.0)  # until the suite is read
    assert not desk.make(deadline=time.monotonic())
    assert desk.state.word == "partial"
    assert (desk.published / "tiny" / PACK).read_bytes() == before


def test_images_that_are_not_here_leave_the_state_open(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "reports" / "published" / "fills-11", desk.published / "fills-11")
    monkeypatch.delenv("DIP_MIRROR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    entry = load_catalogue(catalogue.FOLDER)["fills-11"]
    state = state_of("fills-11", entry, desk.published)
    assert state.word == "unknown"
    assert "data fetch inpainting-11" in state.detail


def test_what_a_command_makes_is_there_or_missing(desk: Desk) -> None:
    entry = Entry(
        command="dip-bench masks scikit-image --image astronaut -o {published}/holes.png",
        files=("holes.png",),
        evidence=("README.md",),
        minutes=0.5,
        worth=1,
    )
    assert state_of("holes", entry, desk.published) == State("missing", "no holes.png")
    late = Making(desk.published, desk.out, "cpu", time.monotonic() + 5)
    assert not make_all({"holes": entry}, late, Console())
    assert make_all({"holes": entry}, Making(desk.published, desk.out, "cpu"), Console())
    assert state_of("holes", entry, desk.published) == State("present")


def test_what_is_made_on_a_gpu_is_not_made_on_a_cpu(desk: Desk) -> None:
    on_gpu = replace(desk, entry=desk.entry.model_copy(update={"device": "cuda"}))
    assert on_gpu.make()
    assert on_gpu.state == State("missing")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"worht": 1}, "unknown key 'worht'. Did you mean 'worth'?"),
        ({"command": "dip x"}, "name a suite or a command, and not both"),
        ({"suite": None}, "name a suite or a command, and not both"),
        ({"suite": None, "command": "dip x"}, "name the files that the command leaves"),
        (
            {"suite": None, "command": "rm x", "files": ["x"]},
            "a command begins with dip-bench, dip or python",
        ),
        (
            {"suite": None, "command": "dip 'x", "files": ["x"]},
            "No closing quotation",
        ),
        (
            {"suite": None, "command": "dip x", "files": ["../x"]},
            "'../x' is no place in the folder of published results",
        ),
        ({"minutes": float("inf")}, "minutes"),
    ],
)
def test_an_entry_that_is_wrong_is_one_line(
    entry: dict[str, Any], message: str, tmp_path: Path
) -> None:
    right = {"suite": "quick", "evidence": ["README.md"], "minutes": 1, "worth": 1}
    (tmp_path / "published.yaml").write_text(yaml.safe_dump({"first": {**right, **entry}}))
    with pytest.raises(InputError) as error:
        load_catalogue(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'published.yaml'}: first")
    assert message in str(error.value)


@pytest.mark.parametrize("content", ["{}", "[]", "../out: {suite: quick}"])
def test_a_list_that_is_none_is_one_line(content: str, tmp_path: Path) -> None:
    (tmp_path / "published.yaml").write_text(content)
    with pytest.raises(InputError, match="published.yaml: "):
        load_catalogue(tmp_path)


@pytest.mark.usefixtures("one_thread")
def test_what_cannot_be_made_does_not_keep_others_from_being_made(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = desk.entry.model_copy(update={"suite": "no-suite"})
    damaged = desk.published / "damaged" / PACK
    damaged.parent.mkdir()
    damaged.write_bytes(b"PK")
    other = desk.published / "other" / PACK
    other.parent.mkdir()
    shutil.copyfile(ROOT / "reports" / "published" / "quick" / PACK, other)
    entries = {"gone": gone, "damaged": desk.entry, "other": desk.entry, "tiny": desk.entry}
    words = [state_of(name, entry, desk.published).word for name, entry in entries.items()]
    assert words == ["unknown", "unknown", "unknown", "missing"]
    assert not make_all(entries, Making(desk.published, desk.out, "cpu"), Console())
    told = capsys.readouterr().out.replace("\n", " ")
    assert told.count("cannot be made") == 3
    assert "holds the results of 'quick'" in told
    assert desk.state == State("current")


@pytest.mark.usefixtures("one_thread")
def test_what_is_whole_goes_before_what_was_begun(desk: Desk) -> None:
    """As after two machines, of which one finished it."""
    desk.make()
    begun = desk.published / "tiny" / PARTIAL_PACK
    shutil.copyfile(desk.published / "tiny" / PACK, begun)
    assert desk.state == State("current")


def test_the_most_valuable_comes_first() -> None:
    worths = [entry.worth for entry in load_catalogue(catalogue.FOLDER).values()]
    assert worths == sorted(worths, reverse=True)


def test_the_command_lists_and_makes(
    desk: Desk, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = desk.entry.model_dump(mode="json", exclude_defaults=True)
    entries = {"tiny": entry, "on-gpu": {**entry, "device": "cuda"}}
    (desk.published / "published.yaml").write_text(yaml.safe_dump(entries, sort_keys=False))
    monkeypatch.setattr(catalogue, "FOLDER", desk.published)
    done = command("reports", "published")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "missing    tiny    cpu      1 min  README.md",
        "missing    on-gpu  cuda     1 min  README.md",
        "2 missing",
    ]
    done = command("reports", "published", "--make", "--budget", "5m", "--out", desk.out)
    assert done.returncode == 0, done.stderr
    assert "tiny: 4 of 4 jobs done" in done.stdout
    (desk.published / "tiny" / PACK).unlink()
    done = command("reports", "published", "--make", "--budget", "0.001s", "--out", desk.out)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        3,
        "Time is up; the same command goes on",
    )
    assert command("reports", "published", "--make", "--out", desk.out).returncode == 0
    done = command("reports", "published", "tiny")
    assert done.stdout.splitlines()[-1] == "1 current"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["quik"], "unknown published result 'quik'. Did you mean 'quick'?"),
        (["--budget", "5m"], "--budget goes with --make"),
        (["quick", "--docs"], "--docs writes all pages; leave out the names"),
        (["paper-kate", "--make"], "paper-kate: is made on cuda, not on cpu; use --device cuda"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(
    words: list[str], message: str, command: Command, tmp_path: Path
) -> None:
    done = command("reports", "published", *words, "--device", "cpu", "--out", tmp_path)
    assert (done.returncode, done.stderr.strip().removeprefix("error: ")) == (2, message)


@pytest.mark.usefixtures("one_thread")
def test_blocks_of_pages_are_written_from_results(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.make()
    (desk.published / "notes.md").write_text("As it is.\n")
    page = (
        "Before <!-- table: tiny leaderboard -->\n3.14<!-- end --> between\n"
        "<!-- findings: tiny -->\n<!-- end -->\n<!-- file: notes.md -->\n<!-- end -->\nAfter\n"
    )
    text = filled(page, desk.published)
    assert "3.14" not in text
    assert "| method | PSNR hole (dB) ↑ |" in text
    assert "\n- Compared: 1 network (quick, after 4 iterations) and 1 fill" in text
    assert "<!-- file: notes.md -->\nAs it is.\n<!-- end -->" in text
    assert text.startswith("Before <!-- table") and text.endswith("After\n")
    assert filled(text, desk.published) == text
    for block in ("table: tiny bord", "findings: tidy", "file: none.md", "judged: quick-none"):
        with pytest.raises(InputError):
            filled(f"<!-- {block} -->\n<!-- end -->", desk.published)
    place = desk.out / "page.md"
    place.write_text(page)
    monkeypatch.setattr(pages, "pages", lambda: [place])
    assert pages.fill_pages(desk.published) == [place]
    assert pages.fill_pages(desk.published) == []
    assert place.read_text() == text
