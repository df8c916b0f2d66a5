"""How child processes start: forked from a server process that has imported torch once."""

import sys
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext, SpawnContext

from benchmarks.system.signals import not_for_children

# Imported by the server: what is slow to import, and what every worker needs.
PRELOADED = [
    *("torch", "dip.trainer", "dip.receptive_field"),
    *("benchmarks.runner.executors.worker", "benchmarks.runner.job.run_fit"),
]


@cache
def process_context() -> SpawnContext | ForkServerContext:
    """The multiprocessing context that starts workers; the first call starts the server.

    The server lives as long as this process. Its children get the environment variables of this
    moment, and neither SIGINT nor SIGTERM reaches them. Only on Linux: elsewhere torch does not
    survive a fork, and each process imports it.
    """
    if sys.platform == "linux":
        context = get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        try:
            with not_for_children():
                forkserver.ensure_running()
        except OSError:  # for example, a TMPDIR whose path is too long for a socket
            return get_context("spawn")
        return context
    return get_context("spawn")
