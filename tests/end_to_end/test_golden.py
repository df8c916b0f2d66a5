"""Golden trajectories: numbers of a component change with its version only."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import golden
from support.golden import CASES, Case, differences, findings, record, recorded

from dip.options import RULES
from dip.options.optimizers.adam import AdamOptions
from dip.training import divergence

RECORDED = recorded()
STABLE = 1e-8  # a hundredth of the tolerance
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_numbers_are_those_of_the_recorded_version(case: Case) -> None:
    assert findings(case, RECORDED.get(case.name)) == []


def test_every_record_has_a_component() -> None:
    assert set(RECORDED) == {case.name for case in CASES}


@pytest.mark.parametrize("name", RULES)
def test_every_rule_chooses_in_its_case(name: str) -> None:
    numbers = RECORDED[f"rule {name}"]["numbers"]
    assert any(key.startswith(name) for key in numbers), (
        f"{name} chooses nothing within 20 iterations; give it a shorter wait in SETTINGS in"
        " tests/support/golden.py"
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rounding_does_not_grow_to_the_tolerance(case: Case) -> None:
    """Both are computed here: float32, as in LPIPS, rounds otherwise on another processor."""
    assert differences(case.compute(0.0), case.compute(1e-12), STABLE) == []


def _case(name: str) -> Case:
    (found,) = [case for case in CASES if case.name == name]
    return found


@pytest.fixture
def _slower(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault: Adam takes a thousandth less of a step."""
    module = import_module("torch.optim.adam")
    adam = module.adam
    monkeypatch.setattr(module, "adam", lambda *a, lr, **k: adam(*a, lr=0.999 * lr, **k))


@pytest.mark.usefixtures("_slower")
def test_a_change_under_the_same_version_is_found_and_says_what_to_do() -> None:
    (finding,) = findings(_case("optimizer adam"), RECORDED["optimizer adam"])
    assert "its numbers have changed and its version has not" in finding
    assert "count up the version of what has changed (dip/options/optimizers/adam.py;" in finding
    assert "python tests/support/golden.py" in finding


@pytest.mark.usefixtures("_slower")
def test_a_new_version_asks_to_be_recorded_and_may_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = RECORDED["optimizer adam"]
    monkeypatch.setattr(golden, "FILE", tmp_path / "golden.json")
    golden.FILE.write_text(json.dumps({"optimizer adam": entry}))
    monkeypatch.setattr(golden, "CASES", [_case("optimizer adam")])
    assert record() == 1
    assert "its version has not" in capsys.readouterr().err
    assert json.loads(golden.FILE.read_text()) == {"optimizer adam": entry}

    monkeypatch.setattr(AdamOptions, "version", 2)
    cases = [case for case in golden.cases() if case.name == "optimizer adam"]
    monkeypatch.setattr(golden, "CASES", cases)
    (finding,) = findings(cases[0], entry)
    assert "recorded of" in finding
    assert "python tests/support/golden.py" in finding
    assert record() == 0
    after = json.loads(golden.FILE.read_text())["optimizer adam"]
    assert after["versions"]["adam"] == 2
    assert after["numbers"]["losses"][0] == pytest.approx(entry["numbers"]["losses"][0])
    assert after["numbers"]["losses"][5] != pytest.approx(entry["numbers"]["losses"][5], abs=1e-6)


@pytest.mark.parametrize("name", ["SPAN", "SHARE", "HALF_LEVEL"])
def test_another_threshold_of_divergence_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = _case("trainer, divergence")
    monkeypatch.setattr(
        divergence, name, type(getattr(divergence, name))(0.8 * getattr(divergence, name))
    )
    assert "its numbers have changed" in findings(case, RECORDED[case.name])[0]


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ({"a": [1.0, 2.0]}, []),
        ({"a": [1.0, 2.0 + 0.9e-6]}, []),
        ({"a": [1.0, 2.0 + 1.1e-6]}, ["a[1] was 2 and is 2.0000011"]),
        ({"a": [np.nan, 2.0]}, ["a[0] was 1 and is nan"]),
        ({"a": [1.0]}, ["1 a instead of 2"]),
        ({"b": [1.0]}, ["['b'] instead of ['a']"]),
    ],
    ids=str,
)
def test_what_counts_as_different(now: Any, found: list[str]) -> None:
    assert differences({"a": [1.0, 2.0]}, now) == found
