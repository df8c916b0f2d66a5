"""What is timed, in order of importance: first the figures that the engines are judged by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from dip.options import EngineName, Method, Precision
from dip.presets import load_preset, preset_names, with_settings

WIDTHS = (32, 64, 128, 192)  # channels of each scale, in the table of cost against channels
WIDTH_PRESET, WIDTH_SIZE = "dip-random50", 128
SWEPT = ("lemsky-unet", "lemsky-unet-single", "dip-random50")  # whose sweep throughput is timed
SWEEP_SIZE = 128
BASE = {"lemsky-unet-single": "lemsky-unet"}  # timed against another preset's plain loop
PEER: Final = "deepinv"
Program = EngineName | Literal["deepinv"]  # one of our engines, or another program
CPU_BLOCK = 3  # iterations; the first block of a fit warms it up, and is left out


@dataclass(frozen=True)
class Case:
    """One way to run the fits of one method at one size.

    processes: fits that run side by side, each with so many threads. engine: `plain`, `fast`, or a
    peer's name.
    """

    preset: str
    size: int
    engine: Program
    precision: Precision = "float32"
    processes: int = 1
    threads: int = 1
    channels: int | None = None

    @property
    def method(self) -> Method:
        method = load_preset(self.preset).method
        if self.channels is None:
            return method
        return with_settings(method, {"architecture.channels": [self.channels] * 5})

    @property
    def name(self) -> str:
        """How it is listed."""
        how = f"{self.processes} x {self.threads} threads"
        width = f" {self.channels} channels" if self.channels else ""
        return f"{self.preset}{width} {self.size}x{self.size} {self.engine} {self.precision} {how}"


@dataclass(frozen=True)
class Group:
    """Cases that are timed in turn and compared with the first.

    kind: the table that they stand in: sweep, fit, channels, workers or peers. seconds: target
    time of a fit of the first case; the fewest iterations that are timed may take longer.
    """

    kind: str
    cases: tuple[Case, ...]
    repeats: int = 3
    seconds: float = 1.0


def block(device: str) -> int:
    """Iterations between two synchronizations with the device."""
    from dip.engine.engine import READ_EVERY

    return READ_EVERY if device.startswith("cuda") else CPU_BLOCK


def groups(
    presets: Sequence[str], sizes: Sequence[int], cores: int, precisions: Sequence[Precision]
) -> list[Group]:
    """All that there is to time on a CPU with so many cores, or with 0 on a GPU."""
    threads = cores or 1
    found = [
        Group("sweep", _sweep(preset, cores, precisions), repeats=5, seconds=2.0)
        for preset in SWEPT
        if preset in presets
    ]
    if WIDTH_PRESET in presets:
        base = Case(WIDTH_PRESET, WIDTH_SIZE, "fast", threads=threads)
        widths = tuple(replace(base, channels=each) for each in WIDTHS)
        found.append(Group("channels", widths, seconds=0.3))  # the widest takes eight times as long
        side_by_side = [count for count in (1, 2, 4, 8) if count <= (cores or 8)]
        one = replace(base, threads=1)
        workers = tuple(replace(one, processes=count) for count in side_by_side)
        found.append(Group("workers", workers))
    # By size, so that a small budget sees all presets.
    found += [
        Group("fit", _fit(preset, size, threads, precisions))
        for size in sizes
        for preset in presets
    ]
    return found


def _fit(preset: str, size: int, threads: int, precisions: Sequence[Precision]) -> tuple[Case, ...]:
    plain = Case(preset, size, "plain", threads=threads)
    return (plain, *(replace(plain, engine="fast", precision=each) for each in precisions))


def _sweep(preset: str, cores: int, precisions: Sequence[Precision]) -> tuple[Case, ...]:
    """The textbook's sweep, one fit after the other on all cores, against one-thread workers."""
    plain = Case(BASE.get(preset, preset), SWEEP_SIZE, "plain", threads=cores or 1)
    workers = Case(preset, SWEEP_SIZE, "fast", processes=cores or 1)
    fast = [replace(workers, precision=each) for each in precisions]
    same_workers = [replace(plain, processes=cores, threads=1)] if cores > 1 else []
    return (plain, *same_workers, *fast)


def known_presets() -> list[str]:
    """Those that are timed unless others are asked for."""
    return preset_names()
