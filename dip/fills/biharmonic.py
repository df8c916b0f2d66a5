"""The surface of least bending through the known pixels around the hole.

Damelin and Hoang, On Surface Completion and Image Inpainting by Biharmonic Functions, 2018, as
scikit-image has it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.fills.fill import Fill
from dip.options.base import Options


def restore(masked: NDArray[np.float64], mask: NDArray[Any], seed: int) -> NDArray[np.float64]:
    """See `dip.fills`."""
    from skimage.restoration import inpaint_biharmonic

    image = masked.transpose(1, 2, 0)
    filled = inpaint_biharmonic(image, mask[0] == 0, channel_axis=-1)
    return np.asarray(filled, dtype=np.float64).transpose(2, 0, 1)


def memory(hole: NDArray[np.bool_], channels: int, options: Options) -> float:
    """Estimate the bytes of the solver's factors, which grow as n log n.

    Measured for boxes and for 50 and 90 % of 128x128 to 1024x1024 pixels: 102 to 332 bytes for each
    n log2 n.
    """
    unknowns = int(hole.sum())
    return 340 * unknowns * np.log2(max(2, unknowns))


FILL = Fill(
    "biharmonic",
    restore,
    summary="The surface through the known pixels around the hole that bends least.",
    source="Damelin and Hoang, On Surface Completion and Image Inpainting by Biharmonic"
    " Functions, 2018; skimage.restoration.inpaint_biharmonic",
    # The submodule, because scikit-image imports its parts only when they are first used.
    packages=("skimage.restoration.inpaint", "skimage.util"),
    quick_pixels=2**13,
    cost="about 0.1 s at 128x128 pixels, 2 minutes and 6 GiB for 90 % of 1024x1024",
    memory=memory,
    order=4,
)
