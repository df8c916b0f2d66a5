"""The timing run: what it measures, in what order, until a deadline, and what its tables say."""

import json
import math
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from scipy import stats
from support.commands import Command

from benchmarks.timing import measure
from benchmarks.timing.cases import Case, Group, groups
from benchmarks.timing.deepinv_peer import PEER, peer_groups
from benchmarks.timing.measure import Measured, gflop, measured, peak_gflops
from benchmarks.timing.session import Row, Session
from benchmarks.timing.table import table
from dip.presets import preset_names


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("lemsky-unet-single", 10.2),
        ("lemsky-unet", 2 * 10.2),
        ("dip-random50", 29),
        ("dip-text", 48),
    ],
)
def test_operations_are_those_of_the_reference(preset: str, expected: float) -> None:
    """Measured for this project before it began, rounded as they stand there."""
    assert gflop(Case(preset, 128, "plain")) == pytest.approx(expected, rel=0.02)


def test_operations_of_two_layers_by_hand() -> None:
    """A 1x1 layer costs twice its products forward, and once more for each of two gradients."""
    siren = Case("siren", 16, "plain")
    channels, layers = 256, siren.method.architecture.layers  # type: ignore[union-attr]
    first, hidden, last = 2 * channels, layers * channels**2, 3 * channels
    # The coordinates, which are not learned, need no gradient.
    products = 2 * first + 3 * (hidden + last)
    assert gflop(siren) == pytest.approx(2 * products * 16 * 16 / 1e9, rel=1e-6)


@pytest.mark.parametrize("cores", [0, 1, 2, 8])
def test_every_preset_and_size_is_there_beside_its_plain_loop(cores: int) -> None:
    sizes = (64, 128, 256, 512)
    found = groups(preset_names(), sizes, cores, ["float32", "bfloat16"])
    fits = {(group.cases[0].preset, group.cases[0].size) for group in found if group.kind == "fit"}
    assert fits == {(preset, size) for preset in preset_names() for size in sizes}
    for group in found:
        engines = [case.engine for case in group.cases]
        if group.kind in ("fit", "sweep"):
            assert engines[0] == "plain"
            assert "fast" in engines
            assert {case.size for case in group.cases} == {group.cases[0].size}
        for case in group.cases:
            assert case.processes * case.threads <= max(1, cores) or not cores
    single = next(g for g in found if any("single" in case.preset for case in g.cases))
    assert single.cases[0].preset == "lemsky-unet"  # as its author wrote it


def _row(engine: str, repeat: int, rate: float, psnr: float) -> Row:
    """Two fits side by side, of which the second begins and ends later."""
    plain, fast = (Case("quick", 64, each, processes=2) for each in ("plain", "fast"))
    fits = (
        Measured(9, late, 12 / rate - 1 + late, 50.0, (2000 / rate,) * 6, 100.0, psnr)
        for late in (0.0, 1.0)
    )
    return Row(0, "fit", plain if engine == "plain" else fast, plain, repeat, tuple(fits))


def test_ratios_are_taken_repeat_by_repeat() -> None:
    plain, fast = [10.0, 12.0, 8.0], [20.0, 25.0, 15.0]
    with Session("cpu", lambda _: None) as session:
        session.peaks["float32", 2, 1] = 100.0
        for repeat in range(3):
            session.rows.append(_row("plain", repeat, plain[repeat], 20))
            session.rows.append(_row("fast", repeat, fast[repeat], 20.1 + repeat / 10))
        found = table(session).set_index("engine")
    assert pd.isna(found["ratio"]["plain"])
    logarithms = torch.log(torch.tensor(fast) / torch.tensor(plain)).numpy()
    low, high = stats.t.interval(0.95, 2, logarithms.mean(), stats.sem(logarithms))
    row = found.loc["fast"]
    assert row["ratio"] == pytest.approx(float((2 * 25 / 12 * 15 / 8) ** (1 / 3)))
    assert row["ratio_low"] == pytest.approx(math.exp(low))
    assert row["ratio_high"] == pytest.approx(math.exp(high))
    assert row["psnr_hole_difference"] == pytest.approx(0.2)
    assert row["iterations_per_second"] == 20
    assert row["milliseconds_median"] == 100  # of one of the two processes
    assert row["peak_memory_mib"] == 200
    assert row["gflops"] == pytest.approx(20 * row["gflop"])
    assert row["share_of_peak"] == pytest.approx(row["gflops"] / 100)


def test_a_fit_is_measured_by_the_trainer_itself() -> None:
    threads = torch.get_num_threads()
    try:
        fit = measured(Case("quick", 36, "fast"), 0, 9, "cpu")
        assert (fit.iterations, len(fit.milliseconds)) == (9, 9 - 3)
        assert 5 < fit.psnr_hole < 40
        # The trainer does more than iterations, and this machine more than the trainer.
        assert 0.001 * sum(fit.milliseconds) <= fit.ended - fit.began
    finally:
        torch.set_num_threads(threads)


def test_the_peak_is_what_a_product_takes() -> None:
    """Within a factor of five of what ten products of 2048 rows show."""
    threads = torch.get_num_threads()
    peak = peak_gflops("float32", 1, "cpu")
    a = torch.rand(2048, 2048)
    torch.set_num_threads(1)
    seconds = []
    for _ in range(10):
        began = time.perf_counter()
        torch.matmul(a, a)
        seconds.append(time.perf_counter() - began)
    torch.set_num_threads(threads)
    assert 0.2 < peak / (2 * 2048**3 / min(seconds) / 1e9) < 5


def test_a_slow_device_multiplies_smaller_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated by a short budget: a product of 1024 rows would have to take under 0.02 ms."""
    threads, randn = torch.get_num_threads(), torch.randn
    sides: list[int] = []

    def noted(*shape: int, **options: Any) -> torch.Tensor:
        sides.append(shape[0])
        return randn(*shape, **options)

    monkeypatch.setattr(measure, "PEAK_SECONDS", 0.001)
    monkeypatch.setattr(torch, "randn", noted)
    assert 0 < peak_gflops("float32", 1, "cpu") < math.inf
    torch.set_num_threads(threads)
    assert max(sides) < 2048


def test_what_begins_behind_the_deadline_is_listed() -> None:
    said: list[str] = []
    groups = [Group("fit", (Case(name, 64, "plain"),)) for name in ("dip-text", "dip-library")]
    with Session("cpu", said.append) as session:
        session.run(groups, deadline=time.monotonic())
        assert not session.rows
        assert not session.benches
    assert session.left_out == [
        "dip-text 64x64 plain float32 1 x 1 threads: the budget was used up",
        "dip-library 64x64 plain float32 1 x 1 threads: the network needs 129 pixels on each side",
    ]
    assert [text.startswith("LEFT OUT: ") for text in said] == [True, True]


def test_a_process_that_dies_is_said_and_replaced() -> None:
    case = Case("quick", 36, "fast")
    with Session("cpu", lambda _: None) as session:
        assert isinstance(session._measure(case, 0, 9), list)
        (bench,) = session.benches.values()
        bench.process.kill()
        bench.process.join()
        assert session._measure(case, 0, 9) == "its process ended with exit code -9"
        broken = session._measure(Case("quick", 2, "fast"), 0, 9)
        assert broken == (
            "InputError: 2x2 pixels are too few for this network: it needs 33 on each side; fewer"
            " levels need fewer"
        )
        fits = session._measure(case, 0, 9)
        assert not isinstance(fits, str)
        assert fits[0].iterations == 9


def test_all_of_a_group_take_turns_with_as_many_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[tuple[str, int, int]] = []

    def measure(_: Session, case: Case, seed: int, iterations: int) -> list[Measured] | str:
        order.append((case.engine, seed, iterations))
        if case.engine == "slow":
            return "broken"
        return [Measured(iterations, 0, 1, 50, (100.0,) * 6, None, 20)]

    monkeypatch.setattr(Session, "_measure", measure)
    plain, fast, slow = (Case("quick", 64, engine) for engine in ("plain", "fast", "slow"))
    with Session("cpu", lambda _: None) as session:
        session.run([Group("fit", (plain, fast), seconds=1.4)], time.monotonic() + 60)
        assert order == [
            ("plain", 0, 9),  # how many iterations of 0.1 s take 1.4, in blocks of 3
            *[("plain", 0, 12), ("fast", 0, 12)],
            *[("fast", 1, 12), ("plain", 1, 12)],
            *[("plain", 2, 12), ("fast", 2, 12)],
        ]
        order.clear()
        session.run([Group("fit", (slow, fast), repeats=2)], time.monotonic() + 60)
    assert order == [("slow", 0, 9), ("slow", 0, 9), ("fast", 0, 9), ("fast", 1, 9)]
    assert session.left_out == [f"{slow.name}: broken"]


def test_without_its_first_case_a_group_is_compared_with_nothing() -> None:
    with Session("cpu", lambda _: None) as session:
        session.peaks["float32", 2, 1] = 100.0
        session.rows += [_row("fast", repeat, 10, 20) for repeat in range(2)]
        found = table(session)
    assert found["ratio"].isna().all()
    assert found["psnr_hole_difference"].isna().all()


def test_the_command_leaves_a_page_by_device(command: Command, tmp_path: Path) -> None:
    words = ["--budget", "8", "--preset", "quick", "--size", "36", "--device", "cpu"]
    done = command("benchmarks", "timing", *words, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "timing").iterdir()
    assert done.stdout.strip().endswith(f"Timing: {folder / 'timing.md'}")
    page = (folder / "timing.md").read_text()
    assert page in done.stdout
    for heading in ("# Timing", "## One fit, alone on the device", "## Cost against pixels"):
        assert heading in page
    rows = pd.read_csv(folder / "timing.csv")
    assert set(rows["engine"]) >= {"plain", "fast"}
    plain, fast = (rows[rows["engine"] == engine].iloc[0] for engine in ("plain", "fast"))
    assert plain["iterations"] == fast["iterations"]
    assert fast["ratio_low"] <= fast["ratio"] <= fast["ratio_high"]
    repeats = pd.read_csv(folder / "measurements.csv")
    assert len(repeats) == rows["repeats"].sum()
    about = json.loads((folder / "environment.json").read_text())
    assert about["peak_gflops"]["float32, 1 x 2 threads"] > 1 or about["threads"] != 2
    assert about["device"] in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--preset", "quik"], "--preset: unknown preset 'quik'. Did you mean 'quick'?"),
        (["--budget", "0"], "--budget 0.0: minutes are more than 0"),
        (["--budget", "nan"], "--budget nan: minutes are more than 0"),
        (["--size", "3"], "--size: pixels on a side, at least 16"),
        (["--device", "tpu"], "--device tpu: use auto, cpu, cuda or cuda:N"),
    ],
)
def test_bad_input_gets_one_line(
    words: list[str], message: str, command: Command, tmp_path: Path
) -> None:
    done = command("benchmarks", "timing", *words, "--out", tmp_path)
    assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (2, f"error: {message}")
    assert not (tmp_path / "timing").exists()


@pytest.mark.skipif(find_spec(PEER) is None, reason="deepinv is not installed (extra `peers`)")
def test_a_peer_fits_the_same_image() -> None:
    ((group),) = peer_groups(["quick"], 1)
    assert [case.engine for case in group.cases] == ["plain", "fast", PEER]
    fit = measured(Case("quick", 64, PEER), 0, 60, "cpu")
    assert fit.iterations == 60
    assert sum(fit.milliseconds) == pytest.approx(1000 * (fit.ended - fit.began), rel=0.2)
    ours = measured(Case("quick", 64, "fast"), 0, 60, "cpu")
    assert fit.psnr_hole == pytest.approx(ours.psnr_hole, abs=5)
