"""Outputs of a fit: they are what their definitions say, and leave the fit alone."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from support.dropping import Dropping
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

import dip
from dip.options import OUTPUTS, Method, parse_output
from dip.options.outputs.averaged import LEAST, AveragedOptions
from dip.options.outputs.base import AverageOptions
from dip.options.outputs.mean import MeanOptions
from dip.training.outputs import Average

METHOD = dip.with_settings(
    dip.load_preset("quick").method,
    {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4], "input_noise": 0.05},
)
MEAN = parse_output({"mean": {"from": 7, "every": 3}})
ALL = ["clean", MEAN]


class Remembering(nn.Module):
    """Changes a weight and its input, too, while it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.dropping = Dropping()

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.dropping.layers[3].bias += 0.01
            x.mul_(0.99)
        return self.dropping(x)


def _fit(method: Method = METHOD, **options: Any) -> dip.Fit:
    generator = torch.Generator().manual_seed(7)
    image = torch.rand((3, 17, 20), generator=generator)
    mask = (torch.rand((1, 17, 20), generator=generator) > 0.3).float()
    return dip.Fit(image, mask, method, **options)


def _remembering() -> nn.Module:
    torch.manual_seed(3)
    return Remembering()


def _checkpoints(fit: dip.Fit, last: int) -> Iterator[dip.Checkpoint]:
    for _ in fit.until(last):
        yield fit.checkpoint()


def _written(fit: dip.Fit) -> dip.State:
    file = BytesIO()
    torch.save(fit.state_dict(), file)
    file.seek(0)
    state: dip.State = torch.load(file, weights_only=True)
    return state


def _weights(options: AverageOptions, count: int) -> np.ndarray[Any, Any]:
    """By row n: what the first n outputs weigh in the average of n."""
    last = options.weight(torch.arange(1, count + 1)).numpy()
    rows = np.zeros((count, count))
    for n in range(count):
        rows[n] = rows[n - 1] * (1 - last[n])
        rows[n, n] = last[n]
    return rows


def test_at_no_iteration_do_the_first_outputs_weigh_more_than_in_a_plain_mean() -> None:
    shares = _weights(AveragedOptions(), 3000).cumsum(axis=1)
    n, k = np.arange(1, 3001)[:, None], np.arange(1, 3001)[None]
    assert shares.diagonal() == pytest.approx(1)
    # 3000 products and sums of float64 numbers below 1, of 1e-16 each.
    assert np.tril(shares - k / n).max() < 1e-12


def test_the_average_is_exponential_in_the_end() -> None:
    weights = AveragedOptions().weight(torch.arange(1, 5000))
    assert weights[0] == 1
    assert (weights.diff() <= 0).all()
    assert weights[-1] == LEAST


def test_the_average_follows_its_weights() -> None:
    weights = AveragedOptions().weight(torch.arange(1, 31))
    expected = torch.zeros(3, 17, 20)
    for checkpoint, weight in zip(_checkpoints(_fit(), 30), weights, strict=True):
        expected = expected + float(weight) * (checkpoint.raw - expected)
        torch.testing.assert_close(checkpoint.averaged, expected, rtol=0, atol=1e-6)


def test_the_mean_is_of_every_so_many_outputs_from_one_on() -> None:
    taken: list[Tensor] = []
    for checkpoint in _checkpoints(_fit(outputs=[MEAN]), 30):
        if checkpoint.iteration in (7, 10, 13, 16, 19, 22, 25, 28):
            taken.append(checkpoint.raw)
        assert (MEAN.label in checkpoint.outputs) == bool(taken)
        if taken:
            mean = torch.stack(taken).mean(dim=0)
            torch.testing.assert_close(checkpoint.outputs[MEAN.label], mean, rtol=0, atol=1e-6)
    assert len(taken) == 8


def test_outputs_that_were_gone_back_from_are_in_no_average() -> None:
    wild = dip.with_settings(
        METHOD, {"learning_rate": 3.0, "backtracking": {"every": 1, "drop_db": 1}}
    )
    every = MeanOptions.model_validate({"from": 1, "every": 1})
    fit = _fit(wild, outputs=[every])
    counted = []
    for step in fit.until(40):
        checkpoint = fit.checkpoint()
        if not step.backtracked:
            counted.append(checkpoint.raw)
        mean = torch.stack(counted).mean(dim=0)
        torch.testing.assert_close(checkpoint.outputs[every.label], mean, rtol=0, atol=1e-6)
    assert 1 < len(counted) < 40


@pytest.mark.parametrize("network", [None, _remembering], ids=["skip", "imported"])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"parameter_noise": 0.02, "sgld_noise": 2.0},
        {"batch": 2, "backtracking": {"every": 1, "drop_db": 0.01}, "learning_rate": 0.05},
    ],
    ids=["input noise", "weight noise", "backtracking"],
)
def test_outputs_leave_the_fit_as_it_is(network: Any, change: dict[str, Any]) -> None:
    method = dip.with_settings(METHOD, change)

    def begin(**options: Any) -> dip.Fit:
        return _fit(method, network=network and network(), **options)

    plain, seen = begin(), begin(outputs=ALL)
    states = {}
    for expected, found in zip(_checkpoints(plain, 30), _checkpoints(seen, 30), strict=True):
        assert torch.equal(expected.raw, found.raw)
        assert torch.equal(expected.averaged, found.averaged)
        assert torch.equal(seen.checkpoint().outputs["clean"], found.outputs["clean"])
        states[found.iteration] = _written(seen)
        parts, same = states[found.iteration]["parts"], _written(plain)["parts"]
        for name in same:
            _assert_equal(parts[name], same[name])
    resumed = begin(outputs=ALL)
    resumed.load_state_dict(states[15])
    again = {label: output.numpy().tobytes() for label, output in found.outputs.items()}
    *_, last = _checkpoints(resumed, 30)
    assert again == {label: output.numpy().tobytes() for label, output in last.outputs.items()}


def _assert_equal(found: Any, expected: Any) -> None:
    """Of states: tensors, numbers and text in dictionaries, lists and tuples."""
    if isinstance(expected, Tensor):
        assert torch.equal(found, expected)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            _assert_equal(found[key], expected[key])
    elif isinstance(expected, list | tuple):
        for one, other in zip(found, expected, strict=True):
            _assert_equal(one, other)
    else:
        assert found == expected


def test_a_clean_pass_is_that_of_the_input_without_noise_after_the_step() -> None:
    """Without any noise it is what the next iteration draws."""
    for method in (dip.with_settings(METHOD, {"input_noise": 0.0}), METHOD):
        *_, before, after = _checkpoints(_fit(method, outputs=["clean"]), 10)
        is_next = torch.equal(before.outputs["clean"], after.raw)
        assert is_next == (not method.input_noise)


def test_weights_that_a_step_has_ruined_have_no_clean_output() -> None:
    fit = _fit(dip.with_settings(METHOD, {"learning_rate": 1e30}), outputs=["clean"])
    list(fit.until(1))
    checkpoint = fit.checkpoint()
    assert list(checkpoint.outputs) == ["raw", "averaged"]
    assert checkpoint.raw.isfinite().all()


def test_a_clean_pass_is_in_training_mode() -> None:
    fit = _fit(dip.with_settings(METHOD, {"input_noise": 0.0}), network=_remembering())
    list(fit.until(3))
    state, network = fit.state_dict(), _remembering()
    saved = _fit(
        dip.with_settings(METHOD, {"input_noise": 0.0}), network=network, outputs=["clean"]
    )
    saved.load_state_dict(state)
    assert network.training
    clean = saved.checkpoint().outputs["clean"]
    (step,) = saved.until(4)
    assert step.iteration == 4
    assert torch.equal(clean, saved.checkpoint().raw)


def test_a_state_without_an_output_that_is_asked_for_is_refused() -> None:
    fit = _fit(outputs=["clean"])
    list(fit.until(5))
    state = fit.state_dict()
    with pytest.raises(dip.InputError, match=r"the state lacks output mean\[from=7,every=3\]"):
        _fit(outputs=[MEAN]).load_state_dict(state)
    _fit().load_state_dict(state)  # more than is asked for
    less = _fit(outputs=["clean"])
    less.load_state_dict({**state, "output_versions": {"raw": 1, "averaged": 2}})  # no memory


def test_a_state_of_another_version_of_an_output_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fit = _fit(outputs=[MEAN])
    list(fit.until(5))
    state = fit.state_dict()
    monkeypatch.setattr(MeanOptions, "version", 2)
    with pytest.raises(dip.InputError, match=r"version 1 of 'mean\[from=7,every=3\]'; .* 2"):
        _fit(outputs=[MEAN]).load_state_dict(state)
    _fit().load_state_dict(state)


@pytest.mark.parametrize("options", [AveragedOptions(), MEAN], ids=lambda options: options.label)
def test_an_average_never_waits_for_the_device(options: AverageOptions) -> None:
    with FakeTensorMode(allow_non_fake_inputs=True):  # raises where a number would be read
        average = Average(options, (3, 17, 20))
        for iteration in range(1, 12):
            average(iteration, torch.rand(3, 17, 20))


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (["claen"], "unknown output 'claen'. Did you mean 'clean'?"),
        (["mean"], "mean.from: Field required"),
        ([{"mean": {"from": 7}}], "mean.every: Field required"),
        ([{"mean": {"from": 0, "every": 1}}], "mean.from: Input should be greater than 0, not 0"),
        ([{"mean": {"from": True, "every": 1}}], "mean.from: Input should be a valid integer"),
        ([{"mean": {"form": 7, "every": 1}}], "mean: unknown key 'form'. Did you mean 'from'?"),
        (["mean[from=x,every=1]"], "mean.from: Input should be a valid integer, not 'x'"),
        ([{"raw": {"x": 1}}], "raw: unknown key 'x'"),
        ([{"clean": {}, "raw": {}}], "an output is one name with its settings"),
        ("clean", r"outputs are a list, e.g. \['clean'\], not 'clean'"),
    ],
)
def test_what_is_no_output_is_refused(outputs: Any, message: str) -> None:
    with pytest.raises(dip.InputError, match=message.replace("?", r"\?")):
        _fit(outputs=outputs)


def test_an_output_is_named_by_its_label() -> None:
    assert MEAN.label == "mean[from=7,every=3]"
    assert parse_output(MEAN.label) == MEAN
    assert [parse_output(name).label for name in sorted(OUTPUTS.keys() - {"mean"})] == [
        "averaged",
        "clean",
        "raw",
    ]
    fit = _fit(outputs=["mean[from=2,every=1]", "raw"])
    list(fit.until(2))
    assert list(fit.checkpoint().outputs) == ["raw", "averaged", "mean[from=2,every=1]"]
