"""Ctrl-C and SIGTERM: end at once, or after the work under way."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
