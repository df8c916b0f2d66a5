"""`deterministic: true`: deterministic kernels, or a refusal by name."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from support.commands import Command
from support.suites import HUGE, TINY, jobs_of

from benchmarks.runner.job.kernels import kernels
from benchmarks.store.store import Store

Write = Callable[..., Path]

UNPOOLING = """import torch
from torch.nn import functional as F

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        small, places = F.max_pool2d(self.layer(x), 2, return_indices=True)
        return F.max_unpool2d(small, places, 2)
"""


@pytest.fixture
def unpooling(tmp_path: Path) -> Iterator[str]:
    """The import path of a network without deterministic kernels, on a CPU too."""
    (tmp_path / "unpooling_network.py").write_text(UNPOOLING)
    sys.path.insert(0, str(tmp_path))
    yield "unpooling_network:Network"
    sys.path.remove(str(tmp_path))


def test_deterministic_fits_are_others_and_say_so(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    plain, exact = suite_file(), suite_file("exact", deterministic=True)
    assert command("benchmarks", "run", plain, "--out", out).returncode == 0
    done = command("benchmarks", "run", exact, "--out", out)
    assert "1 done before, 1 to run" in done.stdout  # a fill has no such kernels
    (fit, fill), (plain_fit, plain_fill) = jobs_of(exact), jobs_of(plain)
    assert fit.key != plain_fit.key
    assert fill.key == plain_fill.key
    record = Store(out / "runs").read(fit.key)
    assert record is not None
    assert record.trajectory["deterministic"] is True
    assert record.environment["flags"]["deterministic_algorithms"] is True
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_network_without_deterministic_kernels_is_refused_by_name(
    suite_file: Write, command: Command, tmp_path: Path, unpooling: str
) -> None:
    bad = {"preset": "lemsky-unet", "label": "bad", "set": {"architecture": {"import": unpooling}}}
    methods = [TINY["methods"][0], bad]
    out = tmp_path / "results"
    done = command(
        "benchmarks", "run", suite_file(methods=methods, deterministic=True), "--out", out
    )
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: tiny.yaml: methods[1]: deterministic: the network 'unpooling_network:Network'"
        " cannot be: max_unpooling2d_forward_out does not have a deterministic implementation"
    )
    assert done.stderr.count("\n") == 1
    assert not list((out / "runs").iterdir())
    free = suite_file(methods=methods)
    assert command("benchmarks", "run", free, "--out", out).returncode == 0
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_network_that_breaks_otherwise_fails_its_own_jobs_only(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite = suite_file(methods=[HUGE, TINY["methods"][0]], deterministic=True)
    done = command("benchmarks", "run", suite, "--out", tmp_path / "results")
    assert done.returncode == 1
    assert "1 done, 1 failed" in done.stdout


def test_flags_are_put_back_after_a_failure() -> None:
    with pytest.raises(ValueError, match="broken"), kernels("cpu", deterministic=True):
        assert torch.are_deterministic_algorithms_enabled()
        raise ValueError("broken")
    assert not torch.are_deterministic_algorithms_enabled()
