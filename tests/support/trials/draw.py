"""Numbers, sizes and pixels that are drawn from a seed."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]  # (H, W, C)
Size = tuple[int, int]  # height, width


class Draw:
    """What is drawn from a seed."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng(seed)

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def one_of(self, *values: Any) -> Any:
        return values[self.random.integers(len(values))]

    def whole(self, least: int, most: int) -> int:
        return int(self.random.integers(least, most + 1))

    def side(self) -> int:
        """From 1 to 300, small ones more often."""
        return self.whole(*self.one_of((1, 4), (5, 20), (5, 20), (21, 70), (21, 70), (71, 300)))

    def samples(self, size: Size, channels: int, white: int = 255) -> Samples:
        """(H, W, C) of whole numbers from 0 to white: noise, what is smooth, or what is plain."""
        height, width = size
        kind = self.one_of("noise", "smooth", "smooth", "plain")
        if kind == "noise":
            return self.random.integers(0, white + 1, (*size, channels), np.int64)
        if kind == "plain":
            return np.full((*size, channels), self.whole(0, white), np.int64)
        shape = (height // 24 + 2, width // 24 + 2, channels)
        coarse = self.random.uniform(0.2 * white, 0.8 * white, shape)
        fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        return fine.reshape(*size, channels).round().astype(np.int64)
