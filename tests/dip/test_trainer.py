"""The fit: what its loss sees, what its checkpoints hold, and what depends on the seed."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import dip
from dip.options import Method
from dip.options.inputs.learned import LearnedInputOptions
from dip.options.inputs.noise import NoiseInputOptions
from dip.options.networks.skip import SkipOptions
from dip.options.networks.unet import UNetOptions

SKIP = Method(
    architecture=SkipOptions(channels=(4, 4), skip_channels=(4, 0)),
    input=NoiseInputOptions(channels=4),
    input_noise=0.03,
    learning_rate=0.01,
)
UNET = Method(
    architecture=UNetOptions(channels=(4, 4)),
    input=LearnedInputOptions(),
    batch=2,
    learning_rate=0.05,
)


def _image_and_mask(channels: int = 3, size: tuple[int, int] = (17, 20)) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    image = torch.rand((channels, *size), generator=generator)
    mask = (torch.rand((1, *size), generator=generator) > 0.3).float()
    return image, mask


def _fit(image: Tensor, mask: Tensor, method: Method, **options: Any) -> list[dip.Checkpoint]:
    return list(dip.fit(image, mask, method, **options))


@pytest.mark.parametrize("method", [SKIP, UNET], ids=["skip", "unet"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_loss_falls(method: Method, channels: int) -> None:
    losses: list[float] = []
    image, mask = _image_and_mask(channels)
    _fit(image, mask, method, checkpoints=[60], on_step=lambda step: losses.append(step.loss))
    assert len(losses) == 60
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("method", [SKIP, UNET], ids=["skip", "unet"])
def test_hole_pixels_have_no_influence(method: Method) -> None:
    image, mask = _image_and_mask()
    other = torch.where(mask.bool(), image, 1 - image)
    (first,), (second,) = (_fit(each, mask, method, checkpoints=[5]) for each in (image, other))
    assert torch.equal(first.raw, second.raw)


def test_known_pixels_have_influence() -> None:
    image, mask = _image_and_mask()
    (first,) = _fit(image, mask, SKIP, checkpoints=[5])
    (second,) = _fit(1 - image, mask, SKIP, checkpoints=[5])
    assert not torch.equal(first.raw, second.raw)


def test_the_loss_is_the_mean_squared_error_over_all_pixels_with_the_hole_as_zero() -> None:
    image, mask = _image_and_mask()
    (checkpoint,) = _fit(image, mask, SKIP, checkpoints=[3])
    expected = (((checkpoint.raw - image) * mask) ** 2).mean()
    assert checkpoint.loss == pytest.approx(expected.item(), rel=1e-5)


def test_checkpoints_belong_to_one_trajectory() -> None:
    image, mask = _image_and_mask()
    several = {c.iteration: c for c in _fit(image, mask, SKIP, checkpoints=[2, 5, 9])}
    assert list(several) == [2, 5, 9]
    (alone,) = _fit(image, mask, SKIP, checkpoints=[9])
    assert torch.equal(several[9].raw, alone.raw)
    assert torch.equal(several[9].averaged, alone.averaged)
    assert several[9].seconds > several[2].seconds


def test_the_average_is_the_papers() -> None:
    image, mask = _image_and_mask()
    expected = None
    for checkpoint in _fit(image, mask, SKIP, checkpoints=range(1, 8)):
        raw = checkpoint.raw
        expected = raw if expected is None else 0.99 * expected + 0.01 * raw
        torch.testing.assert_close(checkpoint.averaged, expected, rtol=0, atol=1e-6)


def test_a_kept_checkpoint_does_not_change_later() -> None:
    image, mask = _image_and_mask()
    checkpoints = dip.fit(image, mask, SKIP, checkpoints=[1, 6])
    first = next(checkpoints)
    raw, averaged = first.raw.clone(), first.averaged.clone()
    next(checkpoints)
    assert torch.equal(first.raw, raw)
    assert torch.equal(first.averaged, averaged)


@pytest.mark.parametrize("method", [SKIP, UNET], ids=["skip", "unet"])
def test_the_seed_decides_everything(method: Method) -> None:
    image, mask = _image_and_mask()
    torch.manual_seed(1)
    (first,) = _fit(image, mask, method, checkpoints=[4], seed=3)
    torch.manual_seed(2)
    (again,) = _fit(image, mask, method, checkpoints=[4], seed=3)
    (other,) = _fit(image, mask, method, checkpoints=[4], seed=4)
    assert torch.equal(first.raw, again.raw)
    assert not torch.equal(first.raw, other.raw)


def test_checkpoints_may_be_an_array() -> None:
    image, mask = _image_and_mask()
    found = _fit(image, mask, SKIP, checkpoints=np.array([1, 2]))
    assert [checkpoint.iteration for checkpoint in found] == [1, 2]


def test_a_fit_leaves_the_global_generator_alone() -> None:
    image, mask = _image_and_mask()
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    _fit(image, mask, SKIP, checkpoints=[2])
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_learned_input_is_trained_and_noise_is_not() -> None:
    """Both start from the same input and weights; then only one of them moves its input."""
    image, mask = _image_and_mask()
    learned = dip.with_settings(UNET, {"learning_rate": 1e-3})
    fixed = dip.with_settings(learned, {"input": {"name": "noise", "channels": 3}})
    (a,) = _fit(image, mask, learned, checkpoints=[3])
    (b,) = _fit(image, mask, fixed, checkpoints=[3])
    (a1,) = _fit(image, mask, learned, checkpoints=[1])
    (b1,) = _fit(image, mask, fixed, checkpoints=[1])
    assert torch.equal(a1.raw, b1.raw)  # the same start
    assert not torch.equal(a.raw, b.raw)


def test_float64_agrees_with_float32_at_the_start() -> None:
    image, mask = _image_and_mask()
    no_noise = dip.with_settings(SKIP, {"input_noise": 0.0})
    (single,) = _fit(image, mask, no_noise, checkpoints=[1])
    (double,) = _fit(image, mask, no_noise, checkpoints=[1], precision="float64")
    torch.testing.assert_close(single.raw, double.raw, rtol=0, atol=1e-5)


def test_divergence_is_said_with_its_iteration() -> None:
    image, mask = _image_and_mask()
    wild = dip.with_settings(UNET, {"learning_rate": 1e30})
    with pytest.raises(dip.Diverged) as end:
        _fit(image, mask, wild, checkpoints=[50])
    assert 1 < end.value.iteration <= 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": torch.rand(2, 17, 20)}, r"an image is \(1, 3 or 4, H, W\)"),
        ({"mask": torch.ones(1, 20, 17)}, r"of the image's size \(17, 20\), not \(1, 20, 17\)"),
        ({"mask": torch.full((1, 17, 20), 0.5)}, "only 1 .* and 0"),
        ({"mask": torch.zeros(1, 17, 20)}, "no known pixel"),
        ({"image": torch.full((3, 17, 20), 255.0)}, r"values in \[0, 1\]"),
        ({"image": torch.full((3, 17, 20), float("nan"))}, r"values in \[0, 1\]"),
        ({"checkpoints": [0]}, "iterations from 1 on"),
        ({"checkpoints": []}, "iterations from 1 on"),
        ({"checkpoints": None}, "iterations from 1 on"),
        ({"checkpoints": [2.0]}, "iterations from 1 on"),
        ({"checkpoints": [True]}, "iterations from 1 on"),
        ({"method": "quick"}, "a method is as `load_preset.*not str"),
        ({"method": dip.load_preset("quick")}, "a method is as `load_preset.*not Preset"),
        ({"image": np.zeros((3, 17, 20))}, "the image is a torch tensor, not ndarray"),
        ({"mask": None}, "the mask is a torch tensor, not NoneType"),
        (
            {"image": torch.rand(3, 17, 4), "mask": torch.ones(1, 17, 4)},
            "4x17 pixels are too few for this network: it needs 5 on each side",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    image, mask = _image_and_mask()
    arguments = {"image": image, "mask": mask, "method": SKIP, "checkpoints": [1], **change}
    with pytest.raises(dip.InputError, match=message):
        list(dip.fit(**arguments))
