"""Stopping rules: they choose what their papers' formulas choose, and leave the fit alone."""

from io import BytesIO
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

import dip
from dip.options import RULES, Method, parse_rule
from dip.options.rules.es_emv import ExponentialVarianceOptions
from dip.options.rules.es_wmv import WindowedVarianceOptions
from dip.options.rules.held_out import HeldOutOptions
from dip.training.stopping import RuleValue, StoppingRule, hold_out, make_rules

METHOD = dip.with_settings(
    dip.load_preset("quick").method,
    {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4]},
)
HOLDING = dip.with_settings(METHOD, {"held_out": 0.1})
NO_HOLD = torch.zeros(1, 17, 20)
Answer = tuple[int, int | None] | None


def _image_and_mask() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    image = torch.rand((3, 17, 20), generator=generator)
    mask = (torch.rand((1, 17, 20), generator=generator) > 0.3).float()
    return image, mask


def _recorded(iterations: int, method: Method = METHOD) -> list[Tensor]:
    """The outputs of a real fit, one after the other."""
    outputs: list[Tensor] = []
    image, mask = _image_and_mask()
    fit = dip.Fit(image, mask, method, observe=lambda _, raw, __: outputs.append(raw.clone()))
    list(fit.until(iterations))
    return outputs


def _first_least(values: list[float | None], patience: int | None) -> Answer:
    """The papers' loop. values: by iteration from 1 on, None where there is none yet."""
    least, chosen, waited = float("inf"), None, 0
    for iteration, value in enumerate(values, start=1):
        if value is None:
            continue
        if value < least:
            least, chosen, waited = value, iteration, 0
        else:
            waited += 1
        if patience is not None and waited >= patience:
            assert chosen is not None
            return chosen, iteration
    return None if chosen is None else (chosen, None)


def _windowed_variance(outputs: list[np.ndarray[Any, Any]], size: int) -> list[float | None]:
    """Wang et al., equation of VAR: mean squared distance of the last outputs to their mean."""
    values: list[float | None] = [None] * (size - 1)
    for end in range(size, len(outputs) + 1):
        window = np.stack(outputs[end - size : end])
        mean = window.sum(axis=0) / size
        values.append(float(sum(((each - mean) ** 2).mean() for each in window) / size))
    return values


def _exponential_variance(
    outputs: list[np.ndarray[Any, Any]], alpha: float, warm_up: int
) -> list[float | None]:
    """Wang et al., EMA and EMV, where the average starts at the first output."""
    mean, variance = outputs[0], 0.0
    values: list[float | None] = []
    for count, output in enumerate(outputs, start=1):
        change = output - mean
        mean = (1 - alpha) * mean + alpha * output
        variance = (1 - alpha) * variance + alpha * (1 - alpha) * float((change**2).mean())
        values.append(variance if count > warm_up else None)
    return values


def _follow(options: Any, outputs: list[Tensor], held: Tensor = NO_HOLD) -> StoppingRule:
    image, _ = _image_and_mask()
    method = HOLDING if held.any() else METHOD
    rule = make_rules([options], method, image, held)[options.label]
    for iteration, output in enumerate(outputs, start=1):
        rule(iteration, output)
    return rule


def _check(rule: StoppingRule, expected: Answer, outputs: list[Tensor]) -> None:
    answer = rule.answer()
    if expected is None:
        assert answer is None
        return
    assert answer is not None
    assert (answer.iteration, answer.stopped_at) == expected
    assert torch.equal(answer.output, outputs[answer.iteration - 1])


@pytest.fixture(scope="module")
def outputs() -> list[Tensor]:
    return _recorded(150)


@pytest.fixture(scope="module")
def wide(outputs: list[Tensor]) -> list[Tensor]:
    """As of a network without a sigmoid: a good part lies outside [0, 1]."""
    wide = [1.8 * each - 0.4 for each in outputs]
    assert min(float(each.min()) for each in wide) < -0.2
    assert max(float(each.max()) for each in wide) > 1.2
    return wide


def _seen(outputs: list[Tensor]) -> list[np.ndarray[Any, Any]]:
    return [each.numpy().astype(np.float64).clip(0, 1) for each in outputs]


def _as_pictures(outputs: list[Tensor]) -> list[np.ndarray[Any, Any]]:
    return [np.round(each.numpy().clip(0, 1) * 255).astype(np.float64) / 255 for each in outputs]


@pytest.mark.parametrize("window", [2, 5, 20, 100])
@pytest.mark.parametrize("patience", [3, 20, 1000, None])
@pytest.mark.parametrize("which", ["outputs", "wide"])
def test_es_wmv_is_its_formula(
    window: int, patience: int | None, which: str, request: pytest.FixtureRequest
) -> None:
    outputs = request.getfixturevalue(which)
    rule = _follow(WindowedVarianceOptions(window=window, patience=patience), outputs)
    values = _windowed_variance(_as_pictures(outputs), window)
    _check(rule, _first_least(values, patience), outputs)


@pytest.mark.parametrize("window", [5, 20, 100])
def test_eight_bits_hardly_change_the_windowed_variance(outputs: list[Tensor], window: int) -> None:
    """Rounding moves each value by half a level at most, and a deviation by no more than that."""
    tracker = RuleValue(WindowedVarianceOptions(window=window), torch.zeros(3, 17, 20), NO_HOLD)
    found = [float(tracker(output.clamp(0, 1))) for output in outputs]
    exact = _windowed_variance(_seen(outputs), window)
    rounded = _windowed_variance(_as_pictures(outputs), window)
    for value, of_pictures, of_floats in zip(found, rounded, exact, strict=True):
        if of_floats is None or of_pictures is None:
            assert value == float("inf")
            continue
        assert value == pytest.approx(of_pictures, rel=1e-9)  # sums of float64
        assert abs(value**0.5 - of_floats**0.5) <= 0.5 / 255
    chosen = exact[int(np.argmin(found))]
    assert chosen is not None
    assert chosen <= 1.01 * min(value for value in exact if value is not None)


@pytest.mark.parametrize(("alpha", "warm_up"), [(0.1, 101), (0.1, 10), (0.5, 1), (0.01, 20)])
@pytest.mark.parametrize("patience", [3, 1000, None])
@pytest.mark.parametrize("which", ["outputs", "wide"])
def test_es_emv_is_its_formula(
    alpha: float, warm_up: int, patience: int | None, which: str, request: pytest.FixtureRequest
) -> None:
    outputs = request.getfixturevalue(which)
    options = ExponentialVarianceOptions(alpha=alpha, warm_up=warm_up, patience=patience)
    values = _exponential_variance(_seen(outputs), alpha, warm_up)
    _check(_follow(options, outputs), _first_least(values, patience), outputs)


@pytest.mark.parametrize("patience", [3, 1000, None])
@pytest.mark.parametrize("which", ["outputs", "wide"])
def test_held_out_is_the_least_error_of_those_pixels(
    patience: int | None, which: str, request: pytest.FixtureRequest
) -> None:
    outputs = request.getfixturevalue(which)
    image, mask = _image_and_mask()
    held = hold_out(mask, HOLDING, seed=3)
    rule = _follow(HeldOutOptions(patience=patience), outputs, held)
    pixels = held[0].bool()
    values: list[float | None] = [
        float((torch.from_numpy(each) - image)[:, pixels].square().mean())
        for each in _seen(outputs)
    ]
    _check(rule, _first_least(values, patience), outputs)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=40),
    st.integers(2, 6),
    st.one_of(st.none(), st.integers(1, 8)),
)
def test_any_sequence_is_stopped_where_the_formula_says(
    levels: list[int], window: int, patience: int | None
) -> None:
    """Few levels make ties, of which the first counts, and windows without any variance."""
    outputs = [torch.full((1, 2, 3), level / 255) for level in levels]
    options = WindowedVarianceOptions(window=window, patience=patience)
    rule = StoppingRule(options, torch.zeros(1, 2, 3), torch.zeros(1, 2, 3))
    for iteration, output in enumerate(outputs, start=1):
        rule(iteration, output)
    # In whole levels: ties are ties, where fractions would make them differ.
    spread: list[float | None] = [None] * min(window - 1, len(levels))
    for end in range(window, len(levels) + 1):
        part = levels[end - window : end]
        spread.append(window * sum(level**2 for level in part) - sum(part) ** 2)
    _check(rule, _first_least(spread, patience), outputs)


def test_rules_leave_the_fit_alone() -> None:
    """The raw outputs with rules and averaging are those without, to the last byte."""
    image, mask = _image_and_mask()
    rules = [{"es-wmv": {"window": 5}}, "es-wmv", {"es-emv": {"warm_up": 3}}]
    with_rules = list(dip.fit(image, mask, METHOD, checkpoints=[7, 30], rules=rules))
    without = list(dip.fit(image, mask, METHOD, checkpoints=[7, 30]))
    for one, other in zip(with_rules, without, strict=True):
        assert one.raw.numpy().tobytes() == other.raw.numpy().tobytes()
        assert one.averaged.numpy().tobytes() == other.averaged.numpy().tobytes()
        assert one.loss == other.loss
    assert not without[1].stops
    assert set(with_rules[1].stops) == {"es-wmv[window=5]", "es-emv[warm_up=3]"}


def test_a_checkpoint_answers_as_if_the_fit_ended_there() -> None:
    image, mask = _image_and_mask()
    rules = [{"es-wmv": {"window": 5, "patience": 10}}]
    early, late = dip.fit(image, mask, METHOD, checkpoints=[20, 60], rules=rules)
    (alone,) = dip.fit(image, mask, METHOD, checkpoints=[20], rules=rules)
    (label,) = early.stops
    assert early.stops[label].iteration == alone.stops[label].iteration
    assert torch.equal(early.stops[label].output, alone.stops[label].output)
    assert early.stops[label].iteration <= 20
    assert late.stops[label].iteration >= early.stops[label].iteration


def test_the_chosen_output_is_the_one_of_that_iteration() -> None:
    image, mask = _image_and_mask()
    kept = {
        c.iteration: c
        for c in dip.fit(
            image,
            mask,
            METHOD,
            checkpoints=range(1, 41),
            rules=[{"es-wmv": {"window": 4}}, {"es-emv": {"warm_up": 1}}],
        )
    }
    assert len(kept[40].stops) == 2
    for stop in kept[40].stops.values():
        assert torch.equal(stop.output, kept[stop.iteration].raw)


def test_a_saved_rule_goes_on_as_if_nothing_had_happened(outputs: list[Tensor]) -> None:
    image, mask = _image_and_mask()
    held = hold_out(mask, HOLDING, seed=0)
    rules: list[Any] = [{"es-wmv": {"window": 20, "patience": 40}}, {"es-emv": {"warm_up": 5}}]
    whole = make_rules(rules, HOLDING, image, held)
    first = make_rules(rules, HOLDING, image, held)
    for iteration, output in enumerate(outputs, start=1):
        for rule in whole.values():
            rule(iteration, output)
        if iteration == 70:
            saved = BytesIO()
            torch.save({name: rule.state_dict() for name, rule in first.items()}, saved)
            saved.seek(0)
            state = torch.load(saved, weights_only=True)
            first = make_rules(rules, HOLDING, image, held)
            for name, rule in first.items():
                rule.load_state_dict(state[name])
        for rule in first.values():
            rule(iteration, output)
    assert set(whole) == {"es-wmv[window=20,patience=40]", "es-emv[warm_up=5]", "held-out"}
    for name, rule in whole.items():
        for key, value in rule.state_dict().items():
            assert torch.equal(value, first[name].state_dict()[key]), (name, key)


def test_nothing_waits_for_the_device() -> None:
    """Tensors without values refuse to be read, as a GPU would have to be waited for."""
    with FakeTensorMode():
        image, held = torch.rand(3, 8, 9), torch.zeros(1, 8, 9)
        held[0, 2] = 1
        rules = make_rules(RULES, HOLDING, image, held)
        assert len(rules) == len(RULES)
        for iteration in (1, 2, 3):
            for rule in rules.values():
                rule(iteration, image)
        with pytest.raises(DataDependentOutputException):
            rules["es-wmv"].answer()


def test_a_rules_state_is_its_own() -> None:
    """Loading it changes neither the image of the caller nor what is held out."""
    image, mask = _image_and_mask()
    before, held = image.clone(), hold_out(mask, HOLDING, seed=0)
    first = make_rules([], HOLDING, 1 - image, hold_out(mask, HOLDING, seed=1))["held-out"]
    first(1, image)
    second = make_rules([], HOLDING, image, held)["held-out"]
    second.load_state_dict(first.state_dict())
    assert torch.equal(image, before)
    assert second.least == first.least


def test_the_window_is_small_at_512_pixels() -> None:
    """A hundred outputs as pictures take 75 MiB, where floats would take 300."""
    rule = StoppingRule(WindowedVarianceOptions(), torch.zeros(3, 512, 512), NO_HOLD)
    mib = sum(each.numel() * each.element_size() for each in rule.buffers()) / 2**20
    assert 75 < mib < 82


def test_held_out_pixels_are_known_ones_and_no_part_of_the_loss() -> None:
    image, mask = _image_and_mask()
    method = dip.with_settings(METHOD, {"held_out": 0.2})
    held = hold_out(mask, method, seed=4)
    assert held.sum() == round(0.2 * int(mask.sum()))
    assert ((held == 1) <= (mask == 1)).all()
    (first,) = dip.fit(image, mask, method, checkpoints=[5], seed=4)
    other = torch.where(held.bool(), 1 - image, image)
    (second,) = dip.fit(other, mask, method, checkpoints=[5], seed=4)
    assert torch.equal(first.raw, second.raw)
    (smaller_mask,) = dip.fit(image, mask - held, METHOD, checkpoints=[5], seed=4)
    assert torch.equal(first.raw, smaller_mask.raw)
    assert not torch.equal(held, hold_out(mask, method, seed=5))
    assert list(first.stops) == ["held-out"]


class OtherOptions(HeldOutOptions):
    """Another rule that uses held-out pixels."""

    name: Literal["other"] = "other"


def test_held_out_is_added_unless_that_very_rule_is_named() -> None:
    image, mask = _image_and_mask()
    held = hold_out(mask, HOLDING, seed=0)
    assert list(make_rules([OtherOptions()], HOLDING, image, held)) == ["other", "held-out"]
    named = make_rules([{"held-out": {"patience": 5}}], HOLDING, image, held)
    assert list(named) == ["held-out[patience=5]"]


def test_outputs_that_were_gone_back_from_are_not_chosen() -> None:
    image, mask = _image_and_mask()
    wild = dip.with_settings(
        METHOD, {"learning_rate": 3.0, "backtracking": {"every": 1, "drop_db": 1}}
    )
    fit = dip.Fit(image, mask, wild, rules=[{"es-wmv": {"window": 2}}])
    went_back = [step.iteration for step in fit.until(40) if step.backtracked]
    assert went_back
    assert fit.checkpoint().stops["es-wmv[window=2]"].iteration not in went_back


@pytest.mark.parametrize(
    ("rules", "change", "message"),
    [
        (["es-wvm"], {}, "unknown rule 'es-wvm'. Did you mean 'es-wmv'?"),
        ([{"es-wmv": {"windw": 3}}], {}, "es-wmv: unknown key 'windw'. Did you mean 'window'?"),
        ([{"es-wmv": {"window": 1}}], {}, "es-wmv.window: Input should be greater than or equal"),
        ([{"es-wmv": {"name": "x"}}], {}, "es-wmv: unknown key 'name'"),
        ([{"es-wmv": 5}], {}, "es-wmv: settings are 'key: value' pairs, not 5"),
        ([{"es-wmv": {}, "es-emv": {}}], {}, "a rule is one name with its settings"),
        (["es-wmv", "es-wmv"], {}, "two rules of one name"),
        (["held-out"], {}, "needs held-out pixels: set the method's held_out"),
        ([], {"held_out": 0.001}, "held_out: 0.001 of .* known pixels are 0"),
        ([], {"held_out": 0.9999}, "it needs to be one at least, and to leave one"),
    ],
)
def test_what_is_no_rule_is_refused(rules: list[Any], change: dict[str, Any], message: str) -> None:
    image, mask = _image_and_mask()
    method = dip.with_settings(METHOD, change)
    with pytest.raises(dip.InputError, match=message.replace("?", r"\?")):
        dip.Fit(image, mask, method, rules=rules)


def test_labels_say_what_is_not_a_default() -> None:
    assert parse_rule("es-wmv").label == "es-wmv"
    assert parse_rule({"es-wmv": {"window": 100}}).label == "es-wmv"
    changed = parse_rule({"es-wmv": {"window": 50, "patience": None}})
    assert changed.label == "es-wmv[window=50,patience=none]"
