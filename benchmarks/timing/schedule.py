"""One timing run: groups of cases, one after the other, alone on the device, within a budget.

The cases of a group take turns, repeat by repeat and in alternating order, so that what slows the
machine for a while slows all of them. Repeat r is a fit with seed r, and all fits of a group have
as many iterations as its very first one could do in its time.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.timing.cases import Case, Group
from benchmarks.timing.measure import Bench, Measured, gflop, left_out_and_least

SHORTEST, LONGEST = 0.3, 10.0  # seconds of one measurement of a group's first case
GREATEST_SHARE = 5.0  # times what is meant for it, that a group may take
FEWEST_REPEATS = 2  # that say anything about their spread
EFFICIENCY = 0.3  # share of the peak that is expected of what was not timed yet


@dataclass(frozen=True)
class Row:
    """One repeat of one case.

    base: the case that its group is compared with. milliseconds: of the iterations of one of its
    processes. iterations_per_second: of all, from the first that began to the last that ended, so
    that what one runs alone counts too.
    """

    group: int
    kind: str
    case: Case
    base: Case
    repeat: int
    iterations: int
    first_milliseconds: float
    milliseconds: tuple[float, ...]
    iterations_per_second: float
    peak_memory_mib: float | None
    psnr_hole: float

    @classmethod
    def of(
        cls, index: int, group: Group, case: Case, repeat: int, fits: Sequence[Measured]
    ) -> "Row":
        """fits: those that ran side by side."""
        first = fits[0]
        peaks = [each.peak_memory_mib for each in fits if each.peak_memory_mib is not None]
        span = max(each.ended for each in fits) - min(each.began for each in fits)
        return cls(
            *(index, group.kind, case, group.cases[0], repeat, first.iterations),
            first_milliseconds=first.first_milliseconds,
            milliseconds=first.milliseconds,
            iterations_per_second=sum(len(each.milliseconds) for each in fits) / span,
            peak_memory_mib=sum(peaks) if peaks else None,
            psnr_hole=first.psnr_hole,
        )


class Session:
    """The processes that measure, and the time that is left."""

    def __init__(self, device: str, budget_seconds: float, say: Callable[[str], None]):
        self.device, self.say = device, say
        self.on_gpu = device.startswith("cuda")
        self.ends = time.monotonic() + budget_seconds
        self.benches: dict[tuple[str, int], Bench] = {}
        self.peaks: dict[tuple[str, int, int], float | str] = {}
        self.rows: list[Row] = []
        self.left_out: list[str] = []

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        for bench in self.benches.values():
            bench.close()

    @property
    def left(self) -> float:
        """Seconds of the budget."""
        return self.ends - time.monotonic()

    def run(self, groups: Sequence[Group]) -> None:
        """Time what the budget allows; the rest is listed in `left_out`."""
        for index, group in enumerate(groups):
            share = group.weight / sum(each.weight for each in groups[index:])
            self._run_group(index, group, share * self.left)

    def peak(self, precision: str, processes: int, threads: int) -> float | str:
        """10^9 operations per second of all those processes; a string says why there is none."""
        key = precision, processes, threads
        if key not in self.peaks:
            found = self._together("peak", processes, "peak", precision, threads)
            self.peaks[key] = found if isinstance(found, str) else sum(found)
        return self.peaks[key]

    def _run_group(self, index: int, group: Group, share: float) -> None:
        """share: the seconds that are meant for it."""
        first = group.cases[0]
        needed = first.method.architecture.minimum_side
        if first.size < needed:
            self._leave_out(group, f"the network needs {needed} pixels on each side")
            return
        expected = [self._expected_seconds(case) for case in group.cases]
        least = FEWEST_REPEATS * sum(expected) * left_out_and_least(self.device)[1]
        if least > min(self.left, GREATEST_SHARE * share):
            self._leave_out(group, f"the budget: about {least:.0f} s more than it leaves")
            return
        # What the first may take, so that all of them together take the group's share.
        of_first = share / group.repeats * expected[0] / (sum(expected) or 1)
        seconds = min(LONGEST, max(SHORTEST, of_first))
        ends = time.monotonic() + share
        broken: dict[Case, str] = {}
        iterations = None
        for repeat in range(group.repeats):
            for case in group.cases if repeat % 2 == 0 else reversed(group.cases):
                if case in broken:
                    continue
                fits = self._measure(case, repeat, iterations, seconds)
                if isinstance(fits, str):
                    broken[case] = fits
                    self.say(f"NOT TIMED: {case.name}: {fits}")
                    continue
                iterations = iterations or fits[0].iterations
                self.rows.append(Row.of(index, group, case, repeat, fits))
            if repeat + 1 >= FEWEST_REPEATS and time.monotonic() > ends:
                break
        self.left_out += [f"{case.name}: {reason}" for case, reason in broken.items()]
        for case in group.cases:
            if own := [row for row in self.rows if row.group == index and row.case == case]:
                rate = float(np.median([row.iterations_per_second for row in own]))
                self.say(f"{case.name}: {rate:.2f} it/s, {len(own)} repeats")

    def _measure(
        self, case: Case, seed: int, iterations: int | None, seconds: float
    ) -> list[Measured] | str:
        return self._together(case.engine, case.processes, "fit", case, seed, iterations, seconds)

    def _together(self, engine: str, count: int, *order: Any) -> list[Any] | str:
        """What each of an engine's first processes answers, or why one of them does not."""
        benches = self._benches(engine, count)
        for bench in benches:
            bench.begin(*order)
        found = [bench.result() for bench in benches]
        failed = [each for each in found if isinstance(each, str)]
        for key, bench in list(self.benches.items()):
            if failed and not bench.process.is_alive():
                bench.close()
                del self.benches[key]
        return failed[0] if failed else found

    def _benches(self, engine: str, count: int) -> list[Bench]:
        new = [number for number in range(count) if (engine, number) not in self.benches]
        self.benches |= {(engine, number): Bench(engine, self.device) for number in new}
        for number in new:
            self.benches[engine, number].result()  # it is ready
        return [self.benches[engine, number] for number in range(count)]

    def _expected_seconds(self, case: Case) -> float:
        """Of one iteration."""
        peak = self.peak(case.precision, case.processes, case.threads)
        if isinstance(peak, str):
            return 0.0
        return case.processes * gflop(case) / (peak * EFFICIENCY)

    def _leave_out(self, group: Group, reason: str) -> None:
        for case in group.cases:
            self.left_out.append(f"{case.name}: {reason}")
        self.say(f"LEFT OUT: {group.cases[0].name} and what it is compared with: {reason}")


def precisions_of(session: Session, threads: int) -> list[str]:
    """float32, and what computes matrix products faster here."""
    candidates = ("tf32", "bfloat16") if session.on_gpu else ("bfloat16",)
    base = session.peak("float32", 1, threads)
    found = ["float32"]
    for precision in candidates:
        peak = session.peak(precision, 1, threads)
        if isinstance(base, float) and isinstance(peak, float) and peak > base:
            found.append(precision)
    return found


def cells(rows: Sequence[Row]) -> list[tuple[list[Row], list[Row]]]:
    """For each case of each group its repeats, and those of the case that it is compared with."""
    found = []
    for index, case in dict.fromkeys((row.group, row.case) for row in rows):
        of_group = [row for row in rows if row.group == index]
        own = [row for row in of_group if row.case == case]
        found.append((own, [row for row in of_group if row.case == row.base]))
    return found
