"""The fit: what its loss sees, what its checkpoints hold, and what depends on the seed."""

import copy
import re
import subprocess
import sys
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support.blocks import read_every
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
    image, mask = _image_and_mask(channels)
    losses = [step.loss for step in dip.Fit(image, mask, method).until(60)]
    assert len(losses) == 60
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("method", [SKIP, UNET], ids=["skip", "unet"])
def test_hole_pixels_have_no_influence(method: Method) -> None:
    image, mask = _image_and_mask()
    other = torch.where(mask.bool(), image, 1 - image)
    (first,), (second,) = (_fit(each, mask, method, checkpoints=[5]) for each in (image, other))
    assert torch.equal(first.raw, second.raw)


@pytest.mark.parametrize("missing", [torch.nan, torch.inf, -torch.inf, 7.0, -1.0])
def test_missing_pixels_may_be_marked_by_any_value(missing: float) -> None:
    image, mask = _image_and_mask()
    marked = torch.where(mask.bool(), image, missing)
    (first,), (second,) = (_fit(each, mask, SKIP, checkpoints=[5]) for each in (image, marked))
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


@pytest.mark.parametrize("kind", [np.array, torch.tensor, list, iter])
def test_checkpoints_may_be_any_list(kind: Any) -> None:
    image, mask = _image_and_mask()
    found = _fit(image, mask, SKIP, checkpoints=kind([1, 2]))
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
        ({"checkpoints": [0]}, "from 1 on, not 0"),
        ({"checkpoints": range(0, 10**9)}, "from 1 on, not 0"),
        ({"checkpoints": []}, "no iteration is named"),
        ({"checkpoints": range(0)}, "no iteration is named"),
        ({"checkpoints": None}, "name the `checkpoints`"),
        ({"checkpoints": 5}, "a list of whole numbers, not 5"),
        ({"checkpoints": "5"}, "a list of whole numbers, not '5'"),
        ({"checkpoints": [1, "a"]}, "from 1 on, not 'a'"),
        ({"checkpoints": [2.0]}, "from 1 on, not 2.0"),
        ({"checkpoints": [True]}, "from 1 on, not True"),
        ({"method": "quik"}, "unknown preset 'quik'. Did you mean 'quick'?"),
        ({"method": 7}, "a method is a preset, its name or a Method, not int"),
        ({"image": np.zeros((3, 17, 20))}, r"an array is \(H, W\) or .* not \(3, 17, 20\)"),
        ({"image": torch.empty(3, 0, 5)}, r"an image is \(1, 3 or 4, H, W\), not \(3, 0, 5\)"),
        ({"mask": np.ones((1, 17, 20))}, r"an array is \(H, W\) or .* not \(1, 17, 20\)"),
        ({"seed": 1.5}, "`seed`: a whole number from 0 to .* not 1.5"),
        ({"seed": -1}, "`seed`: a whole number from 0 to .* not -1"),
        ({"seed": 2**63}, "`seed`: a whole number from 0 to .* not 9223372036854775808"),
        ({"rules": "es-wmv"}, "rules are a list"),
        ({"rules": None}, "rules are a list"),
        ({"observe": None}, "`observe` is a function, not None"),
        ({"image": torch.rand(3, 17, 20, dtype=torch.complex64)}, "dense tensor of real numbers"),
        ({"image": torch.rand(3, 17, 20).to_sparse()}, "dense tensor of real numbers"),
        ({"mask": torch.ones(1, 17, 20, device="meta")}, "dense tensor of real numbers"),
        ({"device": "meta"}, "device 'meta': cannot be used"),
        ({"device": None}, "device None: cannot be used"),
        ({"device": "gpu"}, "device 'gpu': cannot be used"),
        ({"device": "cuda:99"}, "device 'cuda:99': cannot be used"),
        ({"image": "x"}, "an image is a tensor, a NumPy array or a Pillow picture, not str"),
        ({"mask": None}, "a mask is a tensor, a NumPy array or a Pillow picture, not NoneType"),
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
        dip.fit(**arguments)


def test_a_fit_says_at_once_what_is_wrong() -> None:
    with pytest.raises(dip.InputError):
        dip.fit("x", None)  # type: ignore[arg-type]
    with pytest.raises(dip.InputError):
        dip.Fit("x", None)  # type: ignore[arg-type]


def test_the_caller_leaves_the_loop_and_goes_on_later() -> None:
    image, mask = _image_and_mask()
    fit = dip.Fit(image, mask, SKIP)
    with pytest.raises(dip.InputError, match="no checkpoint before the first iteration"):
        fit.checkpoint()
    for step in fit:
        if step.iteration == 4:
            break
    assert fit.iteration == fit.checkpoint().iteration == 4
    assert [step.iteration for step in fit.until(6, 7)] == [5, 6, 7]
    (whole,) = dip.fit(image, mask, SKIP, checkpoints=[7])
    assert torch.equal(fit.checkpoint().raw, whole.raw)
    assert list(fit.until(7)) == []
    with pytest.raises(dip.InputError, match="from 1 on, not 0"):
        fit.until(0)


def test_a_preset_knows_when_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    preset = dip.load_preset("quick").model_copy(update={"iterations": 3, "method": SKIP})
    monkeypatch.setattr("dip.trainer.load_preset", {"quick": preset}.get)
    image, mask = _image_and_mask()
    for arguments in ((preset,), ("quick",), ()):
        assert [step.iteration for step in dip.Fit(image, mask, *arguments)] == [1, 2, 3]
        (checkpoint,) = dip.fit(image, mask, *arguments)
        assert checkpoint.iteration == 3


def test_the_iteration_that_tells_of_a_failure_is_not_yielded() -> None:
    """Or one could take its checkpoint."""
    image, mask = _image_and_mask()
    fit = dip.Fit(image, mask, dip.with_settings(UNET, {"learning_rate": 1e30}))
    steps = iter(fit)
    seen = []
    with pytest.raises(dip.Diverged) as end:
        while True:
            seen.append(next(steps).iteration)
    assert seen == list(range(1, end.value.noticed_at))
    assert end.value.step is not None
    assert end.value.step.iteration == fit.iteration == end.value.noticed_at


def test_no_step_of_a_block_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    read_every(monkeypatch, 5)
    image, mask = _image_and_mask()
    fit = dip.Fit(image, mask, SKIP)
    for step in fit:
        if step.iteration == 3:
            break
    assert fit.iteration == fit.checkpoint().iteration == 5
    assert [step.iteration for step in fit.until(8)] == [4, 5, 6, 7, 8]


def test_a_block_that_was_interrupted_is_in_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by Ctrl-C in a notebook."""
    image, mask = _image_and_mask()
    whole = dip.Fit(image, mask, SKIP)
    list(whole.until(9))
    read_every(monkeypatch, 5)

    def interrupt(iteration: int, *_: Tensor) -> None:
        if iteration == 3:
            raise KeyboardInterrupt

    fit, rest = dip.Fit(image, mask, SKIP, observe=interrupt), dip.Fit(image, mask, SKIP)
    with pytest.raises(KeyboardInterrupt):
        list(fit.until(9))
    state = copy.deepcopy(fit.state_dict())
    assert state["iteration"] == 3
    assert 0 < state["seconds"] == fit.checkpoint().seconds
    assert state["parts"]["watch"]["losses"][0] > 0
    rest.load_state_dict(state)
    list(rest.until(9))
    assert torch.equal(rest.checkpoint().raw, whole.checkpoint().raw)
    assert [step.iteration for step in fit.until(4)] == [1, 2, 3, 4]


def test_a_fit_that_has_failed_gives_no_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    read_every(monkeypatch, 10)
    image, mask = _image_and_mask()
    fit = dip.Fit(image, mask, dip.with_settings(UNET, {"learning_rate": 1e30}))
    next(iter(fit))
    for use in (fit.checkpoint, fit.state_dict, lambda: list(fit.until(20))):
        with pytest.raises(dip.Diverged):
            use()


def test_pictures_and_arrays_are_fitted_like_tensors() -> None:
    image, mask = _image_and_mask()
    pixels = (image * 255).round().byte()
    known = mask[0].bool().numpy()
    tensor = pixels.float() / 255
    (expected,) = dip.fit(tensor, mask, SKIP, checkpoints=[2])
    array = pixels.permute(1, 2, 0).numpy()
    images = [array, tensor.permute(1, 2, 0).numpy(), Image.fromarray(array)]
    masks = [known, known.astype(np.uint8) * 255, Image.fromarray(known)]
    for one, other in zip(images, masks, strict=True):
        (found,) = dip.fit(one, other, SKIP, checkpoints=[2])
        assert torch.equal(found.raw, expected.raw)


def test_a_checkpoint_is_short_and_a_picture() -> None:
    image, mask = _image_and_mask()
    (checkpoint,) = dip.fit(image, mask, SKIP, checkpoints=[2])
    assert re.fullmatch(
        r"Checkpoint\(iteration 2, loss 0\.\d{5}, 3x17x20, \d+\.\d s\)", repr(checkpoint)
    )
    shown = np.asarray(Image.open(BytesIO(checkpoint._repr_png_() or b"")))
    expected = (checkpoint.averaged.clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
    assert np.array_equal(shown, expected)
    (grey,) = dip.fit(image[:1], mask, SKIP, checkpoints=[1])
    assert grey.picture.mode == "L"


def test_a_bar_is_shown_if_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    image, mask = _image_and_mask()
    for progress in (False, True):
        (checkpoint,) = dip.fit(image, mask, SKIP, checkpoints=[3], progress=progress)
        out, err = capsys.readouterr()
        assert not out
        assert (f"3/3 loss {checkpoint.loss:.5f}" in err) is progress


def test_what_is_printed_beside_a_bar_stays_on_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    image, mask = _image_and_mask()
    for checkpoint in dip.fit(image, mask, SKIP, checkpoints=[1, 2], progress=True):
        print("at", checkpoint.iteration)
    assert capsys.readouterr().out == "at 1\nat 2\n"


def test_the_public_names_can_be_listed() -> None:
    """By `dir`, as an editor completes them, without torch."""
    names = subprocess.run(
        [
            sys.executable,
            "-c",
            "import dip, sys; print(*dir(dip)); assert 'torch' not in sys.modules",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert {"Fit", "fit", "inpaint", "load_preset", "coverage"} <= set(names)
    assert all(hasattr(dip, name) for name in names)


def test_a_fit_hands_its_settings_on() -> None:
    image, mask = _image_and_mask()
    seen: list[int] = []
    list(dip.fit(image, mask, SKIP, checkpoints=[3], observe=lambda n, *_: seen.append(n)))
    assert seen == [1, 2, 3]
    with pytest.raises(TypeError, match="no_such"):
        dip.fit(image, mask, SKIP, checkpoints=[3], no_such=1)  # type: ignore[call-arg]
