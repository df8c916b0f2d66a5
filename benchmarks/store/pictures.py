"""Images as 8-bit PNG files, which is what runs keep and scores are computed from."""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow


def pixels_of(content: bytes) -> NDArray[np.uint8]:
    """(C, H, W) of a PNG file's content."""
    with Pillow.open(BytesIO(content)) as picture:
        pixels = np.atleast_3d(np.asarray(picture, dtype=np.uint8))
    return pixels.transpose(2, 0, 1)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A (C, H, W) uint8 image, grey or RGB, as the content of a PNG file."""
    content = BytesIO()
    picture = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    Pillow.fromarray(np.ascontiguousarray(picture)).save(content, format="PNG")
    return content.getvalue()


def to_8bit(image: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Clamped to [0, 1] and rounded."""
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)


def pixels_sha256(pixels: NDArray[np.uint8]) -> str:
    """Of the values and shape of a (C, H, W) image, as records have it of each picture."""
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


@dataclass(frozen=True)
class Picture:
    """A PNG, with the SHA-256 of its pixels, whatever wrote them into the file."""

    content: bytes
    sha256: str

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> "Picture":
        """pixels: (C, H, W)."""
        return cls(png(pixels), pixels_sha256(pixels))
