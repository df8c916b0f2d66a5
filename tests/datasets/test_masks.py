"""Holes: the same on every machine, as large as asked for, and refused in one line."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow

from datasets import MASKS, DatasetError, Image, make_mask, parse_mask
from datasets.masks import Bernoulli, Boxes
from datasets.masks.base import missing_pixels
from datasets.masks.font import FONT
from datasets.masks.text import WORDS

GIVEN = ("own", "file")
STEERED = [kind for kind, mask in MASKS.items() if "hole_fraction" in mask.model_fields]
NEEDED: dict[str, dict[str, Any]] = {"boxes": {"side": 9}}


def _image(height: int, width: int, name: str = "x") -> Image:
    return Image(name, np.zeros((3, height, width), np.uint8))


def _missing(entry: Any, height: int = 64, width: int = 96) -> NDArray[np.bool_]:
    return make_mask(parse_mask(entry), _image(height, width))[0] == 0


# One of each kind and variant, with the SHA-256 of what it draws for 64x96 pixels of 'astronaut'.
GOLDEN: list[tuple[Any, str]] = [
    (
        {"bernoulli": {"missing": 0.5}},
        "1159f1a39572b07cf8cae4c02d6272c29372c8ba12fec8c7cace9e907894773c",
    ),
    (
        {"bernoulli": {"hole_fraction": [0.1, 0.2]}},
        "daf2bada02fe64ade35b96987ecf18e6dad9ee54f68b63d7a0caf3dc0d197c8f",
    ),
    (
        {"boxes": {"count": 3, "side": 12}},
        "94a28a278cdf3e62d6cad73edb31ec97fbb2f4bfc3d63fd12e986cb8d8c37e91",
    ),
    (
        {"boxes": {"side": 12, "hole_fraction": [0.1, 0.2]}},
        "beded902e052c41f34ed19d7117b1ef037d7c1c244f2177ae8d315d692e7c7be",
    ),
    (
        {"strokes": {"brush": "thin"}},
        "5a009154333489ef626a25ad66b72a641691fb6b12d8381983ddee2c53e39040",
    ),
    (
        {"strokes": {"brush": "medium"}},
        "dcbcf21da3d55c6b6417af816abc0e0fc4cd73b5ee45972f6a4ea42031417723",
    ),
    (
        {"strokes": {"brush": "thick"}},
        "889bc50f9d211d7520a9e0fe8e32ac22aa838b846a34a97f187fc126cd0fdb02",
    ),
    (
        {"strokes": {"brush": "deepfill"}},
        "7e84a6e273c6991f3d15c04ca666480cf2a8a665e35a68a02f2660df1b01f53f",
    ),
    (
        {"strokes": {"brush": "thin", "hole_fraction": [0.5, 0.6]}},
        "ea0a8077d65ca54c418b3b9f95b20e7c2c7c0399b9c89504e72b778e06a4f0ee",
    ),
    (
        {"strokes": {"brush": "deepfill", "hole_fraction": [0.5, 0.6]}},
        "67dbfb802b3c8ddcfdec52fc6a5da66cd860780881617d931fde1af8986a80d2",
    ),
    ("blobs", "a69a9c80a55027515f18f03a8236abf09098872ac1a41d1577175e86a1391daf"),
    (
        {"blobs": {"hole_fraction": [0.1, 0.2], "scale": 0.03}},
        "99e99663698b17256d7f0c2c960ea29f69551f70a8fe58340120a340648278ff",
    ),
    ("text", "50f7d946ad29414a07104001c8b3bdef36ca03fb2f96bc24ff98ce1911a3bfc0"),
    (
        {"text": {"dot": 2, "spacing": 1}},
        "70e5fb4966e715557d3e65d0ddb42f7e0e8b5cd228cbe90ecb6ae3f92a3b5b36",
    ),
    (
        {"text": {"hole_fraction": [0.05, 0.1]}},
        "203f2ac0a3cbd866d6db7402a3248592b4b7abfe7dd25963e31cdb5edd743dd1",
    ),
    ("scratches", "e1d675204ec5ed7212b49f87a0a87f5a2e2c23b5a7a90b65e83e72817e1d70e0"),
    (
        {"scratches": {"width": 3, "hole_fraction": [0.1, 0.2]}},
        "08b82e7d6c533ac7b7e8b970610e833e1aca4ba72f1d5f9a05f3a4850ae9860c",
    ),
    ("centre", "e10ab089854fa33326ae6bb2113a0c19df4a5bb9d510ee8373e106d69c829080"),
    (
        {"centre": {"hole_fraction": [0.1, 0.2]}},
        "ce42525a559dd84b06058ae83d993ed2c9f4341a519de5d22cf27a8408b1048d",
    ),
    (
        {"half": {"where": "left"}},
        "7a8b23b57805fa0136c8237e6c1f4d86cee83c02e769e5396a789e49ffb2b7f5",
    ),
    (
        {"half": {"where": "right"}},
        "d7557db23f62b2b98107a25821603a503fe7035f40acdab5537e5121ff42b805",
    ),
    (
        {"half": {"where": "top"}},
        "9f6b2c6aa2851aaea9323028e7e6f5878ad1c260a099e61966bd14ffb5738d50",
    ),
    (
        {"half": {"where": "bottom"}},
        "d6d4b158a04f9bea75003bf9b6cea3735baf80d97d955e1bba93fa9da3deaf2a",
    ),
    ({"lines": {"every": 2}}, "469c8b1dd09258166dc84372383f874153982d3dbfdea5b2b145b84ec08a530e"),
    (
        {"lines": {"every": 5, "direction": "columns"}},
        "e8eb409601f98d2cfeda2ebf88ced94bbb024ad797b23f5c4a39797ccf188913",
    ),
    ("checkerboard", "2409f56b6d5107d929adbbe404706c981d9e08291fe6c3a62e6508f60f5b27ab"),
]


@pytest.mark.parametrize(("entry", "sha256"), GOLDEN, ids=str)
def test_holes_are_the_same_on_every_machine(entry: Any, sha256: str) -> None:
    known = make_mask(parse_mask(entry), _image(64, 96, name="astronaut"))
    assert hashlib.sha256(known.tobytes()).hexdigest() == sha256


def test_every_kind_and_choice_has_a_golden_hash() -> None:
    drawn = [parse_mask(entry) for entry, _ in GOLDEN]
    assert {mask.kind for mask in drawn} == set(MASKS) - set(GIVEN)
    for field, choices in (
        ("brush", {"thin", "medium", "thick", "deepfill"}),
        ("where", {"left", "right", "top", "bottom"}),
        ("direction", {"rows", "columns"}),
    ):
        assert {getattr(mask, field) for mask in drawn if hasattr(mask, field)} == choices
    assert {mask.kind for mask in drawn if getattr(mask, "hole_fraction", None)} == set(STEERED)


def _entries(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Settings of a kind, drawn at random."""
    seed = draw(st.integers(0, 2**32))
    share = st.floats(0.05, 0.95)
    choices: dict[str, dict[str, Any]] = {
        "bernoulli": {"missing": draw(share), "seed": seed},
        "boxes": {"count": draw(st.integers(1, 9)), "side": draw(st.integers(1, 20)), "seed": seed},
        "strokes": {
            "brush": draw(st.sampled_from(["thin", "medium", "thick", "deepfill"])),
            "seed": seed,
        },
        "blobs": {"missing": draw(share), "scale": draw(st.floats(0.01, 0.5)), "seed": seed},
        "text": {"spacing": draw(st.integers(1, 2)), "seed": seed},
        "scratches": {"count": draw(st.integers(1, 30)), "seed": seed},
        "centre": {"missing": draw(share)},
        "half": {"where": draw(st.sampled_from(["left", "right", "top", "bottom"]))},
        "lines": {
            "every": draw(st.integers(2, 32)),
            "direction": draw(st.sampled_from(["rows", "columns"])),
        },
        "checkerboard": {"side": draw(st.integers(1, 31))},
    }
    return choices[kind]


sides = {"height": st.integers(32, 100), "width": st.integers(32, 150)}


@pytest.mark.parametrize("kind", [kind for kind in MASKS if kind not in GIVEN])
@given(data=st.data(), **sides)
@settings(deadline=None, max_examples=60)
def test_a_mask_is_binary_with_known_and_missing_pixels(
    kind: str, data: st.DataObject, height: int, width: int
) -> None:
    entry = {kind: data.draw(st.composite(_entries)(kind))}
    image = _image(height, width)
    known = make_mask(parse_mask(entry), image)
    assert known.shape == (1, height, width)
    assert known.dtype == np.uint8
    assert set(np.unique(known)) == {0, 1}
    assert np.array_equal(known, make_mask(parse_mask(entry), image))


@pytest.mark.parametrize("kind", STEERED)
@given(
    seed=st.integers(0, 2**32),
    low=st.floats(0.01, 0.8),
    span=st.floats(0.02, 0.15),
    brush=st.sampled_from(["thin", "medium", "thick", "deepfill"]),
    **sides,
)
@settings(deadline=None, max_examples=60)
def test_the_share_that_is_asked_for_is_met(
    kind: str, seed: int, low: float, span: float, brush: str, height: int, width: int
) -> None:
    entry = {**NEEDED.get(kind, {}), "hole_fraction": [low, low + span]}
    entry |= {} if kind == "centre" else {"seed": seed}
    entry |= {"brush": brush} if kind == "strokes" else {}
    assert low <= _missing({kind: entry}, height, width).mean() <= low + span


def test_shares_are_spread_over_their_range() -> None:
    """And do not all lie at one end, as they would if drawing stopped at the first that fits."""
    for kind in set(STEERED) - {"centre"}:
        settings_ = {**NEEDED.get(kind, {}), "hole_fraction": [0.2, 0.4]}
        shares = [_missing({kind: {**settings_, "seed": seed}}).mean() for seed in range(40)]
        assert min(shares) < 0.25
        assert max(shares) > 0.35


def test_a_range_of_one_number_of_pixels_is_met_exactly() -> None:
    for kind in set(STEERED) - {"centre"}:
        entry = {kind: {**NEEDED.get(kind, {}), "hole_fraction": [0.25, 0.25]}}
        assert _missing(entry).sum() == 64 * 96 // 4


@pytest.mark.parametrize("pixels", [(100, 100), (64, 96), (37, 53)])
def test_every_number_of_pixels_can_be_asked_for(pixels: tuple[int, int]) -> None:
    """As the share that it is, whatever the fraction's last digit."""
    total = pixels[0] * pixels[1]
    for missing in range(1, total, 7):
        share = missing / total
        assert missing_pixels(parse_mask("blobs"), (share, share), *pixels) == (missing, missing)


def test_the_centre_has_its_share_on_thin_images_too() -> None:
    """To within the half row by which a rectangle's length is rounded."""
    for height, width in ((1, 100), (3, 100), (100, 1), (5, 400), (200, 33), (64, 96)):
        for entry in ("centre", {"centre": {"missing": 0.6}}):
            missing = _missing(entry, height, width)
            wanted = 0.25 if entry == "centre" else 0.6
            assert abs(missing.mean() - wanted) <= 0.5 / max(height, width)
            assert _missing(entry, width, height).mean() == missing.mean()


def test_a_name_is_the_same_however_its_accents_are_written() -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"  # as Linux and macOS keep the same file
    masks = [make_mask(Bernoulli(), _image(40, 40, name)) for name in (composed, apart)]
    assert np.array_equal(*masks)


def test_bernoulli_misses_the_share_asked_for() -> None:
    # Five standard deviations of a binomial over 90000 pixels.
    share = _missing({"bernoulli": {"missing": 0.3}}, 300, 300).mean()
    assert abs(share - 0.3) < 5 * (0.3 * 0.7 / 90000) ** 0.5


def test_boxes_are_squares_inside_the_image() -> None:
    rows, columns = np.nonzero(_missing({"boxes": {"count": 1, "side": 7}}, 40, 30))
    assert len(rows) == 49
    assert np.ptp(rows) == np.ptp(columns) == 6


def test_the_regular_holes_are_what_they_say() -> None:
    half = _missing({"half": {"where": "top"}}, 40, 30)
    assert half[:20].all()
    assert not half[20:].any()
    lines = _missing({"lines": {"every": 3, "direction": "columns"}}, 40, 30)
    assert np.flatnonzero(lines.all(axis=0)).tolist() == list(range(2, 30, 3))
    assert lines.mean() == 1 / 3
    board = _missing({"checkerboard": {"side": 5}}, 40, 30)
    assert not board[:5, :5].any()
    assert board[:5, 5:10].all()
    assert board[5:10, :5].all()
    centre = _missing({"centre": {"missing": 0.25}}, 40, 60)
    assert centre[10:30, 15:45].all()
    assert centre.sum() == 20 * 30
    assert _missing("blobs", 100, 100).mean() == 0.25


def test_text_can_be_read() -> None:
    """Each letter of the words has a shape of its own, and stands in the hole dot by dot."""
    assert set(WORDS) <= set(FONT)
    assert set(FONT) == set("abcdefghijklmnopqrstuvwxyz ")
    assert len({ink.tobytes() for ink in FONT.values()}) == len(FONT)
    for dot in (1, 2):
        missing = _missing({"text": {"dot": dot}}, 200, 400)
        letter = np.kron(FONT["w"], np.ones((dot, dot), bool))
        windows = np.lib.stride_tricks.sliding_window_view(missing, letter.shape)
        assert (windows == letter).all(axis=(2, 3)).any()


def test_a_hole_depends_on_image_settings_and_seed_only() -> None:
    base = make_mask(Bernoulli(), _image(40, 40))
    assert not np.array_equal(base, make_mask(Bernoulli(seed=1), _image(40, 40)))
    assert not np.array_equal(base, make_mask(Bernoulli(), _image(40, 40, name="y")))
    np.random.seed(3)
    assert np.array_equal(base, make_mask(Bernoulli(), _image(40, 40)))


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
        make_mask(parse_mask(entry), _image(32, 40))


def test_a_rectangle_that_does_not_exist_is_refused() -> None:
    """571 is a prime and longer than the image."""
    share = 571 / (31 * 37)
    with pytest.raises(DatasetError, match="no rectangle inside 37x31 pixels has that share"):
        _missing({"centre": {"hole_fraction": [share - 1e-6, share + 1e-6]}}, 31, 37)


def test_a_hole_that_leaves_nothing_known_is_refused() -> None:
    with pytest.raises(DatasetError, match="leaves no known pixel in 'x'"):
        make_mask(Boxes(count=1, side=32), _image(32, 32))
    with pytest.raises(DatasetError, match="leaves no known pixel in 'x'"):
        make_mask(parse_mask({"bernoulli": {"seed": 2}}), _image(1, 1))
    with pytest.raises(DatasetError, match="an image of 1x1 pixels is too small for them"):
        make_mask(parse_mask("strokes"), _image(1, 1))


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
        assert np.array_equal(make_mask(mask, _image(32, 40))[0] == 0, missing)

    def refused(path: str, match: str, image: Image) -> None:
        with pytest.raises(DatasetError, match=match):
            make_mask(parse_mask({"file": {"path": path}}).within(tmp_path), image)

    refused("masks", "masks holds no mask for 'y'; it takes one picture", _image(32, 40, "y"))
    refused("mask.png", "the mask has 40x32 pixels, 'x' 41x32; they must be", _image(32, 41))
    refused("none.png", "none.png: there is no such file", _image(32, 40))
    Pillow.new("L", (40, 32), 255).save(tmp_path / "full.png")
    refused("full.png", r"file\[path=full.png\]: leaves no hole in 'x'", _image(32, 40))
    Pillow.new("L", (40, 32), 0).save(tmp_path / "empty.png")
    refused("empty.png", "leaves no known pixel in 'x'", _image(32, 40))
    Pillow.new("L", (40, 32)).save(tmp_path / "masks" / "x.bmp")
    refused("masks", "holds 2 masks for 'x'", _image(32, 40))
