"""What is fitted around a hole, and how it goes back into the photo without a seam."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import spsolve

from dip.inpainting.blend import corrected
from dip.inpainting.crop import Neighbourhood, Patch, neighbourhoods


def _hole(height: int, width: int, boxes: Sequence[tuple[int, int, int, int]]) -> NDArray[np.bool_]:
    hole = np.zeros((height, width), bool)
    for x, y, w, h in boxes:
        hole[y : y + h, x : x + w] = True
    return hole


def _patch(colours: NDArray[Any], hole: NDArray[np.bool_], **how: Any) -> Patch:
    (place,) = neighbourhoods(hole, **{"context": None, "max_side": 10**6, **how})
    return Patch(place, colours, hole, np.ones_like(hole))


@pytest.mark.parametrize(
    ("box", "context", "around"),
    [
        ((3000, 2000, 300, 200), None, (2850, 1850, 600, 500)),  # half of its longer side
        ((3000, 2000, 20, 10), None, (2968, 1968, 84, 74)),  # but 32 pixels at least
        ((3000, 2000, 300, 200), 10, (2990, 1990, 320, 220)),
        ((0, 3990, 100, 10), None, (0, 3940, 150, 60)),  # cut off at the photo's edge
    ],
)
def test_a_hole_is_fitted_with_what_surrounds_it(
    box: tuple[int, int, int, int], context: int | None, around: tuple[int, int, int, int]
) -> None:
    (place,) = neighbourhoods(_hole(4000, 6000, [box]), context, 10**6)
    rows, columns = place.around
    x, y, width, height = around
    assert (columns, rows) == (slice(x, x + width), slice(y, y + height))
    assert (place.width, place.height) == (width, height)


def test_its_longer_side_is_reduced_and_never_enlarged() -> None:
    hole = _hole(4000, 6000, [(3000, 2000, 300, 200)])
    (place,) = neighbourhoods(hole, None, 320)
    assert (place.width, place.height) == (320, 267)  # of 600x500
    (place,) = neighbourhoods(hole, None, 1000)
    assert (place.width, place.height) == (600, 500)


def _rows_columns(places: Sequence[Neighbourhood]) -> list[tuple[int, int]]:
    return [(place.hole[0].start, place.hole[1].start) for place in places]


def test_holes_far_apart_are_fitted_apart_and_near_ones_together() -> None:
    far = _hole(4000, 6000, [(100, 100, 50, 50), (5000, 200, 50, 50), (2000, 3000, 80, 40)])
    assert _rows_columns(neighbourhoods(far, None, 320)) == [(100, 100), (200, 5000), (3000, 2000)]
    near = _hole(4000, 6000, [(100, 100, 50, 50), (170, 110, 50, 50)])
    assert _rows_columns(neighbourhoods(near, None, 320)) == [(100, 100)]
    lines = _hole(512, 512, [(x, y, 8, 14) for y in range(80, 440, 90) for x in range(15, 480, 12)])
    assert len(neighbourhoods(lines, None, 512)) == 1  # text: apart it would cost as much


@given(st.integers(0, 2**32), st.integers(1, 12), st.sampled_from([None, 1, 20]))
@settings(max_examples=60, deadline=None)
def test_every_hole_pixel_belongs_to_exactly_one(
    draws: int, count: int, context: int | None
) -> None:
    draw = np.random.default_rng(draws)
    boxes = np.column_stack(
        [
            draw.integers(0, 480, count),
            draw.integers(0, 280, count),
            draw.integers(1, 20, (count, 2)),
        ]
    )
    hole = _hole(300, 500, boxes.tolist())
    owned = np.zeros(hole.shape, int)
    everything = np.ones_like(hole)
    for place in neighbourhoods(hole, context, 64):
        patch = Patch(place, np.zeros((*hole.shape, 1), np.uint8), hole, everything)
        owned[place.around] += patch.own
        assert not (patch.own & patch.known).any()
        assert max(place.width, place.height) <= 64
    np.testing.assert_array_equal(owned, hole)


def test_what_is_unknown_has_no_share_in_a_reduced_image() -> None:
    colours = np.full((100, 100, 3), 200, np.uint8)
    hole = _hole(100, 100, [(41, 41, 20, 20)])
    colours[hole] = 0
    patch = _patch(colours, hole, max_side=21, context=32)
    image, mask = patch.small
    assert image.shape == (3, 21, 21)
    known = mask[0] == 1
    np.testing.assert_allclose(patch.drawn(image)[known], 200 / 255, atol=1e-5)
    assert (image[:, ~known] == 0).all()
    assert 25 <= (~known).sum() <= 49  # 20 pixels in steps of four: 5 to 7 a side


@pytest.mark.parametrize("missing", [0.05, 0.5, 0.95])
def test_a_finely_scattered_hole_leaves_something_to_fit(missing: float) -> None:
    draw = np.random.default_rng(0)
    colours = np.full((256, 256, 1), 90, np.uint8)
    hole = draw.random((256, 256)) < missing
    colours[hole] = 255
    patch = _patch(colours, hole, max_side=32)
    image, mask = patch.small
    assert mask.mean() > 0.3
    np.testing.assert_allclose(patch.drawn(image)[mask[0] == 1], 90 / 255, atol=1e-5)


def test_a_network_sees_the_contrast_there_is_and_draws_no_colour_beyond_it() -> None:
    """But for outliers, of which there is one here."""
    draw = np.random.default_rng(0)
    colours = draw.integers([200, 100, 30], [221, 111, 31], (100, 100, 3)).astype(np.uint8)
    colours[0, 0] = 255, 0, 255
    patch = _patch(colours, _hole(100, 100, [(40, 40, 20, 20)]))
    image, mask = patch.small
    known = image[:, mask[0] == 1]
    assert (known[:2].min(axis=1), known[:2].max(axis=1)) == (pytest.approx(0), pytest.approx(1))
    for output in (np.zeros_like(image), np.ones_like(image)):
        drawn = np.round(patch.drawn(output) * 255)
        assert (drawn >= [200, 100, 30]).all()
        assert (drawn <= [220, 110, 34]).all()  # four levels of contrast at least


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [(np.uint8, 0, 255), (np.uint16, 0, 65535), (np.int32, -9000, 700), (np.float32, -2.5, 1e4)],
)
def test_colours_come_back_in_their_own_numbers(dtype: Any, low: float, high: float) -> None:
    draw = np.random.default_rng(0)
    colours = (low + draw.random((50, 60, 3)) * (high - low)).astype(dtype)
    patch = _patch(colours, _hole(50, 60, [(20, 20, 5, 5)]))
    back = patch.colours(patch.values)[patch.known]
    np.testing.assert_allclose(back, colours[patch.place.around][patch.known], rtol=1e-5, atol=1e-2)
    if dtype == np.uint8:
        np.testing.assert_array_equal(back, colours[patch.place.around][patch.known])


# The seam


def _harmonic(values: NDArray[Any], fixed: NDArray[np.bool_], free: NDArray[np.bool_]) -> Any:
    """The same equations, solved exactly by SciPy: each free pixel is its neighbours' mean."""
    number = np.full(free.shape, -1)
    number[free] = np.arange(free.sum())
    rows, columns, weights, right = [], [], [], np.zeros(free.sum())
    for y, x in zip(*np.nonzero(free), strict=True):
        count = 0
        for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if not (0 <= v < free.shape[0] and 0 <= u < free.shape[1]):
                continue
            if free[v, u]:
                rows.append(number[y, x])
                columns.append(number[v, u])
                weights.append(-1.0)
            elif fixed[v, u]:
                right[number[y, x]] += values[v, u]
            else:
                continue
            count += 1
        rows.append(number[y, x])
        columns.append(number[y, x])
        weights.append(float(count))
    return spsolve(csr_matrix((weights, (rows, columns))), right)


def _ellipse(height: int, width: int) -> NDArray[np.bool_]:
    y, x = np.mgrid[:height, :width]
    return ((y - height / 2) / (0.45 * height)) ** 2 + ((x - width / 2) / (0.4 * width)) ** 2 < 1


@pytest.mark.parametrize(
    "hole",
    [
        _hole(102, 152, [(1, 1, 150, 100)]),
        _hole(60, 200, [(0, 0, 150, 55)]),  # at the photo's edge, where nothing flows out
        _ellipse(120, 90),
        _hole(40, 40, [(3, 3, 30, 2), (20, 3, 2, 30), (30, 30, 1, 1)]),
    ],
)
def test_the_membrane_is_harmonic(hole: NDArray[np.bool_]) -> None:
    """Against an exact solver: no level of eight bits is another one, at seams of 25 levels."""
    draw = np.random.default_rng(0)
    smooth = np.linspace(0.3, 0.5, hole.size).reshape(hole.shape)
    values = (smooth + draw.normal(0, 0.02, hole.shape)).astype(np.float32)
    values[hole] = 0
    drawn = np.full(hole.shape, np.float32(0.4))
    result = corrected(drawn[..., None], values[..., None], ~hole, hole)[..., 0]
    np.testing.assert_array_equal(result[~hole], values[~hole])
    expected = 0.4 + _harmonic(values - drawn, ~hole, hole)
    assert np.abs(result[hole] - expected).max() < 0.5 / 255


def test_what_was_drawn_right_stays() -> None:
    """Where it fits the known pixels at the edge there is nothing to correct."""
    draw = np.random.default_rng(0)
    image = draw.random((50, 60, 3)).astype(np.float32)
    hole = _ellipse(50, 60)
    result = corrected(image, np.where(hole[..., None], 0, image), ~hole, hole)
    np.testing.assert_allclose(result, image, atol=1e-6)


def test_pixels_that_are_neither_have_no_influence() -> None:
    """As those of other holes beside it, and transparent ones."""
    hole, other = _hole(40, 40, [(10, 10, 10, 10)]), _hole(40, 40, [(20, 10, 10, 10)])
    values = np.full((40, 40, 1), np.float32(0.8))
    values[other] = 0.1
    drawn = np.full((40, 40, 1), np.float32(0.2))
    result = corrected(drawn, values, ~(hole | other), hole)
    np.testing.assert_allclose(result[hole], 0.8, atol=1e-3)
    np.testing.assert_array_equal(result[other], values[other])


def test_a_hole_with_nothing_known_beside_it_keeps_what_was_drawn() -> None:
    hole = _hole(20, 20, [(5, 5, 5, 5)])
    drawn = np.full((20, 20, 1), np.float32(0.3))
    result = corrected(drawn, np.zeros((20, 20, 1), np.float32), np.zeros_like(hole), hole)
    np.testing.assert_allclose(result[hole], 0.3)
