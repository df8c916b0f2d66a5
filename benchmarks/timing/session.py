"""One timing run: groups of cases, one after the other, alone on the device, until a deadline.

The cases of a group take turns, repeat by repeat and in alternating order, so that what slows the
machine for a while slows all of them. Repeat r is a fit with seed r, and all fits of a group have
as many iterations.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.timing.cases import Case, Group, block
from benchmarks.timing.measure import Bench, Measured, Task, fewest, measured, peak_gflops
from dip.options import Precision

MOST = 5000  # iterations of one fit


@dataclass(frozen=True)
class Row:
    """One repeat of one case: the fits that ran side by side. group: its number."""

    group: int
    kind: str
    case: Case
    base: Case  # the first case of the group
    repeat: int
    fits: tuple[Measured, ...]

    @property
    def first(self) -> Measured:
        """The fit whose numbers are shown where they are not summed over all."""
        return self.fits[0]

    @property
    def iterations_per_second(self) -> float:
        """Of all fits together, over the time from the first start to the last end."""
        span = max(each.ended for each in self.fits) - min(each.began for each in self.fits)
        return sum(len(each.milliseconds) for each in self.fits) / span

    @property
    def peak_memory_mib(self) -> float | None:
        peaks = [each.peak_memory_mib for each in self.fits if each.peak_memory_mib is not None]
        return sum(peaks) if peaks else None

    @property
    def psnr_hole(self) -> float:
        return self.first.psnr_hole


class Session:
    """The processes that measure, and what they have measured."""

    def __init__(self, device: str, say: Callable[[str], None]):
        self.device, self.say = device, say
        self.benches: dict[tuple[Task, int], Bench] = {}
        self.peaks: dict[tuple[str, int, int], float | str] = {}
        self.rows: list[Row] = []
        self.left_out: list[str] = []

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        for bench in self.benches.values():
            bench.close()

    def run(self, groups: Sequence[Group], deadline: float) -> None:
        """Time the groups in their order; what is not timed is listed in `left_out`.

        deadline: of the monotonic clock; no group starts after it; the running one is finished.
        """
        for index, group in enumerate(groups):
            first, reason = group.cases[0], ""
            needed = first.method.architecture.minimum_side
            if first.size < needed:
                reason = f"the network needs {needed} pixels on each side"
            elif time.monotonic() >= deadline:
                reason = "the budget was used up"
            if reason:
                self.left_out += [f"{case.name}: {reason}" for case in group.cases]
                self.say(f"LEFT OUT: {first.name} and what it is compared with: {reason}")
            else:
                self._run_group(index, group)

    def peak(self, precision: str, processes: int, threads: int) -> float | str:
        """10^9 operations per second of all those processes; a string says why there is none."""
        key = precision, processes, threads
        if key not in self.peaks:
            found = self._together("peak", processes, peak_gflops, precision, threads)
            self.peaks[key] = found if isinstance(found, str) else sum(found)
        return self.peaks[key]

    def _run_group(self, index: int, group: Group) -> None:
        iterations = self._iterations(group)
        broken: dict[Case, str] = {}
        rows = []
        for repeat in range(group.repeats):
            for case in group.cases if repeat % 2 == 0 else reversed(group.cases):
                if case in broken:
                    continue
                fits = self._measure(case, repeat, iterations)
                if isinstance(fits, str):
                    broken[case] = fits
                    self.say(f"NOT TIMED: {case.name}: {fits}")
                else:
                    rows.append(Row(index, group.kind, case, group.cases[0], repeat, tuple(fits)))
        self.rows += rows
        self.left_out += [f"{case.name}: {reason}" for case, reason in broken.items()]
        for case in group.cases:
            if rates := [row.iterations_per_second for row in rows if row.case == case]:
                self.say(f"{case.name}: {np.median(rates):.2f} it/s, {len(rates)} repeats")

    def _iterations(self, group: Group) -> int:
        """How many iterations take the group's seconds, by a short fit of its first case."""
        least = fewest(self.device)
        fits = self._measure(group.cases[0], 0, least)
        if isinstance(fits, str):
            return least
        wanted = int(1000 * group.seconds / np.median(fits[0].milliseconds))
        return max(least, min(MOST, wanted - wanted % block(self.device)))

    def _measure(self, case: Case, seed: int, iterations: int) -> list[Measured] | str:
        return self._together(case.engine, case.processes, measured, case, seed, iterations)

    def _together(
        self, engine: Task, count: int, function: Callable[..., Any], *arguments: Any
    ) -> list[Any] | str:
        """Run the function in `count` processes; returns their answers, or why one failed."""
        names = [(engine, number) for number in range(count)]
        new = {name: Bench(engine, self.device) for name in names if name not in self.benches}
        self.benches |= new
        for bench in new.values():
            bench.result()  # waits until it is ready
        for name in names:
            self.benches[name].begin(function, *arguments)
        found = [self.benches[name].result() for name in names]
        failed = [each for each in found if isinstance(each, str)]
        for name in names:
            if failed and not self.benches[name].process.is_alive():
                self.benches.pop(name).close()
        return failed[0] if failed else found


def precisions_of(session: Session, threads: int) -> list[Precision]:
    """float32, and the precisions whose matrix products are faster on this device."""
    candidates: list[Precision] = ["bfloat16"]
    if session.device.startswith("cuda"):
        candidates.insert(0, "tf32")
    base = session.peak("float32", 1, threads)
    found: list[Precision] = ["float32"]
    for precision in candidates:
        peak = session.peak(precision, 1, threads)
        if isinstance(base, float) and isinstance(peak, float) and peak > base:
            found.append(precision)
    return found
