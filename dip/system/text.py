"""Numbers as people say them."""


def duration(seconds: float) -> str:
    """A duration: 40 s, 2 min 5 s, 3 h 10 min."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def gibibytes(count: float) -> str:
    """A number of bytes, for people."""
    return f"{count / 2**30:.1f} GiB"
