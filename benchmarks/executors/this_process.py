"""Runs jobs in this process, one after the other: breakpoints work."""

import time
from collections.abc import Callable

from benchmarks.events import Event, GoesOn, Started
from benchmarks.executors.worker import Tell, carry_out
from benchmarks.orders import Order


class ThisProcess:
    """One job after the other without a worker, for debugging: breakpoints work."""

    def __init__(self, device: str, threads: int, should_stop: Callable[[], bool]):
        self.device = device
        self.threads = threads
        self.should_stop = should_stop
        self.order: Order | None = None

    @property
    def side_by_side(self) -> int:
        return 0

    spare_cores = 0

    @property
    def has_room(self) -> bool:
        return self.order is None

    @property
    def is_busy(self) -> bool:
        return self.order is not None

    def give(self, order: Order) -> None:
        self.order = order

    def events(self, seconds: float) -> list[Event]:
        if self.order is None:
            time.sleep(seconds)
            return []
        order, self.order = self.order, None
        told: list[Event] = []
        tell = Tell(
            start=lambda: told.append(Started(order.job, 0)),
            go_on=lambda after, why: told.append(GoesOn(order.job, after, why)),
            step=lambda *_: None,
            should_stop=self.should_stop,
        )
        end = carry_out(order, self.device, self.threads, 1, tell)
        return [*told, end]

    def stop(self) -> None:
        """The job sees for itself."""

    def close(self) -> None:
        self.order = None
