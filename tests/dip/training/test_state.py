"""A fit that goes on from its saved state gives what it would have given without a break."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import dip
from dip.options import OPTIMIZERS, Method

NARROW = dip.with_settings(
    dip.load_preset("quick").method,
    {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4]},
)
LAST = 30
METHODS: dict[str, Method] = {
    name: dip.with_settings(NARROW, settings)
    for name, settings in {
        **{name: {"optimizer.name": name} for name in OPTIMIZERS},
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
RULES = [{"es-wmv": {"window": 6, "patience": 9}}, {"es-emv": {"warm_up": 3}}]


class Dropping(nn.Module):
    """Draws from the global generator while it runs, and keeps statistics that are not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(32, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Dropout(0.5), nn.Conv2d(8, 3, 1)
        )
        self.register_buffer("passes", torch.zeros(()), persistent=False)
        self.register_buffer("fading", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        self.fading = self.fading * 0.97  # another tensor in its place
        return self.layers(x) * self.fading + self.passes / 100


def _fit(method: Method, **options: Any) -> Iterator[dip.Checkpoint]:
    generator = torch.Generator().manual_seed(7)
    image = torch.rand((3, 17, 20), generator=generator)
    mask = (torch.rand((1, 17, 20), generator=generator) > 0.3).float()
    return dip.fit(image, mask, method, checkpoints=[9, 10, 20, LAST], rules=RULES, **options)


def _seen(checkpoint: dip.Checkpoint) -> tuple[Any, ...]:
    stops = {
        rule: (stop.iteration, stop.stopped_at, stop.output.numpy().tobytes())
        for rule, stop in checkpoint.stops.items()
    }
    outputs = checkpoint.raw.numpy().tobytes(), checkpoint.averaged.numpy().tobytes()
    return checkpoint.iteration, checkpoint.loss, *outputs, stops


def _states(at: list[int], begin: Callable[..., Iterator[dip.Checkpoint]]) -> list[dip.State]:
    """Those of these iterations as a file gives them back, from one fit."""
    files = {iteration: BytesIO() for iteration in at}

    def keep(iteration: int, state: Callable[[], dip.State]) -> None:
        if iteration in files:
            torch.save(state(), files[iteration])

    list(begin(keep=keep))
    for file in files.values():
        file.seek(0)
    return [torch.load(file, weights_only=True) for file in files.values()]


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_every_later_output_is_the_same_to_the_last_bit(method: Method) -> None:
    def begin(**options: Any) -> Iterator[dip.Checkpoint]:
        losses.clear()
        return _fit(method, on_step=lambda step: losses.append(step.loss), **options)

    losses: list[float] = []
    whole = [_seen(each) for each in begin()]
    whole_losses = losses.copy()
    for at, state in zip((1, 9, 15), _states([1, 9, 15], begin), strict=True):
        assert [_seen(each) for each in begin(state=state)] == [e for e in whole if e[0] > at]
        assert losses == whole_losses[at:]


def test_backtracking_goes_back_in_the_fit_above() -> None:
    """Or that case would say nothing of what is looked back at."""
    steps: list[dip.Step] = []
    list(_fit(METHODS["backtracking"], on_step=steps.append))
    assert [step.iteration for step in steps if step.backtracked and step.iteration > 15]


def test_anybodys_network_goes_on_with_its_own_draws_and_buffers() -> None:
    def begin(**options: Any) -> Iterator[dip.Checkpoint]:
        torch.manual_seed(3)
        return _fit(NARROW, network=Dropping(), **options)

    whole = [_seen(each) for each in begin()]
    (state,) = _states([15], begin)
    for _ in range(2):  # a state can be gone on from more than once
        assert [_seen(each) for each in begin(state=state)] == [e for e in whole if e[0] > 15]


@pytest.mark.parametrize("method", [METHODS["adamw"], METHODS["l-bfgs"]])
def test_a_state_can_be_gone_on_from_more_than_once(method: Method) -> None:
    (state,) = _states([15], lambda **options: _fit(method, **options))
    first, second = ([_seen(each) for each in _fit(method, state=state)] for _ in range(2))
    assert first == second


def test_seconds_count_on() -> None:
    state: list[dip.State] = []
    first = [*_fit(NARROW, keep=lambda n, of: state.append(of()) if n == 10 else None)]
    rest = [*_fit(NARROW, state=state[0])]
    assert rest[0].seconds > first[1].seconds


def test_a_state_of_another_fit_is_refused() -> None:
    states: dict[int, dip.State] = {}
    list(_fit(NARROW, keep=lambda n, of: states.setdefault(n, of())))
    other = dip.with_settings(NARROW, {"learning_rate": 0.02})
    for method, options in ((other, {}), (NARROW, {"seed": 1}), (NARROW, {"precision": "float64"})):
        with pytest.raises(dip.InputError, match="the state is of another fit"):
            list(_fit(method, state=states[10], **options))
    with pytest.raises(dip.InputError, match="no checkpoint is after it"):
        list(_fit(NARROW, state=states[LAST]))
    broken = {**states[10]["parts"], "descent": [{"nothing": 1}]}
    with pytest.raises(dip.InputError, match="the state of descent is of another version"):
        list(_fit(NARROW, state={**states[10], "parts": broken}))
    without = {name: part for name, part in states[10]["parts"].items() if "emv" not in name}
    with pytest.raises(dip.InputError, match=r"knows nothing of rule es-emv\[warm_up=3\]"):
        list(_fit(NARROW, state={**states[10], "parts": without}))
