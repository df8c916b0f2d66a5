"""What a program has set for itself changes no fit, and no fit changes it."""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import dip

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = {
    "architecture.channels": (4, 4),
    "architecture.skip_channels": (4, 0),
    "input.channels": 4,
}
NARROW = dip.with_settings(dip.load_preset("quick").method, SETTINGS)
RULES = ["es-wmv", "es-emv"]


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def _matrix_products_in_bfloat16() -> Iterator[None]:
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision("highest")
        torch.backends.mkldnn.matmul.fp32_precision = "none"  # type: ignore[attr-defined]


@contextmanager
def _all_products_in_tf32() -> Iterator[None]:
    torch.backends.mkldnn.fp32_precision = "tf32"  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.backends.mkldnn.fp32_precision = "none"  # type: ignore[attr-defined]


@contextmanager
def _warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


SURROUNDINGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "float64 by default": lambda: _default_dtype(torch.float64),
    "float16 by default": lambda: _default_dtype(torch.float16),
    "another device by default": lambda: torch.device("meta"),
    "matrix products in bfloat16": _matrix_products_in_bfloat16,
    "all products in tf32": _all_products_in_tf32,
    "NumPy raises": lambda: np.errstate(all="raise"),
    "warnings are errors": _warnings_are_errors,
}


def _image_and_mask() -> tuple[Tensor, Tensor]:
    generator = torch.Generator("cpu").manual_seed(7)
    image = torch.rand((3, 17, 20), generator=generator, dtype=torch.float32, device="cpu")
    mask = torch.ones((1, 17, 20), dtype=torch.float32, device="cpu")
    mask[:, 5:11, 6:13] = 0
    return image, mask


def _fitted(seed: int = 0, **options: Any) -> dip.Checkpoint:
    """The end of a fit that was saved and loaded half-way."""
    begun = dip.Fit(*_image_and_mask(), NARROW, seed=seed, rules=RULES, **options)
    for _ in begun.until(8):
        pass
    resumed = dip.Fit(*_image_and_mask(), NARROW, seed=seed, rules=RULES, **options)
    resumed.load_state_dict(begun.state_dict())
    for _ in resumed.until(20):
        pass
    return resumed.checkpoint()


def _assert_equal(found: dip.Checkpoint, expected: dip.Checkpoint) -> None:
    assert torch.equal(found.raw, expected.raw)
    assert torch.equal(found.averaged, expected.averaged)
    assert found.loss == expected.loss
    for label, stop in expected.stops.items():
        assert torch.equal(found.stops[label].output, stop.output)


@pytest.fixture(scope="module")
def usual() -> dip.Checkpoint:
    return _fitted()


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_fit_is_the_same_in_any_surroundings(name: str, usual: dip.Checkpoint) -> None:
    with SURROUNDINGS[name]():
        found = _fitted()
    _assert_equal(found, usual)
    # What comes out is an ordinary tensor, with which the caller may go on.
    assert not found.raw.is_inference()
    assert not found.raw.requires_grad
    assert found.raw.dtype == torch.float32


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_photo_is_restored_the_same_in_any_surroundings(name: str) -> None:
    rows, columns = np.mgrid[:24, :32]
    photo = (110 + 60 * np.sin(columns / 5) + 50 * np.cos(rows / 4)).astype(np.uint8)
    mask = np.ones((24, 32), bool)
    mask[10:14, 15:20] = False
    expected = dip.inpaint(photo, mask, settings=SETTINGS, iterations=4)
    with SURROUNDINGS[name]():
        found = dip.inpaint(photo, mask, settings=SETTINGS, iterations=4)
    np.testing.assert_array_equal(found, expected)


def _precisions() -> list[str]:
    onednn: Any = torch.backends.mkldnn
    return [part.fp32_precision for part in (onednn, onednn.conv, onednn.matmul)]


def _global_state() -> dict[str, Any]:
    return {
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "modes": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "autocast": torch.is_autocast_enabled("cpu"),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "torch draws": torch.get_rng_state().tolist(),
        "NumPy draws": np.random.get_state()[1].tolist(),  # type: ignore[index]
        "NumPy errors": np.geterr(),
        "products": _precisions(),
        "denormals": (torch.tensor([1e-40], dtype=torch.float32, device="cpu") * 1).item(),
    }


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_fit_leaves_its_surroundings_as_they_are(name: str) -> None:
    with SURROUNDINGS[name]():
        before = _global_state()
        for _ in dip.fit(*_image_and_mask(), NARROW, checkpoints=[1, 3]):
            assert _global_state() == before
        assert _global_state() == before
    # What followed a general setting follows it again.
    assert _precisions() == ["none"] * 3


def test_an_image_may_be_part_of_somebody_elses_graph() -> None:
    image, mask = _image_and_mask()
    image.requires_grad_()
    (found,) = dip.fit(image * 1, mask, NARROW, checkpoints=[3])
    (expected,) = dip.fit(*_image_and_mask(), NARROW, checkpoints=[3])
    assert torch.equal(found.raw, expected.raw)
    assert image.grad is None


def test_an_image_made_in_inference_mode_can_be_fitted() -> None:
    with torch.inference_mode():
        image, mask = (tensor.clone() for tensor in _image_and_mask())
    (found,) = dip.fit(image, mask, NARROW, checkpoints=[3])
    (expected,) = dip.fit(*_image_and_mask(), NARROW, checkpoints=[3])
    assert torch.equal(found.raw, expected.raw)


def test_a_network_made_in_inference_mode_is_refused() -> None:
    with torch.inference_mode():
        network = nn.Conv2d(3, 3, 3, padding=1)
    with pytest.raises(dip.InputError, match=r"made in torch\.inference_mode"):
        dip.fit(*_image_and_mask(), NARROW, network=network, checkpoints=[1])


def test_fits_in_threads_do_not_draw_from_one_another() -> None:
    expected = [_fitted(seed) for seed in range(3)]
    found: dict[int, dip.Checkpoint] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: found.update({seed: _fitted(seed)}))  # type: ignore[misc]
        for seed in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, checkpoint in enumerate(expected):
        _assert_equal(found[seed], checkpoint)
