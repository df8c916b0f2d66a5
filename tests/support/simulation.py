"""Differences to simulate with, and intervals of many families at once.

Arrays are (families, comparisons, images). `together` is what `benchmarks.scoring.intervals` does,
with fewer draws; the others are what it could have done. `python tests/support/simulation.py` puts
all of them side by side, in about 8 minutes of one core.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy import special

from benchmarks.scoring.intervals import drawn_t, quantiles, weights

Array = npt.NDArray[np.float64]
Bounds = tuple[Array, Array]
Procedure = Callable[[Array], Bounds]
DRAWS = 4000
IMAGES = (8, 20, 40)
KINDS = ("normal", "exponential", "log-normal")
TRIALS = 10_000
MARGIN = 0.3  # dB


def differences(
    kind: str, families: int, comparisons: int, images: int, correlation: float, seed: int
) -> Array:
    """Of mean 0 and standard deviation 1; the correlation is that of the normal ones."""
    random = np.random.default_rng([seed, images, comparisons])
    own = random.normal(0, 1, (families, comparisons, images))
    common = random.normal(0, 1, (families, 1, images))
    z = correlation**0.5 * common + (1 - correlation) ** 0.5 * own
    if kind == "normal":
        return z
    if kind == "exponential":
        return -special.log_ndtr(-z) - 1
    if kind == "log-normal":
        return (np.exp(z) - np.exp(0.5)) / (np.expm1(1) * np.e) ** 0.5
    assert kind == "mixed"  # one that is log-normal beside normal ones
    is_skewed = np.arange(comparisons)[:, None] == 0
    return np.where(is_skewed, (np.exp(z) - np.exp(0.5)) / (np.expm1(1) * np.e) ** 0.5, z)


def student(drawn: Array) -> Bounds:
    """Student's t with Bonferroni's correction."""
    mean, error, t = _student(drawn)
    return mean - t * error, mean + t * error


def together(drawn: Array, draws: int = DRAWS) -> Bounds:
    """A studentised bootstrap of the family, within two bounds: that of `intervals`."""
    mean, error, t = _student(drawn)
    parts = [np.array(quantiles(part)) for part in _drawn_again(drawn, draws)]
    least, most = np.concatenate(parts, axis=1)
    return mean - np.maximum(t, most) * error, mean + np.maximum(t, -least) * error


def unbounded(drawn: Array) -> Bounds:
    """The same without the bound that single comparisons set."""
    mean, error, t = _student(drawn)
    ends = [
        (np.quantile(part.max(1), 0.975, axis=-1), np.quantile(part.min(1), 0.025, axis=-1))
        for part in _drawn_again(drawn)
    ]
    most, least = np.concatenate(ends, axis=1)[..., None]
    return mean - np.maximum(t, most) * error, mean + np.maximum(t, -least) * error


def alone(drawn: Array) -> Bounds:
    """A studentised bootstrap of each comparison, with Bonferroni's correction."""
    mean, error, _ = _student(drawn)
    tails = (0.025 / drawn.shape[1], 1 - 0.025 / drawn.shape[1])
    parts = [np.quantile(part, tails, axis=-1) for part in _drawn_again(drawn)]
    least, most = np.concatenate(parts, axis=1)
    return mean - most * error, mean - least * error


def johnson(drawn: Array) -> Bounds:
    """Student's, widened to where Johnson's modified t (J. Am. Stat. Assoc. 73, 1978) moves it."""
    mean, error, t = _student(drawn)
    n = drawn.shape[-1]
    centred = (drawn - mean[..., None]) / (error[..., None] * n**0.5)
    skewness = (centred**3).sum(-1) * n / ((n - 1) * (n - 2))
    moved = skewness * (1 + 2 * t**2) / (6 * n**0.5)
    below, above = t + np.maximum(-moved, 0), t + np.maximum(moved, 0)
    return mean - below * error, mean + above * error


def _student(drawn: Array) -> tuple[Array, Array, float]:
    """Mean, standard error and quantile."""
    comparisons, n = drawn.shape[1:]
    t = float(special.stdtrit(n - 1, 1 - 0.025 / comparisons))
    return drawn.mean(-1), drawn.std(-1, ddof=1) / n**0.5, t


def _drawn_again(drawn: Array, draws: int = DRAWS) -> Iterator[Array]:
    """In parts of 50 families, so that no more than some 100 MiB are held."""
    for start in range(0, len(drawn), 50):
        yield drawn_t(drawn[start : start + 50], weights(drawn.shape[-1], 0, draws))


def holds(bounds: Bounds) -> float:
    """The share of families whose intervals all hold the truth, which is 0."""
    low, high = bounds
    return float(((low <= 0) & (high >= 0)).all(-1).mean())


def false_equivalent(bounds: Bounds, images: int) -> float:
    """The share of families that call any comparison equivalent, though all are at the margin.

    Intervals move and stretch with their differences; here these are so small that the interval of
    t is a third of what lies within the margin. The larger share of both margins.
    """
    low, high = (0.05 * MARGIN * images**0.5 * bound for bound in bounds)
    above = (high <= 0) & (low >= -2 * MARGIN)
    below = (low >= 0) & (high <= 2 * MARGIN)
    return float(max(above.any(-1).mean(), below.any(-1).mean()))


def power(bounds: Bounds, truth: float, spread: float) -> float:
    """How often a comparison of this true difference is called better."""
    return float((bounds[0] * spread + truth > 0).mean())


def _intervals() -> None:
    """What was tried, side by side; `mixed` are one log-normal and four normal comparisons."""
    print("\ndifferences, images, comparisons, correlation, intervals, families:"
          " coverage; falsely better or worse; falsely equivalent; median width")  # fmt: skip
    families = {student: TRIALS, johnson: TRIALS, together: 4000, alone: 2000, unbounded: 2000}
    for kind in (*KINDS, "mixed"):
        for comparisons, correlation in ((1, 0.0), (5, 0.0), (5, 0.5))[kind == "mixed" :]:
            for images in IMAGES:
                for procedure, trials in families.items():
                    drawn = differences(kind, trials, comparisons, images, correlation, seed=7)
                    low, high = procedure(drawn)
                    coverage, same = holds((low, high)), false_equivalent((low, high), images)
                    print(f"{kind}, {images}, {comparisons}, {correlation}, {procedure.__name__},"
                          f" {trials}: {coverage:.3f}; {1 - coverage:.3f}; {same:.3f};"
                          f" {np.median(high - low):.2f}")  # fmt: skip


def _power() -> None:
    print("\nimages, comparisons, spread in dB, true difference in dB: power of t, of ours")
    for comparisons in (1, 5):
        for images in IMAGES:
            drawn = differences("normal", 4000, comparisons, images, 0, seed=8)
            bounds = (student(drawn), together(drawn))
            for spread in (1.0, 1.5):
                for truth in (0.5, 1.0):
                    of_t, own = (power(each, truth, spread) for each in bounds)
                    print(f"{images}, {comparisons}, {spread}, {truth}: {of_t:.3f}, {own:.3f}")


def _swayed() -> None:
    """One image of it is 20 dB off; its other images have a twentieth of the others' spread."""
    print("\nimages, intervals: median width of the other four")
    for images in IMAGES:
        drawn = differences("normal", 500, 5, images, 0, seed=9)
        drawn[:, 4] *= 0.05
        drawn[:, 4, 0] -= 20
        for procedure in (student, together, alone, unbounded):
            low, high = procedure(drawn)
            print(f"{images}, {procedure.__name__}: {np.median((high - low)[:, :4]):.2f}")


if __name__ == "__main__":
    _intervals()
    _power()
    _swayed()
