"""Faults as they happen, planted one by one: golden trajectories or the gate find each.

The gate is the real one on a suite of small networks; its baseline is fitted without a fault.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import skimage.metrics
import torch
import yaml
from support.commands import Command, Done
from support.golden import CASES, findings, recorded
from torch import nn

import dip
from benchmarks.runner.job import recording, run_job
from dip.options import Method, NetworkOptions
from dip.options.optimizers.adam import AdamOptions
from dip.training.losses import Loss
from dip.training.optimizers import Descent

pytestmark = pytest.mark.usefixtures("checkout")
Patch = pytest.MonkeyPatch
SEEDS, BASELINE_SEEDS = 8, 20
SUITE = {
    "dataset": "scikit-image",
    "images": ["astronaut"],
    "size": 36,
    "masks": [{"bernoulli": {"missing": 0.5}}, {"boxes": {"count": 3, "side": 7}}],
    "methods": [
        {
            "preset": "lemsky-unet",
            "label": "unet",
            "set": {"architecture.channels": [8, 16, 16], "learning_rate": 0.03},
        },
        {
            "preset": "quick",
            "label": "skip",
            "set": {"architecture.channels": [8] * 3, "architecture.skip_channels": [4] * 3},
        },
        {"fill": "all"},
    ],
    "iterations": [25, 50],
    "rules": [],
    "seeds": list(range(SEEDS)),
}


def _other_method(patch: Patch, changes: Callable[[Method], dict[str, Any]]) -> None:
    """Let the optimizer run with the settings of another method."""
    init = Descent.__init__

    def changed(self: Descent, method: Method, *arguments: Any, **options: Any) -> None:
        init(self, method.model_copy(update=changes(method)), *arguments, **options)

    patch.setattr(Descent, "__init__", changed)


def _learning_rate(patch: Patch) -> None:
    _other_method(patch, lambda method: {"learning_rate": 0.3 * method.learning_rate})


def _weight_decay(patch: Patch) -> None:
    def decayed(method: Method) -> dict[str, Any]:
        if not isinstance(method.optimizer, AdamOptions):
            return {}
        return {"optimizer": method.optimizer.model_copy(update={"weight_decay": 1e-4})}

    _other_method(patch, decayed)


def _batch_norm(patch: Patch) -> None:
    patch.setattr(nn, "BatchNorm2d", lambda *_, **__: nn.Identity())


def _network(name: str, **settings: Any) -> Callable[[Patch], None]:
    def plant(patch: Patch) -> None:
        module = import_module(f"dip.networks.{name}")
        build = module.build

        def changed(options: NetworkOptions, *rest: Any) -> nn.Module:
            return build(options.model_copy(update=settings), *rest)

        patch.setattr(module, "build", changed)

    return plant


def _inverted_mask(patch: Patch) -> None:
    init = Loss.__init__
    patch.setattr(
        Loss,
        "__init__",
        lambda self, method, known, target: init(self, method, 1 - known, target),
    )


def _leak(patch: Patch) -> None:
    init = dip.Fit.__init__

    def leaking(fit: dip.Fit, image: Any, mask: Any, *arguments: Any, **options: Any) -> None:
        init(fit, image, torch.ones_like(mask), *arguments, **options)

    patch.setattr(dip.Fit, "__init__", leaking)


def _late_average(patch: Patch) -> None:
    checkpoint = dip.Fit.checkpoint
    before: dict[dip.Fit, torch.Tensor] = {}

    def late(fit: dip.Fit) -> dip.Checkpoint:
        current = checkpoint(fit)
        earlier = before.get(fit, current.averaged)
        before[fit] = current.averaged
        return replace(current, outputs={**current.outputs, "averaged": earlier})

    patch.setattr(dip.Fit, "checkpoint", late)


def _truncated(patch: Patch) -> None:
    for module in (run_job, recording):
        patch.setattr(module, "to_8bit", lambda image: (image.clip(0, 1) * 255).astype("uint8"))


def _uniform_window(patch: Patch) -> None:
    ssim = skimage.metrics.structural_similarity

    def uniform(*arguments: Any, **options: Any) -> Any:
        return ssim(*arguments, **{**options, "gaussian_weights": False})

    patch.setattr(skimage.metrics, "structural_similarity", uniform)


@dataclass(frozen=True)
class Fault:
    """golden: cases of golden trajectories that find it. gate: a row that does, with its verdict.

    Each has one of them at least; empty where it is not held to find the fault.
    """

    name: str
    plant: Callable[[Patch], None]
    golden: tuple[str, ...]
    gate: str


FAULTS = [
    Fault(
        "learning rate x 0.3",
        _learning_rate,
        ("network unet", "network skip", "optimizer adam", "optimizer sgd"),
        "skip, averaged, hole PSNR (dB): worse",
    ),
    Fault(
        "no BatchNorm",
        _batch_norm,
        ("network unet", "network skip"),
        "skip, raw, hole PSNR (dB): worse",
    ),
    Fault("decoder kernels 3", _network("unet", decoder_kernel=3), ("network unet",), ""),
    Fault("upsampling", _network("skip", upsampling="bilinear"), ("network skip",), ""),
    Fault(
        "mask inverted in the loss",
        _inverted_mask,
        ("network skip", "trainer, absolute loss"),
        "skip, raw, hole PSNR (dB): worse",
    ),
    Fault(
        "loss over the whole image",
        _leak,
        ("network skip",),
        "skip, raw, hole PSNR (dB): better",
    ),
    Fault("weight decay", _weight_decay, ("network unet", "network skip"), ""),
    Fault(
        "averages a checkpoint late",
        _late_average,
        ("output averaged",),
        "skip, averaged, hole PSNR (dB): worse",
    ),
    Fault("8 bits cut off", _truncated, (), "mean, raw, hole PSNR (dB): "),
    Fault(
        "SSIM with a uniform window", _uniform_window, ("metric ssim",), "mean, raw, hole SSIM: "
    ),
]


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("fault", [each for each in FAULTS if each.golden], ids=lambda f: f.name)
def test_golden_trajectories_find_it(fault: Fault, monkeypatch: Patch) -> None:
    fault.plant(monkeypatch)
    cases = [case for case in CASES if case.name in fault.golden]
    assert len(cases) == len(fault.golden)
    for case in cases:
        (finding,) = findings(case, recorded()[case.name])
        assert "its numbers have changed and its version has not" in finding


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture
def regress(folder: Path, command: Command) -> Callable[..., Done]:
    """The gate; its baseline is fitted before the first fault is planted."""
    suite = folder / "faults.yaml"
    suite.write_text(yaml.safe_dump(SUITE))

    def run(*words: object) -> Done:
        where = ("--baselines", folder / "baselines", "--out", folder / "results")
        return command("benchmarks", "regress", suite, *where, *words)

    if not (folder / "baselines").exists():
        done = run("--bless", "--because", "without a fault", "--seeds", BASELINE_SEEDS)
        assert done.returncode == 0, done.stderr
    return run


@pytest.mark.slow
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.gate], ids=lambda f: f.name)
def test_the_gate_finds_it(fault: Fault, regress: Callable[..., Done], monkeypatch: Patch) -> None:
    fault.plant(monkeypatch)
    method, *_ = fault.gate.split(",")
    done = regress("-k", f"/{method}/")
    assert done.returncode == 1, done.stdout
    assert f"- **{fault.gate}" in done.stdout
