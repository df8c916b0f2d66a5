"""`gc` lists and removes what no suite refers to, and nothing else."""

from collections.abc import Callable
from pathlib import Path

from support.commands import Command, Ran
from support.suites import TINY, jobs_of

from benchmarks.store.layout import OWNER
from benchmarks.store.store import Store

Write = Callable[..., Path]


def test_runs_that_no_suite_refers_to_are_listed_and_removed(
    ran: Ran, suite_file: Write, command: Command
) -> None:
    suite, out = ran(seeds=[0, 1])
    old = {job.key: job for job in jobs_of(suite)}
    assert "nothing to remove" in command("benchmarks", "gc", "--out", out).stdout

    changed = [{**TINY["methods"][0], "label": "changed"}]
    changed[0]["set"] = {**changed[0]["set"], "learning_rate": 0.02}
    suite = suite_file(methods=[*changed, TINY["methods"][1]], seeds=[0])
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    gone = {key for key in old if key not in {job.key for job in jobs_of(suite)}}
    assert len(gone) == 2
    store = Store(out / "runs")
    before = set(store.stored())
    store.put("unfinished-" + "d" * 64, {"file": b"1"})
    (store.root / ("damaged-" + "e" * 64)).mkdir()
    log = out / "tiny" / "failures" / f"{'f' * 64}.txt"
    log.parent.mkdir()
    log.write_text("gone")
    listed = command("benchmarks", "gc", "--out", out).stdout
    for key in gone:
        words = f"runs/{key}: no suite refers to it: astronaut/boxes[count=1,side=8]/quick/"
        assert words in listed
    assert f"unfinished-{'d' * 64}: no suite refers to it: a run that cannot be read" in listed
    assert f"damaged-{'e' * 64}: set aside, because it is damaged" in listed
    assert f"{log}: of a job that no suite has" in listed
    assert listed.splitlines()[-1].endswith("  5 that no suite needs; --yes removes them")
    assert set(store.stored()) == before

    claim = store.claim(min(gone))  # a runner is at it
    assert claim is not None
    assert "  4 removed" in command("benchmarks", "gc", "--out", out, "--yes").stdout
    claim.release()
    assert set(store.stored()) == before - gone | {min(gone)}
    assert "  1 removed" in command("benchmarks", "gc", "--out", out, "--yes").stdout
    assert {path.name for path in store.root.iterdir()} == {job.key for job in jobs_of(suite)}
    assert not log.exists()
    assert "0 to run" in command("benchmarks", "run", suite, "--out", out).stdout


def test_a_suite_that_is_interrupted_keeps_its_runs(ran: Ran, command: Command) -> None:
    """Its table of jobs is there from the start, and the note of its file; so does naming it."""
    suite, out = ran()
    (out / "tiny" / "results.csv").unlink()
    assert "nothing to remove" in command("benchmarks", "gc", "--out", out).stdout
    assert command("benchmarks", "score", suite, "--out", out).returncode == 0
    (out / "tiny" / "jobs.csv").unlink()
    assert "nothing to remove" in command("benchmarks", "gc", "--out", out).stdout
    whole = suite.read_text()
    suite.write_text("dataset: gone")
    lost = command("benchmarks", "gc", "--out", out, "--yes")
    assert (lost.returncode, lost.stderr.count("\n")) == (2, 1)
    assert "tiny: which runs it needs is not known (tiny.yaml: masks: Field required" in lost.stderr
    suite.write_text(whole)
    (out / "tiny" / OWNER).unlink()
    assert "  2 that no suite needs" in command("benchmarks", "gc", "--out", out).stdout
    assert "nothing to remove" in command("benchmarks", "gc", suite, "--out", out).stdout


def test_a_state_of_a_fit_that_is_over_is_listed(
    ran: Ran, suite_file: Write, command: Command
) -> None:
    """As an interrupted run --fresh leaves one; while a job is to go on from it, it stays."""
    suite, out = ran()
    store, key = Store(out / "runs"), jobs_of(suite)[0].key
    run = store.run(key)
    store.put(f"unfinished-{key}", {name: run.read(name) for name in run.checksums})
    listed = command("benchmarks", "gc", "--out", out).stdout
    assert f"unfinished-{key}: the state of a fit that is over" in listed
    longer = suite_file(iterations=[4, 9])
    command("benchmarks", "score", longer, "--out", out)
    assert "nothing to remove" in command("benchmarks", "gc", "--out", out).stdout


def test_runs_of_the_projects_own_suites_stay(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "results"
    assert command("benchmarks", "run", "quick", "--out", out, "-k", "mean/0").returncode == 0
    (out / "quick" / "jobs.csv").unlink()
    assert "nothing to remove" in command("benchmarks", "gc", "--out", out).stdout


def test_there_has_to_be_a_store(command: Command, tmp_path: Path) -> None:
    done = command("benchmarks", "gc", "--out", tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "holds no runs; --out names the folder of the results" in done.stderr


def test_files_of_others_are_kept_and_named(ran: Ran, command: Command) -> None:
    suite, out = ran(methods=TINY["methods"][1:])
    (key,) = {job.key for job in jobs_of(suite)}
    store = Store(out / "runs")
    suite.unlink()
    for name in ("jobs.csv", OWNER):
        (out / "tiny" / name).unlink(missing_ok=True)
    mine = [
        store.folder(key) / "notes.md",  # in a run that nobody refers to
        store.folder("a" * 64) / "data.bin",  # in a folder that is named as one
        store.root / f"damaged-{'b' * 64}" / "more" / "notes.md",
        store.root / ("c" * 64),
        out / "tiny" / "failures" / "notes.txt",
    ]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    (store.root / ("d" * 64)).symlink_to(out)
    done = command("benchmarks", "gc", "--out", out, "--yes")
    assert done.returncode == 0, done.stderr
    named = {line.split(": ")[0] for line in done.stdout.splitlines() if " kept " in f" {line} "}
    named = {line.split()[1] for line in named}
    expected = {str(path) for path in (*mine[:2], mine[2].parent, mine[3])}
    assert named == expected | {str(store.root / ("d" * 64))}
    assert [path.read_text() for path in mine] == ["mine"] * len(mine)
    assert store.damage(key) == ""
    mine[0].unlink()
    assert "  1 removed" in command("benchmarks", "gc", "--out", out, "--yes").stdout
    assert not store.folder(key).exists()
