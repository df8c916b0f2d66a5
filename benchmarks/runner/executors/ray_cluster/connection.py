"""The way to a Ray cluster: finding its head, joining it, and hearing signals while Ray is at work.

Ray waits for a head that does not answer, for ever or until it ends the process; so it is asked
for one only that answers.
"""

import logging
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

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


def connect(address: str, folder: str) -> str:
    """The head's host and port. folder: the code that travels. Raises InputError."""
    found = _bootstrap_address() if address == "auto" else address
    head = found if ":" in found else f"{found}:{PORT}"
    try:  # Ray itself would wait for ever, and hear no Ctrl-C meanwhile
        reach(head, 0)
    except (OSError, ValueError) as error:
        raise InputError(
            f"`address` {found}: no Ray cluster answers there ({error}); it takes HOST or HOST:PORT"
            " of a cluster that this machine is a node of"
        ) from None
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        ray.init(
            address="auto" if address == "auto" else head,
            runtime_env={"working_dir": folder},
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (RayError, OSError, RuntimeError, ValueError) as error:
        token = isinstance(error, ConnectionError) and "RAY_AUTH_MODE" not in os.environ
        hint = "; where it asks for a token, set RAY_AUTH_MODE=token" if token else ""
        raise InputError(f"`address` {found}: {in_one_line(error)}{hint}") from None
    finally:
        for number, handler in handlers.items():  # Ray has its own
            signal.signal(number, handler)
    # Ray's own words about lost nodes, twenty lines each: the runner has a line for it.
    ray._private.worker._worker_logs_enabled = False
    return head


def reach(head: str, seconds: float) -> None:
    """Raises OSError if nothing answers there for so long, and ValueError if it is no address."""
    host, _, port = head.partition(":")
    began = time.monotonic()
    while True:
        try:
            return socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
        except OSError:
            if time.monotonic() - began >= seconds:
                raise
            time.sleep(1)


def _bootstrap_address() -> str:
    """Of the cluster that RAY_ADDRESS names, or that runs here; it may have died since."""
    from ray._private.services import canonicalize_bootstrap_address

    try:
        return str(canonicalize_bootstrap_address("auto"))
    except (ConnectionError, ValueError):
        raise InputError(
            "`executor` ray: no Ray cluster runs here; `ray start --head` starts one, `address`"
            " HOST names one that this machine is a node of"
        ) from None


def in_one_line(error: BaseException) -> str:
    """The last line that it says, of which a traceback is the error; its first sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1].partition(". ")[0]
