"""YAML: what is written is what is meant, and whatever cannot be is refused in one line."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dip.errors import InputError
from dip.presets import FOLDER, preset_names
from dip.system.yaml import read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("5e-1", 0.5), ("1e-3", 0.001), ("1E5", 1e5), ("+1e3", 1e3), ("-.5", -0.5)),
        *(("010", 10), ("0o17", 15), ("0x1f", 31), ("-7", -7), ("9223372036854775807", 2**63 - 1)),
        *((word, word) for word in ("no", "on", "off", "Yes", "1:30", "2024-99-99", "1_000", "=")),
        *(("True", True), ("~", None), ("", None), ("'1e-3'", "1e-3"), ("!!str 010", "010")),
        (".inf", float("inf")),
        ("{a: &a {x: 1, y: 2}, b: {<<: *a, x: 3}}", {"a": {"x": 1, "y": 2}, "b": {"y": 2, "x": 3}}),
        ("\ufeffa: 1", {"a": 1}),
    ],
)
def test_a_value_is_what_it_looks_like(text: str, value: Any) -> None:
    found = read_yaml(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\n'a': 3", "line 3: 'a' is named twice"),
        ("a:\n  b: {c: 1, c: 1}", "line 2: 'c' is named twice"),
        ("{1: a, 01: b}", "line 1: '01' is named twice"),
        ("{1: a, true: b}", "line 1: 'true' counts as the key '1'; write both in quotes"),
        ("a: [1,\n 9223372036854775808]", "line 2: 9223372036854775808 is out of range"),
        ("9" * 5000, "is out of range; whole numbers go from -(2^63 - 1) to 2^63 - 1"),
        (str(-(2**63)), f"{-(2**63)} is out of range; whole numbers go from -(2^63 - 1) to"),
        ("[" * 5000, "is nested too deeply"),
        ("&a [*a]", "line 1: more than 100000 values, or an alias of what it stands in"),
        (
            "a0: &a0 1\n" + "\n".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]" for n in range(1, 9)),
            "more than 100000 values",
        ),
        ("!!int x", "line 1: is tagged !!int but is not one"),
        ("!!bool maybe", "line 1: is tagged !!bool but is not one"),
        ("!!python/name:os.system", "could not determine a constructor"),
        ('"\\ud800"', "line 1: contains an incomplete Unicode character"),
        ("a: 1\n\tb: 2", "line 2, column 1: found character"),
        ("--- 1\n--- 2", "expected a single document in the stream but found another document"),
        ("a\0b", "is not YAML that can be read"),
    ],
)
def test_what_cannot_be_meant_is_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=r"^[^\n]+$") as caught:
        read_yaml(text)
    assert message in str(caught.value)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert read_yaml(yaml.safe_dump(value)) == value


@given(st.text("[]{}:,&*!|>-?#'\" \n\tab1e.<", max_size=40))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        read_yaml(text)
    except InputError as error:
        assert str(error).isprintable()


@pytest.mark.parametrize("name", preset_names())
def test_presets_mean_the_same_to_every_reader(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert read_yaml(text) == yaml.safe_load(text)
