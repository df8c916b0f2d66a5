"""A suite's outputs: asked for, stored, scored and reported."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.commands import Command, Ran
from support.suites import TINY, jobs_of

from benchmarks.jobs.job import specification
from benchmarks.jobs.plan import make_plan
from benchmarks.runner.job.run_job import run_job
from benchmarks.runner.job.task import Task
from benchmarks.scoring.results import load_results
from benchmarks.store.record import Record
from benchmarks.store.run_folder import RunFolder
from dip.options.outputs.mean import MeanOptions
from reports.tables.networks import architectures
from reports.tables.scores import PSNR, entries
from reports.tables.table import NOTHING

Write = Callable[..., Path]
MEAN = {"mean": {"from": 3, "every": 1}}
LABEL = "mean[from=3,every=1]"
QUICK: dict[str, Any] = TINY["methods"][0]
FILL = {"fill": "mean"}


def _rows(out: Path, suite: str = "tiny") -> list[tuple[str, int, str]]:
    rows = pd.read_csv(out / suite / "results.csv")
    return list(zip(rows["method"], rows["iteration"], rows["output"], strict=True))


def _status(command: Command, suite: Path, out: Path) -> str:
    return command("benchmarks", "status", suite, "--out", out).stdout


def test_outputs_are_scored_that_are_asked_for(ran: Ran, command: Command) -> None:
    suite, out = ran(outputs=["averaged", "clean", MEAN], rules=[], seeds=[0])
    assert _rows(out) == [
        *(("quick", 2, output) for output in ("raw", "averaged", "clean")),
        *(("quick", 4, output) for output in ("raw", "averaged", "clean", LABEL)),
        ("mean", 0, "raw"),
    ]
    (job, _) = jobs_of(suite)
    run = RunFolder(out / "runs" / job.key)
    versions = {"raw": 1, "averaged": 2, "clean": 1, LABEL: 1}
    assert run.record.output_versions == versions
    assert set(run.record.outputs) == set(job.stored_outputs.values())
    assert run.restoration(LABEL, 4).shape == (3, 36, 36)
    assert specification([job])["outputs"] == versions

    results = load_results(out / "tiny")
    assert results.outputs == ["averaged", "clean", LABEL]
    assert entries(results) == [("quick", output) for output in results.outputs] + [("mean", "raw")]
    assert "raw" not in set(results.final[results.final["method"] == "quick"]["output"])
    assert list(results.last_raw["key"]) == [job.key]
    checkpoints = results.curves.groupby("output")["iteration"].unique().map(list).to_dict()
    assert checkpoints == {"averaged": [2, 4], "clean": [2, 4], LABEL: [4]}

    report = command("reports", "build", out / "tiny")
    assert report.returncode == 0, report.stderr
    summary = (out / "tiny" / "report" / "summary.md").read_text()
    for output in results.outputs:
        assert f"| quick | {output} |" in summary
    verified = command("benchmarks", "verify", suite, "--out", out, "--workers", 0)
    assert verified.stdout.splitlines()[-1].startswith("2 jobs run again: 2 byte-identical")


def test_the_output_of_a_method_is_its_own(ran: Ran, command: Command) -> None:
    other = {**QUICK, "label": "other", "set": {**QUICK["set"], "learning_rate": 0.02}}
    _, out = ran(methods=[{**QUICK, "output": MEAN}, other, FILL], rules=[])
    assert [row for row in _rows(out) if row[1] == 4] == [
        *(("quick", 4, output) for output in ("raw", "averaged", LABEL)),
        *(("other", 4, output) for output in ("raw", "averaged")),
    ]
    about = json.loads((out / "tiny" / "suite.json").read_text())
    assert about["outputs"] == ["raw", "averaged"]
    assert about["method_outputs"] == {"quick": LABEL}
    results = load_results(out / "tiny")
    assert results.outputs_of("quick") == ["raw", "averaged", LABEL]
    assert results.outputs_of("other") == ["raw", "averaged"]
    assert results.outputs_of("mean") == ["raw"]
    assert set(results.planned(LABEL)["method"]) == {"quick"}
    report = command("reports", "build", out / "tiny")
    assert report.returncode == 0, report.stderr
    networks = architectures(results, "all holes")
    assert networks is not None
    (panel,) = networks.panels
    assert panel[f"{LABEL} {PSNR.title}"][1] == NOTHING
    assert panel[f"averaged {PSNR.title}"][1].of == (1, 1)


def test_two_labels_of_one_fit_share_their_outputs(ran: Ran, command: Command) -> None:
    methods = [{**QUICK, "output": "clean"}, {**QUICK, "label": "again", "output": MEAN}]
    suite, out = ran(methods=methods, rules=[])
    assert _status(command, suite, out).splitlines()[-1] == "2 done"
    assert len(list((out / "runs").glob("[0-9a-f]*"))) == 1
    assert entries(load_results(out / "tiny")) == [
        *(("quick", output) for output in ("raw", "averaged", "clean")),
        *(("again", output) for output in ("raw", "averaged", LABEL)),
    ]


def test_a_run_without_an_output_that_is_asked_for_is_run_again_and_keeps_the_others(
    ran: Ran, command: Command, suite_file: Write
) -> None:
    _, out = ran(outputs=["raw", "clean"], methods=[QUICK])
    more = suite_file(outputs=[MEAN], methods=[QUICK])
    assert f"quick/0: the stored run lacks output {LABEL}" in _status(command, more, out)
    done = command("benchmarks", "run", more, "--out", out)
    assert "1 to run" in done.stdout
    assert _status(command, more, out).splitlines()[-1] == "1 done"
    before = suite_file(outputs=["clean"], methods=[QUICK])
    assert _status(command, before, out).splitlines()[-1] == "1 done"


def test_only_the_version_of_an_output_that_is_asked_for_counts(
    ran: Ran, command: Command, suite_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = ran(outputs=["raw", MEAN], methods=[QUICK])
    monkeypatch.setattr(MeanOptions, "version", 2)
    assert "the stored run has outputs of another version" in _status(command, suite, out)
    without = suite_file("without", methods=[QUICK])
    assert _status(command, without, out).splitlines()[-1] == "1 done"


def test_a_fit_is_resumed_with_its_outputs(suite_file: Write, tmp_path: Path) -> None:
    suite = suite_file(outputs=["clean", {"mean": {"from": 3, "every": 2}}], iterations=[4, 12])
    plan = make_plan(str(suite), tmp_path / "results")
    plan.store.open_for_writing()
    job = plan.jobs[0]
    alone: dict[str, Any] = {"device": "cpu", "threads": 1, "workers": 1}
    whole = run_job(Task(job, "tiny"), **alone)
    seen = iter(range(100))
    run_job(Task(job, "tiny", plan.store), **alone, should_stop=lambda: next(seen) == 6)
    assert plan.begun(job) == 7
    more = make_plan(str(suite_file(outputs=["raw", MEAN], iterations=[12])), tmp_path / "results")
    assert more.begun(more.jobs[0]) == 0  # that mean began without it
    rest = run_job(Task(job, "tiny", plan.store), **alone)
    pixels = [_record(end.files).pixels for end in (whole, rest)]
    assert pixels[0] == pixels[1]
    assert _record(rest.files).continued[0].after == 7


def _record(files: dict[str, bytes]) -> Record:
    return Record.model_validate_json(files["record.json"])


def test_the_room_for_every_output_is_counted(suite_file: Write, tmp_path: Path) -> None:
    from benchmarks.runner.dry_run import _room

    few, many = (
        jobs_of(suite_file(outputs=outputs, size=512, methods=[QUICK]))
        for outputs in (["raw"], ["raw", "clean", MEAN])
    )
    mib = [int(_room(jobs, tmp_path).split()[3]) for jobs in (few, many)]
    picture = 3 * 512**2 / 2**20
    assert mib[1] - mib[0] == pytest.approx(2 * 2 * picture, abs=1)


def test_a_record_with_an_unknown_output_is_of_another_version(ran: Ran) -> None:
    suite, out = ran(methods=[QUICK])
    run = RunFolder(out / "runs" / jobs_of(suite)[0].key)
    content = json.loads(run.read("record.json"))
    content["output_versions"]["median"] = 1
    with pytest.raises(ValueError, match="unknown output 'median'"):
        Record.model_validate(content)


def test_the_default_outputs_have_the_versions_of_the_baseline(suite_file: Write) -> None:
    jobs = jobs_of(suite_file())
    assert specification(jobs)["outputs"] == {"raw": 1, "averaged": 2}
