"""Options of a component that lacks a method or channels are refused before they are used."""

from typing import Any, Literal

import pytest

from dip.options import InputOptions, OptimizerOptions, RuleOptions


@pytest.mark.parametrize(
    ("base", "method"),
    [(InputOptions, "make"), (OptimizerOptions, "stages"), (RuleOptions, "value")],
)
def test_a_missing_method_is_named(base: type[Any], method: str) -> None:
    class Forgetful(base):
        name: Literal["forgetful"] = "forgetful"
        channels: int = 3

    for make in (Forgetful, lambda: Forgetful.model_validate({})):
        with pytest.raises(TypeError, match=f"abstract class Forgetful .* '?{method}'?"):
            make()


def test_an_input_without_channels_is_refused() -> None:
    with pytest.raises(TypeError, match="Forgetful needs `channels`, as a field or a property"):

        class Forgetful(InputOptions):
            name: Literal["forgetful"] = "forgetful"
