"""Holes: the same on every machine, as large as asked for, and refused in one line."""

import hashlib
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from pydantic.fields import FieldInfo
from support.holes import GOLDEN, black, missing

from datasets import MASKS, DatasetError, Image, make_mask, parse_mask
from datasets.masks.base import Drawn, missing_pixels
from datasets.masks.pieces import Boxes
from datasets.masks.scattered import Bernoulli

GIVEN = ("own", "file")
DRAWN = [kind for kind in MASKS if kind not in GIVEN]
STEERED = [kind for kind, mask in MASKS.items() if "hole_fraction" in mask.model_fields]
RANDOM = [kind for kind in STEERED if issubclass(MASKS[kind], Drawn)]


@pytest.mark.parametrize(("entry", "sha256"), GOLDEN, ids=str)
def test_holes_are_the_same_on_every_machine(entry: Any, sha256: str) -> None:
    known = make_mask(parse_mask(entry), black(64, 96, name="astronaut"))
    assert hashlib.sha256(known.tobytes()).hexdigest() == sha256


def _choices(field: FieldInfo) -> list[str]:
    return [choice for choice in get_args(field.annotation) if isinstance(choice, str)]


@pytest.mark.parametrize("kind", DRAWN)
def test_every_kind_and_choice_has_a_golden_hash(kind: str) -> None:
    drawn = [mask for mask in (parse_mask(entry) for entry, _ in GOLDEN) if mask.kind == kind]
    module = MASKS[kind].__module__.rpartition(".")[2]
    add = f"add {{}} of '{kind}' to GOLDEN in tests/support/holes/{module}.py"
    assert drawn, add.format("a golden hash")
    for name, field in MASKS[kind].model_fields.items():
        untested = {*_choices(field)} - {getattr(mask, name) for mask in drawn}
        assert not untested, add.format(f"{name} {', '.join(sorted(untested))}")
    if kind in STEERED:
        has_fraction = any(getattr(mask, "hole_fraction", None) for mask in drawn)
        assert has_fraction, add.format("a hole_fraction")


def _needed(kind: str) -> dict[str, Any]:
    return {name: 9 for name, field in MASKS[kind].model_fields.items() if field.is_required()}


def _settings(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Random values of all required settings of a kind."""
    drawn: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in MASKS[kind].model_fields.items():
        if choices := _choices(field):
            drawn[name] = st.sampled_from(choices)
        elif field.annotation is float:
            drawn[name] = st.floats(0.05, 0.95)
        elif name == "seed":
            drawn[name] = st.integers(0, 2**32)
        elif field.annotation is int or name == MASKS[kind].amount:
            least = next((bound.ge for bound in field.metadata if hasattr(bound, "ge")), 1)
            drawn[name] = st.integers(least, 20)
    return st.fixed_dictionaries(drawn)


sides = {"height": st.integers(32, 100), "width": st.integers(32, 150)}


@pytest.mark.parametrize("kind", DRAWN)
@given(data=st.data(), **sides)
@settings(deadline=None, max_examples=60)
def test_a_mask_is_binary_with_known_and_missing_pixels(
    kind: str, data: st.DataObject, height: int, width: int
) -> None:
    entry = {kind: data.draw(_settings(kind))}
    image = black(height, width)
    known = make_mask(parse_mask(entry), image)
    assert known.shape == (1, height, width)
    assert known.dtype == np.uint8
    assert set(np.unique(known)) == {0, 1}
    assert np.array_equal(known, make_mask(parse_mask(entry), image))


@pytest.mark.parametrize("kind", STEERED)
@given(data=st.data(), low=st.floats(0.01, 0.8), span=st.floats(0.02, 0.15), **sides)
@settings(deadline=None, max_examples=60)
def test_the_share_that_is_asked_for_is_met(
    kind: str, data: st.DataObject, low: float, span: float, height: int, width: int
) -> None:
    entry = data.draw(_settings(kind)) | {"hole_fraction": [low, low + span]}
    entry.pop(MASKS[kind].amount, None)
    assert low <= missing({kind: entry}, height, width).mean() <= low + span


def test_shares_are_spread_over_their_range() -> None:
    """They would all lie at one end if drawing stopped at the first share in the range."""
    for kind in RANDOM:
        settings_ = {**_needed(kind), "hole_fraction": [0.2, 0.4]}
        shares = [missing({kind: {**settings_, "seed": seed}}).mean() for seed in range(40)]
        assert min(shares) < 0.25
        assert max(shares) > 0.35


def test_a_range_of_one_number_of_pixels_is_met_exactly() -> None:
    for kind in RANDOM:
        entry = {kind: {**_needed(kind), "hole_fraction": [0.25, 0.25]}}
        assert missing(entry).sum() == 64 * 96 // 4


@pytest.mark.parametrize("pixels", [(100, 100), (64, 96), (37, 53)])
def test_every_number_of_pixels_can_be_asked_for(pixels: tuple[int, int]) -> None:
    """Rounding of the fraction does not change the number of pixels."""
    total = pixels[0] * pixels[1]
    for wanted in range(1, total, 7):
        share = wanted / total
        assert missing_pixels(parse_mask("blobs"), (share, share), *pixels) == (wanted, wanted)


def test_a_name_is_the_same_however_its_accents_are_written() -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"  # as Linux and macOS keep the same file
    masks = [make_mask(Bernoulli(), black(40, 40, name)) for name in (composed, apart)]
    assert np.array_equal(*masks)


def test_a_hole_depends_on_image_settings_and_seed_only() -> None:
    base = make_mask(Bernoulli(), black(40, 40))
    assert not np.array_equal(base, make_mask(Bernoulli(seed=1), black(40, 40)))
    assert not np.array_equal(base, make_mask(Bernoulli(), black(40, 40, name="y")))
    np.random.seed(3)
    assert np.array_equal(base, make_mask(Bernoulli(), black(40, 40)))


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"boxes": {"count": 1, "side": 33}}, r"boxes.side: 33 pixels do not fit .* 40x32"),
        ({"bernoulli": {"missing": 1e-9}}, "no hole in 'x'"),
        ({"lines": {"every": 99}}, "no hole in 'x'"),
        ({"text": {"dot": 4}}, "text.dot: letters of 36 pixels are higher than the image, 32"),
        ({"blobs": {"hole_fraction": [0.5001, 0.5002]}}, "no number of pixels of 40x32 is a share"),
        ("own", "own: its set has no hole for 'x'"),
    ],
    ids=str,
)
def test_holes_that_do_not_fit_are_refused(entry: Any, match: str) -> None:
    with pytest.raises(DatasetError, match=match):
        make_mask(parse_mask(entry), black(32, 40))


def test_a_hole_that_leaves_nothing_known_is_refused() -> None:
    with pytest.raises(DatasetError, match="leaves no known pixel in 'x'"):
        make_mask(Boxes(count=1, side=32), black(32, 32))
    with pytest.raises(DatasetError, match="leaves no known pixel in 'x'"):
        make_mask(parse_mask({"bernoulli": {"seed": 2}}), black(1, 1))
    with pytest.raises(DatasetError, match="an image of 1x1 pixels is too small for them"):
        make_mask(parse_mask("strokes"), black(1, 1))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (3, "a hole is one name with its settings"),
        ({"blobs": {}, "half": {}}, "a hole is one name with its settings"),
        ("blob", "unknown hole 'blob'. Did you mean 'blobs'?"),
        ({"blobs": [1]}, "blobs: settings are 'key: value' pairs"),
        ({"boxes": {"cout": 3}}, "boxes: unknown key 'cout'. Did you mean 'count'?"),
        ({"boxes": {"side": 3}}, "boxes: needs count, or hole_fraction"),
        ({"boxes": {"count": 3}}, "boxes.side: Field required"),
        ({"bernoulli": {"missing": 1}}, "bernoulli.missing: Input should be less than 1, not 1"),
        (
            {"bernoulli": {"missing": 0.5, "hole_fraction": [0.1, 0.2]}},
            "bernoulli: hole_fraction and missing exclude each other",
        ),
        ({"blobs": {"hole_fraction": 0.2}}, "blobs.hole_fraction: is two shares"),
        ({"blobs": {"hole_fraction": [0.3, 0.2]}}, "goes from a share to a larger one"),
        ({"blobs": {"hole_fraction": [0.3, "b"]}}, "blobs.hole_fraction"),
        ({"half": {"hole_fraction": [0.4, 0.5]}}, "half: its share of missing pixels cannot be"),
        ({"strokes": {"brush": "wide"}}, "strokes.brush: Input should be 'thin', 'medium'"),
        ({"lines": {"every": 1}}, "lines.every"),
        ({"blobs": {"hole_fraction": [0, 0]}}, "blobs.hole_fraction: would leave no hole"),
        ({"blobs": {"hole_fraction": [1, 1]}}, "would leave nothing known"),
        ({"blobs": {"missing": "0.1"}}, "blobs.missing: Input should be a valid number"),
        ({"blobs": {"hole_fraction": [True, True]}}, "blobs.hole_fraction"),
        ({"checkerboard": {"side": 10**20}}, "checkerboard.side: "),
        ({"boxes": {"side": 3, "count": 10**9}}, "boxes.count: "),
    ],
    ids=str,
)
def test_settings_that_are_wrong_are_named(entry: Any, message: str) -> None:
    with pytest.raises(DatasetError) as caught:
        parse_mask(entry)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_labels_name_what_was_given() -> None:
    assert Bernoulli(missing=0.5).label == "bernoulli[missing=0.5]"
    assert Boxes(side=12, count=3, seed=2).label == "boxes[count=3,side=12,seed=2]"
    assert Bernoulli().label == "bernoulli"
    assert Bernoulli(seed=1234567).label == "bernoulli[seed=1234567]"
    steered = parse_mask({"strokes": {"hole_fraction": [0.1, 0.25], "brush": "thin"}})
    assert steered.label == "strokes[brush=thin,hole_fraction=0.1-0.25]"
    without = parse_mask({"boxes": {"side": 3, "count": None, "hole_fraction": [0.1, 0.2]}})
    assert without.label == "boxes[side=3,hole_fraction=0.1-0.2]"
    from_file = parse_mask({"file": {"path": "a/b.png", "hole": "white"}})
    assert from_file.label == from_file.within(Path("/suites")).label
    assert from_file.label == "file[path=a/b.png,hole=white]"


def test_a_hole_from_a_file_or_a_folder(tmp_path: Path) -> None:
    missing = np.zeros((32, 40), bool)
    missing[5:9, 3:30] = True
    Pillow.fromarray(~missing).save(tmp_path / "mask.png")
    (tmp_path / "masks").mkdir()
    Pillow.fromarray(missing).convert("RGB").save(tmp_path / "masks" / "x.png")
    for settings_ in ({"path": "mask.png"}, {"path": "masks", "hole": "white"}):
        mask = parse_mask({"file": settings_}).within(tmp_path)
        assert np.array_equal(make_mask(mask, black(32, 40))[0] == 0, missing)

    def refused(path: str, match: str, image: Image) -> None:
        with pytest.raises(DatasetError, match=match):
            make_mask(parse_mask({"file": {"path": path}}).within(tmp_path), image)

    refused("masks", "masks holds no mask for 'y'; it takes one picture", black(32, 40, "y"))
    refused("mask.png", "the mask has 40x32 pixels, 'x' 41x32; they must be", black(32, 41))
    refused(
        "masks", "91.6 % of the photo the hole, .*; add hole: white or hole: black", black(32, 40)
    )
    most = parse_mask({"file": {"path": "masks", "hole": "black"}}).within(tmp_path)
    assert np.array_equal(make_mask(most, black(32, 40))[0] == 0, ~missing)
    refused("none.png", "none.png: there is no such file", black(32, 40))
    Pillow.new("L", (40, 32), 255).save(tmp_path / "full.png")
    refused("full.png", r"file\[path=full.png\]: leaves no hole in 'x'", black(32, 40))
    Pillow.new("L", (40, 32), 0).save(tmp_path / "empty.png")
    refused("empty.png", "leaves no known pixel in 'x'", black(32, 40))
    Pillow.new("L", (40, 32)).save(tmp_path / "masks" / "x.bmp")
    refused("masks", "holds 2 masks for 'x'", black(32, 40))
