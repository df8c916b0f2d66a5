"""Speed as a ratio to the plain loop: when it has fallen, and when that cannot be said."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from benchmarks.regression import speed
from benchmarks.regression.speed import ITERATIONS, Sessions, compared, session, to_keep
from benchmarks.system import environment

SESSIONS = [0.30, 0.32, 0.28, 0.31, 0.29]


def _kept(**changes: Any) -> Sessions:
    sessions = [{preset: [each - 0.02, each + 0.02] for preset in ITERATIONS} for each in SESSIONS]
    return to_keep(sessions).model_copy(update=changes)


def test_what_is_kept_is_the_mean_of_each_session() -> None:
    kept = _kept()
    assert kept.logs["quick"] == pytest.approx(SESSIONS)
    assert kept.processor == environment.cpu_name()


def test_a_ratio_has_fallen_below_what_one_more_session_would_show() -> None:
    steps = stats.t.ppf(1 - 0.01 / len(ITERATIONS), len(SESSIONS) - 1)
    spread = np.std(SESSIONS, ddof=1) * (1 + 1 / len(SESSIONS)) ** 0.5
    limit = np.mean(SESSIONS) - steps * spread
    for at, has_fallen in ((limit + 0.001, False), (limit - 0.001, True), (0.5, False)):
        for ratio in compared({preset: [at, at] for preset in ITERATIONS}, _kept()):
            assert ratio.has_fallen == has_fallen
            assert ratio.here == pytest.approx(np.exp(at))
            assert ratio.limit == pytest.approx(np.exp(limit))
            assert ratio.baseline == pytest.approx(np.exp(0.3))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"processor": "another"}, "another machine (another with torch"),
        ({"torch": "1.0"}, "with torch 1.0)"),
        ({"logs": {"quick": [0.3]}}, "fewer than two sessions"),
        ({"logs": {}}, "fewer than two sessions"),
    ],
    ids=str,
)
def test_elsewhere_nothing_is_said_of_it(changes: dict[str, Any], reason: str) -> None:
    for ratio in compared({preset: [-1.0, -1.1] for preset in ITERATIONS}, _kept(**changes)):
        assert not ratio.has_fallen
        assert reason in ratio.reason
        assert ratio.interval[0] < ratio.here < ratio.interval[1]


@pytest.mark.slow
def test_a_session_times_both_loops_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "TURNS", 2)
    found = session()
    assert found.keys() == ITERATIONS.keys()
    assert all(len(logs) == 2 and np.isfinite(logs).all() for logs in found.values())
