"""LPIPS v0.1 with AlexNet (Zhang et al., CVPR 2018): how far apart two pictures look to a network.

Computed as the package `lpips` computes it, to the last digit, with its heads and the AlexNet of
our own cache. Not by its own code, which computes a truth's features again for each picture and
each region, and takes seconds to import. `hole` is the mean over hole pixels of the composited
image's spatial map.

One picture at a time and on one thread: torch's sums come out otherwise in a batch or on several
threads, in the eighth digit, and a score must not depend on what was scored beside it, or where.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache, reduce
from importlib.util import find_spec
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics import lpips_weights
from benchmarks.metrics.metric import Known, Metric, Pixels, Regions, composite

if TYPE_CHECKING:
    from torch import Tensor

# Of AlexNet's convolutions: stride, padding, and whether a pool of 3x3 with stride 2 stands before.
LAYERS = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))
# Of the colours in [-1, 1], as `lpips` has them: ImageNet's means and deviations.
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)


def score(restored: Pixels, truth: Pixels, known: Known) -> Regions:
    """At least 0; lower is better. Grey is repeated to three channels."""
    full, _ = distance(restored, truth)
    composited, map_ = distance(composite(restored, truth, known), truth)
    return Regions(
        full=full, hole=float(map_[~known].mean(dtype=np.float64)), composited=composited
    )


def distance(picture: Pixels, truth: Pixels) -> tuple[float, NDArray[np.float32]]:
    """The distance, and its map (H, W), which is interpolated and has another mean.

    Grey is repeated to three channels. Raises ValueError if the weights are not the known ones.
    """
    import torch
    from torch.nn.functional import conv2d, interpolate

    with _one_thread(), torch.inference_mode():
        differences = [
            conv2d((of_picture - of_truth) ** 2, head)
            for of_picture, of_truth, head in zip(
                _features(picture),
                _features_of_truth(truth.tobytes(), truth.shape),
                _network().heads,
                strict=True,
            )
        ]
        size = truth.shape[1:]
        maps = [interpolate(each, size, mode="bilinear") for each in differences]
        mean = sum(each.mean([2, 3]) for each in differences)
        return float(mean), reduce(add, maps)[0, 0].numpy()


@lru_cache(maxsize=1)
def _features_of_truth(content: bytes, shape: tuple[int, ...]) -> list["Tensor"]:
    """Kept for the next picture, which is as a rule one of the same run."""
    return list(_features(np.frombuffer(content, np.uint8).reshape(shape)))


def _features(pixels: Pixels) -> Iterator["Tensor"]:
    """Of each layer, divided by their length at each place."""
    import torch
    from torch.nn.functional import conv2d, max_pool2d, relu

    colour = np.broadcast_to(pixels, (3, *pixels.shape[1:])).astype(np.float32)
    shift, scale = (torch.tensor(values)[:, None, None] for values in (SHIFT, SCALE))
    x = (torch.from_numpy(colour / 127.5 - 1)[None] - shift) / scale
    for (weight, bias), (stride, padding, has_pool) in zip(
        _network().convolutions, LAYERS, strict=True
    ):
        x = max_pool2d(x, 3, 2) if has_pool else x
        x = relu(conv2d(x, weight, bias, stride, padding))
        yield x / (torch.sqrt(torch.sum(x**2, dim=1, keepdim=True)) + 1e-10)


class _Network(NamedTuple):
    convolutions: list[tuple["Tensor", "Tensor"]]  # weight and bias
    heads: list["Tensor"]


@cache
def _network() -> _Network:
    """The heads of the package and the AlexNet of our own cache, never random."""
    import torch

    arrays = {name: torch.from_numpy(array) for name, array in lpips_weights.load().items()}
    package = find_spec("lpips")  # where it is; importing it brings torchvision and half a compiler
    assert package is not None
    assert package.origin is not None
    heads = torch.load(
        Path(package.origin).parent / "weights" / "v0.1" / "alex.pth",
        map_location="cpu",
        weights_only=True,
    )
    layers = range(len(LAYERS))
    return _Network(
        [(arrays[f"weight{layer}"], arrays[f"bias{layer}"]) for layer in layers],
        [heads[f"lin{layer}.model.1.weight"] for layer in layers],
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


METRIC = Metric(
    "lpips",
    score,
    version="0.1-alex-1",
    minimum_side=31,
    better="lower",
    missing=lpips_weights.missing,
    order=3,
)
