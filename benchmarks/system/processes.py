"""How child processes start: forked from a server process that has imported torch once."""

import sys
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, SpawnContext

# What the server imports: what takes seconds, or what every worker needs.
PRELOADED = ["torch", "dip.trainer", "dip.receptive_field", "benchmarks.runner.executors.worker"]


@cache
def process_context() -> SpawnContext | ForkServerContext:
    """Makes processes as `multiprocessing` does; the first one starts the server.

    The server lives as long as this process, and takes its environment variables as they are then.
    Only on Linux: elsewhere torch does not survive a fork, and each process imports it.
    """
    if sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context
