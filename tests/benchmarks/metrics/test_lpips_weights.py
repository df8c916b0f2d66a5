"""The LPIPS weights: only the known ones, and nothing from a pickle but arrays."""

import pickle

import numpy as np
import pytest

from benchmarks.metrics import lpips_weights


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("gotcha",)


def test_a_pickle_may_hold_arrays_only() -> None:
    with pytest.raises(pickle.UnpicklingError, match="has no place"):
        lpips_weights._from_checkpoint(pickle.dumps({"AlexNet_0": _Evil()}))


def test_kernels_are_turned_for_torch() -> None:
    """(height, width, in, out) becomes (out, in, height, width)."""
    kernel = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    layers = {f"Conv_{i}": {"kernel": kernel, "bias": np.zeros(5, np.float32)} for i in range(5)}
    content = pickle.dumps({"AlexNet_0": layers}, protocol=3)
    content = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    arrays = lpips_weights._from_checkpoint(content)
    assert arrays["weight0"].shape == (5, 4, 2, 3)
    assert arrays["weight0"][4, 1, 0, 2] == kernel[0, 2, 1, 4]


def test_no_source_is_one_error_that_names_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    def unreachable() -> lpips_weights.Arrays:
        raise OSError("out of reach")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for source in ("_from_torchvision", "_from_package"):
        monkeypatch.setattr(lpips_weights, source, unreachable)
    lpips_weights.main()
    said = capsys.readouterr().err
    assert "NOTICE: the LPIPS weights cannot be had" in said
    assert said.count("out of reach") == 2


def test_wrong_values_go_on_to_the_next_source(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    wrong = {
        f"{name}{layer}": np.zeros(1, np.float32)
        for layer in range(5)
        for name in ("weight", "bias")
    }
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for source in ("_from_torchvision", "_from_package"):
        monkeypatch.setattr(lpips_weights, source, lambda: wrong)
    with pytest.raises(OSError, match="not the known weights"):
        lpips_weights.obtain()
    assert lpips_weights.missing() is not None
