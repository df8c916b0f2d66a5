"""Two engines, one mathematics; and whoever calls them finds torch as it was."""

import copy
import gc
import weakref
from importlib import import_module
from typing import Any

import pytest
import torch
from support.blocks import read_every
from support.commands import Command
from support.suites import NARROW, jobs_of
from torch import Tensor, nn

import dip
from dip.engine.engine import Engine, flushes_denormals
from dip.options.networks.skip import SkipOptions
from dip.training.iteration import Iteration
from dip.training.optimizers import Descent

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=needs_cuda)]
GENERATOR = torch.Generator().manual_seed(1)
Y, X = torch.meshgrid(torch.linspace(0, 3, 24), torch.linspace(0, 5, 26), indexing="ij")
IMAGE = torch.stack([X.sin(), Y.cos(), (X + Y).sin()]) / 4 + 0.5
MASK = (torch.rand((1, 24, 26), generator=GENERATOR) > 0.4).float()


def _method(preset: str, **settings: Any) -> dip.Method:
    return dip.with_settings(dip.load_preset(preset).method, {**NARROW[preset], **settings})


def _fit(method: dip.Method, **options: Any) -> list[dip.Checkpoint]:
    options = {"checkpoints": [1, 15], **options}
    return list(dip.fit(IMAGE, MASK, method, **options))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("preset", NARROW)
def test_both_engines_compute_the_same(preset: str, device: str) -> None:
    """In float64, whose rounding does not add up to anything within these iterations."""
    method = _method(preset)
    plain, fast = (
        _fit(method, engine=engine, precision="float64", device=device)
        for engine in ("plain", "fast")
    )
    for ours, theirs in zip(fast, plain, strict=True):
        torch.testing.assert_close(ours.raw, theirs.raw, rtol=0, atol=1e-6)
        torch.testing.assert_close(ours.averaged, theirs.averaged, rtol=0, atol=1e-6)
        assert ours.loss == pytest.approx(theirs.loss, rel=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": {"name": "adamw", "weight_decay": 0.01}},
        {"optimizer": {"name": "sgd", "momentum": 0.9}, "schedule": {"every": 4, "factor": 0.5}},
        {"optimizer": {"name": "adam-lbfgs", "adam_iterations": 5}},
        {"parameter_noise": 0.02, "sgld_noise": 1e-3},
        {"backtracking": {"drop_db": 0.001, "every": 2}},
        {"loss": "absolute", "total_variation": 0.1, "held_out": 0.1},
    ],
    ids=lambda settings: next(iter(settings)) + str(len(str(settings))),
)
def test_whatever_moves_the_weights(settings: dict[str, Any]) -> None:
    method = _method("dip-random50", **settings)
    (plain,), (fast,) = (
        _fit(method, engine=engine, precision="float64", checkpoints=[12])
        for engine in ("plain", "fast")
    )
    torch.testing.assert_close(fast.raw, plain.raw, rtol=0, atol=1e-6)


class _Witness(nn.Module):
    """Anybody's network, which notes how it is run."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.last = nn.Conv2d(4, 3, 3, stride=2, padding=1)
        self.seen: list[Any] = []

    def forward(self, x: Tensor) -> Tensor:
        inside = self.first(x)
        # A view that maps of another layout refuse.
        inside = inside.view(inside.shape[0], -1).view_as(inside)
        output = self.last(self.up(inside))
        self.seen.append((flushes_denormals(), inside.dtype, output.dtype))
        return output


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({}, (True, torch.float32, torch.float32)),
        ({"engine": "plain"}, (False, torch.float32, torch.float32)),
        ({"precision": "bfloat16"}, (True, torch.bfloat16, torch.bfloat16)),
        ({"precision": "float64"}, (True, torch.float64, torch.float64)),
    ],
)
def test_how_a_network_is_run(options: dict[str, Any], seen: tuple[Any, ...]) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    network = _Witness()
    layers = [type(layer) for layer in network.children()]
    outside: list[bool] = []
    method = dip.load_preset("lemsky-unet-single").method
    fit = dip.Fit(
        *(IMAGE, MASK, method),
        network=network,
        observe=lambda *_: outside.append(flushes_denormals()),
        **options,
    )
    list(fit.until(2))
    torch.set_num_threads(threads)
    assert {*network.seen} == {seen}
    assert outside == [False, False]  # whoever is called back, and this test, are left alone
    assert not flushes_denormals()
    assert [type(layer) for layer in network.children()] == layers
    assert network.first.weight.dtype == (
        torch.float64 if "float64" in str(options) else torch.float32
    )
    assert fit.checkpoint().raw.dtype == torch.float32


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_who_wants_denormals_to_be_zero_keeps_that(engine: Any) -> None:
    """Also who begins to want it while the fit is on its way."""
    checkpoints = dip.fit(IMAGE, MASK, _method("quick"), engine=engine, checkpoints=[1, 2])
    next(checkpoints)
    torch.set_flush_denormal(True)
    try:
        next(checkpoints)
        assert flushes_denormals()
    finally:
        torch.set_flush_denormal(False)


def test_only_this_thread_would_flush_so_that_with_more_it_does_not() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with Engine("fast", "float32", "cpu").switches():
            assert not flushes_denormals()
        torch.set_num_threads(1)
        with Engine("fast", "float32", "cpu").switches():
            assert flushes_denormals()
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_a_fit_that_is_over_is_gone(engine: Any) -> None:
    """Without waiting for the collector of cycles: on a GPU it would hold its memory meanwhile."""
    seen: list[weakref.ref[Iteration]] = []
    usual = Iteration.__init__

    def noted(self: Iteration, *arguments: Any) -> None:
        usual(self, *arguments)
        seen.append(weakref.ref(self))

    gc.collect()
    gc.disable()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Iteration, "__init__", noted)
            _fit(_method("quick"), engine=engine)
        assert [each() for each in seen] == [None]
    finally:
        gc.enable()


def test_what_is_recorded_may_be_written_to_the_same_place_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a replayed graph does: outputs, losses and signs of earlier iterations are overwritten."""
    method = _method("quick")
    usual = dip.Fit(IMAGE, MASK, method)
    usual_losses = [step.loss for step in usual.until(20)]
    evaluate = Iteration._evaluate
    places: list[tuple[Tensor, ...]] = []

    def replayed(self: Iteration) -> None:
        evaluate(self)
        fresh = (self.output, self.loss, self.signs)
        if not places:
            places.append(tuple(torch.empty_like(each) for each in fresh))
        for place, value in zip(places[0], fresh, strict=True):
            place.copy_(value)
        self.output, self.loss, self.signs = places[0]

    monkeypatch.setattr(Iteration, "_evaluate", replayed)
    read_every(monkeypatch, 10)
    same = dip.Fit(IMAGE, MASK, method)
    assert [step.loss for step in same.until(20)] == usual_losses
    assert torch.equal(same.checkpoint().raw, usual.checkpoint().raw)
    assert torch.equal(same.checkpoint().averaged, usual.checkpoint().averaged)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_an_optimizer_that_is_recorded_counts_on_the_device(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or torch refuses to record its step."""
    asked: list[tuple[bool, str]] = []

    def step(*lists: list[Tensor], **how: Any) -> None:
        asked.append((how["capturable"], lists[5][0].device.type))

    monkeypatch.setattr(import_module("torch.optim.adam"), "adam", step)
    parameter = torch.ones(2, device="meta", requires_grad=True)
    parameter.grad = torch.ones(2, device="meta")
    for recorded in (True, False):
        descent = Descent(
            _method("quick", optimizer={"name": name}), [parameter], recorded=recorded
        )
        descent.step(1, torch.tensor(1.0))
    assert asked == [(True, "meta"), (False, "cpu")]


def test_maps_are_channels_last() -> None:
    options = SkipOptions(channels=(4, 4), skip_channels=(2, 2), upsampling="bilinear")
    network = dip.build_network(options, 4, 3, (16, 16))
    noise = torch.rand(1, 4, 16, 16)
    expected = network(noise)
    network, x = Engine("fast", "float32", "cpu").prepare(network, noise)
    seen: list[bool] = []
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.register_forward_hook(
                lambda _, __, y: seen.append(y.is_contiguous(memory_format=torch.channels_last))
            )
    torch.testing.assert_close(network(x), expected, rtol=1e-4, atol=1e-5)
    assert seen
    assert all(seen)


def test_bfloat16_keeps_weights_and_output_in_float32_and_learns() -> None:
    method = _method("quick")
    (single,) = _fit(method, checkpoints=[60])
    start, half = _fit(method, checkpoints=[1, 60], precision="bfloat16")
    assert half.loss < 0.5 * start.loss
    assert half.loss == pytest.approx(single.loss, rel=0.5)
    # 8 bits of a number in [0.5, 1) are steps of 1/256, which an output of float32 does not keep.
    steps = half.raw[half.raw > 0.5] * 256
    assert (steps - steps.round()).abs().mean() > 0.1


@pytest.mark.parametrize("size", [7, 100])
def test_reading_later_changes_nothing_but_when_it_is_known(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, which nobody waits for at each iteration."""
    method = _method("quick")

    def everything() -> tuple[Any, list[int]]:
        fit = dip.Fit(IMAGE, MASK, method, rules=[{"es-emv": {"warm_up": 5, "patience": 10}}])
        steps: list[tuple[int, float]] = []
        blocks: list[int] = []
        checkpoints = []
        for step in fit.until(3, 40):
            steps.append((step.iteration, step.loss))
            if step.iteration == fit.iteration:
                blocks.append(step.iteration)
                if step.iteration in (3, 40):
                    checkpoints.append(fit.checkpoint())
        return (
            [(c.raw.tolist(), c.averaged.tolist(), c.loss, c.iteration) for c in checkpoints],
            [(s.iteration, s.stopped_at) for c in checkpoints for s in c.stops.values()],
            steps,
        ), blocks

    at_once, blocks = everything()
    assert blocks == list(range(1, 41))
    read_every(monkeypatch, size)
    afterwards, blocks = everything()
    assert afterwards == at_once
    assert blocks == ([3, 10, 17, 24, 31, 38, 40] if size == 7 else [3, 40])
    wild = _method("quick", learning_rate=100)
    with pytest.raises(dip.Diverged) as end:
        _fit(wild, checkpoints=[60])
    monkeypatch.undo()
    with pytest.raises(dip.Diverged) as sooner:
        _fit(wild, checkpoints=[60])
    for name in ("iteration", "noticed_at", "reason"):
        assert getattr(end.value, name) == getattr(sooner.value, name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "quick"}, "unknown engine 'quick'"),
        ({"engine": "fasst"}, "Did you mean 'fast'"),
        ({"precision": "float16"}, "unknown precision 'float16'"),
        ({"precision": "tf32"}, "precision tf32: a GPU's, not of cpu"),
    ],
)
def test_what_there_is_not_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(dip.InputError, match=message):
        _fit(_method("quick"), **options)


def test_a_suite_names_engine_and_precision(suite_file: Any, command: Command) -> None:
    keys = {}
    for engine, precision in (("fast", "float32"), ("plain", "float32"), ("fast", "bfloat16")):
        path = suite_file(engine + precision, engine=engine, precision=precision)
        for job in jobs_of(path):
            keys.setdefault(job.method_label, set()).add(job.key)
    assert {label: len(found) for label, found in keys.items()} == {
        label: 1 if label == "mean" else 3 for label in keys
    }
    refused = command("benchmarks", "run", suite_file("gpu", precision="tf32"), "--device", "cpu")
    assert refused.returncode == 2
    assert "gpu.yaml: precision: tf32 is a GPU's" in refused.stderr


@needs_cuda
def test_a_recorded_iteration_draws_new_noise_each_time() -> None:
    method = _method("dip-random50", parameter_noise=0.02)
    plain, fast = (
        _fit(method, engine=engine, precision="float64", device="cuda", checkpoints=range(1, 30))
        for engine in ("plain", "fast")
    )
    for ours, theirs in zip(fast, plain, strict=True):
        torch.testing.assert_close(ours.raw, theirs.raw, rtol=0, atol=1e-6)


@needs_cuda
def test_a_recorded_fit_goes_on_from_its_state() -> None:
    method = _method("quick")
    whole, rest = (
        dip.Fit(IMAGE, MASK, method, device="cuda", precision="float64") for _ in range(2)
    )
    assert [step.iteration for step in whole.until(25)] == list(range(1, 26))
    rest.load_state_dict(copy.deepcopy(whole.state_dict()))
    for fit in (whole, rest):
        list(fit.until(40))
    torch.testing.assert_close(rest.checkpoint().raw, whole.checkpoint().raw, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_means_over_seeds_agree() -> None:
    """float32 trajectories part ways, so that means are compared, of the averaged output.

    The margin is that of two means of which nothing is different: 3.3 standard errors by the spread
    between the seeds, which one in a thousand such pairs exceeds.
    """
    method = dip.with_settings(
        dip.load_preset("quick").method,
        {"architecture.channels": [16] * 3, "architecture.skip_channels": [4] * 3},
    )
    hole = (MASK == 0).expand_as(IMAGE)

    def psnr(seed: int, **how: Any) -> float:
        (checkpoint,) = _fit(method, checkpoints=[200], seed=seed, **how)
        error = (checkpoint.averaged - IMAGE)[hole].square().mean()
        return float(-10 * error.log10())

    plain = torch.tensor([psnr(seed, engine="plain") for seed in range(8)])
    assert plain.mean() > 20  # it has learnt something
    for precision in ("float32", "bfloat16"):
        fast = torch.tensor([psnr(seed, precision=precision) for seed in range(8, 16)])
        margin = 3.3 * float(((plain.var() + fast.var()) / 8).sqrt())
        assert margin < 1
        assert abs(float(fast.mean() - plain.mean())) < margin, precision
