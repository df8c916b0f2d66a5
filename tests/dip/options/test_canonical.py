"""The canonical form of a method in keys: an added setting changes no key while it is neutral."""

import json
from typing import Any

import pytest
from pydantic import create_model

import dip
from dip.options import Method
from dip.options.canonical import FIRST_SETTINGS, canonical, method_text
from dip.options.inputs.noise import NoiseInputOptions
from dip.options.networks.skip import SkipOptions


def _with_a_later_setting(model: type[Any], name: str, default: Any) -> type[Any]:
    """The class with one more setting."""
    fields: Any = {name: (type(default), default)}
    return create_model(model.__name__, __base__=model, **fields)


@pytest.mark.parametrize("name", dip.preset_names())
def test_a_later_setting_is_left_out_while_it_is_neutral(name: str) -> None:
    method = dip.load_preset(name).method
    later = _with_a_later_setting(Method, "sharpness", 0.0)
    values = method.model_dump(by_alias=True)
    same, other = later.model_validate(values), later.model_validate({**values, "sharpness": 0.5})
    assert canonical(same) == canonical(method)
    assert method_text(same) == method_text(method)
    assert canonical(other) == {**canonical(method), "sharpness": 0.5}


def test_a_later_setting_of_a_component_is_left_out_while_it_is_neutral() -> None:
    later = _with_a_later_setting(NoiseInputOptions, "moves", False)
    before = {"name": "noise", "channels": 32, "scale": 0.1}
    assert canonical(NoiseInputOptions()) == canonical(later()) == before
    assert canonical(later(moves=True)) == {**before, "moves": True}


def test_a_new_component_has_all_its_settings_in_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise a changed default would not change keys. Settings added later are left out."""
    new = create_model(
        "WaveletInputOptions", __base__=NoiseInputOptions, name=(str, "wavelet"), depth=(int, 3)
    )
    before = canonical(new())
    assert before == new().model_dump(mode="json")
    assert before["depth"] == 3
    monkeypatch.setitem(FIRST_SETTINGS, "WaveletInputOptions", frozenset(before))
    assert canonical(_with_a_later_setting(new, "moves", False)()) == before


def test_a_version_above_one_is_in_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a fit would resume from a state of another version."""
    method = dip.load_preset("quick").method
    before = method_text(method)
    monkeypatch.setattr(SkipOptions, "version", 2)
    assert method_text(method) == f"{before} {{'skip': 2}}"


def test_the_text_contains_the_canonical_values() -> None:
    for name in dip.preset_names():
        method = dip.load_preset(name).method
        assert json.loads(method_text(method)) == canonical(method)
        assert method_text(method).startswith('{"architecture":{"name":')
