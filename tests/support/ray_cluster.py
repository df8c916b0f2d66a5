"""A real Ray cluster on this machine: `ray start` for each node, loopback addresses only."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from support.processes import below

RAY = Path(sys.executable).with_name("ray")


class RayCluster:
    """Nodes that run in the foreground, so that each can be ended without the others."""

    def __init__(self) -> None:
        self.nodes: list[subprocess.Popen[str]] = []
        with socket.socket() as free:
            free.bind(("127.0.0.2", 0))
            self.port = free.getsockname()[1]
        self.address = f"127.0.0.2:{self.port}"

    def start(self, *words: str, cpus: int, env: dict[str, str] | None = None) -> None:
        """`ray start WORDS`; returns when the node is there. The first is the head."""
        # Not 127.0.0.1, for which Ray takes the address that other machines know this one by.
        options = [f"--node-ip-address=127.0.0.{2 + len(self.nodes)}", f"--num-cpus={cpus}"]
        options += ["--object-store-memory=83886080", "--block", "--disable-usage-stats"]
        if not self.nodes:
            options += [f"--port={self.port}", "--include-dashboard=false"]
        node = subprocess.Popen(
            [RAY, "start", *words, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        )
        self.nodes.append(node)
        assert node.stdout is not None
        said = ""
        while "Ray runtime started" not in said:
            said += (line := node.stdout.readline())
            assert line, said

    def add(self, cpus: int, env: dict[str, str] | None = None) -> None:
        self.start("--address", self.address, cpus=cpus, env=env)

    def kill(self) -> None:
        """Kill the node that was started last, as if its machine had lost power."""
        with self.nodes.pop() as node:
            for pid in [node.pid, *below(node.pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def ray_cluster(*head: str, cpus: int = 0) -> Iterator[RayCluster]:
    """A head, started with these words; runners are there, so it has no CPUs but where it says."""
    cluster = RayCluster()
    try:
        cluster.start(*(head or ["--head"]), cpus=cpus)
        yield cluster
    finally:
        while cluster.nodes:
            cluster.kill()
