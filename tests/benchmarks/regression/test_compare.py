"""`dip-bench compare`: the same decision for any two results folders."""

import json
from collections.abc import Callable
from pathlib import Path

from support.commands import Command
from support.suites import NARROW

Write = Callable[..., Path]


def test_any_two_folders_are_compared(
    gated: Path, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    """At the iterations that both have; a result is identical to itself."""
    more = suite_file(
        "more",
        methods=[
            {"preset": "quick", "set": {**NARROW["quick"], "learning_rate": 0.3}},
            {"fill": "mean"},
        ],
        **{"seeds": [0, 1, 2], "iterations": [4, 6], "rules": []},
    )
    out = tmp_path / "results"
    for each in (gated, more):
        assert command("benchmarks", "run", each, "--out", out).returncode == 0
    a, b = out / "gated", out / "more"
    same = command("benchmarks", "compare", a, a)
    assert same.returncode == 0
    assert f"# {a} against {a}: the same (6 identical)" in same.stdout
    done = command("benchmarks", "compare", a, b, "--out", tmp_path / "verdict")
    assert done.returncode == 4
    assert "- **not comparable: quick: method.learning_rate: 0.01, now 0.3**" in done.stdout
    assert "- iteration 4" in done.stdout
    diverged = b / "jobs.csv"  # later than at the iteration that is compared
    diverged.write_text(diverged.read_text().replace(",done,", ",diverged,"))
    assert ": 0 of 3, in " in command("benchmarks", "compare", a, b).stdout
    assert json.loads((tmp_path / "verdict" / "verdict.json").read_text())["exit_code"] == 4


def test_folders_without_anything_in_common_are_one_line(
    gated: Path, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    other = suite_file("other", methods=[{"fill": "nearest"}], iterations=[4])
    later = suite_file("later", methods=[{"fill": "nearest"}], iterations=[5])
    out = tmp_path / "results"
    for each in (gated, other, later):
        assert command("benchmarks", "run", each, "--out", out).returncode == 0
    for words, said in (
        ((out / "gated", out / "other"), "nothing was compared"),
        ((out / "gated", out / "later"), "no iteration count in common"),
        ((out / "gated", out / "nowhere"), "holds no results"),
    ):
        done = command("benchmarks", "compare", *words)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert said in done.stderr


ODD: list[tuple[str, Callable[[str], str]]] = [
    ("jobs.csv", lambda text: text.replace(",status,", ",state,")),
    ("jobs.csv", lambda text: text + text.splitlines()[1] + "\n"),
    ("jobs.csv", lambda text: text.replace(",0,done", ",first,done")),
    ("results.csv", lambda text: text.replace(",4,raw,", ",last,raw,")),
    ("suite.json", lambda text: text.replace('"iterations"', '"counts"')),
    ("suite.json", lambda _: "[]"),
    ("suite.json", lambda _: "5"),
    ("suite.json", lambda text: text.replace('"masks"', '"holes"')),
    ("suite.json", lambda text: text.replace('"device"', '"machine"')),
    ("suite.json", lambda text: text.replace('"iterations": [', '"iterations": ["x", ')),
    ("suite.json", lambda text: text[:-20]),
]


def test_odd_folders_are_one_line(gated: Path, command: Command, tmp_path: Path) -> None:
    out = tmp_path / "results"
    assert command("benchmarks", "run", gated, "--out", out).returncode == 0
    for file, change in ODD:
        path = out / "gated" / file
        whole = path.read_text()
        assert change(whole) != whole
        path.write_text(change(whole))
        done = command("benchmarks", "compare", out / "gated", out / "gated")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert "gated" in done.stderr
        path.write_text(whole)
