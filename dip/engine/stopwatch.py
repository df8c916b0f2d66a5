"""Times iterations on the device they run on: device events on a GPU, a monotonic clock on a CPU.

A host clock around CUDA calls times their launch, not their work. Nothing waits for the device
before the times are read.
"""

import time
from typing import Any

import torch


class Stopwatch:
    """Milliseconds between each `start` and `stop`; `seconds` is the sum of those read."""

    def __init__(self, device: torch.device | str):
        self.seconds = 0.0
        self._device = torch.device(device)
        self._on_gpu = self._device.type == "cuda"
        self._spans: list[tuple[Any, Any]] = []

    def start(self) -> None:
        self._started = self._now()

    def stop(self) -> None:
        self._spans.append((self._started, self._now()))

    def read(self) -> list[float]:
        """The milliseconds of all spans since the last reading; waits for the device."""
        if self._on_gpu and self._spans:
            self._spans[-1][1].synchronize()
        read = [
            start.elapsed_time(stop) if self._on_gpu else (stop - start) * 1000
            for start, stop in self._spans
        ]
        self.seconds += sum(read) / 1000
        self._spans.clear()
        return read

    def _now(self) -> Any:
        if not self._on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event
