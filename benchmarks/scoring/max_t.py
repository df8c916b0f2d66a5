"""Exploratory comparisons, all of them corrected together by flipping signs.

If two methods are equally good, and if the differences between them are symmetric about zero, then
the sign of an image's difference is a coin's. All comparisons are made again with the signs of
images flipped at random, the same flips for all of them, so that comparisons which resemble each
other are not paid for twice. A p value is the share of flips in which any of the comparisons stands
out as far as this one does: max-T (Westfall and Young, Resampling-Based Multiple Testing, 1993;
Romano and Wolf, JASA 100, 2005). It corrects for all of them, whichever are true.

Symmetry is assumed: five comparisons name one falsely in 5 % of cases if differences are normal, in
13 to 16 % if they are exponential. Scores of two methods that err alike differ symmetrically,
however skewed they are. `tests/benchmarks/scoring/test_simulation.py` has the numbers.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.scoring.statistics import FEWEST_IMAGES, pairs

Array = npt.NDArray[np.float64]

FLIPS = 10_000  # the data as they are, and 9999 random ones; all there are, where those are fewer
BLOCK = 4_000_000  # statistics held at once
SAME = 1e-9  # statistics that differ by rounding only are the same


def sign_flip_p(differences: npt.ArrayLike) -> Array:
    """The p values of two-sided comparisons, corrected for all of them (single-step max-T).

    Valid where the differences of an image are symmetric about zero if there is none to be found.
    The statistic is the paired t. Exact for up to 14 images, else of 9999 random flips, which are
    the same in every call.

    Args:
        differences: (comparisons, images), of each image; NaN where a comparison lacks the image.

    Returns:
        (comparisons,): p values. 1 with fewer than six images, with infinite differences and
        without any difference; such a comparison does not count in the correction. NaN for a row
        of NaN.
    """
    rows = np.asarray(differences, np.float64)
    is_empty = np.isnan(rows).all(axis=1)
    is_tested = np.isfinite(rows).sum(axis=1) >= FEWEST_IMAGES
    is_tested &= ~np.isinf(rows).any(axis=1) & (np.nan_to_num(rows) != 0).any(axis=1)
    p: Array = np.where(is_empty, np.nan, 1.0)
    if not is_tested.any():
        return p
    tested = rows[is_tested]
    tested = tested[:, ~np.isnan(tested).all(axis=0)]
    signs = _signs(tested.shape[1])
    largest = np.empty(len(signs))
    step = max(1, BLOCK // len(tested))
    for start in range(0, len(signs), step):
        part = slice(start, start + step)
        largest[part] = _statistic(tested, signs[part]).max(axis=0)
    observed = _statistic(tested, signs[:1])[:, 0] * (1 - SAME) - SAME
    below = np.searchsorted(np.sort(largest), observed)
    p[is_tested] = (len(signs) - below) / len(signs)
    return p


def _signs(images: int) -> Array:
    """(flips, images) of -1 and 1; the first are all 1.

    The first image keeps its sign: the statistic of a flip and of its opposite are the same.
    """
    if 2 ** (images - 1) <= FLIPS:
        flips = np.arange(2 ** (images - 1))[:, None] >> np.arange(images)[::-1] & 1
    else:
        flips = np.random.default_rng(0).integers(2, size=(FLIPS, images))
        flips[0] = 0
    return np.where(flips, -1.0, 1.0)


def _statistic(rows: Array, signs: Array) -> Array:
    """(comparisons, flips): the size of each paired t, as that of a normal variable.

    Comparisons over fewer images have larger t by chance; on the scale of the normal distribution
    (Wallace, Ann. Math. Stat. 30, 1959) all are alike. Without spread t is infinite: the largest.
    """
    n = (~np.isnan(rows)).sum(axis=1, keepdims=True)
    values = np.nan_to_num(rows)
    values = values / np.abs(values).max(axis=1, keepdims=True)  # so that no square overflows
    squares = n * (values**2).sum(axis=1, keepdims=True)
    share = np.minimum((values @ signs.T) ** 2 / squares, 1 - 1e-12)  # t^2 / (t^2 + n - 1)
    freedom = n - 1
    size = np.sqrt(-freedom * np.log1p(-share))
    return np.asarray((8 * freedom + 1) / (8 * freedom + 3) * size, np.float64)


def against_best(
    scores: Sequence[npt.ArrayLike],
    images: Sequence[Sequence[str]],
    best: Sequence[int | None],
) -> list[Array]:
    """Compare the methods of each column of a table with the best of that column.

    All pairs of all columns are one family, because the best was chosen by the same scores. With
    95 % no p value of the table falls below 0.05 where methods do not differ.

    Args:
        scores: of each column (methods, images), all methods in each; methods that lack an image
            are NaN throughout and are not compared.
        images: the names of each column's images; flips go by name.
        best: index of each column's best method; None where it has none.

    Returns:
        The corrected p values of each column's methods against its best.
    """
    places: dict[str, int] = {}
    for own_images in images:
        for name in own_images:
            places.setdefault(name, len(places))
    families = []
    for column, own_images in zip(scores, images, strict=True):
        compared = pairs(column)
        by_name = np.full((len(compared), len(places)), np.nan)
        by_name[:, [places[name] for name in own_images]] = compared
        families.append(by_name)
    together = sign_flip_p(np.concatenate(families)) if families else np.empty(0)
    ends = np.cumsum([len(family) for family in families])
    result = []
    for column, index, family, end in zip(scores, best, families, ends, strict=True):
        methods = len(np.asarray(column))
        p = np.full(methods, np.nan)
        if index is not None:
            first, second = np.triu_indices(methods, 1)
            own_p = together[end - len(family) : end]
            p[second[first == index]] = own_p[first == index]
            p[first[second == index]] = own_p[second == index]
        result.append(p)
    return result
