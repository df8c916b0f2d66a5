"""Ctrl-C and SIGTERM: end at once, or after the work under way."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# For a command that is watched, a terminal that is closed is an interruption, too.
ENDINGS = (*SIGNALS, signal.SIGHUP)


@contextmanager
def deferring_signals(
    signals: Sequence[signal.Signals] = SIGNALS, at_first: Callable[[], None] = lambda: None
) -> Iterator[Callable[[], bool]]:
    """Defer the first signal: note it, and let a second one act as before.

    Ignored signals stay ignored. at_first: called by the first signal, in the middle of whatever
    the program does. Yields a function that tells whether a signal has come.
    """
    handlers = {number: signal.getsignal(number) for number in signals}
    before = {number: what for number, what in handlers.items() if what != signal.SIG_IGN}
    asked = False

    def note(*_: object) -> None:
        nonlocal asked
        asked = True
        restore()
        at_first()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: asked
    finally:
        restore()


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Meanwhile Ctrl-C ends the process, with a line; for imports, in the middle of which an
    exception may be caught or turned into another one.
    """

    def end(*_: object) -> None:
        with suppress(OSError):  # nobody may be there to read it
            os.write(2, b"interrupted\n")
        os._exit(128 + signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:
        signal.signal(signal.SIGINT, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # which `dip.bench` blocks
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Interrupted(BaseException):
    """The user or the system wants the program to end; not an error of anything."""


def raise_on_signals() -> None:
    """From now on a signal raises Interrupted wherever the program is, unless it is ignored."""

    def interrupt(*_: object) -> None:
        for number in SIGNALS:  # or another one would break off what is tidied up
            signal.signal(number, signal.SIG_IGN)
        raise Interrupted

    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)
