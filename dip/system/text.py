"""Numbers as people say them."""

import re

NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
DURATION = re.compile(f"(?:{NUMBER}h)?(?:{NUMBER}m)?(?:{NUMBER}s)?")


def duration(seconds: float) -> str:
    """A duration: 40 s, 2 min 5 s, 3 h 10 min."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def seconds_of(text: str) -> float | None:
    """Seconds of 90s, 8m, 1.5h or 1h30m; a plain number is of minutes; None if it is no time."""
    match = DURATION.fullmatch(text + "m" if text[-1:].isdigit() else text)
    if not text or match is None:
        return None
    hours, minutes, seconds = (float(number or 0) for number in match.groups())
    return 3600 * hours + 60 * minutes + seconds


def gibibytes(count: float) -> str:
    """A number of bytes, for people."""
    return f"{count / 2**30:.1f} GiB"
