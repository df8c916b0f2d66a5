"""What is noted of a fit while it runs: its distance from the truth, its reach, its range."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from support.commands import Command
from support.suites import TINY, jobs_of, pictures_in
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

import dip
from benchmarks.jobs.plan import holds
from benchmarks.metrics import psnr
from benchmarks.runner.job.oracle import Oracle
from benchmarks.store.run_folder import RunFolder
from benchmarks.store.store import Store
from benchmarks.store.trace import read_trace
from dip.options.rules.es_wmv import WindowedVarianceOptions
from dip.training.stopping import hold_out

Write = Callable[..., Path]
QUICK = TINY["methods"][0]
UNET = {"preset": "lemsky-unet", "set": {"architecture.channels": [4, 4]}}


def _run(suite: Path, command: Command, out: Path) -> pd.DataFrame:
    done = command("benchmarks", "run", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(out / suite.stem / "results.csv")


def test_what_is_noted_is_what_is_scored(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    """At a checkpoint both see the same picture of 8 bits."""
    suite, out = suite_file(methods=[QUICK, UNET], iterations=[10, 23, 30]), tmp_path / "results"
    results = _run(suite, command, out)
    for job in jobs_of(suite):
        trace = read_trace(RunFolder(out / "runs" / job.key))
        assert list(trace.index) == list(range(1, 31))
        for output in ("raw", "averaged"):
            noted = trace[f"psnr_hole_{output}"].dropna()
            assert list(noted.index) == [10, 20, 30]
            rows = results[(results["key"] == job.key) & (results["output"] == output)]
            scored = rows.set_index("iteration")["psnr_hole"]
            assert noted[10] == pytest.approx(scored[10], abs=1e-9)
            assert noted[30] == pytest.approx(scored[30], abs=1e-9)


def test_the_observer_counts_in_whole_levels() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 256, (3, 9, 11), dtype=np.uint8)
    known = random.random((9, 11)) > 0.4
    raw = torch.from_numpy(random.normal(0.5, 0.4, (3, 9, 11)))
    averaged = torch.from_numpy(truth.astype(np.float32) / 255)
    observer = Oracle(truth, known, "cpu")
    for iteration in range(1, 12):
        observer(iteration, raw, averaged)
    ((iteration, (noted, perfect)),) = observer.psnr_hole().items()
    shown = np.round(raw.float().numpy().clip(0, 1) * 255).astype(np.uint8)
    assert iteration == 10
    assert noted == pytest.approx(psnr.score(shown, truth, known).hole, abs=1e-9)
    assert perfect == float("inf")


def test_observing_does_not_wait_for_the_device() -> None:
    with FakeTensorMode(allow_non_fake_inputs=True):
        truth = np.zeros((3, 8, 9), dtype=np.uint8)
        observer = Oracle(truth, np.eye(8, 9, dtype=np.bool_), "cpu")
        observer(10, torch.rand(3, 8, 9), torch.rand(3, 8, 9))
        assert len(observer.squared_errors) == 2
        with pytest.raises((DataDependentOutputException, RuntimeError)):
            observer.psnr_hole()


def test_the_fit_never_sees_what_is_noted(suite_file: Write) -> None:
    """Another truth in the hole, the same restorations."""
    suite = suite_file(methods=[QUICK], iterations=[10], masks=[{"boxes": {"count": 1, "side": 8}}])
    (job,) = jobs_of(suite)
    image = torch.from_numpy(job.image.pixels.astype(np.float32) / 255)
    mask = torch.from_numpy(job.mask.astype(np.float32))
    seen = []
    for truth in (job.image.pixels, 255 - job.image.pixels):
        observer = Oracle(truth, job.mask[0] == 1, "cpu")
        fit = dip.Fit(image, mask, job.method, observe=observer)
        list(fit.until(10))
        seen.append((fit.checkpoint().raw, observer.psnr_hole()))
    assert torch.equal(seen[0][0], seen[1][0])
    assert seen[0][1] != seen[1][1]


def test_the_oracle_is_the_best_of_trace_checkpoints_and_rules(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    rules = [{"es-wmv": {"window": 3}}, {"es-emv": {"warm_up": 2}}]
    suite = suite_file(methods=[QUICK], iterations=[7, 34], rules=rules)
    out = tmp_path / "results"
    results = _run(suite, command, out)
    (job,) = jobs_of(suite)
    trace = read_trace(RunFolder(out / "runs" / job.key))
    candidates = [
        *trace["psnr_hole_raw"].dropna(),
        *trace["psnr_hole_averaged"].dropna(),
        *results["psnr_hole"],
    ]
    assert len(candidates) == 3 + 3 + 4 + 2
    assert results["oracle_psnr_hole"].nunique() == 1
    assert results["oracle_psnr_hole"][0] == max(candidates)
    best = results["oracle_iteration"][0], results["oracle_output"][0]
    from_trace = trace.get(f"psnr_hole_{best[1]}", pd.Series(dtype=float)).get(best[0])
    rows = results[(results["iteration"] == best[0]) & (results["output"] == best[1])]
    assert max(candidates) in [from_trace, *rows["psnr_hole"]]


def test_a_shorter_job_reads_its_own_rules_and_oracle_off_a_longer_run(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    rules = [{"es-wmv": {"window": 3}}]
    long = suite_file("long", methods=[QUICK], iterations=[20, 60], rules=rules)
    short = suite_file("short", methods=[QUICK], iterations=[20], rules=rules)
    out = tmp_path / "results"
    _run(long, command, out)
    read_off = _run(short, command, out)
    alone = _run(short, command, tmp_path / "alone")
    same = ["iteration", "output", "psnr_hole", "oracle_psnr_hole", "oracle_iteration", "loss"]
    pd.testing.assert_frame_equal(read_off[same], alone[same])
    assert read_off["iteration"].max() <= 20


def test_rules_change_no_raw_byte_and_no_key(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    """And a rule asked for later is followed in a fit that keeps what was there."""
    out = tmp_path / "results"
    without = suite_file("without", methods=[QUICK], iterations=[2, 12], rules=[])
    rules: list[Any] = [{"es-wmv": {"window": 4}}, {"es-emv": {"warm_up": 2}}]
    with_rules = suite_file("with", methods=[QUICK], iterations=[12], rules=rules)
    _run(without, command, out)
    before = pictures_in(out)
    (first,), (second,) = jobs_of(without), jobs_of(with_rules)
    assert first.key == second.key
    assert holds(RunFolder(out / "runs" / first.key).record, first)
    assert not holds(RunFolder(out / "runs" / second.key).record, second)
    status = command("benchmarks", "status", with_rules, "--out", out).stdout
    assert "the stored run lacks rule es-wmv[window=4], es-emv[warm_up=2]" in status
    results = _run(with_rules, command, out)
    after = pictures_in(out)
    assert {name: after[name] for name in before} == before
    assert {Path(name).name.rpartition("-")[0] for name in set(after) - set(before)} == {
        "stop-es-wmv[window=4]",
        "stop-es-emv[warm_up=2]",
    }
    assert list(results["output"]) == [
        *("raw", "averaged", "stop:es-wmv[window=4]", "stop:es-emv[warm_up=2]")
    ]
    assert holds(RunFolder(out / "runs" / first.key).record, first)


def test_held_out_pixels_bring_their_rule_and_another_key(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    held = {**QUICK, "label": "held", "set": {**QUICK["set"], "held_out": 0.1}}
    suite, out = suite_file(methods=[QUICK, held], iterations=[12]), tmp_path / "results"
    first, second = jobs_of(suite)
    assert first.key != second.key
    results = _run(suite, command, out)
    stops = results[results["output"].str.startswith("stop:")]
    # The other two look at 100 outputs before they choose.
    assert list(stops["method"]) == ["held"]
    assert list(stops["output"]) == ["stop:held-out"]
    row = stops.iloc[0]
    trace = read_trace(RunFolder(out / "runs" / second.key))
    assert row["loss"] == trace["loss"][row["iteration"]]
    assert row["seconds"] == pytest.approx(trace["milliseconds"].sum() / 1000)


def test_a_rule_that_stopped_has_its_answer_though_the_fit_failed_later(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    """The learning rate jumps at iteration 30; one rule has stopped before, the other has not."""
    jumps = {**QUICK["set"], "schedule": {"every": 30, "factor": 1e6}}
    suite = suite_file(
        methods=[{**QUICK, "set": jumps}],
        iterations=[25, 90],
        rules=[{"es-wmv": {"window": 2, "patience": 1}}, {"es-emv": {"warm_up": 2}}],
    )
    out = tmp_path / "results"
    results = _run(suite, command, out)
    (job,) = jobs_of(suite)
    assert list(results["output"]) == ["raw", "averaged", "stop:es-wmv[window=2,patience=1]"]
    assert set(results["status"]) == {"diverged"}
    assert results["stopped_at"].dropna().iloc[0] <= 25
    record = Store(out / "runs").read(job.key)
    assert record is not None
    assert record.diverged_at is not None
    assert 31 <= record.diverged_at <= 40
    assert record.diverged_because.startswith("the fit has collapsed (")
    assert record.noticed_at is not None
    assert record.diverged_at + 20 < record.noticed_at < 60
    assert results["oracle_iteration"].max() < record.diverged_at


def test_what_a_job_says_does_not_depend_on_what_was_stored_before(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    """Jobs that end before, while and after a fit fails: alone, and off one run."""
    jumps = {**QUICK, "set": {**QUICK["set"], "schedule": {"every": 30, "factor": 1e6}}}
    rules = [{"es-wmv": {"window": 2}}]
    ends = {"before": [25], "while": [25, 40], "after": [25, 40, 90]}
    alone, together = {}, {}
    for name, iterations in ends.items():
        suite = suite_file(name, methods=[jumps], iterations=iterations, rules=rules)
        alone[name] = _run(suite, command, tmp_path / name)
    for name in ("after", "before", "while"):
        suite = suite_file(name, methods=[jumps], iterations=ends[name], rules=rules)
        together[name] = _run(suite, command, tmp_path / "together")
    same = ["iteration", "output", "psnr_hole", "oracle_psnr_hole", "oracle_iteration", "status"]
    for name in ends:
        pd.testing.assert_frame_equal(alone[name][same], together[name][same])
    assert set(alone["while"]["status"]) == {"done"}
    assert set(alone["after"]["status"]) == {"diverged"}
    assert alone["after"]["iteration"].max() == 25


def test_the_share_of_the_hole_out_of_reach_and_out_of_range_is_recorded(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite = suite_file(
        methods=[UNET, QUICK],
        masks=[{"boxes": {"count": 1, "side": 30}}],
        size=40,
    )
    out = tmp_path / "results"
    results = _run(suite, command, out)
    unet, quick = jobs_of(suite)
    method = unet.method
    assert isinstance(method, dip.Method)
    network = dip.build_network(method.architecture, 3, 3, (40, 40))
    reached = dip.coverage(network, torch.from_numpy(unet.mask).float())[0].numpy()
    hole = unet.mask[0] == 0
    of_unet = results[results["method"] == "lemsky-unet"]
    assert 0 < of_unet["uncovered"].iloc[0] == pytest.approx((~reached)[hole].mean())
    assert np.array_equal(RunFolder(out / "runs" / unet.key).reached, reached)
    assert results[results["method"] == "quick"]["uncovered"].isna().all()  # its input is fixed
    assert RunFolder(out / "runs" / quick.key).reached is None

    pixels = torch.from_numpy(unet.image.pixels.astype(np.float32) / 255)
    mask = torch.from_numpy(unet.mask.astype(np.float32))
    first, _ = dip.fit(pixels, mask, method, checkpoints=[2, 4])
    outside = ((first.raw < 0) | (first.raw > 1)).any(dim=0).numpy()
    row = of_unet[(of_unet["iteration"] == 2) & (of_unet["output"] == "raw")].iloc[0]
    assert 0 < row["out_of_range"] == pytest.approx(outside[hole].mean())
    assert (results[results["method"] == "quick"]["out_of_range"] == 0).all()  # it has a sigmoid


def test_a_network_that_cannot_be_followed_says_why_its_reach_is_empty(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "choosing.py").write_text(
        "import torch\n"
        "class Choosing(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.layer = torch.nn.Conv2d(3, 3, 3, padding=1)\n"
        "    def forward(self, x):\n"
        "        return self.layer(x) - x.max()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = {
        "preset": "lemsky-unet",
        "label": "own",
        "set": {"architecture": {"import": "choosing:Choosing"}},
    }
    suite, out = suite_file(methods=[own]), tmp_path / "results"
    done = command("benchmarks", "run", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    notice = "NOTICE: uncovered is empty for own: coverage: the network calls MaxBackward1"
    assert notice in done.stdout
    assert pd.read_csv(out / "tiny" / "results.csv")["uncovered"].isna().all()


def test_answers_of_another_version_of_a_rule_are_not_used(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = suite_file(
        methods=[QUICK], rules=[{"es-wmv": {"window": 2}}, {"es-emv": {"warm_up": 1}}]
    )
    out = tmp_path / "results"
    assert len(_run(suite, command, out)) == 2 * 2 + 2
    monkeypatch.setattr(WindowedVarianceOptions, "version", 2)
    command("benchmarks", "score", suite, "--out", out)
    results = pd.read_csv(out / "tiny" / "results.csv")
    assert results["output"].tolist()[4:] == ["stop:es-emv[warm_up=1]"]
    assert "1 to run" in command("benchmarks", "run", suite, "--out", out).stdout
    assert len(pd.read_csv(out / "tiny" / "results.csv")) == 2 * 2 + 2


def test_the_oracle_needs_no_metric_that_is_asked_for(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    with_psnr = _run(suite_file("with", methods=[QUICK], metrics=["psnr"]), command, out)
    without = _run(suite_file("without", methods=[QUICK], metrics=["ssim"]), command, out)
    assert without["psnr_hole"].isna().all()
    same = ["oracle_psnr_hole", "oracle_iteration", "oracle_output"]
    pd.testing.assert_frame_equal(with_psnr[same], without[same])


def test_pixels_that_are_held_out_reach_nothing(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    method = {"preset": "lemsky-unet", "set": {"architecture.channels": [4, 4], "held_out": 0.9}}
    suite = suite_file(methods=[method], masks=[{"bernoulli": {"missing": 0.98}}])
    results = _run(suite, command, tmp_path / "results")
    (job,) = jobs_of(suite)
    assert isinstance(job.method, dip.Method)
    mask = torch.from_numpy(job.mask).float()
    network = dip.build_network(job.method.architecture, 3, 3, (36, 36))
    held = hold_out(mask, job.method, job.seed)
    out_of_reach = ~dip.coverage(network, mask - held).numpy()
    expected = out_of_reach[job.mask == 0].mean()
    assert results["uncovered"].iloc[0] == pytest.approx(expected)
    assert expected > (~dip.coverage(network, mask)).numpy()[job.mask == 0].mean()


def test_a_rule_that_stopped_after_the_last_checkpoint_has_its_answer_too(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    jumps = {**QUICK["set"], "schedule": {"every": 30, "factor": 1e6}}
    suite = suite_file(
        methods=[{**QUICK, "set": jumps}],
        iterations=[90],
        rules=[{"es-wmv": {"window": 2, "patience": 1}}, {"es-emv": {"warm_up": 2}}],
    )
    out = tmp_path / "results"
    results = _run(suite, command, out)
    (row,) = results.to_dict("records")
    assert row["output"] == "stop:es-wmv[window=2,patience=1]"
    assert row["iteration"] < row["stopped_at"] < 31
    assert row["psnr_hole"] > 5
    assert row["status"] == "diverged"
    trace = read_trace(RunFolder(out / "runs" / row["key"]))
    until = int(row["stopped_at"])
    assert row["seconds"] == pytest.approx(trace["milliseconds"].loc[:until].sum() / 1000)
    report = command("reports", "build", out / "tiny")
    assert report.returncode == 0, report.stderr
