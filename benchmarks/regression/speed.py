"""How fast the fast engine is, as a ratio to the plain loop that is timed beside it.

Times on shared machines say nothing; of two loops that take turns in one run, the ratio does, on
one processor. A session is new processes, in which both take turns; ratios of one session lie
closer together than those of several, so that a session counts once. The baseline has several, and
the ratio has fallen if it is below what 99 of 100 more sessions would show (Student's prediction
interval, one side). It is flagged, and does not decide about reconstructions.
"""

from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy import special

from benchmarks.scoring.statistics import mean_interval
from benchmarks.system import environment
from dip.errors import InputError

ITERATIONS = {"lemsky-unet": 15, "quick": 50}  # of each turn, by preset: about a second
SIZE = 64
TURNS = 6  # of each loop in a session
SESSIONS = 5  # of a baseline
ERROR_RATE = 0.01  # of all presets together
DIGITS = 6


@dataclass(frozen=True)
class Ratio:
    """Iterations per second of the fast engine over those of the plain loop.

    interval: of this session's turns, 95 %. baseline: the mean of its sessions; limit: below which
    it has fallen. Both are NaN, and `reason` says why, where there is nothing to compare with.
    """

    preset: str
    here: float
    interval: tuple[float, float]
    baseline: float = np.nan
    limit: float = np.nan
    reason: str = ""

    @property
    def has_fallen(self) -> bool:
        return self.here < self.limit


Logs = dict[str, list[float]]  # by preset, the logarithm of each turn's ratio


def session() -> Logs:
    """Time both loops, one thread each, alone on the machine; raises InputError if one breaks."""
    from benchmarks.timing.cases import Case
    from benchmarks.timing.measure import Bench, measured

    with ExitStack() as stack:
        benches = {}
        for engine in ("plain", "fast"):
            benches[engine] = Bench(engine, "cpu")
            stack.callback(benches[engine].close)
            benches[engine].result()  # it is ready
        found: Logs = {preset: [] for preset in ITERATIONS}
        for turn in range(TURNS):
            for preset, iterations in ITERATIONS.items():
                rates = {}
                for engine in list(benches)[:: 1 if turn % 2 else -1]:
                    case = Case(preset, SIZE, engine)
                    benches[engine].begin(measured, case, turn, iterations)
                    fit = benches[engine].result()
                    if isinstance(fit, str):
                        raise InputError(f"{case.name} could not be timed: {fit}")
                    rates[engine] = len(fit.milliseconds) / (fit.ended - fit.began)
                found[preset].append(float(np.log(rates["fast"] / rates["plain"])))
        return found


class Sessions(BaseModel):
    """What a baseline holds of them: by preset each one's mean logarithm, and where they were."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    processor: str
    torch: str
    logs: dict[str, list[float]]


def to_keep(sessions: list[Logs]) -> Sessions:
    """Of at least one session."""
    return Sessions(
        processor=environment.cpu_name(),
        torch=environment.versions()["torch"],
        logs={
            preset: [round(float(np.mean(each[preset])), DIGITS) for each in sessions]
            for preset in ITERATIONS
        },
    )


def not_timed(reason: str) -> list[Ratio]:
    """Where timing broke: what it would have been does not decide about reconstructions."""
    return [Ratio(preset, np.nan, (np.nan, np.nan), reason=reason) for preset in ITERATIONS]


def compared(now: Logs, kept: Sessions) -> list[Ratio]:
    """kept: the baseline's."""
    found = []
    for preset, logs in now.items():
        mean, half = (float(each) for each in mean_interval(logs))
        interval = float(np.exp(mean - half)), float(np.exp(mean + half))
        ratio = Ratio(preset, float(np.exp(mean)), interval)
        found.append(_held_to(ratio, kept))
    return found


def _held_to(ratio: Ratio, kept: Sessions) -> Ratio:
    before = kept.logs.get(ratio.preset, [])
    mine = environment.cpu_name(), environment.versions()["torch"]
    if (kept.processor, kept.torch) != mine:
        where = f"{kept.processor} with torch {kept.torch}"
        return replace(ratio, reason=f"the baseline is of another machine ({where})")
    if len(before) < 2:
        return replace(ratio, reason="the baseline has fewer than two sessions")
    n = len(before)
    mean, deviation = float(np.mean(before)), float(np.std(before, ddof=1))
    steps = float(special.stdtrit(n - 1, 1 - ERROR_RATE / len(ITERATIONS)))
    limit = float(np.exp(mean - steps * deviation * (1 + 1 / n) ** 0.5))
    return replace(ratio, baseline=float(np.exp(mean)), limit=limit)
