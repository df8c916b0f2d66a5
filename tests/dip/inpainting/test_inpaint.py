"""`dip.inpaint`: a picture or an array with a hole comes back restored, and otherwise as it was."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps
from support.blocks import read_every

import dip
from datasets import load_images
from dip.inpainting import fill as filling
from dip.inpainting import resume as saving_states
from dip.inpainting.files.photo import Photo
from dip.inpainting.fill import FailedFitError, Filled, Moment, fill
from dip.inpainting.plan import Plan, make_plan
from dip.inpainting.request import make_request
from dip.inpainting.resume import Saved

pytestmark = pytest.mark.usefixtures("one_thread")

NARROW = {
    "architecture.channels": [4, 4],
    "architecture.skip_channels": [0, 0],
    "input.channels": 4,
}
MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "YCbCr", "CMYK", "I;16", "I", "F"]


def _picture(values: NDArray[np.uint8], mode: str) -> Image.Image:
    """Of (H, W, 4) random numbers."""
    height, width, _ = values.shape
    if mode == "I;16":
        return Image.fromarray(values.view(np.uint16)[..., 0].copy())
    if mode in ("I", "F"):
        return Image.fromarray(values[..., 0].astype({"I": np.int32, "F": np.float32}[mode]))
    if mode in ("CMYK", "YCbCr"):
        bands = values if mode == "CMYK" else values[..., :3]
        return Image.frombytes(mode, (width, height), bands.tobytes())
    if mode in ("LA", "RGBA"):
        return Image.fromarray(values[..., : len(mode)].copy())
    return Image.fromarray(values[..., :3].copy()).convert(mode)


def _as_stored(shown: NDArray[np.bool_], orientation: int) -> NDArray[np.bool_]:
    """A mask turned as the photo's file is, by Pillow."""
    picture = Image.fromarray(shown.astype(np.uint8) * 255)
    # Each turn undoes itself, but for the two quarter turns, which undo each other.
    picture.getexif()[ExifTags.Base.Orientation] = {6: 8, 8: 6}.get(orientation, orientation)
    return np.asarray(ImageOps.exif_transpose(picture)) > 0


@given(
    mode=st.sampled_from(MODES),
    orientation=st.integers(1, 8),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)).filter(lambda size: size != (1, 1)),
    draws=st.integers(0, 2**32),
    share=st.sampled_from([0.01, 0.3, 0.97]),
    max_side=st.sampled_from([16, 320]),
)
@settings(max_examples=60, deadline=None)
def test_known_pixels_keep_their_bytes(
    mode: str, orientation: int, size: tuple[int, int], draws: int, share: float, max_side: int
) -> None:
    """Of any picture, for any mask; size, mode, alpha and whatever else it says stay, too."""
    draw = np.random.default_rng(draws)
    picture = _picture(draw.integers(0, 256, (*size, 4), dtype=np.uint8), mode)
    picture.info["comment"] = "kept"
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    known = draw.random(size[::-1] if orientation > 4 else size) >= share
    known.flat[0], known.flat[-1] = True, False
    said = {"hole_is_black": True, "max_side": max_side}
    result = dip.inpaint(picture, known, settings=NARROW, iterations=2, **said)
    assert (result.mode, result.size, result.info) == (mode, picture.size, picture.info)
    before, after = np.array(picture), np.array(result)
    stored = _as_stored(known, orientation)
    np.testing.assert_array_equal(before[stored], after[stored])
    if mode in ("LA", "RGBA"):
        np.testing.assert_array_equal(before[..., -1], after[..., -1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_an_array_comes_back_as_one(dtype: Any, channels: int | None) -> None:
    draw = np.random.default_rng(0)
    image = draw.integers(0, 200, (30, 40) if channels is None else (30, 40, channels))
    image = image.astype(dtype)
    before = image.copy()
    known = np.ones((30, 40), bool)
    known[10:15, 10:20] = False
    result = dip.inpaint(image, known, settings=NARROW, iterations=2)
    assert (result.dtype, result.shape) == (image.dtype, image.shape)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(result[known], image[known])
    assert (result[~known] != image[~known]).any()
    if channels in (2, 4):
        np.testing.assert_array_equal(result[..., -1], image[..., -1])


@pytest.mark.parametrize("white", [True, 1, 255, 1.0, 255.0, 65535, np.int64(255)])
def test_masks_of_any_type_say_the_same(white: Any) -> None:
    image = np.random.default_rng(0).integers(0, 256, (24, 24), dtype=np.uint8)
    known = np.ones((24, 24), bool)
    known[8:12, 8:12] = False
    dtype = np.uint8 if type(white) is int and white < 256 else np.asarray(white).dtype
    how: dict[str, Any] = {"settings": NARROW, "iterations": 2}
    expected = dip.inpaint(image, known, **how)
    mask = np.where(known, white, 0).astype(dtype)
    np.testing.assert_array_equal(dip.inpaint(image, mask, **how), expected)
    np.testing.assert_array_equal(dip.inpaint(image, mask[..., None], **how), expected)
    picture = Image.fromarray(known)
    np.testing.assert_array_equal(dip.inpaint(image, picture, **how), expected)


def test_what_is_in_the_hole_has_no_influence() -> None:
    draw = np.random.default_rng(0)
    image = draw.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    known = np.ones((40, 40), bool)
    known[10:20, 10:20] = False
    other = image.copy()
    other[~known] = 255 - other[~known]
    how: dict[str, Any] = {"settings": NARROW, "iterations": 5}
    np.testing.assert_array_equal(
        dip.inpaint(image, known, **how), dip.inpaint(other, known, **how)
    )
    of_floats = [each.astype(np.float32) * 3 - 100 for each in (image, other)]
    first, second = (dip.inpaint(each, known, **how) for each in of_floats)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf, 1e38])
def test_missing_data_may_be_marked_by_what_is_no_number(missing: float) -> None:
    image = np.random.default_rng(0).random((40, 40, 3), dtype=np.float32)
    known = np.ones((40, 40), bool)
    known[10:20, 10:20] = False
    marked = image.copy()
    marked[~known] = missing
    how: dict[str, Any] = {"settings": NARROW, "iterations": 5}
    np.testing.assert_array_equal(
        dip.inpaint(image, known, **how), dip.inpaint(marked, known, **how)
    )
    grey, marked_grey = (Image.fromarray(each[..., 0]) for each in (image, marked))
    first, second = (dip.inpaint(each, known, **how) for each in (grey, marked_grey))
    np.testing.assert_array_equal(np.asarray(first), np.asarray(second))


def test_colours_below_full_transparency_are_not_learned_from() -> None:
    draw = np.random.default_rng(0)
    image = draw.integers(0, 256, (40, 40, 4), dtype=np.uint8)
    image[..., 3] = 255
    image[:, 25:, 3] = 0
    known = np.ones((40, 40), bool)
    known[10:20, 10:20] = False
    other = image.copy()
    other[:, 25:, :3] = 7
    first, second = (
        dip.inpaint(each, known, settings=NARROW, iterations=5) for each in (image, other)
    )
    np.testing.assert_array_equal(first[~known], second[~known])
    assert (second[:, 25:, :3] == 7).all()


@pytest.mark.parametrize(
    ("image", "mask", "how", "message"),
    [
        ("photo.png", np.ones((4, 4)), {}, "a PIL picture or a numpy array, not str"),
        (np.zeros((4, 4, 5), np.uint8), np.ones((4, 4)), {}, "(H, W) or (H, W, 1 to 4), not"),
        (np.zeros((4, 4), bool), np.ones((4, 4)), {}, "integers or floats, not bool"),
        (np.full((4, 4), np.nan), 1 - np.eye(4), {}, "no numbers (nan or infinite)"),
        (np.zeros((4, 4)), np.ones((4, 5)), {}, "the mask: 5x4 pixels, but the photo as it is"),
        (np.zeros((4, 4)), np.ones(4), {}, "an array is (H, W) or (H, W, C), not (4,)"),
        (np.zeros((4, 4)), np.ones((4, 4)), {}, "the mask: no pixel is in the hole"),
        (np.zeros((4, 4)), np.zeros((4, 4)), {}, "every pixel is in the hole"),
        (np.zeros((4, 4)), np.full((4, 4), "x"), {}, "values of type <U1, not numbers or bool"),
        (np.zeros((4, 4)), np.eye(4), {"preset": "foto"}, "Did you mean 'photo'?"),
        (np.zeros((4, 4)), np.eye(4), {"stop": "es-wm"}, "Did you mean 'es-wmv'?"),
        (np.zeros((4, 4)), np.eye(4), {"iterations": "2"}, "`iterations`: a whole number, at"),
        (np.zeros((4, 4)), np.eye(4), {"seed": 1.5}, "`seed`: a whole number from 0 to 2^63"),
        (np.zeros((4, 4)), np.eye(4), {"stop": None}, "`stop` None: a rule's name, as es-wmv"),
        (np.zeros((4, 4)), np.eye(4), {"device": None}, "`device` None: use auto, cpu, cuda"),
        (np.zeros((4, 4), np.int64), np.eye(4), {}, "at most 32 bits of them, not int64"),
        (np.zeros((4, 4)), np.eye(4) * 1j, {}, "values of type complex128, not numbers"),
        (np.zeros((4, 4)), -np.eye(4), {}, "the mask: has negative or non-finite values"),
        (np.zeros((4, 4)), np.ones((4, 4, 0)), {}, "(H, W) or (H, W, C), not (4, 4, 0)"),
        (np.zeros((4, 4)), np.eye(4) * 1e6, {}, "up to 1000000.0; white is 1, 255 or 65535"),
        (
            np.zeros((4, 4)),
            np.eye(4),
            {"max_side": 8},
            "`max_side`: a whole number, at least 16, not 8",
        ),
        (Image.new("HSV", (4, 4)), np.eye(4), {}, "the image: its mode is HSV; convert it"),
    ],
)
def test_what_does_not_fit_is_refused(
    image: Any, mask: NDArray[Any], how: dict[str, Any], message: str
) -> None:
    with pytest.raises(dip.InputError) as refused:
        dip.inpaint(image, mask, **how)
    assert message in str(refused.value)


def test_a_fit_that_fails_says_so() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    known = np.ones((40, 40), bool)
    known[10:20, 10:20] = False
    astray = {**NARROW, "learning_rate": 1e4}
    with pytest.raises(
        FailedFitError, match="the fit failed: .* since iteration .*; another seed or"
    ):
        dip.inpaint(image, known, settings=astray, iterations=100, stop="none")


def test_a_photo_is_restored_better_than_by_its_mean() -> None:
    """With the preset that photos get by default: hole PSNR against the mean of what is known."""
    (eye,) = load_images("scikit-image", ["retina"], size=96)
    image = np.ascontiguousarray(eye.pixels.transpose(1, 2, 0))
    known = np.ones((96, 96), bool)
    known[40:56, 30:54] = False
    restored = dip.inpaint(image, known, iterations=60)

    def psnr(filled: NDArray[Any]) -> float:
        squared = (filled[~known].astype(float) - image[~known]) ** 2
        return float(-10 * np.log10(squared.mean() / 255**2))

    mean = np.where(known[..., None], image, image[known].mean(axis=0))
    assert psnr(restored) > psnr(mean) + 5  # 8.8 when this was written


def test_a_smooth_part_of_a_photo_gets_no_colour_of_its_own() -> None:
    """On one colour with a little grain, where a network that may draw any colour draws blobs."""
    draw = np.random.default_rng(0)
    image = (np.array([230, 145, 50]) + draw.integers(-4, 5, (64, 64, 3))).astype(np.uint8)
    known = np.ones((64, 64), bool)
    known[22:42, 22:42] = False
    restored = dip.inpaint(image, known, iterations=60, stop="none").astype(int)
    apart = np.abs(restored - [230, 145, 50]).max()
    assert apart <= 12  # 4 when this was written, 35 without the stretching


# States


def _plan(*, transparent: bool = False, **how: Any) -> Plan:
    """Of two holes that are fitted apart; transparent: one before them is not to be seen."""
    colours = np.random.default_rng(0).integers(0, 256, (40, 500, 3), dtype=np.uint8)
    hole = np.zeros((40, 500), bool)
    hole[10:20, 210:220] = hole[10:20, 480:490] = True
    visible = ~np.zeros_like(hole)
    if transparent:
        hole[5:9, 5:9] = True
        visible[:, :100] = False
    usual = dict.fromkeys(["context", "max_side"], None) | {"seed": 0, "device": "cpu"}
    usual |= {"preset": "photo", "settings": NARROW, "iterations": 12, "stop": "es-wmv[window=4]"}
    how = usual | how
    plan = make_plan(Photo(colours, visible, "RGB"), hole, make_request(**how))
    assert len(plan.places) == 2 + transparent
    return plan


def _fill(plan: Plan, saved: Saved | None = None, dies_at: Any = None) -> NDArray[Any]:
    def look(moment: Moment) -> None:
        if (moment.hole, moment.iteration) == dies_at:
            raise KeyboardInterrupt

    colours, _ = fill(plan, look, saved=saved)
    return colours


def test_it_goes_on_as_if_it_had_never_stopped(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it dies: from the last state that was written, to the same bytes."""
    monkeypatch.setattr(saving_states, "EVERY_SECONDS", 0)
    plan, notes = _plan(transparent=True), list[str]()
    whole = _fill(plan)
    for hole, iteration in ((2, 2), (2, 12), (3, 1), (3, 9)):
        path = tmp_path / f"state-{hole}-{iteration}"
        with pytest.raises(KeyboardInterrupt):
            _fill(plan, Saved(path, plan, notes.append), (hole, iteration))
        assert path.exists()
        again = Saved(path, plan, notes.append, resume=True)
        assert len(again.outputs) == hole - 1
        np.testing.assert_array_equal(_fill(plan, again), whole)
    assert notes == []


def test_an_interrupted_fit_is_filled_with_its_best_and_those_after_it_smoothly(
    tmp_path: Any,
) -> None:
    plan = _plan()
    asked = iter([False, False, False, True])  # before the first fit, and at each iteration
    saved = Saved(tmp_path / "state", plan, print)
    colours, ends = fill(plan, should_stop=lambda: next(asked, True), saved=saved)
    assert [(end.ended_at, end.why) for end in ends] == [(3, "interrupted"), (0, "not fitted")]
    before, second = plan.photo.colours, colours[10:20, 480:490].astype(int)
    assert (colours[10:20, 210:220] != before[10:20, 210:220]).any()
    edge = [before[9, 480:490], before[20, 480:490], before[10:20, 479], before[10:20, 490]]
    assert np.concatenate(edge).min() <= second.min() <= second.max() <= np.concatenate(edge).max()
    again = Saved(tmp_path / "state", plan, print, resume=True)
    np.testing.assert_array_equal(_fill(plan, again), _fill(plan))


def test_a_hole_whose_fit_fails_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = filling._fitted

    def failing(plan: Plan, patch: Any, number: int, *others: Any) -> Any:
        if number == 1:
            raise FailedFitError("the fit failed")
        return fitted(plan, patch, number, *others)

    plan = _plan()
    whole = _fill(plan)
    monkeypatch.setattr(filling, "_fitted", failing)
    colours, ends = fill(plan)
    assert [end.why for end in ends] == ["failed", "iterations"]
    np.testing.assert_array_equal(colours[:, 350:], whole[:, 350:])
    assert (colours[10:20, 210:220] != whole[10:20, 210:220]).any()


def test_a_fit_that_diverges_without_a_rule_keeps_the_average_of_before() -> None:
    """Here a schedule blows it up after 60 good iterations."""
    astray = {"schedule.factor": 1e9, "schedule.every": 60}
    plan = _plan(stop="none", iterations=300, settings={**NARROW, **astray})
    _, ends = fill(plan)
    assert [end.why for end in ends] == ["diverged", "diverged"]
    assert all(25 <= end.iteration <= 61 for end in ends)


def test_how_often_a_fit_is_looked_at_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU it is at every 25th iteration, the last one among them."""
    seen: list[int] = []
    plan = _plan(iterations=60, stop="none")
    expected = _fill(plan)
    read_every(monkeypatch, 25)
    colours, _ = fill(plan, lambda moment: seen.append(moment.iteration))
    assert seen == [25, 50, 60] * 2
    np.testing.assert_array_equal(colours, expected)


@pytest.mark.parametrize("name", dip.preset_names())
@pytest.mark.parametrize("channels", [1, 4])
def test_every_preset_restores_any_photo(name: str, channels: int) -> None:
    """Also one that is smaller than what its network needs."""
    image = np.random.default_rng(0).integers(0, 256, (20, 33, channels), dtype=np.uint8)
    picture = Image.frombytes("CMYK", (33, 20), image.tobytes()) if channels == 4 else image
    known = np.ones((20, 33), bool)
    known[5:9, 5:9] = False
    result: Any = dip.inpaint(picture, known, preset=name, iterations=1, max_side=16)  # type: ignore[type-var]
    assert (np.asarray(result)[known] == image[known]).all()


def test_a_longer_bound_goes_on_too(tmp_path: Any) -> None:
    short, long = _plan(iterations=5), _plan(iterations=12)
    asked = iter([False, False, False, False, True])
    saved = Saved(tmp_path / "state", short, print)
    fill(short, should_stop=lambda: next(asked, True), saved=saved)
    again = Saved(tmp_path / "state", long, print, resume=True)
    np.testing.assert_array_equal(_fill(long, again), _fill(long))


def test_a_state_that_cannot_be_written_is_no_reason_to_end(tmp_path: Any) -> None:
    plan, notes = _plan(), []
    saved = Saved(tmp_path / "gone" / "state", plan, notes.append)
    saved.write(None)
    saved.write(None)
    assert len(notes) == 1
    assert "the state cannot be written" in notes[0]


@pytest.mark.parametrize("stop", ["held-out[patience=3]", "es-wmv[window=4,patience=3]"])
def test_a_rule_ends_the_fit(stop: str) -> None:
    plan = _plan(stop=stop, iterations=500, settings={**NARROW, "held_out": 0.1})
    _, ends = fill(plan)
    assert all(_ended_by_rule(end, patience=3) for end in ends)


def _ended_by_rule(end: Filled, patience: int) -> bool:
    return end.why == "rule" and end.ended_at == end.iteration + patience < 500


@pytest.mark.parametrize(
    ("dtype", "largest", "opaque"),
    [
        (np.uint8, 200, 255),
        (np.uint16, 200, 65535),
        (np.int8, 100, 127),
        (np.float32, 200, 255),
        (np.float32, 0.4, 1),
    ],
)
def test_the_transparency_of_an_array_is_a_hole(dtype: Any, largest: float, opaque: int) -> None:
    """And what fills it is as opaque as can be."""
    draw = np.random.default_rng(0)
    image = draw.uniform(largest / 100, largest, (30, 40, 4)).astype(dtype)
    image[10:14, 12:20, 3] = 0
    result = dip.inpaint(image, hole_is_transparent=True, settings=NARROW, iterations=2)
    seen = image[..., 3] > 0
    np.testing.assert_array_equal(result[seen], image[seen])
    assert (result[..., 3][~seen] == opaque).all()
    assert (result[~seen] != image[~seen]).any()
    with pytest.raises(dip.InputError, match="the hole: give a mask, or `hole_is_transparent`"):
        dip.inpaint(image)


def test_where_too_few_pixels_are_known_none_is_held_out() -> None:
    image = np.zeros((8, 8), np.uint8)
    known = np.zeros((8, 8), bool)
    known[0, 0] = True
    image[0, 0] = 200
    result = dip.inpaint(image, known, settings=NARROW, iterations=2, hole_is_black=True)
    assert result[0, 0] == 200
