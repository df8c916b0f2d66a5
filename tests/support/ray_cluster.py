"""A real Ray cluster on this machine: a process for each node's daemon, loopback addresses only.

Run as a program it holds one, and does what its standard input says: `["add", {...}]` starts a
node, `["kill"]` kills the last one as if its machine had lost power.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class RayCluster:
    """A head without CPUs, where runners are; nodes are added."""

    def __init__(self, holder: "subprocess.Popen[str]"):
        self.holder = holder
        self.address = self._read()

    def add(self, cpus: int, env: dict[str, str] | None = None) -> None:
        self._ask("add", {"num_cpus": cpus, "env_vars": env})

    def kill(self) -> None:
        """Kill the node that was added last: its daemon and everything below it."""
        self._ask("kill")

    def _ask(self, *words: Any) -> None:
        assert self.holder.stdin is not None
        self.holder.stdin.write(json.dumps(words) + "\n")
        self.holder.stdin.flush()
        assert self._read() == "ok"

    def _read(self) -> str:
        """What the holder says; Ray's own words before it do not count."""
        assert self.holder.stdout is not None
        for line in self.holder.stdout:
            if line.startswith("> "):
                return line[2:].strip()
        raise AssertionError("the cluster's holder has ended")


@contextlib.contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    holder = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
    )
    try:
        yield RayCluster(holder)
    finally:
        assert holder.stdin is not None
        holder.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            holder.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()


def _hold() -> None:
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
    # Not 127.0.0.1, for which Ray takes the address that other machines know this one by.
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "node_ip_address": "127.0.0.2", **small},
    )
    print(f"> {cluster.address}", flush=True)
    nodes = []
    for line in sys.stdin:
        what, *how = json.loads(line)
        if what == "add":
            ip = f"127.0.0.{3 + len(nodes)}"
            nodes.append(cluster.add_node(node_ip_address=ip, **small, **how[0]))
        else:
            node = nodes.pop()
            pid = node.all_processes["raylet"][0].process.pid
            orphans = below(pid)
            cluster.remove_node(node, allow_graceful=False)
            for each in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
        print("> ok", flush=True)
    cluster.shutdown()


def below(pid: int) -> list[int]:
    """The processes that it has started, and theirs."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


if __name__ == "__main__":
    _hold()
