"""Joining a Ray cluster, and receiving signals while Ray is busy."""

import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import RayError

from dip.errors import InputError
from dip.system.signals import SIGNALS, Interrupted

PORT = 6379  # that `ray start --head` takes
CONNECT_SECONDS = 5.0  # after which there is no cluster at an address


@contextmanager
def hearing() -> Iterator[None]:
    """What a signal raises inside Ray comes out as an error of Python's own."""
    try:
        yield
    except SystemError as error:
        if isinstance(error.__context__, Interrupted):
            raise error.__context__ from None
        raise


def connect(address: str, runtime_env: dict[str, Any]) -> None:
    """Join the cluster at HOST, HOST:PORT or `auto`. Raises InputError."""
    head = address if address == "auto" or ":" in address else f"{address}:{PORT}"
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        if head != "auto":  # Ray would try for two minutes and ignore Ctrl-C
            host, _, port = head.partition(":")
            socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
        ray.init(
            address=head, runtime_env=runtime_env, log_to_driver=False, logging_level=logging.ERROR
        )
    except (RayError, OSError, RuntimeError, ValueError) as error:
        token = isinstance(error, ConnectionError) and "RAY_AUTH_MODE" not in os.environ
        hint = "; where it asks for a token, set RAY_AUTH_MODE=token" if token else ""
        raise InputError(
            f"`address` {address}: no Ray cluster answers there ({in_one_line(error)}); `ray start"
            " --head` starts one, and it takes HOST or HOST:PORT of one that this machine is a"
            f" node of{hint}"
        ) from None
    finally:
        for number, handler in handlers.items():  # Ray has its own
            signal.signal(number, handler)


def in_one_line(error: BaseException) -> str:
    """The last line that it says, of which a traceback is the error; its first sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1].partition(". ")[0]
