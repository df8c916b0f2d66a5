"""Pictures, arrays and masks as the tensors of a fit."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

import dip
from dip.training.pictures import image_and_mask, image_tensor, mask_tensor


def _sixteen_bits(mode: str, value: int) -> Image.Image:
    order = {"I;16": "<u2", "I;16B": ">u2"}[mode]
    return Image.frombytes(mode, (5, 4), np.full((4, 5), value, order).tobytes())


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_a_mask_of_sixteen_bits_is_white_above_half(mode: str) -> None:
    picture = _sixteen_bits(mode, 200)
    picture.putpixel((2, 1), 40000)
    assert mask_tensor(picture, (4, 5)).nonzero().tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("given", "channels", "largest"),
    [
        (np.full((4, 5), 65535, np.uint16), 1, 1.0),
        (np.full((4, 5, 1), 51, np.uint8), 1, 0.2),
        (np.full((4, 5, 4), 0.5, np.float16), 4, 0.5),
        (np.full((4, 5), 65535, ">u2"), 1, 1.0),
        (torch.full((1, 4, 5), 0.2, requires_grad=True), 1, 0.2),
        (_sixteen_bits("I;16B", 13107), 1, 0.2),
        (Image.new("L", (5, 4), 51), 1, 0.2),
        (Image.new("1", (5, 4), 1), 1, 1.0),
        (Image.new("P", (5, 4)), 3, 0.0),
        (Image.new("CMYK", (5, 4)), 3, 1.0),
        (Image.new("LA", (5, 4), (51, 51)), 4, 0.2),
        (Image.fromarray(np.full((4, 5), 13107, np.uint16)), 1, 0.2),
    ],
)
def test_what_an_image_may_be(given: Any, channels: int, largest: float) -> None:
    tensor = image_tensor(given)
    assert tensor.shape == (channels, 4, 5)
    assert tensor.max().item() == pytest.approx(largest, abs=1e-7)


def test_a_picture_counts_as_it_is_shown() -> None:
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    file = BytesIO()
    Image.new("RGB", (5, 4), "white").save(file, "JPEG", exif=turned)
    shown = Image.open(file)
    assert image_tensor(shown).shape == (3, 5, 4)
    assert mask_tensor(shown, (5, 4)).shape == (1, 5, 4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Image.new("F", (5, 4)), "mode F are not supported, because their white is unknown"),
        (np.zeros((4, 5), np.int64), "8- or 16-bit unsigned integers or floats, not int64"),
        (np.zeros((4, 5), bool), "not bool"),
        (np.zeros((4, 5), np.complex64), "not complex64"),
        (np.zeros((4, 5, 2)), r"not \(4, 5, 2\)"),
        (np.full((4, 5), 2.0), r"values in \[0, 1\]"),
        (np.full((4, 5), np.nan), r"values in \[0, 1\]"),
    ],
)
def test_what_an_image_may_not_be(given: Any, message: str) -> None:
    with pytest.raises(dip.InputError, match=message):
        image_and_mask(given, torch.ones(1, 4, 5))


def test_a_mask_without_channels_is_refused() -> None:
    with pytest.raises(dip.InputError, match=r"\(H, W\) or \(H, W, C\), not \(4, 5, 0\)"):
        mask_tensor(np.ones((4, 5, 0)), (4, 5))
