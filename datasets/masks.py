"""Synthetic holes. A mask is (1, H, W) uint8: 1 = known, 0 = hole.

A hole depends only on the image's name and size, the hole's settings and the hole's seed, so every
method sees the same holes. Draws come from numpy's frozen `RandomState`, whose streams do not
change between numpy's versions.
"""

import hashlib
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from datasets.errors import DatasetError
from datasets.images import Image

PositiveInt = Annotated[int, Field(strict=True, gt=0)]


class Mask(BaseModel, ABC):
    """Settings of one kind of hole; `draw` makes the hole."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: ClassVar[str]

    seed: Annotated[int, Field(strict=True, ge=0)] = Field(
        0, description="another seed, another hole"
    )

    @abstractmethod
    def draw(self, height: int, width: int, random: np.random.RandomState) -> NDArray[np.bool_]:
        """(H, W), True = known."""

    @property
    def label(self) -> str:
        """The kind with the settings that were given: `bernoulli[missing=0.5]`."""
        names = sorted(type(self).model_fields, key=lambda name: name == "seed")  # the seed last
        given = [name for name in names if name in self.model_fields_set]
        settings = ",".join(f"{name}={getattr(self, name)}" for name in given)
        return f"{self.kind}[{settings}]" if settings else self.kind


class Bernoulli(Mask):
    """Each pixel is missing by itself, all channels together."""

    kind: ClassVar[str] = "bernoulli"
    missing: float = Field(0.5, gt=0, lt=1, description="probability that a pixel is missing")

    def draw(self, height: int, width: int, random: np.random.RandomState) -> NDArray[np.bool_]:
        return random.random_sample((height, width)) >= self.missing


class Boxes(Mask):
    """Squares at random places inside the image; they may overlap."""

    kind: ClassVar[str] = "boxes"
    count: PositiveInt = Field(description="number of squares")
    side: PositiveInt = Field(description="side of a square in pixels")

    def draw(self, height: int, width: int, random: np.random.RandomState) -> NDArray[np.bool_]:
        if self.side > min(height, width):
            raise DatasetError(
                f"boxes.side: {self.side} pixels do not fit into an image of {width}x{height}"
            )
        known = np.ones((height, width), dtype=np.bool_)
        for _ in range(self.count):
            top = random.randint(height - self.side + 1)
            left = random.randint(width - self.side + 1)
            known[top : top + self.side, left : left + self.side] = False
        return known


MASKS: dict[str, type[Mask]] = {mask.kind: mask for mask in (Bernoulli, Boxes)}


def make_mask(settings: Mask, image: Image) -> NDArray[np.uint8]:
    """The hole of these settings for this image: (1, H, W) uint8, 1 = known, 0 = hole.

    Raises DatasetError if the settings do not fit the image, or leave no hole or nothing else.
    """
    purpose = f"{settings.kind}:{settings.seed}:{image.name}".encode()
    words = np.frombuffer(hashlib.sha256(purpose).digest(), dtype=">u4").astype(np.uint32)
    known = settings.draw(image.height, image.width, np.random.RandomState(words))
    if known.all() or not known.any():
        what = "no hole" if known.all() else "no known pixel"
        raise DatasetError(
            f"{settings.label}: leaves {what} in '{image.name}'; change its settings"
        )
    return known[np.newaxis].astype(np.uint8)
