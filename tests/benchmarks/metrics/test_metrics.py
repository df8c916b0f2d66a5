"""Scores against independent references: scikit-image, the formulas, and LPIPS' published code."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lpips import LPIPS
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from support.needs import needs, needs_lpips

from benchmarks.metrics import METRICS, lpips, lpips_weights, psnr, ssim
from benchmarks.metrics.metric import composite
from datasets import load_images

Pixels = NDArray[np.uint8]


def _pair(channels: int = 3, size: tuple[int, int] = (48, 53)) -> tuple[Pixels, Pixels]:
    random = np.random.RandomState(0)
    truth = random.randint(0, 256, (channels, *size)).astype(np.uint8)
    noise = random.randint(-20, 21, truth.shape)
    return np.clip(truth.astype(int) + noise, 0, 255).astype(np.uint8), truth


def _known(size: tuple[int, int] = (48, 53)) -> NDArray[np.bool_]:
    return np.random.RandomState(1).rand(*size) > 0.4


@pytest.mark.parametrize("channels", [1, 3])
def test_psnr_is_scikit_images(channels: int) -> None:
    restored, truth = _pair(channels)
    known = _known()
    scores = psnr.score(restored, truth, known)
    full = peak_signal_noise_ratio(truth / 255, restored / 255, data_range=1)
    hole = peak_signal_noise_ratio(truth[:, ~known] / 255, restored[:, ~known] / 255, data_range=1)
    put_back = composite(restored, truth, known)
    composited = peak_signal_noise_ratio(truth / 255, put_back / 255, data_range=1)
    assert scores == pytest.approx((full, hole, composited), abs=1e-9)  # float64 round-off


def test_psnr_of_an_exact_hole_is_infinite() -> None:
    restored, truth = _pair()
    known = _known()
    exact = np.where(known, restored, truth)
    scores = psnr.score(exact, truth, known)
    assert scores.hole == scores.composited == float("inf")
    assert scores.full < float("inf")


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_is_scikit_images_with_the_settings_of_wang_et_al(channels: int) -> None:
    restored, truth = _pair(channels)
    known = _known()
    settings = {
        "data_range": 255,
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
    }

    def by_channel(picture: Pixels, full: bool) -> list[float]:
        values = [
            structural_similarity(p, t, full=full, **settings)
            for p, t in zip(picture, truth, strict=True)
        ]
        return [value[1][~known].mean() if full else value for value in values]

    put_back = composite(restored, truth, known)
    expected = (
        np.mean(by_channel(restored, full=False)),
        np.mean(by_channel(put_back, full=True)),
        np.mean(by_channel(put_back, full=False)),
    )
    assert ssim.score(restored, truth, known) == pytest.approx(
        expected, abs=1e-9
    )  # float64 round-off


@needs_lpips
@needs("lpips-check")
@pytest.mark.parametrize(("name", "value"), [("ex_p0", 0.7219), ("ex_p1", 0.1376)])
def test_lpips_equals_the_golden_values_of_its_authors_example(name: str, value: float) -> None:
    pictures = {p.name: p.pixels for p in load_images("lpips-check")}
    known = np.zeros(pictures["ex_ref"].shape[1:], bool)
    scores = lpips.score(pictures[name], pictures["ex_ref"], known)
    assert scores.full == pytest.approx(value, abs=0.0005)
    assert scores.composited == scores.full  # nothing is known


@needs_lpips
def test_lpips_on_images_that_everybody_has() -> None:
    """Golden values made with lpips 0.1.4 and the weights that pass the test above."""
    astronaut, coffee, camera = load_images("scikit-image", ["astronaut", "coffee", "camera"], 64)
    known = np.ones((64, 64), bool)
    known[20:40, 10:30] = False
    scores = lpips.score(coffee.pixels, astronaut.pixels, known)
    assert scores == pytest.approx((0.47815, 0.13748, 0.06401), abs=0.0005)
    same = lpips.score(camera.pixels, camera.pixels, known)
    assert same == (0, 0, 0)


@needs_lpips
@pytest.mark.filterwarnings("ignore:::torchvision")
def test_lpips_is_its_packages_to_the_last_digit() -> None:
    """And does not depend on what is scored before it, or on how many threads torch has."""
    package = LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
    arrays = lpips_weights.load()
    convolutions = [each for each in package.net.modules() if isinstance(each, torch.nn.Conv2d)]
    for layer, convolution in enumerate(convolutions):
        convolution.weight.data.copy_(torch.from_numpy(arrays[f"weight{layer}"]))
        convolution.bias.data.copy_(torch.from_numpy(arrays[f"bias{layer}"]))

    def scaled(picture: Pixels) -> torch.Tensor:
        return torch.from_numpy(picture.astype(np.float32) / 127.5 - 1)[None]

    known = _known()
    truth, *pictures = (_pair(size=(48, 53))[1] // share for share in (1, 2, 3, 5))
    before = torch.get_num_threads()
    alone = []
    try:
        torch.set_num_threads(1)
        for picture in pictures:
            put_back = scaled(composite(picture, truth, known))
            with torch.inference_mode():
                package.spatial = False
                full, whole = (
                    package(x, scaled(truth)).item() for x in (scaled(picture), put_back)
                )
                package.spatial = True
                map_ = package(put_back, scaled(truth))[0, 0].numpy()
            alone.append((full, float(map_[~known].mean(dtype=np.float64)), whole))
        torch.set_num_threads(2)
        assert [lpips.score(picture, truth, known) for picture in pictures] == alone
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert lpips.score(truth, pictures[0], known) != alone[0]  # another truth is another score
    assert [lpips.score(picture, truth, known) for picture in reversed(pictures)] == alone[::-1]


@needs_lpips
def test_lpips_of_grey_is_that_of_three_equal_channels() -> None:
    restored, truth = _pair(1)
    repeated = [np.repeat(picture, 3, axis=0) for picture in (restored, truth)]
    assert lpips.score(restored, truth, _known()) == lpips.score(*repeated, _known())


@pytest.mark.parametrize("name", METRICS)
def test_regions_are_not_mixed(name: str) -> None:
    """An error at known pixels is seen in full only; one in the hole in all three."""
    metric = METRICS[name]
    if reason := metric.unavailable(48, 53):
        pytest.skip(reason)
    sign = 1 if metric.better == "higher" else -1
    _, truth = _pair()
    known = _known()
    wrong_known = np.where(known, 255 - truth, truth)
    wrong_hole = np.where(known, truth, 255 - truth)
    perfect = metric.score(truth, truth, known)
    outside = metric.score(wrong_known, truth, known)
    inside = metric.score(wrong_hole, truth, known)
    assert outside.hole == perfect.hole
    assert outside.composited == perfect.composited
    assert sign * outside.full < sign * perfect.full
    assert all(sign * score < sign * best for score, best in zip(inside, perfect, strict=True))


def test_what_cannot_be_scored_says_why() -> None:
    assert METRICS["psnr"].unavailable(1, 1) is None
    assert "needs 11 pixels" in str(METRICS["ssim"].unavailable(10, 64))
    assert "needs 31 pixels" in str(METRICS["lpips"].unavailable(64, 30))


@needs_lpips
def test_foreign_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    arrays = lpips_weights.load()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lpips_weights.cache_file().parent.mkdir()
    np.savez(lpips_weights.cache_file(), **{**arrays, "bias0": arrays["bias0"] + 1})
    with pytest.raises(ValueError, match="not the known weights"):
        lpips_weights.load()
    assert "damaged; run `make setup`" in str(METRICS["lpips"].unavailable(64, 64))


@needs_lpips
def test_damaged_weights_are_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = lpips_weights.load()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lpips_weights.cache_file().parent.mkdir()
    lpips_weights.cache_file().write_bytes(b"half a download")
    monkeypatch.setattr(lpips_weights, "_from_torchvision", lambda: arrays)
    assert "damaged" in str(lpips_weights.missing())
    lpips_weights.main()
    assert lpips_weights.missing() is None
    assert "LPIPS weights from torchvision's AlexNet" in capsys.readouterr().err
