"""Fills: known pixels untouched by them count, hole pixels follow the definition."""

import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib.metadata import packages_distributions
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.optimize import minimize
from support.commands import ROOT

from benchmarks.system.environment import PACKAGES
from dip.errors import InputError
from dip.fills import FILLS, total_variation

# OpenCV rounds each pixel that it fills, telea upwards: a few levels over a dozen pixels.
OPENCV_DRIFT = 6 / 255
# Fills that give the whole image the colour of a single known pixel.
OF_ONE_COLOUR = ("mean", "nearest", "harmonic", "telea", "navier-stokes", "total-variation")


def _filled(name: str, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The image (H, W, C) with its hole (H, W) filled."""
    masked, mask = image.transpose(2, 0, 1), (~hole).astype(np.uint8)[None]
    return FILLS[name].restore(masked, mask).transpose(1, 2, 0)


def _image(channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(0)
    image = random.rand(20, 24, channels)
    hole = random.rand(20, 24) < 0.3
    return np.where(hole[..., None], 0, image), hole


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("channels", [1, 3])
def test_known_pixels_stay_and_the_input_too(name: str, channels: int) -> None:
    image, hole = _image(channels)
    before = image.copy()
    filled = _filled(name, image, hole)
    assert filled.shape == image.shape
    assert np.array_equal(image, before)
    assert np.array_equal(filled[~hole], image[~hole])
    assert FILLS[name].summary
    assert FILLS[name].source


@pytest.mark.parametrize("name", FILLS)
def test_the_extra_installs_a_fills_packages_and_results_note_their_versions(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["optional-dependencies"]["fills"]
    extra = {re.match(r"[\w-]+", requirement).group() for requirement in wanted}
    for package in FILLS[name].packages:
        distributions = packages_distributions()[package.partition(".")[0]]
        assert extra & {*distributions}, f"{package}: add it to the extra `fills`"
        assert {*PACKAGES} & {*distributions}, (
            f"{package}: add it to PACKAGES in benchmarks/system/environment.py"
        )


def test_mean_is_that_of_known_pixels_by_channel() -> None:
    image, hole = _image()
    filled = _filled("mean", image, hole)
    for channel in range(3):
        expected = image[..., channel][~hole].mean()
        assert filled[..., channel][hole] == pytest.approx(expected)


def test_biharmonic_continues_a_slope() -> None:
    """A plane bends nowhere, so it is the answer."""
    rows, columns = np.mgrid[0:20, 0:24]
    plane = (0.2 + 0.01 * rows + 0.02 * columns)[..., None]
    hole = np.zeros((20, 24), bool)
    hole[8:12, 9:15] = True
    filled = _filled("biharmonic", np.where(hole[..., None], 0, plane), hole)
    np.testing.assert_allclose(filled, plane, atol=1e-6)  # the solver's tolerance


def test_nearest_is_by_distance() -> None:
    image, hole = _image()
    filled = _filled("nearest", image, hole)
    places = np.argwhere(~hole)
    for row, column in np.argwhere(hole):
        distances = ((places - (row, column)) ** 2).sum(axis=1)
        of_nearest = image[~hole][distances == distances.min()]
        assert (filled[row, column] == of_nearest).all(axis=1).any()


def test_harmonic_pixels_are_the_means_of_their_neighbours() -> None:
    image, hole = _image()
    hole[0, 0] = hole[-1, 5] = True  # also at the border, which has fewer neighbours
    filled = _filled("harmonic", np.where(hole[..., None], 0, image), hole)
    for row, column in np.argwhere(hole):
        around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        inside = [filled[r, c] for r, c in around if 0 <= r < 20 and 0 <= c < 24]
        np.testing.assert_allclose(filled[row, column], np.mean(inside, axis=0), atol=1e-12)


def _variation(image: np.ndarray) -> float:
    down = np.diff(image, axis=0, append=image[-1:])
    right = np.diff(image, axis=1, append=image[:, -1:])
    return float(np.sqrt((down**2 + right**2).sum(axis=2)).sum())


def test_total_variation_is_as_small_as_a_general_solver_makes_it() -> None:
    """L-BFGS on the same function, with a square root that is smooth at zero."""
    random = np.random.RandomState(1)
    image = random.rand(9, 10, 2)
    hole = random.rand(9, 10) < 0.4
    filled = _filled("total-variation", np.where(hole[..., None], 0, image), hole)

    def smooth(values: np.ndarray) -> float:
        trial = image.copy()
        trial[hole] = values.reshape(-1, 2)
        down = np.diff(trial, axis=0, append=trial[-1:])
        right = np.diff(trial, axis=1, append=trial[:, -1:])
        return float(np.sqrt((down**2 + right**2).sum(axis=2) + 1e-8).sum())

    start = _filled("harmonic", image, hole)[hole].ravel()
    found = minimize(smooth, start, method="L-BFGS-B", options={"maxfun": 200_000}).fun
    assert _variation(filled) <= found
    assert _variation(filled) > found - 90 * 1e-4  # what smoothing adds to 90 pixels


def test_total_variation_keeps_an_edge_straight_and_sharp() -> None:
    """The shortest edge through the gap is the one that was there; harmonic blurs it."""
    edge = np.zeros((24, 24, 1))
    edge[:, 12:] = 1
    hole = np.zeros((24, 24), bool)
    hole[9:15, 6:18] = True
    filled = _filled("total-variation", np.where(hole[..., None], 0, edge), hole)
    np.testing.assert_allclose(filled, edge, atol=0.02)
    assert np.abs(_filled("harmonic", edge * ~hole[..., None], hole) - edge).max() > 0.2


@pytest.mark.parametrize("name", ["telea", "navier-stokes"])
def test_opencv_fills_each_channel_with_what_is_around(name: str) -> None:
    """Flat colours stay what they are, so that channels and levels are not mixed up."""
    image = np.broadcast_to(np.array([0.2, 0.6, 1.0]), (16, 16, 3)).copy()
    hole = np.zeros((16, 16), bool)
    hole[5:10, 0:8] = True
    filled = _filled(name, np.where(hole[..., None], 0, image), hole)
    np.testing.assert_allclose(filled, image, atol=OPENCV_DRIFT)


@pytest.mark.parametrize(
    ("name", "flag"), [("telea", cv2.INPAINT_TELEA), ("navier-stokes", cv2.INPAINT_NS)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_opencv_fills_are_opencvs(name: str, flag: int, channels: int) -> None:
    pixels = np.random.RandomState(3).randint(0, 256, (20, 24, channels)).astype(np.uint8)
    hole = np.random.RandomState(4).rand(20, 24) < 0.3
    masked = np.where(hole[..., None], 0, pixels).astype(np.uint8)
    filled = _filled(name, masked / 255 * (1 - 1e-12), hole)  # as rounding errors may leave it
    expected = cv2.inpaint(masked, hole.astype(np.uint8), 3, flag).reshape(pixels.shape)
    assert np.array_equal(np.round(filled * 255), np.where(hole[..., None], expected, pixels))


def test_total_variation_is_that_of_the_whole_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it is computed only around the hole, which here is bounded on all sides."""
    image, _ = _image()
    hole = np.zeros((20, 24), bool)
    hole[6:12, 9:15] = True
    masked = np.where(hole[..., None], 0, image)
    around = _filled("total-variation", masked, hole)
    everything = (slice(None), slice(None))
    monkeypatch.setattr(total_variation, "bounding_box", lambda *_, **__: everything)
    np.testing.assert_allclose(around, _filled("total-variation", masked, hole), atol=1e-12)


def test_total_variation_sees_all_sides_of_the_hole() -> None:
    """All of it is missing but one side, whose colour is then the whole's."""
    for turn in range(4):
        image = np.zeros((16, 16, 1))
        image[:8] = 1
        hole = np.zeros((16, 16), bool)
        hole[8:] = True
        turned, missing = np.rot90(image, turn), np.rot90(hole, turn)
        filled = _filled("total-variation", np.where(missing[..., None], 0, turned), missing)
        np.testing.assert_allclose(filled, 1, atol=1e-6)


@pytest.mark.parametrize("name", FILLS)
def test_all_but_a_pixel_missing_is_filled_too(name: str) -> None:
    image = np.zeros((12, 11, 3))
    hole = np.ones((12, 11), bool)
    hole[4, 7] = False
    image[4, 7] = (0.2, 0.4, 0.6)
    filled = _filled(name, image, hole)
    assert np.isfinite(filled).all()
    if name in OF_ONE_COLOUR:
        np.testing.assert_allclose(
            filled, np.broadcast_to(image[4, 7], filled.shape), atol=OPENCV_DRIFT
        )


def test_what_stands_in_the_hole_does_not_matter() -> None:
    image, hole = _image()
    other = np.where(hole[..., None], 0.7, image)
    for name in FILLS:
        assert np.array_equal(_filled(name, other, hole), _filled(name, image, hole)), name


@pytest.mark.parametrize("name", FILLS)
def test_a_loaded_fill_imports_nothing_more_when_it_runs(name: str) -> None:
    code = f"""
import sys
import numpy as np
from dip.fills import FILLS
masked, mask = np.ones((3, 8, 8)), np.eye(8)[None]
FILLS[{name!r}].load()
before = set(sys.modules)
FILLS[{name!r}].restore(masked, mask)
print(sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_fill_whose_package_is_missing_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.ndimage", None)
    with pytest.raises(
        InputError,
        match=r"'nearest' needs the package 'scipy.*'; the extra `fills` of dip-bench has it",
    ):
        _filled("nearest", *_image())


def _free(monkeypatch: pytest.MonkeyPatch, free: float | None) -> None:
    monkeypatch.setattr("dip.fills.fill.free_bytes", lambda: free)


def test_a_hole_for_which_the_memory_does_not_suffice_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def memory(hole: np.ndarray, channels: int, _: Any) -> float:
        asked.append((hole.shape, hole.dtype, int(hole.sum()), channels))
        return 5 * 2**30

    fill = replace(FILLS["mean"], memory=memory)
    image, _ = _image()
    hole = np.zeros((20, 24), bool)
    hole[:, :20] = True
    masked, mask = image.transpose(2, 0, 1), (~hole).astype(np.uint8)[None]
    _free(monkeypatch, 1.5 * 2**30)
    with pytest.raises(
        InputError,
        match=r"^the fill 'mean' needs about 5\.0 GiB of memory for a hole of 400 pixels, and"
        r" 1\.5 GiB are free; use a smaller image or another fill$",
    ):
        fill.restore(masked, mask)
    assert asked == [((20, 24), np.dtype(bool), 400, 3)]
    for enough in (6 * 2**30, None):  # None: where nobody knows
        _free(monkeypatch, enough)
        fill.restore(masked, mask)


def test_a_fill_that_needs_little_beside_the_image_is_never_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _free(monkeypatch, 0)
    _filled("mean", *_image())


@pytest.mark.parametrize("name", [name for name, fill in FILLS.items() if fill.memory is not None])
def test_an_estimate_of_memory_grows_with_the_hole(name: str) -> None:
    estimate = FILLS[name].memory
    assert estimate is not None
    holes = [np.zeros((64, 64), bool) for _ in range(4)]
    for hole, side in zip(holes, (1, 16, 32, 60), strict=True):
        hole[2 : 2 + side, 2 : 2 + side] = True
    needed = [estimate(hole, 3, FILLS[name].options) for hole in holes]
    assert needed == sorted(needed)
    assert 0 <= needed[0] <= needed[-1] < 2**32


@pytest.mark.parametrize("name", ["total-variation", "plug-and-play", "exemplar", "patch-gaussian"])
def test_a_fill_that_begins_with_the_harmonic_one_needs_as_much_memory(name: str) -> None:
    hole = np.random.RandomState(0).rand(512, 512) < 0.9
    least, own = FILLS["harmonic"].memory, FILLS[name].memory
    assert least is not None
    assert own is not None
    options = FILLS[name].options
    assert own(hole, 3, options) >= least(hole, 3, FILLS["harmonic"].options)


def test_larger_patches_need_more_memory() -> None:
    hole = np.ones((256, 256), bool)
    for name in ("exemplar", "patch-gaussian"):
        small, large = (FILLS[name].with_settings({"patch": side}) for side in (5, 15))
        assert small.memory is not None
        assert small.memory(hole, 3, small.options) < small.memory(hole, 3, large.options)


def test_noise_that_would_grow_is_refused() -> None:
    with pytest.raises(InputError, match="last_sigma 30 is above first_sigma 20; the noise falls"):
        FILLS["plug-and-play"].with_settings({"last_sigma": 30})


@pytest.mark.parametrize("name", FILLS)
def test_without_a_hole_the_image_is_the_answer(name: str) -> None:
    image, _ = _image()
    assert np.array_equal(_filled(name, image, np.zeros((20, 24), bool)), image)


@pytest.mark.parametrize("name", FILLS)
def test_a_hole_that_leaves_nothing_is_refused(name: str) -> None:
    image, _ = _image()
    with pytest.raises(InputError, match=f"'{name}' has nothing to go by: all pixels are missing"):
        _filled(name, image, np.ones((20, 24), bool))


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("size", [(20, 24), (65, 65), (33, 50)])
def test_one_colour_stays_one_colour(name: str, size: tuple[int, int]) -> None:
    """Whatever the size of the image: some fills work in blocks of 16 pixels."""
    hole = np.random.RandomState(1).rand(*size) < 0.5
    hole[-4:-1, -4:-1] = True
    image = np.broadcast_to(np.array([0.8, 0.2, 0.4]), (*size, 3))
    filled = _filled(name, np.where(hole[..., None], 0, image), hole)
    np.testing.assert_allclose(filled, image, atol=OPENCV_DRIFT)


@pytest.mark.parametrize("name", [name for name, fill in FILLS.items() if fill.has_progress])
def test_progress_goes_up_until_the_fill_ends(name: str) -> None:
    """Which may be early, as when an iteration changes nothing any more."""
    image, hole = _image()
    shares: list[float] = []
    masked, mask = image.transpose(2, 0, 1), (~hole).astype(np.uint8)[None]
    FILLS[name].restore(masked, mask, 0, shares.append)
    assert shares == sorted(shares)
    assert 0 < shares[0] <= shares[-1] <= 1
