"""Signals and the end of the runner, as its child processes see them."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process, resource_tracker
from multiprocessing.connection import wait
from typing import Any

from dip.system.signals import SIGNALS


@contextmanager
def not_for_children() -> Iterator[None]:
    """Processes that are started meanwhile hear neither Ctrl-C nor the request to end.

    A terminal, or a cluster, sends them to all processes; the runner then ends its own.
    """
    resource_tracker.ensure_running()  # or starting the first process clears the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_with_the_runner() -> None:
    """End this process as soon as the one that has started it has ended, however it came to."""

    def wait_for_it() -> None:
        runner: Any = parent_process()
        wait([runner.sentinel])
        os._exit(1)

    threading.Thread(target=wait_for_it, daemon=True).start()
