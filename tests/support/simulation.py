"""Differences to simulate with, and intervals of many families at once.

Arrays are (families, comparisons, images). `together` is what `benchmarks.scoring.intervals` does,
with fewer draws; the others are what it could have done.
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
