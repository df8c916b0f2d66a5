"""How child processes start: forked from a server process that has imported torch once."""

import sys
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext, SpawnContext

from benchmarks.system.signals import not_for_children

# What the server imports: what takes seconds, or what every worker needs.
PRELOADED = ["torch", "dip.trainer", "dip.receptive_field", "benchmarks.runner.executors.worker"]


@cache
def process_context() -> SpawnContext | ForkServerContext:
    """Makes processes as `multiprocessing` does; the first call starts the server.

    The server lives as long as this process. Its children see the environment variables of this
    moment, and hear neither Ctrl-C nor the request to end. Only on Linux: elsewhere torch does not
    survive a fork, and each process imports it.
    """
    if sys.platform == "linux":
        context = get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        try:
            with not_for_children():
                forkserver.ensure_running()
        except OSError:  # as where the path of the temporary folder is too long for a socket
            return get_context("spawn")
        return context
    return get_context("spawn")
