"""What a method is called in keys: a setting that is added later changes none while neutral."""

import json
from typing import Any

import pytest
from pydantic import create_model

import dip
from dip.options import Method
from dip.options.canonical import canonical, canonical_json
from dip.options.inputs.noise import NoiseInputOptions


def _with_a_later_setting(model: type[Any], name: str, default: Any) -> type[Any]:
    """The class as it will be with another setting."""
    fields: Any = {name: (type(default), default)}
    return create_model(model.__name__, __base__=model, **fields)


@pytest.mark.parametrize("name", dip.preset_names())
def test_a_later_setting_is_left_out_while_it_is_neutral(name: str) -> None:
    method = dip.load_preset(name).method
    later = _with_a_later_setting(Method, "sharpness", 0.0)
    values = method.model_dump(by_alias=True)
    same, other = later.model_validate(values), later.model_validate({**values, "sharpness": 0.5})
    assert canonical(same) == canonical(method)
    assert canonical_json(same) == canonical_json(method)
    assert canonical(other) == {**canonical(method), "sharpness": 0.5}


def test_so_is_one_of_a_component() -> None:
    later = _with_a_later_setting(NoiseInputOptions, "moves", False)
    before = {"name": "noise", "channels": 32, "scale": 0.1}
    assert canonical(NoiseInputOptions()) == canonical(later()) == before
    assert canonical(later(moves=True)) == {**before, "moves": True}


def test_a_later_component_says_its_name_and_what_is_no_default() -> None:
    later = create_model(
        "WaveletInputOptions", __base__=NoiseInputOptions, name=(str, "wavelet"), depth=(int, 3)
    )
    assert canonical(later()) == {"name": "wavelet"}
    assert canonical(later(depth=4)) == {"name": "wavelet", "depth": 4}


def test_the_text_is_the_same_as_the_values() -> None:
    for name in dip.preset_names():
        method = dip.load_preset(name).method
        assert json.loads(canonical_json(method)) == canonical(method)
        assert canonical_json(method).startswith('{"architecture":{"name":')
