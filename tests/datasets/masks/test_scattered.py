"""Holes made from a random number for each pixel."""

from support.holes import missing


def test_bernoulli_misses_the_share_asked_for() -> None:
    # Five standard deviations of a binomial over 90000 pixels.
    share = missing({"bernoulli": {"missing": 0.3}}, 300, 300).mean()
    assert abs(share - 0.3) < 5 * (0.3 * 0.7 / 90000) ** 0.5


def test_blobs_cover_the_share_asked_for() -> None:
    assert missing("blobs", 100, 100).mean() == 0.25
