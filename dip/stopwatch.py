"""Times iterations on the device they run on: device events on a GPU, a monotonic clock on a CPU.

A host clock around CUDA calls times their launch, not their work.
"""

import time

import torch


class Stopwatch:
    """Milliseconds between `start` and `stop`, and their sum in `seconds`."""

    def __init__(self, device: torch.device | str):
        self.seconds = 0.0
        self._started = 0.0
        self._events: tuple[torch.cuda.Event, torch.cuda.Event] | None = None
        if torch.device(device).type == "cuda":
            self._events = (
                torch.cuda.Event(enable_timing=True),
                torch.cuda.Event(enable_timing=True),
            )

    def start(self) -> None:
        if self._events:
            self._events[0].record()
        else:
            self._started = time.perf_counter()

    def stop(self) -> float:
        """Milliseconds since `start`; waits for the device."""
        if self._events:
            begin, end = self._events
            end.record()
            end.synchronize()
            milliseconds = begin.elapsed_time(end)
        else:
            milliseconds = (time.perf_counter() - self._started) * 1000
        self.seconds += milliseconds / 1000
        return milliseconds
