"""A fit that goes on from its saved state gives what it would have given without a break."""

import copy
from io import BytesIO
from typing import Any

import pytest
import torch
from support.dropping import Dropping
from support.golden import SETTINGS

import dip
from dip.options import OPTIMIZERS, RULES, Method, parse_rule
from dip.options.outputs.averaged import AveragedOptions

NARROW = dip.with_settings(
    dip.load_preset("quick").method,
    {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4]},
)
LAST = 30
METHODS: dict[str, Method] = {
    name: dip.with_settings(NARROW, settings)
    for name, settings in {
        **{
            name: {"optimizer": {"name": name, **SETTINGS.get(f"optimizer {name}", {})}}
            for name in OPTIMIZERS
        },
        "adam with input noise": {"input_noise": 0.05},
        "sgd, scheduled": {"optimizer.name": "sgd", "schedule": {"every": 7}},
        "sgld": {"sgld_noise": 2.0, "optimizer.weight_decay": 0.01},
        "parameter noise": {"parameter_noise": 0.02},
        "l-bfgs": {
            "optimizer": {"name": "adam-lbfgs", "adam_iterations": 12, "history": 5},
            "learning_rate": 0.01,
        },
        "held out": {"held_out": 0.1},
        "learned input, batch of two": {"input.name": "learned", "batch": 2},
        "backtracking": {"backtracking": {"every": 1, "drop_db": 0.01}, "learning_rate": 0.05},
    }.items()
}
# Their patience is long enough that they are still running when a state is saved.
FOLLOWING = [
    parse_rule({name: {**SETTINGS.get(f"rule {name}", {}), "patience": 9}}) for name in RULES
]


def _fit(method: Method, **options: Any) -> dip.Fit:
    generator = torch.Generator().manual_seed(7)
    image = torch.rand((3, 17, 20), generator=generator)
    mask = (torch.rand((1, 17, 20), generator=generator) > 0.3).float()
    rules = [rule for rule in FOLLOWING if method.held_out or not rule.needs_held_out]
    return dip.Fit(image, mask, method, rules=rules, **options)


def _rest(fit: dip.Fit) -> list[tuple[Any, ...]]:
    """Everything visible of the iterations up to the last one."""
    return [_seen(step, fit.checkpoint()) for step in fit.until(LAST)]


def _seen(step: dip.Step, checkpoint: dip.Checkpoint) -> tuple[Any, ...]:
    stops = {
        rule: (stop.iteration, stop.stopped_at, stop.output.numpy().tobytes())
        for rule, stop in checkpoint.stops.items()
    }
    outputs = checkpoint.raw.numpy().tobytes(), checkpoint.averaged.numpy().tobytes()
    return step.iteration, step.loss, step.backtracked, checkpoint.loss, *outputs, stops


def _states(fit: dip.Fit, *at: int) -> list[dip.State]:
    """The states after some iterations, each written to a file and read again."""
    files = []
    for step in fit.until(*at):
        if step.iteration in at:
            file = BytesIO()
            torch.save(fit.state_dict(), file)
            file.seek(0)
            files.append(file)
    return [torch.load(file, weights_only=True) for file in files]


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_every_later_output_is_the_same_to_the_last_bit(method: Method) -> None:
    whole = _rest(_fit(method))
    assert len(whole) == LAST
    for at, state in zip((1, 9, 15), _states(_fit(method), 1, 9, 15), strict=True):
        fit = _fit(method)
        fit.load_state_dict(state)
        assert fit.iteration == at
        assert _rest(fit) == whole[at:]


def test_backtracking_goes_back_in_the_fit_above() -> None:
    """Or that case would say nothing of what is looked back at."""
    steps = list(_fit(METHODS["backtracking"]).until(LAST))
    assert [step.iteration for step in steps if step.backtracked and step.iteration > 15]


def test_anybodys_network_goes_on_with_its_own_draws_and_buffers() -> None:
    def begin() -> dip.Fit:
        torch.manual_seed(3)
        return _fit(NARROW, network=Dropping())

    whole = _rest(begin())
    (state,) = _states(begin(), 15)
    for _ in range(2):  # a state can be gone on from more than once
        fit = begin()
        fit.load_state_dict(state)
        assert _rest(fit) == whole[15:]


@pytest.mark.parametrize("method", [METHODS["adamw"], METHODS["l-bfgs"]])
def test_a_state_can_be_gone_on_from_more_than_once(method: Method) -> None:
    (state,) = _states(_fit(method), 15)
    fits = _fit(method), _fit(method)
    for fit in fits:
        fit.load_state_dict(state)
    assert _rest(fits[0]) == _rest(fits[1])


def test_a_checkpoint_can_be_taken_before_the_fit_goes_on() -> None:
    first, second = _fit(NARROW), _fit(NARROW)
    list(first.until(10))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    one, other = first.checkpoint(), second.checkpoint()
    assert (one.iteration, one.loss, one.seconds) == (other.iteration, other.loss, other.seconds)
    assert torch.equal(one.averaged, other.averaged)
    list(second.until(11))
    assert second.checkpoint().seconds > one.seconds


def test_a_state_of_another_fit_is_refused() -> None:
    (state,) = _states(_fit(NARROW), 10)
    other = dip.with_settings(NARROW, {"learning_rate": 0.02})
    for method, options in ((other, {}), (NARROW, {"seed": 1}), (NARROW, {"precision": "float64"})):
        with pytest.raises(dip.InputError, match="the state is of another fit"):
            _fit(method, **options).load_state_dict(state)
    for broken, message in (
        ({**state["parts"], "descent": [{"nothing": 1}]}, "descent is of another version"),
        (
            {name: part for name, part in state["parts"].items() if "emv" not in name},
            r"the state lacks rule es-emv\[warm_up=5,patience=9\]",
        ),
    ):
        with pytest.raises(dip.InputError, match=message):
            _fit(NARROW).load_state_dict({**state, "parts": broken})
    with pytest.raises(dip.InputError, match="the state lacks last, seconds"):
        kept = ("of", "output_versions", "iteration", "parts")
        _fit(NARROW).load_state_dict({key: state[key] for key in kept})
    begun = _fit(NARROW)
    list(begun.until(1))
    with pytest.raises(dip.InputError, match="this fit has begun"):
        begun.load_state_dict(state)


def test_a_fit_cannot_run_after_loading_half_of_a_state() -> None:
    (state,) = _states(_fit(NARROW), 10)
    fit = _fit(NARROW)
    for use in (
        lambda: fit.load_state_dict({**state, "parts": {**state["parts"], "watch": {}}}),
        lambda: list(fit.until(1)),
        fit.checkpoint,
    ):
        with pytest.raises(dip.InputError, match="the state of watch is of another version"):
            use()


def test_a_state_of_another_version_of_a_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    (state,) = _states(_fit(NARROW), 10)
    monkeypatch.setattr(RULES["es-emv"], "version", 2)
    with pytest.raises(dip.InputError, match="lacks rule es-emv.*, version 2"):
        _fit(NARROW).load_state_dict(state)


@pytest.mark.parametrize("state", [None, {}, {"of": 3}, [1]])
def test_a_value_that_is_not_a_state_is_refused(state: Any) -> None:
    with pytest.raises(dip.InputError, match="the state is of another fit"):
        _fit(NARROW).load_state_dict(state)


def test_a_state_of_another_average_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    (state,) = _states(_fit(NARROW), 10)
    earlier = {key: value for key, value in state.items() if key != "output_versions"}
    with pytest.raises(dip.InputError, match="version 1 of 'averaged'; .* computes version 2"):
        _fit(NARROW).load_state_dict(earlier)  # a state without versions has the first versions
    monkeypatch.setattr(AveragedOptions, "version", 3)
    with pytest.raises(dip.InputError, match="version 2 of 'averaged'; .* computes version 3"):
        _fit(NARROW).load_state_dict(state)
