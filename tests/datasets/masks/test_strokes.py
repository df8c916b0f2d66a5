"""Free-form strokes: as thick, as many and in the directions of those of their papers."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_erosion
from support.holes import missing

from datasets import parse_mask
from datasets.masks.base import Pieces
from datasets.masks.pieces import Strokes, _ahead, _as_opencv_draws, _cosine_and_sine, _segment


@pytest.mark.parametrize("width", [5, 6, 9, 14, 31, 54, 104])
def test_lines_are_as_wide_as_those_that_lama_draws(width: int) -> None:
    """At its angles, against OpenCV; the ends differ, by up to a tenth of the area."""
    ratios = []
    for angle in (0.01, 1.01, 2.01, 3.01):
        for length in (40, 100):
            start = (300, 300)
            end = _ahead(start, length, (angle, "rows"), 600, 600)
            theirs = cv2.line(np.zeros((600, 600), np.uint8), start, end[::-1], 1, width)
            _, _, order = _segment(start, end, _as_opencv_draws(width), 600, 600)
            ratios.append(theirs.sum() / (order >= 0).sum())
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)
    assert ratios == pytest.approx([1] * len(ratios), abs=0.1)


@pytest.mark.parametrize(
    ("brush", "share"), [("thin", 0.299), ("medium", 0.304), ("thick", 0.458), ("deepfill", 0.153)]
)
def test_strokes_hide_as_much_as_those_of_their_papers(brush: str, share: float) -> None:
    """The mean of 1200 masks of 256x256 pixels by the sources' own loops, before any is rejected.

    Within four standard errors of the difference.
    """
    mask = Strokes.model_validate({"brush": brush})
    shares = [
        1 - Pieces.known(mask, 256, 256, np.random.RandomState(seed)).mean() for seed in range(150)
    ]
    error = np.std(shares) * (1 / 150 + 1 / 1200) ** 0.5
    assert abs(np.mean(shares) - share) < 4 * error


def _swing(brush: str) -> float:
    """Mean size of the strokes' steps from row to row, over that from column to column."""
    steps = []
    for seed in range(50):
        mask = parse_mask({"strokes": {"brush": brush, "seed": seed}})
        assert isinstance(mask, Strokes)
        for rows, columns, _ in mask.pieces(256, 256, np.random.RandomState(seed)):
            steps.append((rows.stop - rows.start, columns.stop - columns.start))
    height, width = np.mean(steps, axis=0)
    return float(height / width)


def test_strokes_go_where_those_of_their_papers_go() -> None:
    """Both more up and down: 72 degrees from the rows; 0, 1, 2 or 3 radians from the columns."""
    assert _swing("deepfill") > 1.3
    assert _swing("medium") > 1.15


def test_strokes_of_lama_hide_half_at_most_and_are_as_thick_as_they_say() -> None:
    """Of thinner strokes a larger part is rim, whatever the image's size."""
    for side in (64, 128):
        rims = {}
        for brush in ("thin", "medium", "thick"):
            holes = [
                missing({"strokes": {"brush": brush, "seed": seed}}, side, side)
                for seed in range(60)
            ]
            assert max(hole.mean() for hole in holes) <= 0.5
            inner = [binary_erosion(hole) for hole in holes]
            rims[brush] = 1 - np.sum(inner) / np.sum(holes)
        assert rims["thin"] > 1.3 * rims["medium"] > 1.3 * 1.3 * rims["thick"]
    # Sizes follow the image, so the share does not depend on it: five standard errors.
    apart = [
        np.array([missing({"strokes": {"seed": seed}}, side, side).mean() for seed in range(100)])
        for side in (100, 300)
    ]
    error = np.sqrt(sum(values.var() / len(values) for values in apart))
    assert abs(apart[0].mean() - apart[1].mean()) < 5 * error


@given(
    start=st.tuples(st.integers(0, 29), st.integers(0, 39)),
    end=st.tuples(st.integers(0, 29), st.integers(0, 39)),
    thickness=st.integers(1, 15),
)
@settings(deadline=None, max_examples=200)
def test_a_segment_is_what_lies_within_half_its_thickness(
    start: tuple[int, int], end: tuple[int, int], thickness: int
) -> None:
    """Against the distance to the line by its formula; pixels on the very rim may go either way."""
    rows, columns, order = _segment(start, end, thickness, 30, 40)
    drawn = np.zeros((30, 40), bool)
    drawn[rows, columns] = order >= 0
    place = np.stack(np.indices((30, 40)), axis=-1).astype(float)
    along = np.subtract(end, start)
    progress = ((place - start) @ along) / max(along @ along, 1)
    nearest = start + np.clip(progress, 0, 1)[..., None] * along
    distance = np.linalg.norm(place - nearest, axis=-1)
    assert drawn[distance < thickness / 2 - 1e-9].all()
    assert not drawn[distance > thickness / 2 + 1e-9].any()


@given(st.floats(-7, 7))
def test_the_series_are_cosine_and_sine(angle: float) -> None:
    assert _cosine_and_sine(angle) == pytest.approx((np.cos(angle), np.sin(angle)), abs=1e-12)
