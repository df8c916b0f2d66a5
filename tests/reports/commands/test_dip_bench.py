"""The command `dip-bench`: its help, its earlier spellings, and where it finds its commands."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands import ROOT, Command

from dip import __version__
from reports.commands import report
from reports.commands.app import GROUPS

DIP_BENCH = Path(sys.executable).with_name("dip-bench")


def _run(*words: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "80", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not DIP_BENCH.exists(), reason="the command is not installed")
def test_help_has_every_command_in_its_group(tmp_path: Path, command: Command) -> None:
    """From anywhere, where the checkout is installed."""
    said = _run(DIP_BENCH, "--help", cwd=tmp_path).stdout
    panels = dict(re.findall(r"╭─ ([\w ]+) ─+╮\n(.*?)╰", said, re.S))
    for group, commands in GROUPS.items():
        listed = re.findall(r"^│ (\w+) +\w", panels[group], re.M)
        assert listed == [*commands, *(["data"] if group == "Look up" else [])]
    for name in (each for commands in GROUPS.values() for each in commands):
        done = command("reports", name, "--help")
        assert done.returncode == 0
        assert f"Usage: dip-bench {name}" in done.stdout


def test_the_version_is_shown_with_the_revision(command: Command) -> None:
    done = command("reports", "--version")
    assert done.returncode == 0
    assert re.fullmatch(
        rf"dip-bench {__version__}( \([0-9a-f]{{12}}(\+changes)?\))?\n", done.stdout
    )


@pytest.mark.skipif(not DIP_BENCH.exists(), reason="the command is not installed")
def test_the_shell_completes_commands_and_suites() -> None:
    for words, expected in (
        ("dip-bench ver", "verify"),
        ("dip-bench bench standard-", "standard-reduced"),
    ):
        done = _run(
            DIP_BENCH,
            _DIP_BENCH_COMPLETE="complete_bash",
            COMP_WORDS=words,
            COMP_CWORD=str(len(words.split()) - 1),
        )
        assert done.stdout.split() == [expected], done.stderr


def test_earlier_spellings_still_work(process: Command, command: Command) -> None:
    """Modules start processes of their own; the names of commands are those of one program."""
    for run, *words in (
        (process, "benchmarks", "status", "quick"),
        (process, "datasets", "preview", "--help"),
        (command, "reports", "build", "--help"),
        (command, "datasets", "list"),
    ):
        done = run(*words)
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_a_mistake_names_the_flag_and_a_library_error_the_argument(
    command: Command, suite_file: Callable[..., Path], tmp_path: Path
) -> None:
    words = ("run", suite_file(), "--workers-per-gpu", 2, "--device", "cpu", "--out", tmp_path)
    done = command("benchmarks", *words, "--workers", 1)
    assert done.returncode == 2
    assert done.stderr == "error: --workers-per-gpu 2: no GPU is used; use --workers\n"
    from benchmarks.system.devices import places

    with pytest.raises(ValueError, match="^`workers_per_gpu` 2: no GPU is used; use `workers`$"):
        places("cpu", 1, 1, 2)


def test_a_list_is_a_screen_and_an_entry_has_its_options(command: Command) -> None:
    names = command("benchmarks", "list").stdout
    assert len(names.splitlines()) < 24
    assert "networks: conv-decoder, deep-decoder, " in names
    networks = command("benchmarks", "list", "networks").stdout
    assert len(networks.splitlines()) < 24
    assert max(map(len, networks.splitlines())) < 130
    unet = command("benchmarks", "list", "networks", "unet").stdout
    assert re.search(r"^  decoder_kernel = 5: ", unet, re.M)
    assert "Source: " in unet
    everything = command("benchmarks", "list", "--all").stdout
    for line in unet.splitlines()[1:]:
        assert f"    {line}\n" in everything
    for words, message in (
        (("networkss",), "unknown kind 'networkss'. Did you mean 'networks'?"),
        (("networks", "unt"), "unknown network 'unt'. Did you mean 'unet'?"),
        (("settings", "batches"), "unknown setting 'batches'. Did you mean 'batch'?"),
    ):
        done = command("benchmarks", "list", *words)
        assert (done.returncode, done.stderr) == (2, f"error: {message}\n")


def test_open_starts_a_browser_with_the_page(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(report.typer, "launch", lambda address: bool(opened.append(address)))
    done = command("reports", "open", tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path}/report/index.html: there is no page; `dip-bench bench SUITE`" in done.stderr
    page = tmp_path / "report" / "index.html"
    page.parent.mkdir()
    page.write_text("<h1>")
    assert command("reports", "open", tmp_path).returncode == 0
    assert opened == [page.as_uri()]
    monkeypatch.setattr(report.typer, "launch", lambda _: 1)
    assert command("reports", "open", tmp_path).returncode == 2


def test_report_takes_a_suite_by_its_name_and_a_folder_as_it_is(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick").mkdir()
    assert command("reports", "report", "quick").stderr.startswith("error: results/quick")
    (tmp_path / "res" / "mine").mkdir(parents=True)
    done = command("reports", "report", "res/mine", "--out", "foo")
    assert (done.returncode, done.stderr) == (
        2,
        "error: --out: res/mine is a folder, whose report is written into it; leave out --out,"
        " which says where the results of a suite are\n",
    )


def test_it_starts_in_a_folder_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); os.execv(sys.argv[1], sys.argv[1:])"
    reports = (sys.executable, "-P", "-m", "reports", "list", "fills")
    done = _run(sys.executable, "-c", code, *reports, cwd=tmp_path / "gone", PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "gone").mkdir()
    bench = (sys.executable, "-P", "-c", "import dip.bench; dip.bench.run()")
    done = _run(sys.executable, "-c", code, *bench, cwd=tmp_path / "gone", PYTHONPATH=str(ROOT))
    assert done.returncode == 2
    assert done.stderr.startswith("error: the current folder cannot be read (")
