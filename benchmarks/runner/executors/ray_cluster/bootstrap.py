"""What a node of a cluster runs first, whatever code of ours it may have: so it imports none.

It is sent by value, function by function, and refuses to go on with another revision of the code
than the one that sent it.
"""

import hashlib
import importlib.util
import subprocess
import time
from pathlib import Path
from typing import Any

STATES = 2  # on their way to the runner at a time; each may be of a hundred MiB
SENDING_SECONDS = 60.0  # after which one that was announced is not awaited any more


def fit(
    revision: str, checksums: dict[str, str], mailbox: Any, number: int, content: bytes
) -> tuple[str, tuple[Any, ...]]:
    """Run one task on this node; `run_here` in `node.py` says the rest.

    revision, checksums: of the code that has sent it.
    """
    if other := _other_revision(checksums):
        import ray

        where = ray.util.get_node_ip_address()
        reason = (
            f"the node {where} has another revision of this code, {other}, than the one that gives"
            f" it jobs, {revision}: end what brings it there, as a PYTHONPATH or preloaded modules"
        )
        return "Refused", (reason,)
    from benchmarks.runner.executors.ray_cluster.node import run_here

    return run_here(mailbox, number, content)


def _other_revision(checksums: dict[str, str]) -> str:
    """The revision of what Python finds here, if one of its files is not what was sent."""
    roots: dict[str, Path] = {}
    for path, checksum in checksums.items():
        top, is_below, _ = path.partition("/")
        name = top.removesuffix(".py")
        if name not in roots:
            spec = importlib.util.find_spec(name)
            if spec is None:
                return f"without {name}"
            if is_below:
                roots[name] = Path(next(iter(spec.submodule_search_locations or ["."]))).parent
            else:
                roots[name] = Path(spec.origin or ".").parent
        file = roots[name] / path
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != checksum:
            return f"{_revision_of(roots[name])} ({file})"
    return ""


def _revision_of(folder: Path) -> str:
    """Of the checkout that the folder is, if it is one."""
    git = ["git", "-C", str(folder)]
    try:
        top, commit, changes = (
            subprocess.run([*git, *words], check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own words
            for words in (
                ["rev-parse", "--show-toplevel"],
                ["rev-parse", "HEAD"],
                ["status", "--porcelain"],
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return "an unknown one"
    if Path(top.rstrip("\n")).resolve() != folder.resolve():  # one around it
        return "an unknown one"
    return f"{commit[:12]}{'+changes' if changes else ''}"


class Mailbox:
    """An actor beside the runner: takes what nodes tell, and tells them whether to stop."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, str, Any]] = []
        self.is_stopping = False
        self.sending: dict[int, float] = {}  # whose state is awaited, and since when

    def tell(self, messages: list[tuple[int, str, Any]]) -> bool:
        """Leave messages for the runner; whether the jobs are asked to stop."""
        self.messages += messages
        return self.is_stopping

    def may_send(self, number: int) -> bool:
        """Whether a job may send its state now: there is memory for a few of all jobs' only."""
        now = time.monotonic()
        recent = {each: at for each, at in self.sending.items() if now - at < SENDING_SECONDS}
        if len(recent) < STATES:
            recent[number] = now
        self.sending = recent
        return number in recent

    def empty(self) -> list[tuple[int, str, Any]]:
        """All messages since the last call, oldest first."""
        messages, self.messages = self.messages, []
        for number, kind, _ in messages:
            if kind == "State":
                self.sending.pop(number, None)
        return messages

    def stop(self) -> None:
        self.is_stopping = True
