"""Numbers as people say them, and as they write them."""

import pytest

from dip.system.text import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("90s", 90), ("8m", 480), ("1.5h", 5400), ("1h30m", 5400), ("1h2m3.5s", 3723.5)),
        *(("10", 600), ("0.5", 30), ("1h30", 5400), ("0", 0)),
        *(("8x", None), ("", None), ("m", None), ("-5", None), ("30m1h", None), ("1 h", None)),
        *(("nan", None), ("1e3", None), ("2\N{SUPERSCRIPT TWO}", None)),
    ],
)
def test_a_time_is_read_as_it_is_written(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds
