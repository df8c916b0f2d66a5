"""Frequency-selective reconstruction: each block as a sum of few waves, fitted to what is known.

Seiler, Jonscher, Schoeberl, Kaup, Resampling Images to a Regular Grid from a Non-Regular Subset of
Pixel Positions Using Frequency Selective Reconstruction, IEEE TIP 2015; Genser et al., 2018; as
OpenCV's xphoto has it. Blocks that are filled support the blocks after them.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dip.fills.fill import Fill, Report
from dip.fills.opencv import from_pixels, to_pixels
from dip.options.base import Options

# OpenCV leaves pixels of incomplete blocks black or fills them badly (2 dB lost on crops of 100x100
# pixels), so an image is padded with unknown pixels to whole blocks.
BLOCK = 16


class FSROptions(Options):
    """Frequency-selective reconstruction."""

    quality: Literal["fast", "best"] = Field(
        "fast",
        description="OpenCV's INPAINT_FSR_FAST, or INPAINT_FSR_BEST, which takes up to a"
        " minute at 128x128 pixels and was worse wherever it was tried",
    )


def restore(
    masked: NDArray[np.float64],
    mask: NDArray[Any],
    seed: int,
    options: FSROptions,
    report: Report,
) -> NDArray[np.float64]:
    """See `dip.fills`."""
    import cv2

    best = options.quality == "best"
    algorithm = cv2.xphoto.INPAINT_FSR_BEST if best else cv2.xphoto.INPAINT_FSR_FAST
    hole = mask[0] == 0
    beyond = [(0, -side % BLOCK) for side in hole.shape]
    known = np.pad(np.where(hole, 0, 255).astype(np.uint8), beyond)  # zero: not known
    pixels = to_pixels(masked)
    # OpenCV takes colours together in the order of blocks of the first channel. Channel by channel
    # is 0.05 dB better with half of the pixels missing (12 crops), and there is progress.
    for channel in range(pixels.shape[2]):
        level = np.pad(pixels[..., channel], beyond)
        filled = np.zeros_like(level)
        cv2.xphoto.inpaint(level, known, filled, algorithm)
        pixels[..., channel] = filled[: hole.shape[0], : hole.shape[1]]
        report((channel + 1) / pixels.shape[2])
    return from_pixels(pixels, masked, hole)


FILL = Fill(
    "fsr",
    restore,
    summary="Frequency-selective reconstruction: each block as few waves that fit what is known.",
    source="Seiler, Jonscher, Schoeberl, Kaup, Resampling Images to a Regular Grid from a"
    " Non-Regular Subset of Pixel Positions Using Frequency Selective Reconstruction, IEEE TIP"
    " 2015; Genser, Seiler, Kaup, 2018; cv2.xphoto.inpaint",
    options=FSROptions(),
    packages=("cv2", "cv2.xphoto"),  # plain OpenCV lacks the second
    slow=True,
    has_progress=True,
    cost="about 2 s at 128x128 pixels in colour; isolated pixels take longest",
    order=8,
)
